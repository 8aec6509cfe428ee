# shellcheck shell=bash
# A cluster's start and end.

up() {
  local count=${1:-1} n
  [[ $count =~ ^[1-3]$ ]] || fail "up: a cluster has 1 to 3 nodes, not '$count'"
  [[ $EUID == 0 ]] || fail "up: must be root, to make namespaces, mounts and containers"
  [[ ! -e $state ]] || fail "cluster $name exists already: cluster.sh --name $name down"
  require runc runc nft nftables ip iproute2 conntrack conntrack openssl openssl nsenter util-linux pgrep procps
  [[ -x $cni_plugins/ptp ]] || fail "needs: apt-get install containernetworking-plugins   (hack/deps.sh cluster does it)"
  build
  mkdir -p "$state"
  echo "$count" >"$state/nodes"
  prepare
  switch_start
  for n in $(nodes); do node_power_on "$n"; done
  client_start
  await 60 "the API server is ready" api_ready
  { dns_roles && storage_manifests; } | kubectl create --validate=false --filename - >/dev/null
  await 60 "the nodes are ready" nodes_ready
  await 30 "the cluster's DNS and Services work" services_work
}

prepare() {
  local n
  pki_start
  control_plane_prepare
  storage_prepare
  for n in $(nodes); do node_prepare "$n"; done
  client_prepare
}

client_prepare() {
  mkdir -p "$state/client"
  cat >"$state/client/resolv.conf" <<CONFIG
nameserver $control_plane
search default.svc.$cluster_domain svc.$cluster_domain $cluster_domain
options ndots:5
CONFIG
  { echo '#!/usr/bin/env bash' && kube_proxy node1 "$state"; } >"$state/client/kube-proxy"
  chmod +x "$state/client/kube-proxy"
}

client_start() {
  machine_start client --mount "$here/client-init.sh" "$state" "$programs"
  plug_in client "$client_address"
}

nodes_ready() {
  [[ $(kubectl get nodes --no-headers | awk '$2 == "Ready"' | wc -l) == "$(<"$state/nodes")" ]] &&
    kubectl get serviceaccount default
}

services_work() {
  (on_client timeout 2 bash -c "getent hosts kubernetes && : </dev/tcp/kubernetes/443")
}

down() {
  local n
  [[ -e $state ]] || return 0
  for n in $(nodes); do node_power_off "$n"; done
  machine_stop client
  machine_stop switch
  rm -rf --one-file-system "$state"
  rmdir --ignore-fail-on-non-empty "$clusters"
}

# status: a line for each node: its name, on or off, plugged or cut.
status() {
  local n power link
  require_up
  for n in $(nodes); do
    power=off link=cut
    machine_holder "node$n" >/dev/null && power=on
    on_network switch ip link show "node$n" up 2>/dev/null | grep -q . && link=plugged
    echo "node$n $power $link"
  done
}

list() {
  local directory
  for directory in "$clusters"/*/; do
    [[ -e $directory/nodes ]] && basename "$directory"
  done
  return 0
}
