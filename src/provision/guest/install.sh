#!/bin/sh
# Puts a plan in place of the one that may be there, and begins with it. planScript.ts puts the files in where it says so.
set -eu
umask 022
base=/var/lib/pixels/provision
unit=pixels-provision.service
# Right after its start the machine's init may not have got so far that it can be asked.
tries=0
until systemctl show --property Version >/dev/null 2>&1 || [ $tries -ge 300 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
if [ -e $base/plan ]; then systemctl stop $unit; fi
rm -rf $base/plan $base/done /run/pixels/progress /run/pixels/provision.log
# FILES
wants=/etc/systemd/system/multi-user.target.wants
mkdir -p $wants
ln -sfn ../$unit $wants/$unit
systemctl daemon-reload
systemctl --no-block start $unit
