#!/bin/sh
# Keeps standard input, in memory, for the one session that asks for it by the name $1 (enter.sh). Runs as root, by `sh -c`.
set -eu
umask 077
# /dev is a file system in memory before anything in the sandbox begins; /run and /dev/shm may be mounted while it boots.
if [ "$(stat -f -c %T /dev)" != tmpfs ]; then
  echo 'pixels: there is no file system in memory for what must not be written' >&2
  exit 1
fi
# What no session asked for, because its connection broke.
find /dev -maxdepth 1 -name '.pixels-*' -mmin +2 -exec rm -f {} +
set -C # never into a file that is there
cat >"/dev/.pixels-$1"
