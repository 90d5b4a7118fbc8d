#!/bin/sh
# Filters for the sandboxes that have no other way out. Runs as root inside the gateway; NAME is a sandbox, whose policy is in
# /var/lib/pixels/gateway/NAME.
#   boot           by pixels-gateway.service, before there is a network: nothing passes but what the policies let through
#   apply NAME     by Pixels, when a policy has changed or its sandbox is started: sees to all that is needed, then prints the mark of
#                  what is in force
#   remove NAME    by Pixels, when a sandbox has gone
#   ends           by pixels-gateway-ends.service: puts in force what follows when something is allowed no longer
#   servers NAME   by the resolvers' units: whom they ask; `servers` tells all that run
#   state NAME     prints the mark of what is in force, if anything is, and whether names are answered
#   refused NAME   prints what was refused within a day, as egress.sh does
policies=/var/lib/pixels/gateway
hosts=/var/lib/pixels/gateway-hosts
run=/run/pixels-gateway
base=/usr/local/lib/pixels/gateway.nft
# shellcheck disable=SC2034 # for common.sh
user=pixels-resolver
own_units='pixels-gateway-dhcp.service pixels-gateway-ends.service pixels-gateway-servers.path'

# shellcheck disable=SC2034 # for common.sh
about() {
  sandbox=$1
  policy=$policies/$1
  table=px-$1
  resolver=pixels-resolver@$1.service
  servers=$run/$1.servers
}

ruleset() {
  echo "define generation = $(new_generation)"
  cat "$policy"/ruleset.nft
}

# Those with a policy that is whole.
sandboxes() { (cd $policies 2>/dev/null && for mark in */mark; do [ ! -s "$mark" ] || echo "${mark%/mark}"; done); }

lock() {
  exec 9>$run/lock
  flock 9
}

# Answers go to nobody else, whoever says that the address is his.
bind() { ip neighbor replace "$(cat "$policy"/address)" lladdr "$(cat "$policy"/mac)" nud permanent dev inner; }

# From then on this machine is a gateway. Again where something of it is not as it should be.
set_up() {
  missing_packages
  if [ -n "$missing" ]; then install_packages; fi
  dnsmasq --version | grep -q ' nftset' || fail 'the dnsmasq of this distribution cannot fill nftables sets; use Debian 12 or Ubuntu 24.04, or newer'
  make_user
  systemctl daemon-reload
  # shellcheck disable=SC2086 # a list of words
  said=$(systemctl restart pixels-gateway.service $own_units 2>&1) || fail "the gateway does not start: $(printf '%s\n' "$said" | head -n 1)"
}

boot() {
  nft -f $base || exit 1
  ip address replace 198.18.0.1/20 dev inner && ip link set inner up && echo 1 >/proc/sys/net/ipv4/ip_forward || exit 1
  for sandbox in $(sandboxes); do
    about "$sandbox"
    load learned
    bind
    systemctl --no-block start "$resolver" >/dev/null 2>&1
  done
}

# A policy of a sandbox that has gone unseen and whose address another one has now.
forget_predecessor() {
  for other in $(sandboxes); do
    [ "$other" = "$sandbox" ] || ! cmp -s $policies/"$other"/address "$policy"/address || (remove "$other")
  done
}

apply() {
  about "$1"
  lock
  unpack_later || fail 'what follows in time cannot be put in place'
  wanted=$(cat "$policy"/mark)
  wait_for_systemd
  seal=$(cat $base /etc/systemd/system/pixels-* /usr/local/lib/pixels/gateway.sh | cksum)
  # shellcheck disable=SC2086 # a list of words
  if [ "$(cat $run/seal 2>/dev/null)" != "$seal" ] || ! systemctl -q is-active pixels-gateway.service $own_units; then
    set_up
    echo "$seal" >$run/seal
  fi
  forget_predecessor
  echo "$(cat "$policy"/mac),$(cat "$policy"/address)" >$run/host
  cmp -s $run/host $hosts/"$sandbox" || cp $run/host $hosts/"$sandbox"
  bind || fail 'its address cannot be bound'
  put_in_force
  # There may be other times than before.
  systemctl --no-block try-restart pixels-gateway-ends.service >/dev/null 2>&1
  mark_in_force
}

put_in_force() {
  if [ "$(mark_in_force)" = "$wanted" ] && systemctl -q is-active "$resolver"; then return; fi
  # The one of before must not learn anything for the rules of now.
  systemctl stop "$resolver" >/dev/null 2>&1
  kept=$(kept_refusals)
  load learned
  # Only a record: it must not be in the way of the rules.
  [ -z "$kept" ] || printf '%s\n' "$kept" | nft -f - 2>/dev/null
  said=$(systemctl start "$resolver" 2>&1) || fail "the resolver does not start: $(printf '%s\n' "$said" | head -n 1)"
  tries=0
  until systemctl -q is-active "$resolver"; do # it may be starting again
    tries=$((tries + 1))
    [ $tries -le 30 ] || fail 'the resolver does not run'
    sleep 0.1
  done
}

remove() {
  about "$1"
  rm -f "$policy"/mark
  systemctl stop "$resolver" >/dev/null 2>&1
  nft delete element inet gateway bound "{ $(cat "$policy"/mac) . $(cat "$policy"/address) }" 2>/dev/null
  ip neighbor delete "$(cat "$policy"/address)" dev inner 2>/dev/null
  nft delete table inet "$table" 2>/dev/null
  rm -rf "$policy" "$hosts/${sandbox:?}"
}

# The next look is never far: while the machine sleeps, or its clock is set, no time passes for this.
ends() {
  while :; do
    left=20
    some=''
    for sandbox in $(sandboxes); do
      about "$sandbox"
      for next in $(moments | head -n 1); do
        some=yes
        now=$((next - $(date +%s)))
        if [ $now -le 0 ]; then
          (lock && take_due && wanted=$(cat "$policy"/mark) && put_in_force) || exit 1
          left=0
        fi
        [ $now -ge $left ] || left=$now
      done
    done
    if [ -z "$some" ]; then exec sleep infinity; fi
    sleep $((left > 0 ? left : 0))
  done
}

servers() {
  if [ $# -gt 0 ]; then
    about "$1"
    write_servers
    return
  fi
  for sandbox in $(sandboxes); do
    about "$sandbox"
    write_servers
    systemctl kill --kill-whom=main -s HUP "$resolver" >/dev/null 2>&1
  done
}

state() {
  about "$1"
  mark_in_force
  systemctl is-active "$resolver"
}

mkdir -p $run $policies $hosts
called=$1
shift
case $called in
refused) about "$1" && refused ;;
*) "$called" "$@" ;;
esac
