#!/bin/sh
# Tells a sandbox what it has to know before anything is downloaded in it. Runs as root, by `sh -c`, and changes nothing when all
# is as it should be. On standard input are lines of a letter, a blank and a text, the last line is a dot:
#   e  a line for our block of /etc/environment         a  a line of apt's configuration
#   c  a certificate of this name begins                r  a line of systemd-resolved's
#   l  a line of that certificate                       s  a line of sshd's
# What is not said any more is taken away. Others' lines and files stay. Files are replaced at once, and never through a link.
set -u
umask 022
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

fail() {
  echo "pixels: $*" >&2
  exit 1
}

# Not in /run or /tmp: while the machine boots, something may still be mounted over them.
own=/etc/pixels
mkdir -p $own && find $own -maxdepth 1 -name 'new.??????' -mmin +60 -exec rm -rf {} +
staged=$(mktemp -d $own/new.XXXXXX) || fail "$own cannot be written"
trap 'rm -rf "$staged"; rmdir $own 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$staged/certificates"
complete=''
while IFS= read -r line; do
  case $line in
  .) complete=yes ;;
  'c '*) certificate=$staged/certificates/${line#c }.crt ;;
  'l '*) printf '%s\n' "${line#l }" >>"$certificate" ;;
  [aers]' '*) printf '%s\n' "${line#??}" >>"$staged/${line%% *}" ;;
  esac
done
[ -n "$complete" ] || fail 'the connection broke while its surroundings were told'

# Somebody in the group staff may write to /usr/local: a link there would lead us elsewhere.
make_directory() {
  mkdir -p "$1" 2>/dev/null
  [ "$(readlink -f "$1")" = "$1" ] || fail "$1 is a link or cannot be made"
}

replace() { # $1 file with the content, $2 its place, $3 mode; true when the place had something else
  if [ -f "$2" ] && [ ! -L "$2" ] && cmp -s "$1" "$2"; then return 1; fi
  make_directory "${2%/*}"
  fresh=$(mktemp "$2.XXXXXX") || fail "$2 cannot be written"
  if ! { cat "$1" >"$fresh" && chmod "$3" "$fresh" && mv -fT "$fresh" "$2"; }; then
    rm -f "$fresh"
    fail "$2 cannot be written"
  fi
}

put() { # like replace; without any content there is no such file
  if [ -s "$1" ]; then
    replace "$@"
    return
  fi
  [ -e "$2" ] || [ -L "$2" ] || return 1
  rm -f "$2"
}

with_block() { # $1 file, $2 lines; prints the file with these lines in our block at the end. A block without an end is no block.
  if [ -f "$1" ] && [ ! -L "$1" ]; then
    awk '
      $0 == "# BEGIN pixels" { printf "%s", held; held = $0 "\n"; next }
      held != "" && $0 == "# END pixels" { held = ""; next }
      held != "" { held = held $0 "\n"; next }
      { print }
      END { printf "%s", held }
    ' "$1"
  fi
  [ ! -s "$2" ] || { echo '# BEGIN pixels' && cat "$2" && echo '# END pixels'; }
}

certificates=$(ls "$staged/certificates")
told=$own/surroundings
if [ -n "$certificates" ] || [ -s "$staged/a" ] || [ -s "$staged/e" ] || [ -s "$staged/r" ] || [ -s "$staged/s" ]; then
  # First of all: what is interrupted from here on is taken away too when it is not wanted any more (access.sh).
  echo 'Pixels has told this machine of its surroundings.' >"$staged/told"
  replace "$staged/told" $told 644
fi

if put "$staged/r" /etc/systemd/resolved.conf.d/pixels.conf 644; then
  timeout 10 systemctl try-restart systemd-resolved.service >/dev/null 2>&1 </dev/null
fi

authorities=/usr/local/share/ca-certificates
bundle=/etc/ssl/certs/ca-certificates.crt
changed=''
: >"$staged/bundle"
for file in "$staged/certificates"/*.crt; do
  [ -e "$file" ] || continue
  cat "$file" >>"$staged/bundle"
  if replace "$file" "$authorities/${file##*/}" 644; then changed=yes; fi
  # The line before the last is the end of its signature: no other certificate has it.
  grep -qxF "$(tail -n 2 "$file" | head -n 1)" $bundle 2>/dev/null || changed=yes
done
for file in "$authorities"/pixels-*.crt; do
  if [ -e "$staged/certificates/${file##*/}" ]; then continue; fi
  [ -e "$file" ] || [ -L "$file" ] || continue
  rm -f "$file"
  changed=fresh
done
# For Node.js, which adds to its own authorities: reading all of the system's would make every start of it slower.
put "$staged/bundle" $own/authorities.pem 644
if [ -n "$changed" ]; then
  if command -v update-ca-certificates >/dev/null; then
    fresh=''
    [ $changed = yes ] || fresh=--fresh
    # shellcheck disable=SC2086 # none or one word
    TMPDIR=$staged update-ca-certificates $fresh >"$staged/log" 2>&1 </dev/null ||
      fail "update-ca-certificates: $(tail -n 1 "$staged/log")"
  else
    # The package ca-certificates, when it is installed some day, makes this file anew from all that is in its directories.
    with_block $bundle "$staged/bundle" >"$staged/whole"
    put "$staged/whole" $bundle 644
  fi
fi

if [ -d /etc/apt ]; then put "$staged/a" /etc/apt/apt.conf.d/80pixels 644; fi

environment=/etc/environment
if [ -s "$staged/e" ] || grep -qxF '# BEGIN pixels' $environment 2>/dev/null; then
  touch "$staged/e"
  with_block $environment "$staged/e" >"$staged/whole"
  replace "$staged/whole" $environment 644
fi
# sudo gives a command an environment of its own; with this it has what a login has. A drop-in has no dot in its name.
: >"$staged/sudo"
[ ! -s "$staged/e" ] || echo "Defaults env_file=$environment" >"$staged/sudo"
if [ -d /etc/sudoers.d ] || [ -s "$staged/sudo" ]; then put "$staged/sudo" /etc/sudoers.d/pixels-environment 440; fi

if put "$staged/s" /etc/ssh/sshd_config.d/pixels.conf 644; then
  systemctl --no-block try-reload-or-restart ssh.service >/dev/null 2>&1 </dev/null
fi

[ -e "$staged/told" ] || rm -f $told
exit 0
