# shellcheck shell=bash
# Nodes: a containerd, a kubelet and a kube-proxy each, and their power.

# service MACHINE NAME: the script on standard input is what the machine runs under this name while its power is on.
service() {
  mkdir -p "$state/$1/services" "$state/$1/stopped"
  { echo '#!/usr/bin/env bash' && cat; } >"$state/$1/services/$2"
  chmod +x "$state/$1/services/$2"
}

# The line with which a service waits for the API server, rather than to fail and to be late by its own back-off.
await_api="until timeout 1 bash -c ': </dev/tcp/$control_plane/6443' 2>/dev/null; do sleep 0.1; done"

node_prepare() {
  local n=$1
  mkdir -p "$state/node$n/cni"
  certificate "node$n" "/O=system:nodes/CN=system:node:node$n" "DNS:node$n,IP:$(node_address "$n")"
  user "kubelet$n" "/O=system:nodes/CN=system:node:node$n"
  containerd_config "$n" >"$state/node$n/containerd.toml"
  pod_network_config "$n" >"$state/node$n/cni/10-pods.conflist"
  kubelet_config "$n" >"$state/node$n/kubelet.yaml"
  service "node$n" containerd <<SERVICE
exec containerd --config $node_state/node$n/containerd.toml
SERVICE
  service "node$n" kubelet <<SERVICE
until [[ -S /run/containerd/containerd.sock ]]; do sleep 0.1; done
ctr --namespace k8s.io images import $node_programs/pause.tar
$await_api
exec kubelet --config $node_state/node$n/kubelet.yaml --kubeconfig $node_state/kubelet$n.conf \\
  --hostname-override node$n --node-ip $(node_address "$n")
SERVICE
  kube_proxy "node$n" "$node_state" | service "node$n" kube-proxy
}

# kube_proxy NODE STATE: a script that runs kube-proxy as if on the node; STATE is the cluster's state as seen there.
# Without the last line it would change the machine's limits of tracked connections.
kube_proxy() {
  cat <<SCRIPT
$await_api
exec kube-proxy --kubeconfig $2/kube-proxy.conf --hostname-override $1 --proxy-mode nftables --cluster-cidr $pod_network \\
  --conntrack-max-per-core 0 --conntrack-tcp-timeout-established 0 --conntrack-tcp-timeout-close-wait 0
SCRIPT
}

containerd_config() {
  cat <<CONFIG
version = 3
[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["$cni_plugins"]
conf_dir = "$node_state/node$1/cni"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "$pause_image"
CONFIG
}

# Every pod has a link of its own to its node, so that packets between two pods of a node pass kube-proxy's rules, too.
pod_network_config() {
  cat <<CONFIG
{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": {
  "type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "$(node_pods "$1")"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
CONFIG
}

# A lost node is noticed in some 10 s instead of 50 (see the controller manager): the kubelet reports often enough for
# that. A container that crashed starts again after a second, where 5 minutes would be usual.
kubelet_config() {
  cat <<CONFIG
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  x509: {clientCAFile: $node_state/pki/ca.crt}
tlsCertFile: $node_state/pki/node$1.crt
tlsPrivateKeyFile: $node_state/pki/node$1.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [$control_plane]
clusterDomain: $cluster_domain
resolvConf: ""
volumePluginDir: /var/lib/kubelet/volume-plugins
nodeStatusUpdateFrequency: 2s
nodeLeaseDurationSeconds: 8
crashLoopBackOff: {maxContainerRestartPeriod: 1s}
# A group for each container and none above them: this works with both versions of control groups.
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
# The disk is the machine's: what fills it is not for a node to clean up.
localStorageCapacityIsolation: false
evictionHard: {nodefs.available: "1%", imagefs.available: "1%"}
imageGCHighThresholdPercent: 100
$(control_plane_taint "$1")
CONFIG
}

# Pods stay away from the control plane where there is another node for them.
control_plane_taint() {
  (($1 > 1 || $(<"$state/nodes") == 1)) ||
    echo "registerWithTaints: [{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]"
}

node_power_on() {
  local n=$1
  machine_holder "node$n" >/dev/null && fail "node$n is on already"
  machine_start "node$n" --mount --pid --fork --kill-child --mount-proc \
    "$here/node-init.sh" "$state" "$programs" "node$n"
  plug_in "node$n" "$(node_address "$n")"
}

# node_power_off N: first the network, so that nobody hears the connections being closed; then all processes at once,
# containers included. What was written but not synced survives: the disk is the machine's, whose power stays on.
node_power_off() {
  node_cut "$1" 2>/dev/null || true
  machine_stop "node$1"
  unplug "node$1"
  remove_cgroups "$1"
}

# remove_cgroups N: removes the control groups of the node's containers, which have ended. Alone of all that a node
# makes they are in no namespace of its own; they are named after containers. Their parent goes with the last of them.
remove_cgroups() {
  local container
  for container in "$state/node$1"/containerd/io.containerd.grpc.v1.cri/{sandboxes,containers}/*; do
    [[ -d $container ]] && find /sys/fs/cgroup -depth -type d -path "*/k8s.io/${container##*/}*" -exec rmdir {} +
  done
  rmdir /sys/fs/cgroup/{k8s.io,*/k8s.io} 2>/dev/null || true
}
