#!/bin/sh
# Prints the progress of the provisioning from its beginning. $1: follow (until somebody hangs up) | once. Runs as root inside.
base=/var/lib/pixels/provision
progress=/run/pixels/progress
if [ ! -e $base/plan ]; then
  echo absent
elif [ ! -s $progress ] && [ -e $base/done ]; then
  printf 'end\tdone\n' # before this boot
elif [ "$1" = once ]; then
  cat $progress 2>/dev/null
else
  exec tail -n +1 -F $progress 2>/dev/null
fi
