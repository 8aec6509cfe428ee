# shellcheck shell=bash
# The network: a switch that leads nowhere but to the cluster's own machines.

switch_start() {
  machine_start switch sleep infinity
  on_network switch ip link add name lan up type bridge
}

# plug_in MACHINE ADDRESS: gives the machine a network card, plugged into the switch.
plug_in() {
  local machine=$1 address=$2
  on_network switch ip link add "$machine" master lan type veth peer name eth0 netns "$(machine_holder "$machine")"
  on_network switch ip link set "$machine" up
  on_network "$machine" ip -batch - <<COMMANDS
link set lo up
addr add $address/24 dev eth0
link set eth0 up
COMMANDS
  pod_routes "$address" | on_network "$machine" ip -batch -
}

# A Service's address needs a route, too, for a packet to reach the point where it is rewritten.
pod_routes() {
  local n
  echo "route add default dev eth0"
  for n in $(nodes); do
    [[ $1 == "$(node_address "$n")" ]] || echo "route add $(node_pods "$n") via $(node_address "$n")"
  done
}

unplug() { on_network switch ip link del "$1" 2>/dev/null || true; }

# node_cut N: as when the cable is pulled. Connections are not closed: nothing arrives any more.
node_cut() { on_network switch ip link set "node$1" down; }

node_heal() { on_network switch ip link set "node$1" up; }
