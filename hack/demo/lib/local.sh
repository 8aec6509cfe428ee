# shellcheck shell=bash
# The demo on the project's own Kubernetes.

CLUSTER=${CLUSTER:-demo}
STORAGE_CLASS=shared

local_cluster() { "$root/hack/cluster/cluster.sh" --name "$CLUSTER" "$@"; }

prepare() {
  if local_cluster list | grep -qx "$CLUSTER"; then
    say "the local cluster $CLUSTER is up already"
  else
    say "starting a local Kubernetes of 3 nodes ($CLUSTER)"
    local_cluster up 3
  fi
  kubectl get nodes
  say "loading the images"
  local_cluster load "$root"/bin/images/{manager,broker}.tar 2>/dev/null
}

kubectl() { local_cluster kubectl "$@"; }

helm() { local_cluster client "$helm" "$@"; }

# java_where_pods_are ARGUMENT...: becomes java, in a network from which pods can be reached.
java_where_pods_are() { exec "$root/hack/cluster/cluster.sh" --name "$CLUSTER" client java "$@"; }

# reach_pair: sets url.
reach_pair() { url=$(binding url-0); }

# kill_broker POD: kill -9. Its process is one of this machine's, found by the container's control group.
kill_broker() {
  local container group
  container=$(kubectl get pod "$1" --output 'jsonpath={.status.containerStatuses[0].containerID}')
  group=$(grep -ls "${container#*://}" /proc/[0-9]*/cgroup | head -1)
  kill -KILL "$(cut -d/ -f3 <<<"$group")"
}

how_to_use_kubectl() { echo "alias k='hack/cluster/cluster.sh --name $CLUSTER kubectl'"; }

remove() { local_cluster down; }
