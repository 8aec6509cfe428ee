#!/usr/bin/env bash
# deps.sh PURPOSE...: sees to it that the programs which a purpose needs are there: installs Debian's packages as root,
# and otherwise says which packages are missing and what for. Says nothing if all is there.
set -euo pipefail

# purpose, program (or a file's path), Debian package, what for
requirements() {
  cat <<'TABLE'
race     gcc                 gcc                         the race detector links C
race     /usr/include/stdlib.h libc6-dev                 the race detector links C
java     javac               default-jdk-headless        the JMS programs of the tests and the demo (17 or newer)
java     mvn                 maven                       fetches ActiveMQ's clients from Maven Central
images   buildah             buildah                     makes images without a registry
cluster  buildah             buildah                     makes the image that holds a pod's namespaces
cluster  runc                runc                        runs containers
cluster  /usr/lib/cni/ptp    containernetworking-plugins connects pods to their node
cluster  nft                 nftables                    rules for Services
cluster  conntrack           conntrack                   kube-proxy clears connections with it
cluster  ip                  iproute2                    networks of the nodes
cluster  openssl             openssl                     certificates
cluster  pgrep               procps                      finds a node's processes
lint     shellcheck          shellcheck                  checks scripts
TABLE
}

fail() {
  printf 'deps.sh: %s\n' "$*" >&2
  exit 1
}

is_there() { [[ -e $1 ]] || command -v "$1" >/dev/null; }

# missing PURPOSE...: the packages that are lacking, each with its reason.
missing() {
  local purpose program package reason
  while read -r purpose program package reason; do
    [[ " $* " == *" $purpose "* ]] && ! is_there "$program" && printf '%s\t%s\n' "$package" "$reason"
  done < <(requirements) | sort -u
  return 0
}

install_packages() {
  printf 'installing Debian packages: %s\n' "$*"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends "$@"
}

check_go() {
  command -v go >/dev/null || fail "needs Go 1.26 or newer: https://go.dev/doc/install"
}

check_java() {
  local version
  version=$(javac -version 2>&1 | sed 's/^javac \([0-9]*\).*/\1/')
  ((version >= 17)) || fail "needs a JDK of version 17 or newer, and javac says $version"
}

main() {
  local lacking packages
  check_go
  lacking=$(missing "$@")
  if [[ -n $lacking ]]; then
    printf 'needed and not there:\n%s\n' "$lacking"
    mapfile -t packages < <(cut -f1 <<<"$lacking" | sort -u)
    if [[ $EUID != 0 ]] || ! command -v apt-get >/dev/null; then fail "as root on Debian: apt-get install ${packages[*]}"; fi
    install_packages "${packages[@]}"
  fi
  [[ " $* " != *" java "* ]] || check_java
}

main "$@"
