# What both enforcements do (guest/egress.sh, gateway/gateway.sh), which are put behind this. They say before they call any of it:
#   policy    the directory with the files of a sandbox's policy
#   table     the nftables table that is made of it, in the family inet
#   resolver  the unit of the resolver that is told it
#   servers   the file in which that finds whom to ask
#   user      the resolver's user
#   run       a directory for what is to be forgotten when this machine stops
# shellcheck shell=sh disable=SC2154,SC2086
set -u
umask 022
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

fail() {
  echo "pixels: $*" >&2
  exit 1
}

missing_packages() {
  missing=''
  command -v nft >/dev/null || missing="$missing nftables"
  command -v dnsmasq >/dev/null || missing="$missing dnsmasq-base"
}

# No service of a package is started, and nobody asks D-Bus: in a sandbox that is held back until this is done
# (pixels-egress-hold.service), it would wait for ever.
install_packages() {
  command -v apt-get >/dev/null || fail "the image has no$missing and no apt-get to install it; use a Debian or Ubuntu image"
  tries=0
  until awk '$2 == "00000000" { found = 1 } END { exit !found }' /proc/net/route ||
    awk '$1 ~ /^0+$/ && $2 == "00" && $10 != "lo" { found = 1 } END { exit !found }' /proc/net/ipv6_route 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -le 150 ] || fail "there was no network within 30 seconds, so$missing cannot be installed"
    sleep 0.2
  done
  log=$(mktemp)
  export SYSTEMD_OFFLINE=1 DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent
  for pause in 1 3 9 0; do
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

mark_in_force() {
  ! command -v nft >/dev/null || nft -t list table inet $table 2>/dev/null | sed -n 's/^\tcomment "\(.*\)"$/\1/p'
}

# For $generation: a number that no ruleset had before.
new_generation() { echo $(($(od -An -N4 -tu4 /dev/urandom) % 2147483646 + 1)); }

# What `ruleset` prints, and $1 behind it: what prints elements to put in.
load() {
  id -u $user >/dev/null 2>&1 ||
    useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin $user 2>/dev/null ||
    fail "there is no user $user, and it cannot be made"
  { ruleset && "$1"; } >$run/loading || fail 'the rules cannot be written'
  if ! said=$(nft -f $run/loading 2>&1); then
    fail "nft refuses the rules: $(printf '%s\n' "$said" | head -n 1)"
  fi
}

wait_for_systemd() {
  tries=0
  until systemctl show --property Version >/dev/null 2>&1 || [ $tries -ge 300 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
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
        print "add element inet " word[3] " " word[4] " { " $NF " }"
      }
    }' $policy/resolver.conf -
}

# What follows (files.ts says how that is written) as files of its own, so that nothing has to be written when its time has come: somebody
# may have filled the disk until then.
unpack_later() {
  rm -rf $policy/then
  while read -r time its_mark its_rules its_resolver its_names; do
    mkdir -p $policy/then/"$time" || return 1
    cd $policy/then/"$time" || return 1
    for file in ruleset.nft:"$its_rules" resolver.conf:"$its_resolver" asked:"$its_names"; do
      case $file in
      *:-) : >"${file%%:*}" || return 1 ;;
      *) printf '%s' "${file#*:}" | base64 -d >"${file%%:*}" || return 1 ;;
      esac
    done
    printf '%s\n' "$its_mark" >mark || return 1
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

refused() {
  nft -j list set inet $table refused4 2>/dev/null
  nft -j list set inet $table refused6 2>/dev/null
  addresses=$(for set in refused4 refused6; do
    nft list set inet $table $set 2>/dev/null | grep -oE '[0-9a-f.:]+ \. (tcp|udp)' | sed 's/ .*//'
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
    kept=$(nft list set inet $table $set 2>/dev/null | tr '\n\t' '  ' | sed -n 's/.*elements = {\([^}]*\)}.*/\1/p')
    [ -z "$kept" ] || echo "add element inet $table $set { $kept }"
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
  done <$from >$servers.$$
  mv -f $servers.$$ $servers
}

