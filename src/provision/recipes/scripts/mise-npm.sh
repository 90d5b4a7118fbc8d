#!/bin/sh
# mise's program for this machine is an npm package too.
unpacked=$(mktemp -d)
from_npm "@jdxcode/mise-linux-$(npm_architecture)" "$unpacked/mise"
mkdir -p "$HOME/.local/bin"
install -m 755 "$unpacked/mise/bin/mise" "$HOME/.local/bin/mise"
rm -rf "$unpacked"
