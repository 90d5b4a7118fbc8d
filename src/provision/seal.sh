#!/bin/sh
# Takes out of a machine what copies of it must not have: keys, identity, histories, caches. Runs as root inside, by `sh -c`, just
# before the machine is stopped for good. What its recipe printed stays (/var/lib/pixels/provision/log).
set -eu
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive

# An image's own unit makes a key where there is none, at the same time as access.sh in a copy: an empty file keeps it from that.
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
: >/etc/ssh/ssh_host_ed25519_key
chmod 600 /etc/ssh/ssh_host_ed25519_key

for home in /root /home/*; do
  if [ ! -d "$home" ] || [ -L "$home" ]; then continue; fi
  # A user may have put links there: nothing is followed but the home directory itself.
  [ -L "$home/.ssh" ] || rm -f "$home/.ssh/authorized_keys" "$home/.ssh/known_hosts" "$home/.ssh/known_hosts.old"
  [ -L "$home/.npm" ] || rm -rf "$home/.npm/_cacache" "$home/.npm/_logs"
  rm -rf "$home/.cache"
  rm -f "$home/.bash_history" "$home/.zsh_history" "$home/.python_history" "$home/.node_repl_history" \
    "$home/.sqlite_history" "$home/.lesshst" "$home/.viminfo" "$home/.wget-hsts"
done

if command -v apt-get >/dev/null; then
  apt-get -q clean
  rm -rf /var/lib/apt/lists/*
fi
rm -rf /var/cache/apt/*.bin /var/log/journal/* /tmp/* /tmp/.[!.]* /var/tmp/* /var/lib/dhcp/* /var/lib/systemd/random-seed
for log in /var/log/wtmp /var/log/btmp /var/log/lastlog; do
  [ ! -f $log ] || : >$log
done

# machine-id(5): an empty file means "make one at the next start"; D-Bus has one of its own in some images.
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id
sync
