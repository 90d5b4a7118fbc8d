#!/bin/sh
# mise as its own site says: an installer that picks the program for this machine.
installer=$(mktemp)
curl -fsSL --max-time 60 -o "$installer" https://mise.run
MISE_INSTALL_PATH="$HOME/.local/bin/mise" sh "$installer"
rm -f "$installer"
