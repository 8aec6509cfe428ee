#!/usr/bin/env bash
# The project's own Kubernetes: real nodes on one bare Linux machine, as root, with no container engine, no registry
# and no change to the machine itself.
#
# cluster.sh [--name NAME] COMMAND        (NAME: $TWINMESH_CLUSTER, or dev)
#
#   build                    compile Kubernetes, etcd, containerd and CoreDNS, once (up does it, too)
#   built                    succeed if there is nothing left to compile
#   programs                 print the directory of what was compiled
#   up [NODES]               start a cluster of 1 (default) to 3 nodes, and wait until pods can run
#   down                     end the cluster and remove everything it made
#   list                     the names of the clusters that are there
#   status                   a line for each node: NAME on|off plugged|cut
#
#   kubeconfig               print the path of the administrator's kubeconfig
#   kubectl ARGUMENT...      run kubectl as the administrator
#   client COMMAND...        run a command where it reaches pods, Services and the cluster's DNS; it has KUBECONFIG
#   node N COMMAND...        run a command on a node, in its network, mounts and processes
#   load ARCHIVE...          load images into all nodes, from docker or OCI archives
#   logs N [SERVICE]         print what a node's services said, or one of them
#
#   cut N, heal N            take a node off the network, and put it back
#   power-off N, power-on N  end everything that runs on a node at once, and start the node again
#   stop-apiserver, start-apiserver
#
# Node 1 also runs the control plane and DNS; where there are more nodes, pods stay off it. The storage class `shared`,
# which is the default, has volumes for ReadWriteMany claims: directories of /var/lib/twinmesh/shared, which all nodes share.
# shellcheck source-path=SCRIPTDIR
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() { sed -n '2,/^# shellcheck/{/^# shellcheck/!s/^# \{0,1\}//p}' "$here/cluster.sh"; }

case ${1:-} in
  --name)
    [[ ${2:-} =~ ^[a-z][a-z0-9-]{0,19}$ ]] || { echo "cluster.sh: a cluster's name has 1 to 20 lower-case letters, digits and dashes" >&2 && exit 2; }
    export TWINMESH_CLUSTER=$2
    shift 2
    ;;
esac

source "$here/lib/settings.sh"
source "$here/lib/common.sh"
source "$here/lib/machine.sh"
source "$here/lib/network.sh"
source "$here/lib/pki.sh"
source "$here/lib/node.sh"
source "$here/lib/controlplane.sh"
source "$here/lib/storage.sh"
source "$here/lib/images.sh"
source "$here/lib/build.sh"
source "$here/lib/lifecycle.sh"

main() {
  local command=${1:-help}
  shift || true
  case $command in
    build) build ;;
    built) is_built ;;
    programs) echo "$programs" ;;
    up) up "$@" ;;
    down) down ;;
    list) list ;;
    status) status ;;
    kubeconfig) require_up && echo "$state/admin.conf" ;;
    kubectl) require_up && on_client "$programs/kubectl" "$@" ;;
    client) require_up && on_client "$@" ;;
    node) require_node "${1:-}" && on_node "$@" ;;
    load) require_up && images_load "$@" ;;
    logs) require_node "${1:-}" && cat "$state/node$1/logs/${2:-*}".log ;;
    cut) require_node "${1:-}" && node_cut "$1" ;;
    heal) require_node "${1:-}" && node_heal "$1" ;;
    power-off) require_node "${1:-}" && node_power_off "$1" ;;
    power-on) require_node "${1:-}" && node_power_on "$1" ;;
    stop-apiserver) require_up && api_server_stop ;;
    start-apiserver) require_up && api_server_start ;;
    help | --help | -h) usage ;;
    *) usage >&2 && exit 2 ;;
  esac
}

main "$@"
