# shellcheck shell=bash
# Talking to the user, and waiting.

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "cluster.sh: $*"
  exit 1
}

# await SECONDS WHAT COMMAND...: runs the command until it succeeds, and fails if it has not within that time.
await() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "$what: not within the time allowed; the logs are in $state/*/logs"
    sleep 0.1
  done
}

# require PROGRAM PACKAGE [PROGRAM PACKAGE]...: fails with the Debian packages of the programs that are not installed.
require() {
  local missing=()
  while (($#)); do
    command -v "$1" >/dev/null || missing+=("$2")
    shift 2
  done
  ((${#missing[@]} == 0)) || fail "needs: apt-get install ${missing[*]}   (hack/deps.sh cluster does it)"
}

require_up() { [[ -e $state/nodes ]] || fail "cluster $name is not up: cluster.sh --name $name up"; }

require_node() {
  require_up
  nodes | grep -qx -e "${1:-}" ||
    fail "'${1:-}' is no node of cluster $name, which has nodes 1 to $(<"$state/nodes")"
}
