// Package v1alpha1 is the BrokerCluster resource: its types, what an unset field means, and which specs are refused with
// what to write instead. Every rule is stated twice, as CEL for admission and in Go for the loop (an object may be older
// than a rule), and one table of bad manifests tries both.
//
// The package knows nothing of how a cluster is run; it imports nothing else of this module.
//
// +kubebuilder:object:generate=true
// +groupName=messaging.twinmesh.io
package v1alpha1

//go:generate go tool -modfile=../../hack/tools/controller-gen.mod controller-gen object crd paths=. output:crd:dir=../../config/crd
//go:generate go tool -modfile=../../hack/tools/controller-gen.mod controller-gen crd paths=. output:crd:dir=../../charts/twinmesh/files
