#!/bin/bash
# Runs as mmdebstrap's last hook, as root, with the new root filesystem as $1. First it finishes and packs the bare image (no
# sshd, no sudo, no user), then it adds to the same tree what makes a sandbox pleasant; that one is packed by the caller.
set -euo pipefail
root=$1
recipe=$(dirname "$0")
work=$(dirname "$root")

cp -rT "$recipe/bare" "$root"
systemctl --root="$root" --quiet enable systemd-networkd systemd-resolved
systemctl --root="$root" --quiet disable systemd-networkd-wait-online.service
systemctl --root="$root" --quiet mask systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer 2>/dev/null
rm -f "$root/etc/hostname" "$root/etc/hosts"
: >"$root/etc/machine-id" # the same id in every sandbox otherwise; systemd makes one at the first start
if [ -n "${BARE_TARBALL:-}" ]; then
  "$recipe/pack.sh" "$work" "$BARE_TARBALL"
fi

# The machine's apt works on the tree from outside, as mmdebstrap itself does: inside, there is no name resolution yet.
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes --no-install-recommends -o DPkg::Chroot-Directory="$root" -o DPkg::Use-Pty=false \
  -o Dpkg::Options::=--force-unsafe-io install \
  openssh-server sudo curl ca-certificates nftables dnsmasq-base procps git less tmux nano xz-utils unzip iputils-ping bash-completion
rm -f "$root"/etc/ssh/ssh_host_*
cp -rT "$recipe/full" "$root"
systemctl --root="$root" --quiet enable ssh-host-key ssh
systemctl --root="$root" --quiet disable nftables 2>/dev/null || true
