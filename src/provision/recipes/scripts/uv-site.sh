#!/bin/sh
# uv as its own site says: an installer that picks the program for this machine.
installer=$(mktemp)
curl -fsSL --max-time 60 -o "$installer" https://astral.sh/uv/install.sh
UV_UNMANAGED_INSTALL=/usr/local/bin sh "$installer"
rm -f "$installer"
