#!/bin/sh
# The server that an editor's remote windows run, of exactly the editor's version, where Remote - SSH looks for it: the command line
# program in DATA/code-COMMIT, the server in DATA/cli/servers/QUALITY-COMMIT/server. planned by editorServer.ts, which sets
# `commit`, `quality`, `data` and `address`.
# shellcheck disable=SC2154
machine=$(npm_architecture)
servers=$HOME/$data/cli/servers
name=$(printf %s "$quality" | cut -c 1 | tr '[:lower:]' '[:upper:]')$(printf %s "$quality" | cut -c 2-)-$commit
unpacked=$(mktemp -d)
mkdir -p "$servers/$name" "$unpacked/server"
fetch() { curl -fsSL --retry 2 --max-time 600 "$address/commit:$commit/$1/$quality"; }
fetch "server-linux-$machine" | tar -xzf - --strip-components=1 --no-same-owner -C "$unpacked/server"
test -f "$unpacked/server/product.json"
fetch "cli-alpine-$machine" | tar -xzf - --no-same-owner -C "$unpacked"
# Each is in its place at once and whole, or not at all: a window may be opened at this moment.
[ -e "$servers/$name/server" ] || mv "$unpacked/server" "$servers/$name/server"
[ -e "$HOME/$data/code-$commit" ] || mv "$unpacked/code" "$HOME/$data/code-$commit"
rm -rf "$unpacked"
