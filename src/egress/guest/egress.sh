#!/bin/sh
# Puts the egress policy that is in /var/lib/pixels/egress in force. Runs as root inside the sandbox.
#   boot      by pixels-egress.service, before there is a network
#   apply     by Pixels, when the policy has changed or the sandbox has been started: sees to all that is needed, then prints the
#             mark of what is in force
#   ends      by pixels-egress-ends.service: puts in force what follows when something is allowed no longer, until nothing follows
#   servers   by the resolver's units: whom it asks; `servers reload` tells a running one
#   state     prints the mark of what is in force, if anything is, and whether names are answered
#   refused   prints what was refused within a day (refusals.ts reads it): nft's sets as JSON, then lines `name COUNT LAST NAME` of
#             names that were given no address, and `is ADDRESS NAME` for each address that was refused and had a name
# An empty ruleset is the policy of a sandbox that may reach everything.
policy=/var/lib/pixels/egress
run=/run/pixels-egress
user=pixels-resolver
resolver=pixels-resolver.service
# shellcheck disable=SC2034 # for common.sh
{
  table=pixels
  servers=$run/servers
}

# The table as text, with what only this machine knows before it: numbers of users, and a number for this time.
ruleset() {
  dhcp=0
  for client in systemd-network dhcpcd _dhcp; do
    if uid=$(id -u $client 2>/dev/null); then dhcp="$dhcp, $uid"; fi
  done
  echo "define resolver = $(id -u $user)"
  echo "define dhcp = { $dhcp }"
  echo "define generation = $(new_generation)"
  cat $policy/ruleset.nft
}

unload() {
  ! command -v nft >/dev/null || ! nft -t list table inet pixels >/dev/null 2>&1 || nft delete table inet pixels ||
    fail 'nft cannot take the rules away'
}

# Whoever is in one of these can become root, whatever sudo says.
leave_groups() {
  account=$(id -nu 1000 2>/dev/null) || return 0
  for group in docker lxd incus-admin incus libvirt disk shadow; do
    case " $(id -nG "$account") " in *" $group "*) gpasswd -d "$account" $group >/dev/null 2>&1 ;; esac
  done
  ! command -v sudo >/dev/null || ! sudo -n -l -U "$account" /bin/sh >/dev/null 2>&1 ||
    fail "the sandbox's own /etc/sudoers lets $account become root"
}

is_open() { [ ! -s $policy/ruleset.nft ]; }

# What somebody in the sandbox remembers of names may not hold any more.
forget_names() {
  systemctl kill -s USR2 systemd-resolved.service >/dev/null 2>&1 || true
}

# For the files. Not held while units are started: they may wait for `boot`, which waits for the lock.
lock() {
  exec 9>$run/lock
  flock 9
}

# One at a time.
lock_apply() {
  exec 8>$run/apply.lock
  flock 8
}

# The next look is never far: while the machine sleeps, or its clock is set, no time passes for this.
ends() {
  for next in $(moments); do
    until left=$((next - $(date +%s))) && [ $left -le 0 ]; do sleep $((left < 20 ? left : 20)); done
    (lock && take_due) || exit 1
    apply >/dev/null
  done
}

# For a policy that comes from outside: one that is in force already may have other ends than before.
watch_ends() {
  [ "$called" = apply ] || return 0
  if [ -s $policy/later ]; then
    systemctl --no-block restart pixels-egress-ends.service >/dev/null 2>&1
  else
    systemctl --no-block stop pixels-egress-ends.service >/dev/null 2>&1
  fi
}

boot() {
  lock
  if [ -e $run/in-force ]; then return; fi
  if [ -s $policy/later ]; then
    { unpack_later && take_due; } || fail 'what follows in time cannot be put in place'
  fi
  if ! is_open; then
    missing_packages
    if [ -n "$missing" ]; then return; fi # Pixels installs it; until then all is held back
    load true
  fi
  : >$run/in-force
}

apply() {
  lock_apply
  if [ "$called" = apply ] && [ -s $policy/later ]; then
    (lock && unpack_later) || fail 'what follows in time cannot be put in place'
  fi
  wanted=$(cat $policy/mark)
  wait_for_systemd
  if is_open; then
    : >$run/in-force
    if [ -n "$(mark_in_force)" ]; then
      unload
      systemctl stop pixels-resolver-servers.path $resolver >/dev/null 2>&1
      forget_names
    fi
    watch_ends
    echo open
    return
  fi
  leave_groups
  if [ -e $run/in-force ] && [ "$(mark_in_force)" = "$wanted" ] && systemctl -q is-active $resolver; then
    watch_ends
    echo "$wanted"
    return
  fi
  missing_packages
  # What is needed for a login comes too, while the network is open.
  if [ -n "$missing" ]; then
    [ -x /usr/sbin/sshd ] || missing="$missing openssh-server"
    command -v sudo >/dev/null || missing="$missing sudo"
    install_packages
  fi
  installed=$missing
  dnsmasq --version | grep -q ' nftset' || fail 'the dnsmasq of this distribution cannot fill nftables sets; use Debian 12 or Ubuntu 24.04, or newer'
  if [ -n "$installed" ] || [ "$(systemctl show --value --property NeedDaemonReload $resolver)" != no ]; then
    systemctl daemon-reload
  fi
  # The one of before must not learn anything for the rules of now.
  systemctl stop $resolver >/dev/null 2>&1
  lock
  kept=$(kept_refusals)
  load learned
  # Only a record: it must not be in the way of the rules.
  [ -z "$kept" ] || printf '%s\n' "$kept" | nft -f - 2>/dev/null
  : >$run/in-force
  exec 9>&-
  said=$(systemctl start pixels-resolver-servers.path $resolver 2>&1) ||
    fail "the resolver does not start: $(printf '%s\n' "$said" | head -n 1)"
  tries=0
  until systemctl -q is-active $resolver; do # it may be starting again
    tries=$((tries + 1))
    [ $tries -le 30 ] || fail 'the resolver does not run'
    sleep 0.1
  done
  forget_names
  case $installed in *openssh-server*) systemctl --no-block start ssh.service >/dev/null 2>&1 ;; esac
  watch_ends
  mark_in_force
}

# Not what prepares its start: that ended by it, and the start with it.
tell_resolver() {
  systemctl kill --kill-whom=main -s HUP $resolver >/dev/null 2>&1
}

servers() {
  write_servers
  [ "${1:-}" = reload ] || return 0
  tell_resolver
  # While this runs, systemd does not see that the file changes once more, as it does several times when a network comes up.
  sleep 1
  write_servers
  tell_resolver
  return 0
}

mkdir -p $run
called=$1
case $called in
servers) servers "${2:-}" ;;
state)
  mark_in_force
  systemctl is-active $resolver
  ;;
*) "$called" ;;
esac
