#!/bin/sh
# Does the steps of a plan, one after another, as root inside a sandbox. Started by pixels-provision.service at every boot until
# all have passed once. Every step can be skipped, so that being cut off and beginning again does no harm.
#   /var/lib/pixels/provision/plan/NN-ID/   title, as, needs, check, minutes, retries, optional; sources/N/ with title, answers, script
#   /run/pixels/progress                    what happened, one line each, words between tabs; read by progress.ts
#   /run/pixels/provision.log               what the steps printed
# Both are in memory: a full disk can still be told. The log is kept on the disk at the end.
set -u
base=/var/lib/pixels/provision
progress=/run/pixels/progress
log=/run/pixels/provision.log
library=/usr/local/lib/pixels/library.sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
read -r user <$base/user
tab=$(printf '\t')

main() {
  umask 022
  mkdir -p $base/passed
  failed=''
  set -- $base/plan/*/
  tell run $#
  for step; do
    do_step "${step%/}" || failed="$failed $id "
  done
  cp $log $base/log 2>/dev/null
  if [ -z "$failed" ] && : >$base/done; then
    tell end 'done'
  else
    tell end failed
  fi
}

tell() {
  (
    IFS=$tab
    printf '%s\n' "$*" >>$progress
  )
}

# Sets `id`. Ends with 0 when the step is done, now or before.
do_step() {
  id=${1##*/} id=${id#*-}
  read -r title <"$1/title"
  tell begin "$id" "$title"
  read -r needs <"$1/needs"
  for need in $needs; do
    case $failed in *" $need "*)
      tell blocked
      return 1
      ;;
    esac
  done
  printf '\n=== %s (%s)\n' "$title" "$(date -u '+%Y-%m-%d %H:%M:%S UTC')" >>$log
  if is_there "$1"; then
    echo 'There already.' >>$log
    tell skipped
    return
  fi
  read -r minutes <"$1/minutes"
  read -r retries <"$1/retries"
  deadline=$(($(uptime_seconds) + $(awk "BEGIN { print int($minutes * 60) }")))
  begin=$(wc -c <$log)
  attempt=0 pause=2
  until attempt_step "$1"; do
    if [ $attempt -ge "$retries" ] || [ "$(uptime_seconds)" -ge $deadline ]; then
      tell_last_lines "$begin"
      if [ -e "$1/optional" ]; then
        tell omitted
        return
      fi
      tell failed
      return 1
    fi
    attempt=$((attempt + 1))
    tell retry $attempt $pause
    echo "Trying again in $pause seconds." >>$log
    sleep $pause
    pause=$((pause * 3))
    [ $pause -le 60 ] || pause=60
  done
  [ -e "$1/check" ] || cksum <"$1/sources/1/script" >"$base/passed/$id"
  tell 'done'
}

# Where a step has no check, having passed once with the same script is one.
is_there() {
  if [ -e "$1/check" ]; then
    within 60 "$1" "$1/check" >/dev/null 2>&1
  else
    [ "$(cat "$base/passed/$id" 2>/dev/null)" = "$(cksum <"$1/sources/1/script")" ]
  fi
}

# The first source that answers and works.
attempt_step() {
  for source in "$1"/sources/*/; do
    source=${source%/}
    read -r name <"$source/title" || name=''
    if [ -e "$source/answers" ]; then
      read -r address <"$source/answers"
      if ! curl -fsSL --max-time 10 -o /dev/null "$address" >>$log 2>&1; then
        echo "$address does not answer." >>$log
        continue
      fi
    fi
    [ -z "$name" ] || echo "--- from $name" >>$log
    tell source "$name"
    left=$((deadline - $(uptime_seconds)))
    if [ $left -le 0 ]; then
      echo "It took longer than $minutes minutes." >>$log
      return 1
    fi
    if within $left "$1" "$source/script" >>$log 2>&1; then
      if [ ! -e "$1/check" ] || within 60 "$1" "$1/check" >>$log 2>&1; then return 0; fi
      echo 'It seemed to work, but is not there.' >>$log
    elif [ "$(uptime_seconds)" -ge $deadline ]; then
      echo "It took longer than $minutes minutes, and was ended." >>$log
    fi
  done
  return 1
}

# within SECONDS STEP SCRIPT: runs the script as whom the step says, after the functions of the library.
within() {
  # shellcheck disable=SC2016 # the inner shell expands them
  set -- "$1" "$2" sh -c 'set -eu; . "$1"; . "$2"' sh $library "$3"
  limit=$1 whom=$(cat "$2/as")
  shift 2
  if [ "$whom" = user ]; then
    account=$(getent passwd "$user") || {
      echo "There is no user $user."
      return 1
    }
    home=${account%:*} home=${home##*:}
    (
      cd "$home" || exit 1
      exec timeout -k 10 "$limit" setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups -- \
        env HOME="$home" USER="$user" LOGNAME="$user" SHELL="${account##*:}" \
        PATH="$home/.local/share/mise/shims:$home/.local/bin:$PATH" "$@" </dev/null
    )
  else
    (cd / && HOME=/root exec timeout -k 10 "$limit" "$@" </dev/null)
  fi
}

tell_last_lines() { # $1 where the step's part of the log begins
  part=$(tail -c +$(($1 + 1)) $log)
  printf '%s\n' "$part" | grep -v '^$' | tail -n 8 | cut -c 1-300 | tr '\t' ' ' | while IFS= read -r line; do
    tell line "$line"
  done
  # A reason that may stand further above, and that something can be done about: certificateHint.ts knows what.
  reason=$(printf '%s\n' "$part" | grep -iE -m 1 'certificate verif|certificate problem|self[- ]signed certificate|issuer cert')
  [ -z "$reason" ] || tell line "$(printf %s "$reason" | cut -c 1-300 | tr '\t' ' ')"
}

uptime_seconds() {
  read -r up _ </proc/uptime
  echo "${up%.*}"
}

main
