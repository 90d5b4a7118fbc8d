#!/bin/sh
# Enters the sandbox as its user: HOME, groups, environment and directory as after a login. Runs as root, by `sh -c`.
#   $1 user; $2 names of the variables that are given for this session, with blanks between; $3 where those wait that were
#   handed over (handOver.sh), or nothing
#   $4 run: the rest is a command | session NAME: a shell in tmux NAME | shell: a login shell
# Where the user does not exist (a sandbox without a way in) everything is root's.
# Own variables begin with px_: others are the session's. No other process is started for all this: it is in the way of every
# command.

# /etc/environment as pam_env(8) reads it for a login, but for what a login has from elsewhere, and what was given.
px_read_environment() {
  while read -r px_line || [ -n "$px_line" ]; do
    px_line=${px_line#export }
    px_name=${px_line%%=*}
    px_value=${px_line#*=}
    case $px_name in
    "$px_line" | '' | [0-9]* | *[!A-Za-z0-9_]* | px_*) continue ;;
    HOME | USER | LOGNAME | SHELL | PATH | PWD | OLDPWD | TERM | IFS | UID | EUID | PPID | BASHOPTS | SHELLOPTS) continue ;;
    esac
    case " $1 " in *" $px_name "*) continue ;; esac
    case $px_value in
    [\'\"]*) px_value=${px_value#?} px_value=${px_value%[\'\"]} ;;
    *) px_value=${px_value%%#*} ;;
    esac
    export "$px_name=$px_value"
  done </etc/environment
}
px_find_account() {
  while IFS=: read -r px_account _ px_uid px_gid _ px_home SHELL; do
    [ "$px_account" != "$1" ] || return 0
  done </etc/passwd
  return 1
}
[ ! -r /etc/environment ] || px_read_environment "$2"
if [ -n "$3" ]; then
  # shellcheck source=/dev/null
  . "/dev/.pixels-$3"
  rm -f "/dev/.pixels-$3"
fi
px_find_account "$1" || px_find_account root
export HOME="$px_home" USER="$px_account" LOGNAME="$px_account" SHELL
export PATH="$px_home/.local/share/mise/shims:$px_home/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
cd "$px_home" || cd /

px_given=$2 px_how=$4
shift 4
case $px_how in
run) ;;
session)
  if command -v tmux >/dev/null; then
    # tmux gives a new shell what its server began with, and of the terminal that is here now only what this list names.
    set -- new-session -A -s "$1"
    px_index=900
    for px_name in $px_given; do
      set -- set-option -g "update-environment[$px_index]" "$px_name" ';' "$@"
      px_index=$((px_index + 1))
    done
    set -- tmux -u "$@"
  else
    set -- "$SHELL" -l
  fi
  ;;
*) set -- "$SHELL" -l ;;
esac
exec setpriv --reuid "$px_uid" --regid "$px_gid" --init-groups -- "$@"
