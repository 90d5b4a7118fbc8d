#!/bin/sh
# Programs of the user's own are found in every shell. At the top: bash reads this file for commands over SSH too, and the
# distribution's goes no further there.
# shellcheck disable=SC2016 # expanded by the shells that read it
line='export PATH="$HOME/.local/share/mise/shims:$HOME/.local/bin:$PATH" # pixels'
{
  echo "$line"
  cat "$HOME/.bashrc" 2>/dev/null || true
} >"$HOME/.bashrc.pixels"
mv "$HOME/.bashrc.pixels" "$HOME/.bashrc"
