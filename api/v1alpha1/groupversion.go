package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion names this package's API.
var GroupVersion = schema.GroupVersion{Group: "messaging.twinmesh.io", Version: "v1alpha1"}

// AddToScheme registers the types of this package.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &BrokerCluster{}, &BrokerClusterList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
