#!/bin/sh
# What the sandbox's user may do as root while a policy says what the sandbox may reach: $1 safe-apt | systemctl | journalctl | nft,
# the rest its arguments. sudo runs it (sudo.ts). Root could switch the policy off, so each lets through what it knows to lead to no
# root, and nothing else.
set -u
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
called=$1
shift
cd /

refuse() {
  echo "$called: $*: not allowed while an egress policy is in force in this sandbox" >&2
  exit 1
}

# The caller's variables reach nobody: some of them name programs. Nothing of it asks, since dpkg offers a shell then.
as_root() {
  env -i PATH="$PATH" LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none \
    NEEDRESTART_SUSPEND=1 PAGER=cat SYSTEMD_PAGER=cat SYSTEMD_LESS= "$@" </dev/null
}

# Whether only root can change what is there, or put something else in its place.
is_roots() {
  place=$(readlink -f -- "$1") || return 1
  while :; do
    owned=$(stat -c '%u 0%a' -- "$place") || return 1
    [ "${owned% *}" = 0 ] || return 1
    [ $((${owned#* } & 022)) = 0 ] || return 1
    [ "$place" != / ] || return 0
    place=${place%/*}
    place=${place:-/}
  done
}

# Packages of the sandbox's own sources: by name, never from a file, and without any configuration of the caller's.
safe_apt() {
  verb=''
  for word; do
    shift
    case $word in
    -y | --yes | --assume-yes | -q | -qq | --quiet) continue ;;
    --no-install-recommends | --reinstall | --only-upgrade) ;;
    -*) refuse "the option $word" ;;
    *[!A-Za-z0-9.+:~=_-]* | [!a-z0-9]* | *- | *.deb | *.dsc | *.changes) refuse "\"$word\", which is no package's name" ;;
    *)
      if [ -z "$verb" ]; then
        verb=$word
        continue
      fi
      case $verb:$word in
      remove:nftables* | remove:dnsmasq* | remove:sudo* | remove:systemd* | remove:apt* | remove:dpkg* | \
        purge:nftables* | purge:dnsmasq* | purge:sudo* | purge:systemd* | purge:apt* | purge:dpkg*) refuse "$verb $word" ;;
      esac
      ;;
    esac
    set -- "$@" "$word"
  done
  case $verb in
  update | upgrade | clean) [ $# -eq 0 ] || refuse "$verb with \"$*\"" ;;
  install | remove | purge) ;;
  *) refuse "\"$verb\" (only update, upgrade, install, remove, purge and clean are)" ;;
  esac
  as_root apt-get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$verb" "$@"
  code=$?
  # A package may have brought another firewall.
  as_root sh /usr/local/lib/pixels/egress.sh apply >/dev/null || code=1
  exit $code
}

unit_of_root() {
  case $1 in '' | -* | *[!A-Za-z0-9:_.@-]*) refuse "the unit \"$1\"" ;; esac
  facts=$(as_root systemctl show -p Names -p FragmentPath -p SourcePath -p DropInPaths -p ExecStart -p ExecStartPre \
    -p ExecStartPost -p ExecCondition -p ExecReload -p ExecStop -p ExecStopPost -- "$1") || refuse "$1"
  names=$(printf '%s\n' "$facts" | sed -n 's/^Names=//p')
  for name in $names; do
    case $name in
    pixels-* | nftables.service | debug-shell.service | rescue.* | emergency.*) refuse "the unit $name" ;;
    esac
  done
  [ -n "$(printf '%s\n' "$facts" | sed -n 's/^FragmentPath=//p')" ] || refuse "$1, of which there is no file,"
  for path in $(printf '%s\n' "$facts" |
    sed -n 's/^\(FragmentPath\|SourcePath\|DropInPaths\)=//p; s/^Exec[A-Za-z]*={ path=\([^ ;]*\).*/\1/p'); do
    is_roots "$path" || refuse "$1, whose $path others than root can change,"
  done
}

limited_systemctl() {
  verb=''
  for word; do
    shift
    case $word in
    --no-pager) continue ;;
    --now | --all | -a | --quiet | -q | --full | -l | --plain | --no-legend | --failed) ;;
    -*) refuse "the option $word" ;;
    *[!A-Za-z0-9:_.@-]*) refuse "\"$word\"" ;;
    *)
      if [ -z "$verb" ]; then
        verb=$word
        continue
      fi
      case $verb in start | stop | restart | reload | try-restart | reload-or-restart | enable | disable | reset-failed)
        unit_of_root "$word"
        ;;
      esac
      ;;
    esac
    set -- "$@" "$word"
  done
  case $verb in
  start | stop | restart | reload | try-restart | reload-or-restart | enable | disable) [ $# -gt 0 ] || refuse "$verb of nothing" ;;
  reset-failed | daemon-reload | status | show | cat | is-active | is-enabled | is-failed | list-units | list-unit-files | \
    list-timers | list-sockets | list-dependencies) ;;
  *) refuse "\"$verb\"" ;;
  esac
  as_root systemctl --no-pager --no-ask-password "$verb" "$@"
}

limited_journalctl() {
  value=''
  for word; do
    if [ -n "$value" ]; then
      value=''
      case $word in -*) refuse "\"$word\"" ;; esac
      continue
    fi
    case $word in
    -u | --unit | -n | --lines | -p | --priority | -o | --output | -S | --since | -U | --until | -g | --grep | -t | --identifier) value=yes ;;
    --unit=* | --lines=* | --priority=* | --output=* | --since=* | --until=* | --grep=* | --identifier=* | -n[0-9]*) ;;
    -f | --follow | -b | --boot | -k | --dmesg | -r | --reverse | -x | -e | -a | --all | -q | --quiet | --no-pager | --utc) ;;
    *) refuse "\"$word\"" ;;
    esac
  done
  as_root journalctl --no-pager "$@"
}

limited_nft() {
  for word; do
    case $word in -a | -n | -j | -s) ;; '' | -* | *[!A-Za-z0-9_.]*) refuse "\"$word\"" ;; esac
  done
  for word; do
    case $word in -*) ;; list) break ;; *) refuse "\"$word\" (only list is)" ;; esac
  done
  [ $# -gt 0 ] || refuse 'no argument'
  as_root nft "$@"
}

case $called in
safe-apt) safe_apt "$@" ;;
systemctl) limited_systemctl "$@" ;;
journalctl) limited_journalctl "$@" ;;
nft) limited_nft "$@" ;;
esac
