# shellcheck shell=bash
# The demo on a Kubernetes that is there already. Programs reach the pods through kubectl's port forwarding.

ports=(36160 36161)

kubectl() { command kubectl --context "$CONTEXT" "$@"; }

helm() { "$helm" --kube-context "$CONTEXT" "$@"; }

prepare() {
  local missing
  missing=$(missing_things)
  [[ -z $missing ]] || fail "to use the cluster of context $CONTEXT:"$'\n'"$missing"
  say "using the cluster of context $CONTEXT"
  kubectl get nodes
}

# missing_things: a line for each thing that this cluster or the command line lacks.
missing_things() {
  if ! command -v kubectl >/dev/null; then
    echo "- install kubectl"
  elif ! kubectl get --raw /readyz >/dev/null 2>&1; then
    echo "- no API server answers: see kubectl --context $CONTEXT get nodes, and kubectl config get-contexts"
  elif [[ -z ${STORAGE_CLASS:-} ]] || ! kubectl get storageclass "$STORAGE_CLASS" >/dev/null 2>&1; then
    echo "- set STORAGE_CLASS to a class whose volumes several nodes can mount (NFS or another network file system). There are:" \
      "$(kubectl get storageclasses --output 'jsonpath={.items[*].metadata.name}')"
  fi
  [[ ${BROKER_IMAGE:-localhost/} != localhost/* ]] ||
    echo "- set IMAGE to where the nodes can pull the brokers' image (make images makes it: bin/images/broker.tar)"
  [[ ${MANAGER_IMAGE:-localhost/} != localhost/* ]] ||
    echo "- set MANAGER_IMAGE to where the nodes can pull the operator's image (bin/images/manager.tar)"
}

java_where_pods_are() { exec java "$@"; }

# forward POD PORT: a forwarding ends with its pod, and is begun again.
forward() {
  local forwarding=
  trap 'kill $forwarding 2>/dev/null; exit' TERM
  while true; do
    command kubectl --context "$CONTEXT" port-forward "pod/$1" "$2:61616" >/dev/null 2>&1 &
    forwarding=$!
    wait "$forwarding" || true
    sleep 0.3
  done
}

# reach_pair: sets url.
reach_pair() {
  forward "$pair-0" "${ports[0]}" &
  background+=($!)
  forward "$pair-1" "${ports[1]}" &
  background+=($!)
  url="failover:(tcp://127.0.0.1:${ports[0]},tcp://127.0.0.1:${ports[1]})?maxReconnectDelay=500"
}

# kill_broker POD: without grace, since nobody can send a signal from outside.
kill_broker() { kubectl delete pod "$1" --grace-period=0 --force 2>/dev/null; }

how_to_use_kubectl() { echo "alias k='kubectl --context $CONTEXT'"; }

remove() {
  kubectl delete "brokerclusters.messaging.twinmesh.io/$cluster" --ignore-not-found
  helm uninstall twinmesh --namespace "$system" --ignore-not-found --wait
  echo "What stays: the claims store-$cluster-* with the messages, namespace $system, and the CRD."
}
