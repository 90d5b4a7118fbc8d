#!/bin/sh
# Functions for the scripts of a recipe. Read into each of them before it runs, with `set -eu`; they end with an error when
# they could not do what they are for.

# have_packages NAME...: whether the distribution's packages are installed.
have_packages() {
  for package; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) in i*) ;; *) return 1 ;; esac
  done
}

# install_packages NAME...: waits for the network, for other users of apt and dpkg, and mends what was cut off before.
install_packages() {
  if ! command -v apt-get >/dev/null; then
    echo "This image has no apt-get; install yourself: $*"
    return 1
  fi
  wait_for_network
  wait_for_apt
  dpkg --configure -a
  apt-get -q -o DPkg::Lock::Timeout=300 update
  apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 install --no-install-recommends "$@"
}

# wait_for_apt: until nobody else uses apt or dpkg, for 10 minutes at most. Of the three locks, apt waits for the second only, and
# dpkg for none. They are fcntl(2) locks, which only the kernel's table shows.
wait_for_apt() {
  tries=0
  while for file in /var/lib/apt/lists/lock /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock; do
    inode=$(stat -c %i "$file" 2>/dev/null) && grep -q ":$inode " /proc/locks && break
  done; do
    [ $tries -gt 0 ] || echo "Waiting for another apt or dpkg, which holds $file."
    tries=$((tries + 1))
    if [ $tries -gt 600 ]; then
      echo 'It has not ended within 10 minutes.'
      return 1
    fi
    sleep 1
  done
}

# wait_for_network: until there is a default route, for 60 s at most. A hexadecimal 0 in the kernel's table is one.
wait_for_network() {
  tries=0
  until awk '$2 == "00000000" { found = 1 } END { exit !found }' /proc/net/route ||
    awk '$1 ~ /^0+$/ && $2 == "00" && $10 != "lo" { found = 1 } END { exit !found }' /proc/net/ipv6_route 2>/dev/null; do
    tries=$((tries + 1))
    if [ $tries -gt 300 ]; then
      echo 'There is no network: no default route within 60 seconds.'
      return 1
    fi
    sleep 0.2
  done
}

# npm_registry: prints the address of the npm registry: the one that the person's own npm uses, or else npm's default.
npm_registry() {
  registry=''
  read -r registry </var/lib/pixels/provision/npm-registry || true
  if [ -z "$registry" ] && ! registry=$(npm config get registry); then
    echo 'Which npm registry to use is not known before npm is there; set provision.npm_registry.' >&2
    return 1
  fi
  printf '%s\n' "${registry%/}"
}

# npm_architecture: what npm packages call this machine: x64 or arm64.
npm_architecture() {
  case $(uname -m) in
  x86_64) echo x64 ;;
  aarch64) echo arm64 ;;
  *)
    echo "There are no packages for $(uname -m)." >&2
    return 1
    ;;
  esac
}

# from_npm PACKAGE DIRECTORY [MAJOR]: unpacks the newest version of an npm package (of that major version) into a new directory,
# without npm, and only when it has the checksum that the registry says. Needs curl, jq and openssl.
from_npm() {
  registry=$(npm_registry)
  about=$(mktemp)
  curl -fsSL --retry 2 --max-time 120 -H 'Accept: application/vnd.npm.install-v1+json' -o "$about" "$registry/$1"
  # shellcheck disable=SC2016 # jq's own variables
  found=$(jq -r --arg major "${3:-}" '
    . as $about
    | (if $major == "" then $about["dist-tags"].latest else
        [$about.versions | keys[] | select(test("^" + $major + "\\.[0-9]+\\.[0-9]+$"))]
        | sort_by(split(".") | map(tonumber)) | last end)
    | if . == null then empty else $about.versions[.] | "\(.version) \(.dist.tarball) \(.dist.integrity)" end' "$about")
  rm -f "$about"
  if [ -z "$found" ]; then
    echo "The npm registry has no $1${3:+ of version $3}."
    return 1
  fi
  read -r version tarball integrity <<FOUND
$found
FOUND
  echo "$1 $version"
  # A registry that stands in for another one may still name that one's address.
  tarball=$registry/${1}/-/${tarball##*/}
  archive=$(mktemp)
  curl -fsSL --retry 2 --max-time 600 -o "$archive" "$tarball"
  if [ "${integrity#sha512-}" != "$(openssl dgst -sha512 -binary "$archive" | openssl base64 -A)" ]; then
    echo "$tarball has another checksum than the registry says."
    rm -f "$archive"
    return 1
  fi
  rm -rf "$2"
  mkdir -p "$2"
  tar -xzf "$archive" --strip-components=1 --no-same-owner -C "$2"
  rm -f "$archive"
}

# npm_for_user: programs that npm installs for this user go where its other programs are, and come from the person's registry.
npm_for_user() {
  npm config set --location user prefix "$HOME/.local"
  registry=$(npm_registry)
  [ "$registry/" = "$(npm config get registry)" ] || npm config set --location user registry "$registry/"
}

# npm_global PACKAGE: installs an npm package with its programs for this user. From npm 12 on, only packages that are named may run
# install scripts; this one may, also when npm updates it later.
npm_global() {
  allowed=$(npm config get allow-scripts)
  case ,$allowed, in
  *",$1,"*) ;;
  ,undefined, | ,null, | ,,) npm config set --location user allow-scripts "$1" ;;
  *) npm config set --location user allow-scripts "$allowed,$1" ;;
  esac
  npm install --global --no-audit --no-fund --loglevel warn "$1"
}
