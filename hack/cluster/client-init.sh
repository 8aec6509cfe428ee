#!/usr/bin/env bash
# client-init.sh STATE PROGRAMS: holds the network for programs outside of the cluster: its resolv.conf asks the
# cluster's DNS, and a kube-proxy of its own makes Services' addresses work, whichever nodes are up.
set -euo pipefail
state=$1 programs=$2

mount --bind "$state/client/resolv.conf" /etc/resolv.conf
while true; do
  PATH=$programs:$PATH "$state/client/kube-proxy" >>"$state/client/logs/kube-proxy.log" 2>&1 || true
  sleep 0.2
done
