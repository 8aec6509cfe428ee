# shellcheck shell=bash
# The demo's steps. What differs between clusters are functions of local.sh and remote.sh: prepare, kubectl, helm,
# java_where_pods_are, reach_pair, kill_broker, how_to_use_kubectl, remove.

background=() # processes that end with the demo

up() {
  work=$(mktemp -d)
  trap clean_up EXIT
  prepare
  install_operator
  create_brokers
  start_programs
  await_messages "$share"
  take_over
  await_messages $((at_takeover + share))
  compare
  what_next
}

clean_up() {
  local pid
  for pid in "${background[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}

down() {
  find_helm
  remove
  say "removed"
}

# find_helm: the pinned Helm, compiled at first.
find_helm() { helm=$(cd "$root" && go tool -modfile=hack/tools/helm.mod -n helm); }

install_operator() {
  say "installing the operator with Helm (charts/twinmesh)"
  find_helm
  helm upgrade twinmesh "$root/charts/twinmesh" --install --namespace "$system" --create-namespace --wait \
    --set "image=$MANAGER_IMAGE,brokerImage=$BROKER_IMAGE" >/dev/null
  kubectl --namespace "$system" get pods
}

create_brokers() {
  say "applying config/samples/pairs.yaml: 2 pairs, each an active broker and a standby"
  sed "s/storageClassName: .*/storageClassName: $STORAGE_CLASS/" "$root/config/samples/pairs.yaml" | kubectl apply --filename -
  await_condition Ready
  await_condition Redundant
  kubectl get tmc "$cluster"
  kubectl get pods --selector "messaging.twinmesh.io/cluster=$cluster" --label-columns messaging.twinmesh.io/role --output wide
}

await_condition() {
  kubectl wait --for="condition=$1" "brokerclusters.messaging.twinmesh.io/$cluster" --timeout=180s ||
    fail "the brokers are not $1; see kubectl describe tmc $cluster"
}

# binding KEY: a value of the Secret with which programs connect.
binding() { kubectl get secret "$cluster-binding" --output "jsonpath={.data.$1}" | base64 --decode; }

# start_programs runs the JMS programs, which end when their standard input does. The password is in no command line.
start_programs() {
  local classes
  say "compiling a JMS program with ActiveMQ's own client (test/e2e/java/Stream.java)"
  classes=$("$root/hack/jms.sh" javax "$work" "$root/test/e2e/java/Stream.java")
  reach_pair
  JMS_URL=$url JMS_USERNAME=$(binding username) JMS_PASSWORD=$(binding password)
  export JMS_URL JMS_USERNAME JMS_PASSWORD
  say "sending and receiving persistent messages, by $JMS_URL"
  touch "$work"/{sent,received}
  exec {receiver_input}> >(java_where_pods_are -cp "$classes" Stream receive "$queue" >"$work/received" 2>"$work/receive.log")
  receiver=$!
  exec {sender_input}> >(java_where_pods_are -cp "$classes" Stream send "$queue" >"$work/sent" 2>"$work/send.log")
  sender=$!
  background+=("$sender" "$receiver")
}

sent() { wc -l <"$work/sent"; }

# received: how many different messages were.
received() { awk '!seen[$2]++' "$work/received" | wc -l; }

await_received() { # number
  local deadline=$((SECONDS + 60))
  until (($(received) >= $1)); do
    ((SECONDS < deadline)) || fail "no more messages come: $(sent) sent, $(received) received; $(tail -5 "$work"/*.log)"
    sleep 0.05
  done
}

await_messages() { # number
  await_received "$1"
  echo "$(sent) sent, $(received) received"
}

active() { kubectl get tmc "$cluster" --output "jsonpath={.status.pairs[?(@.name=='$pair')].active}"; }

take_over() {
  local before start
  before=$(active)
  say "killing the active broker of pair $pair ($before) while messages flow"
  start=$(date +%s%3N)
  kill_broker "$before"
  at_takeover=$(received)
  await_received $((at_takeover + 3))
  echo "messages flow again after $(($(date +%s%3N) - start)) ms"
}

# compare ends the sender, then the receiver when it has everything.
compare() {
  say "comparing what was sent with what was received"
  exec {sender_input}>&-
  wait "$sender"
  await_messages "$(sent)"
  exec {receiver_input}>&-
  wait "$receiver"
  [[ $(sent) == $(received) ]] || fail "$(sent) messages were sent, and $(received) received"
  echo "all $(sent) messages that were acknowledged came; $(grep -c again "$work/received" || true) came once more, marked as redelivered"
  kubectl get tmc "$cluster"
}

what_next() {
  say "to try next"
  how_to_use_kubectl
  cat <<TEXT
k get tmc,pods -L messaging.twinmesh.io/role     # which pod is active
k events --for brokercluster/$cluster               # what happened
k delete pod $pair-0                           # restart a broker: an active one hands over
k get secret $cluster-binding -o yaml               # url-0, url-1, username, password for programs of yours
k patch tmc $cluster --type merge -p '{"spec":{"pairs":3}}'
make demo-down${CONTEXT:+ CONTEXT=$CONTEXT}
TEXT
}
