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
set -u
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
policy=/var/lib/pixels/egress
run=/run/pixels-egress
user=pixels-resolver
resolver=pixels-resolver.service

fail() {
  echo "pixels: $*" >&2
  exit 1
}

missing_packages() {
  missing=''
  command -v nft >/dev/null || missing="$missing nftables"
  command -v dnsmasq >/dev/null || missing="$missing dnsmasq-base"
}

# Nothing but this sandbox's own beginning is running yet where something is missing (pixels-egress-hold.service). A service that a
# package starts would wait for ever, and so would who asks D-Bus: none is started, and nobody asks. What is needed for a login
# comes too, while the network is open.
install_packages() {
  command -v apt-get >/dev/null || fail "the image has no$missing and no apt-get to install it; use a Debian or Ubuntu image"
  [ -x /usr/sbin/sshd ] || missing="$missing openssh-server"
  command -v sudo >/dev/null || missing="$missing sudo"
  tries=0
  until awk '$2 == "00000000" { found = 1 } END { exit !found }' /proc/net/route ||
    awk '$1 ~ /^0+$/ && $2 == "00" && $10 != "lo" { found = 1 } END { exit !found }' /proc/net/ipv6_route 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -le 150 ] || fail "the sandbox got no network within 30 seconds, so$missing cannot be installed"
    sleep 0.2
  done
  log=$(mktemp)
  export SYSTEMD_OFFLINE=1 DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent
  for pause in 1 3 9 0; do
    # shellcheck disable=SC2086 # a list of words
    if apt-get -qq -o DPkg::Lock::Timeout=120 update >"$log" 2>&1 &&
      apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends $missing >>"$log" 2>&1; then
      rm -f "$log"
      unset SYSTEMD_OFFLINE DBUS_SYSTEM_BUS_ADDRESS
      return
    fi
    sleep $pause
  done
  tail -n 20 "$log" >&2
  rm -f "$log"
  fail "installing$missing failed"
}

# The table as text, with what only this machine knows before it: numbers of users, and a number for this time.
ruleset() {
  dhcp=0
  for client in systemd-network dhcpcd _dhcp; do
    if uid=$(id -u $client 2>/dev/null); then dhcp="$dhcp, $uid"; fi
  done
  generation=$(($(od -An -N4 -tu4 /dev/urandom) % 2147483646 + 1))
  echo "define resolver = $(id -u $user)"
  echo "define dhcp = { $dhcp }"
  echo "define generation = $generation"
  cat $policy/ruleset.nft
}

# Addresses that the resolver has learned since yesterday, for the names that are still allowed: connections to them go on.
learned() {
  systemctl show --property Version >/dev/null 2>&1 || return 0
  journalctl -q -b -u $resolver -o cat --since -1d -n 20000 2>/dev/null | awk '
    FILENAME != "-" && /^nftset=/ { split($0, part, "/"); sets[part[2]] = part[3]; next }
    FILENAME != "-" && /^address=/ { split($0, part, "/"); refused[part[2]] = 1; next }
    FILENAME != "-" { next }
    $4 ~ /^query/ { asked[$1 $2 $3] = $5; next }
    $4 == "reply" && $NF ~ /^[0-9a-f.:]+$/ && ($1 $2 $3) in asked {
      name = tolower(asked[$1 $2 $3])
      found = ""
      if (!(name in refused)) {
        if (name in sets) found = sets[name]
        for (rest = name; found == "" && index(rest, "."); ) {
          rest = substr(rest, index(rest, ".") + 1)
          if (("*." rest) in refused || rest in refused) break
          if (rest in sets) found = sets[rest]
        }
      }
      family = index($NF, ":") ? 6 : 4
      count = split(found, each, ",")
      for (i = 1; i <= count; i++) {
        split(each[i], word, "#")
        if (word[1] != family || (word[4], $NF) in told) continue
        told[word[4], $NF] = 1
        print "add element inet pixels " word[4] " { " $NF " }"
      }
    }' $policy/resolver.conf -
}

load() { # $1: what prints elements to put in
  id -u $user >/dev/null 2>&1 ||
    useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin $user 2>/dev/null ||
    fail "there is no user $user, and it cannot be made"
  { ruleset && "$1"; } >$run/loading || fail 'the rules cannot be written'
  if ! said=$(nft -f $run/loading 2>&1); then
    fail "nft refuses the rules: $(printf '%s\n' "$said" | head -n 1)"
  fi
}

unload() {
  ! command -v nft >/dev/null || ! nft -t list table inet pixels >/dev/null 2>&1 || nft delete table inet pixels ||
    fail 'nft cannot take the rules away'
}

wait_for_systemd() {
  tries=0
  until systemctl show --property Version >/dev/null 2>&1 || [ $tries -ge 300 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
}

mark_in_force() {
  ! command -v nft >/dev/null || nft -t list table inet pixels 2>/dev/null | sed -n 's/^\tcomment "\(.*\)"$/\1/p'
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

# What follows (files.ts says how that is written) as files of its own, so that nothing has to be written when its time has come: somebody
# may have filled the disk until then.
unpack_later() {
  rm -rf $policy/then
  while read -r time mark ruleset resolver asked; do
    mkdir -p $policy/then/"$time" || return 1
    cd $policy/then/"$time" || return 1
    for file in ruleset.nft:"$ruleset" resolver.conf:"$resolver" asked:"$asked"; do
      case $file in
      *:-) : >"${file%%:*}" || return 1 ;;
      *) printf '%s' "${file#*:}" | base64 -d >"${file%%:*}" || return 1 ;;
      esac
    done
    printf '%s\n' "$mark" >mark || return 1
  done <$policy/later
  cd /
}

# The times at which something follows, the next one first.
moments() {
  (cd $policy/then 2>/dev/null && for time in [0-9]*; do [ ! -d "$time" ] || echo "$time"; done) | sort -n
}

# Puts what has followed by now in the place of what there is.
take_due() {
  for time in $(moments); do
    [ "$time" -le "$(date +%s)" ] || return 0
    rm -f $policy/seal
    for file in ruleset.nft resolver.conf asked mark; do
      # Where it is not there, this was ended in the middle of its work.
      [ ! -e $policy/then/"$time"/$file ] || mv -f $policy/then/"$time"/$file $policy/$file || return 1
    done
    rm -rf $policy/then/"$time"
  done
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
  if [ -n "$missing" ]; then install_packages; fi
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

refused() {
  nft -j list set inet pixels refused4 2>/dev/null
  nft -j list set inet pixels refused6 2>/dev/null
  addresses=$(for set in refused4 refused6; do
    nft list set inet pixels $set 2>/dev/null | grep -oE '[0-9a-f.:]+ \. (tcp|udp)' | sed 's/ .*//'
  done | sort -u | tr '\n' ' ')
  # Programs ask for both kinds of address, and mean one attempt.
  journalctl -q -b -u $resolver -o short-unix --since -1d -n 20000 2>/dev/null | awk -v addresses="$addresses" '
    BEGIN { count = split(addresses, each, " "); for (i = 1; i <= count; i++) wanted[each[i]] = 1 }
    $7 ~ /^query/ { asked[$5 $6] = $8; type[$5 $6] = $7; next }
    $7 == "config" && $10 == "NXDOMAIN" {
      name = tolower($8)
      if (type[$5 $6] == "query[AAAA]") times6[name]++
      else times[name]++
      last[name] = int($1)
      next
    }
    $7 == "reply" && ($10 in wanted) && ($5 $6) in asked { is[$10] = tolower(asked[$5 $6]) }
    END {
      for (name in last) print "name", (times[name] > times6[name] ? times[name] : times6[name]), last[name], name
      for (address in is) print "is", address, is[address]
    }'
}

# What was refused by the rules of before, to be put into those of now.
kept_refusals() {
  for set in refused4 refused6; do
    kept=$(nft list set inet pixels $set 2>/dev/null | tr '\n\t' '  ' | sed -n 's/.*elements = {\([^}]*\)}.*/\1/p')
    [ -z "$kept" ] || echo "add element inet pixels $set { $kept }"
  done
}

write_servers() {
  from=/run/systemd/resolve/resolv.conf
  [ -e $from ] || from=/etc/resolv.conf
  [ -e $from ] || from=/dev/null # there is no network yet; the path unit sees when there is
  while read -r word address _; do
    [ "$word" = nameserver ] || continue
    case $address in 127.* | ::1) continue ;; esac
    sed "s|.*|server=/&/$address|" $policy/asked
  done <$from >$run/servers.$$
  mv -f $run/servers.$$ $run/servers
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
