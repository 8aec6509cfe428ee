# shellcheck shell=bash
# The storage class `shared`: volumes that every node can mount and write. They are directories of one that all nodes
# share, made beforehand, which bind to any claim of the class by themselves, also where a claim names no class. Each may
# be used once.
#
# Everyone may write to them: the kubelet changes no owner of such a volume, whatever fsGroup a pod has.

storage_prepare() {
  local n
  for ((n = 1; n <= shared_volumes; n++)); do
    mkdir -p "$state/shared/volume-$n"
    chmod 0777 "$state/shared/volume-$n"
  done
}

storage_manifests() {
  local n
  cat <<MANIFEST
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: shared
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: Immediate
---
MANIFEST
  for ((n = 1; n <= shared_volumes; n++)); do
    cat <<MANIFEST
apiVersion: v1
kind: PersistentVolume
metadata: {name: shared-$n}
spec:
  storageClassName: shared
  capacity: {storage: 100Gi}
  accessModes: [ReadWriteMany, ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: $node_shared/volume-$n, type: Directory}
---
MANIFEST
  done
}
