#!/usr/bin/env bash
# demo.sh up|down: pairs of brokers on Kubernetes, and JMS programs that go on while the active broker is killed; or all
# of that removed. On the project's own local Kubernetes, or on one that is there already. Variables:
#
#   CLUSTER         name of the local cluster (default: demo)
#   MANAGER_IMAGE   the operator's image
#   BROKER_IMAGE    the brokers' image; on the local cluster `make images` has made both
#   CONTEXT         a context of kubectl: use that cluster instead. Then the images are pulled from a registry, and this is
#                   needed, too:
#   STORAGE_CLASS   a storage class whose volumes several nodes can mount
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
system=twinmesh-system # namespace of the operator
cluster=orders         # the BrokerCluster of config/samples/pairs.yaml
pair=orders-0
share=1000 # messages before the active broker is killed, and again after
queue=DEMO.$$

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

source "$root/hack/demo/lib/steps.sh"
if [[ -n ${CONTEXT:-} ]]; then
  source "$root/hack/demo/lib/remote.sh"
else
  source "$root/hack/demo/lib/local.sh"
fi

case ${1:-} in
  up) up ;;
  down) down ;;
  *) fail "say up or down" ;;
esac
