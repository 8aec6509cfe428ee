#!/usr/bin/env bash
# node-init.sh STATE PROGRAMS NODE: what a node runs as its first process, in its own network, mounts and processes.
# It lays out the file system as a machine's, and runs the node's services, each again when it ends.
#
# /run, /var/lib and /var/log are the node's own, so that everything lies where Kubernetes puts it and none of it on
# this machine: /run is empty after a power cut, and the rest is kept in the cluster's state. A kubelet removes the logs
# of pods that it does not know: two of them must not see the same ones.
set -euo pipefail
state=$1 programs=$2 node=$3

lay_out_files() {
  local directory
  mount --make-rshared /
  mount -t tmpfs -o mode=0755 run /run
  mkdir -p /run/twinmesh/{cluster,programs,sysctl} /run/lock
  mount --bind "$state" /run/twinmesh/cluster
  mount --bind "$programs" /run/twinmesh/programs
  mount -t tmpfs -o mode=0755 lib /var/lib
  for directory in containerd kubelet etcd; do
    mkdir -p "/var/lib/$directory" "/run/twinmesh/cluster/$node/$directory"
    mount --bind "/run/twinmesh/cluster/$node/$directory" "/var/lib/$directory"
  done
  mkdir -p "/run/twinmesh/cluster/$node/log"
  mount --bind "/run/twinmesh/cluster/$node/log" /var/log
  mkdir -p /var/lib/twinmesh/shared
  mount --bind /run/twinmesh/cluster/shared /var/lib/twinmesh/shared
}

# The kubelet insists on these settings and would change them for the whole machine, network namespace or not. It
# leaves alone what has its value already, so it is shown files that say so.
pretend_sysctl() {
  local setting value
  while read -r setting value; do
    [[ -e /proc/sys/$setting ]] || continue
    echo "$value" >"/run/twinmesh/sysctl/${setting//\//.}"
    mount --bind "/run/twinmesh/sysctl/${setting//\//.}" "/proc/sys/$setting"
  done <<SETTINGS
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SETTINGS
}

# run_service NAME: a service is a script in services/; while a file of its name is in stopped/ it is not started.
run_service() {
  local here=/run/twinmesh/cluster/$node service=$1
  while true; do
    if [[ ! -e $here/stopped/$service ]]; then
      "$here/services/$service" >>"$here/logs/$service.log" 2>&1 &
      echo $! >"/run/$service.pid"
      wait $! || true
    fi
    sleep 0.2
  done
}

lay_out_files
pretend_sysctl
echo 1 >/proc/sys/net/ipv4/ip_forward
export PATH=/run/twinmesh/programs:$PATH TMPDIR=/run
until ip -4 -brief address show dev eth0 2>/dev/null | grep -q /; do sleep 0.05; done
for service in "/run/twinmesh/cluster/$node/services"/*; do
  run_service "${service##*/}" &
done
wait
