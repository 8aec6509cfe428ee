# shellcheck shell=bash
# Machines: sets of namespaces, each held by a process that this script started. A cluster consists of the machines
# `switch`, `client` and `nodeN`. A namespace ends with its last process and takes its interfaces, mounts and
# processes along, so that ending a machine leaves nothing behind, whatever ran in it.
#
# A machine's processes carry TWINMESH_MACHINE=CLUSTER/MACHINE in their environment: a process without it is never touched.

# machine_start MACHINE [UNSHARE_OPTION...] COMMAND...: starts the process that holds the machine's namespaces.
machine_start() {
  local machine=$1
  shift
  mkdir -p "$state/$machine/logs"
  TWINMESH_MACHINE=$name/$machine setsid unshare --net "$@" </dev/null >>"$state/$machine/logs/init.log" 2>&1 &
  echo $! >"$state/$machine/holder"
  await 5 "$machine starts" machine_has_namespaces "$machine"
}

# The name for children appears with the first process of a new process namespace.
machine_has_namespaces() {
  local ns
  ns=/proc/$(machine_holder "$1")/ns
  [[ $(readlink "$ns/net") != "$(readlink /proc/self/ns/net)" ]] && readlink "$ns/pid_for_children"
}

# Prints the process that holds the machine's namespaces; fails if the machine is off.
machine_holder() {
  local pid
  pid=$(cat "$state/$1/holder") && grep -qzx "TWINMESH_MACHINE=$name/$1" "/proc/$pid/environ" && echo "$pid"
} 2>/dev/null

# machine_stop MACHINE: ends all its processes at once. They are gone when it returns: the first process of a process
# namespace ends after all others.
machine_stop() {
  local pids pid
  mapfile -t pids < <(grep -lzx "TWINMESH_MACHINE=$name/$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3)
  ((${#pids[@]})) || return 0
  kill -KILL "${pids[@]}" 2>/dev/null || true
  for pid in "${pids[@]}"; do await 20 "$1 ends" process_ended "$pid"; done
}

process_ended() { [[ ! -e /proc/$1 ]] || grep -q '^State:.*zombie' "/proc/$1/status"; }

# on_network MACHINE COMMAND...: runs a command on the machine's network, and else as here.
on_network() {
  local holder
  holder=$(machine_holder "$1") || fail "$1 is off"
  shift
  nsenter --target "$holder" --net "$@"
}

# on_node NODE COMMAND...: runs a command as a process of the node.
on_node() {
  local holder
  holder=$(machine_holder "node$1") || fail "node$1 is off"
  shift
  nsenter --target "$holder" --net --mount --pid="/proc/$holder/ns/pid_for_children" \
    env PATH="$node_programs:$PATH" "$@"
}

# on_client COMMAND...: becomes the command, on the client's network and with its resolv.conf, in the same directory.
on_client() {
  local holder
  holder=$(machine_holder client) || fail "the client network is not up"
  export PATH=$programs:$PATH KUBECONFIG=$state/admin.conf KUBECACHEDIR=$state/kubectl-cache
  # shellcheck disable=SC2016 # expanded by the inner shell
  exec nsenter --target "$holder" --net --mount bash -c 'cd "$1" && shift && exec "$@"' client "$PWD" "$@"
}
