# shellcheck shell=bash
# The control plane and the cluster's DNS: services of node 1.

control_plane_prepare() {
  mkdir -p "$state/node1"
  certificate apiserver /CN=kube-apiserver \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:$kubernetes_service,IP:$control_plane"
  certificate apiserver-kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
  user admin /O=system:masters/CN=admin
  user controller-manager /CN=system:kube-controller-manager
  user scheduler /CN=system:kube-scheduler
  user kube-proxy /CN=system:kube-proxy
  user coredns /CN=coredns
  etcd_service
  api_server_service
  controller_services
  dns_service
}

# The disk's flushes are left out: the cluster's state need not outlive the machine's power.
etcd_service() {
  service node1 etcd <<SERVICE
exec etcd --data-dir /var/lib/etcd --unsafe-no-fsync --log-level warn \\
  --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \\
  --listen-peer-urls http://127.0.0.1:2380
SERVICE
}

api_server_service() {
  service node1 apiserver <<SERVICE
cd $node_state/pki
exec kube-apiserver --etcd-servers http://127.0.0.1:2379 --advertise-address $control_plane \\
  --service-cluster-ip-range $service_network --authorization-mode Node,RBAC --allow-privileged \\
  --tls-cert-file apiserver.crt --tls-private-key-file apiserver.key --client-ca-file ca.crt \\
  --service-account-issuer https://kubernetes.default.svc.$cluster_domain \\
  --service-account-key-file service-accounts.pub --service-account-signing-key-file service-accounts.key \\
  --kubelet-client-certificate apiserver-kubelet-client.crt --kubelet-client-key apiserver-kubelet-client.key \\
  --kubelet-preferred-address-types InternalIP
SERVICE
}

controller_services() {
  service node1 controller-manager <<SERVICE
$await_api
cd $node_state/pki
exec kube-controller-manager --kubeconfig $node_state/controller-manager.conf --leader-elect=false \\
  --use-service-account-credentials --service-account-private-key-file service-accounts.key --root-ca-file ca.crt \\
  --cluster-signing-cert-file ca.crt --cluster-signing-key-file ca.key \\
  --flex-volume-plugin-dir /var/lib/kubelet/volume-plugins \\
  --node-monitor-grace-period 10s --node-monitor-period 2s
SERVICE
  service node1 scheduler <<SERVICE
$await_api
exec kube-scheduler --kubeconfig $node_state/scheduler.conf --leader-elect=false
SERVICE
}

dns_service() {
  cat >"$state/node1/Corefile" <<CONFIG
.:53 {
  bind $control_plane
  kubernetes $cluster_domain in-addr.arpa {
    kubeconfig $node_state/coredns.conf
  }
  loadbalance
}
CONFIG
  service node1 dns <<SERVICE
$await_api
exec coredns -conf $node_state/node1/Corefile
SERVICE
}

# The rights of CoreDNS, which Kubernetes itself does not come with.
dns_roles() {
  cat <<MANIFEST
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: coredns}
rules:
- {apiGroups: [""], resources: [services, namespaces, pods], verbs: [list, watch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: coredns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: coredns}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: coredns}
---
MANIFEST
}

# The API server is killed, not asked to end.
api_server_stop() {
  touch "$state/node1/stopped/apiserver"
  # shellcheck disable=SC2016 # expanded on the node
  on_node 1 bash -c 'kill -KILL "$(</run/apiserver.pid)"' 2>/dev/null || true
}

api_server_start() {
  rm -f "$state/node1/stopped/apiserver"
  await 60 "the API server is ready" api_ready
}

api_ready() { kubectl get --raw /readyz; }

kubectl() {
  on_network client env KUBECACHEDIR="$state/kubectl-cache" "$programs/kubectl" --kubeconfig "$state/admin.conf" "$@"
}
