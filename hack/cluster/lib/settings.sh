# shellcheck shell=bash disable=SC2034
# What all files here agree on: where things are and which addresses they have. Every cluster has a network to itself,
# so all clusters use the same addresses, and a cluster's name decides only its directory and its control groups.

# The programs, compiled once for all clusters.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/twinmesh/cluster
programs=$cache/bin

# One cluster's state. Nothing of it lies elsewhere but its control groups and its processes.
clusters=/var/lib/twinmesh-clusters
name=${TWINMESH_CLUSTER:-dev}
state=$clusters/$name

# The same two directories, as a node sees them.
node_state=/run/twinmesh/cluster
node_programs=/run/twinmesh/programs

# The directory that the nodes share, as they see it. A test may mount something else there on one node.
node_shared=/var/lib/twinmesh/shared
shared_volumes=32

# Debian's containernetworking-plugins.
cni_plugins=${CNI_PLUGINS:-/usr/lib/cni}

pause_image=localhost/pause:1
control_plane=10.0.0.1
client_address=10.0.0.100
pod_network=10.244.0.0/16
service_network=10.96.0.0/16
kubernetes_service=10.96.0.1
cluster_domain=cluster.local

node_address() { echo "10.0.0.$1"; }
node_pods() { echo "10.244.$1.0/24"; }

# The numbers of this cluster's nodes, one a line.
nodes() { seq "$(<"$state/nodes")"; }
