#!/bin/sh
# Makes sure that one can log in: sshd, sudo, the user with uid 1000, the public key, a host key. Runs as root inside the
# sandbox, changes nothing when all is there. Prints the host key as its last line; what goes wrong goes to stderr.
#   $1 user   $2 public key line, or nothing: nobody's   $3 new: make a new host key | keep
set -eu
user=$1 public_key=$2 host_key_wish=$3
export DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { echo "pixels: $*" >&2; }

install_packages() {
  if ! command -v apt-get >/dev/null; then
    say "the image has no$1 and no apt-get to install it; use a Debian or Ubuntu image"
    exit 1
  fi
  # A first download right after the start would race DHCP: wait for a default route (hexadecimal 0 in the kernel's table).
  tries=0
  until awk '$2 == "00000000" { found = 1 } END { exit !found }' /proc/net/route ||
    awk '$1 ~ /^0+$/ && $2 == "00" && $10 != "lo" { found = 1 } END { exit !found }' /proc/net/ipv6_route 2>/dev/null; do
    tries=$((tries + 1))
    if [ $tries -gt 150 ]; then
      say "the sandbox got no network within 30 seconds, so$1 cannot be installed"
      exit 1
    fi
    sleep 0.2
  done
  for pause in 1 3 9 0; do
    # shellcheck disable=SC2086 # $1 is a list of words
    if apt-get -qq -o DPkg::Lock::Timeout=120 update >/tmp/pixels-apt.log 2>&1 &&
      apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends $1 >>/tmp/pixels-apt.log 2>&1; then
      rm -f /tmp/pixels-apt.log
      return
    fi
    # The next try would meet the same certificate.
    if grep -qi 'certificate verif' /tmp/pixels-apt.log; then break; fi
    sleep $pause
  done
  tail -n 20 /tmp/pixels-apt.log >&2
  say "installing$1 failed"
  exit 1
}

missing=
[ -x /usr/sbin/sshd ] || missing="$missing openssh-server"
command -v sudo >/dev/null || missing="$missing sudo"
[ -z "$missing" ] || install_packages "$missing"

# An image's cloud-init makes users and host keys of its own at the first start; ours come after it.
if command -v cloud-init >/dev/null; then timeout 120 cloud-init status --wait >/dev/null 2>&1 || true; fi

account=$(getent passwd "$user" || true)
if [ -z "$account" ]; then
  resident=$(getent passwd 1000 | cut -d: -f1 || true)
  if [ -n "$resident" ]; then # Ubuntu's images come with a user of that uid
    usermod --login "$user" --home "/home/$user" --move-home "$resident"
    group=$(getent group 1000 | cut -d: -f1 || true)
    [ "$group" != "$resident" ] || groupmod --new-name "$user" "$group"
  else
    shell=/bin/bash
    [ -x $shell ] || shell=/bin/sh
    # The password "*" is no password; "!" would count as a locked account where sshd does not use PAM.
    useradd --create-home --uid 1000 --user-group --shell $shell --password '*' "$user"
  fi
  account=$(getent passwd "$user")
fi
sudoers=/etc/sudoers.d/pixels
if [ ! -e $sudoers ]; then
  echo "$user ALL=(ALL:ALL) NOPASSWD:ALL" >$sudoers.new
  chmod 0440 $sudoers.new
  mv $sudoers.new $sudoers
fi

# Where the key is missing, it is written as the account itself: a link that its user put there leads no further than the user
# could go.
authorize() { # $1 line of /etc/passwd
  [ -n "$public_key" ] || return 0
  home=${1%:*} home=${home##*:}
  ! grep -qxF "$public_key" "$home/.ssh/authorized_keys" 2>/dev/null || return 0
  # shellcheck disable=SC2016 # the inner sh expands them
  setpriv --reuid "${1%%:*}" --regid "$(id -g "${1%%:*}")" --init-groups sh -c '
    umask 077
    mkdir -p "$1/.ssh"
    printf "%s\n" "$2" >>"$1/.ssh/authorized_keys"
  ' sh "$home" "$public_key"
}
authorize "$(getent passwd root)"
authorize "$account"

# One may log in as soon as logind can be asked, not only when everything has started (tmpfiles.d(5): this hides the file
# of the same name that makes /run/nologin).
no_nologin=/etc/tmpfiles.d/systemd-nologin.conf
if [ -d /etc/tmpfiles.d ] && [ ! -e $no_nologin ] && [ ! -L $no_nologin ]; then ln -s /dev/null $no_nologin; fi

# sudo and others look up the host's own name; an image may not care for it, and a copy may still have its source's.
read -r own_name </proc/sys/kernel/hostname
known='' others=''
while read -r line || [ -n "$line" ]; do
  case "${line%%#*} " in *[[:space:]]"$own_name"[[:space:]]*) known=yes ;; esac
  case $line in *'# pixels') ;; *) others="$others$line
" ;; esac
done </etc/hosts
# Written in place: /etc/hosts may be a mount of its own.
[ -n "$known" ] || printf '%s127.0.1.1 %s # pixels\n' "$others" "$own_name" >/etc/hosts

key=/etc/ssh/ssh_host_ed25519_key
if [ "$host_key_wish" = keep ]; then
  # An image's own unit may be making the keys at this moment.
  tries=0
  while [ ! -s $key.pub ] && [ $tries -lt 20 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
fi
if [ "$host_key_wish" = new ] || [ ! -s $key.pub ]; then
  had_key=''
  [ ! -s $key.pub ] || had_key=yes
  # Under a name that no image uses: sshd never sees a moment without a key.
  [ ! -e $key.pixels ] || rm -f $key.pixels $key.pixels.pub
  ssh-keygen -q -t ed25519 -N '' -C "$own_name" -f $key.pixels
  for other in /etc/ssh/ssh_host_dsa_key /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_rsa_key; do
    [ ! -e $other ] || rm -f $other $other.pub
  done
  mv $key.pixels $key
  mv $key.pixels.pub $key.pub
  if [ -n "$had_key" ]; then
    systemctl --no-block try-restart ssh.service >/dev/null 2>&1 </dev/null &
  else
    # A copy of a base has no key at its first start, and sshd has tried and given up, or soon will.
    (systemctl is-enabled ssh.service && systemctl reset-failed ssh.service && systemctl --no-block restart ssh.service) \
      >/dev/null 2>&1 </dev/null &
  fi
fi
[ ! -e /etc/pixels/surroundings ] || echo 'told before'
read -r type blob _ <$key.pub
echo "$type $blob"
