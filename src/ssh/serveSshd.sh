#!/bin/sh
# Serves one SSH connection on standard input and output. Runs in the sandbox as root, by `sh -c`, so that what a login
# needs is seen to without another request. On the usual path it starts no process but sshd. Its arguments are names of
# variables that the client may bring along; sshd adds them to those of its own configuration.

fail() {
  echo "pixels: $1" >&2
  exit 255
}

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
sshd=$(command -v sshd) || fail 'there is no SSH server in this sandbox; set it up with "pixels start".'

has_systemd() {
  case $(readlink -f /sbin/init) in
  */systemd) ;;
  *) false ;;
  esac
}
# What is made in /run before systemd has mounted it disappears below. This directory is the first that it makes there itself.
if [ ! -d /run/systemd/system ] && has_systemd; then
  tries=1500
  until [ -d /run/systemd/system ] || [ $((tries -= 1)) = 0 ]; do sleep 0.02; done
fi

# Under an egress policy nobody logs in before it is in force.
in_force=/run/pixels-egress/in-force
if [ -e /etc/systemd/system/pixels-egress.service ] && [ ! -e $in_force ]; then
  tries=500
  until [ -e $in_force ] || [ $((tries -= 1)) = 0 ]; do sleep 0.02; done
  [ -e $in_force ] || fail 'the egress policy of this sandbox is not in force; "pixels start" sees to it.'
fi

# sshd separates privileges in this directory; the unit file of a listening sshd would have made it.
[ -d /run/sshd ] || mkdir -m 755 /run/sshd 2>/dev/null || [ -d /run/sshd ] || fail 'there is no /run/sshd.'

# For sshd a peer on a pipe is called UNKNOWN. Its audit code looks that name up several times, and systemd-resolved
# takes seconds for each, asking the neighbours.
known=
while read -r address names; do
  [ "$address $names" != '127.0.0.1 UNKNOWN' ] || known=yes
done </etc/hosts
[ -n "$known" ] || echo '127.0.0.1 UNKNOWN' >>/etc/hosts

# systemd lets only root in until the end of boot: /run/nologin is made early and taken away late (access.sh asks it not to).
# Once D-Bus listens it has been made, and logind will answer: a login gets its session.
may_login() {
  { [ -S /run/dbus/system_bus_socket ] || [ -d /run/systemd/sessions ]; } && [ ! -e /run/nologin ]
}
[ $# = 0 ] || set -- -o "AcceptEnv $*"
if may_login || ! has_systemd; then exec "$sshd" -i "$@"; fi

# The key exchange and the rest of the boot go on side by side. sshd reads its banner after the one and before it asks who
# may log in; from a FIFO without a writer it waits for that.
gate=/run/sshd/boot-$$
mkfifo -m 600 "$gate"
{
  tries=1500
  until may_login || [ $((tries -= 1)) = 0 ] || ! kill -0 $$; do sleep 0.02; done
  # shellcheck disable=SC2016 # the inner sh expands it
  until timeout 1 sh -c ': >"$0"' "$gate" || ! kill -0 $$; do :; done
  rm -f "$gate"
} </dev/null >/dev/null 2>&1 &
exec "$sshd" -i -o "Banner=$gate" "$@"
