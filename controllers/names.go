package controllers

import (
	"fmt"

	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// Names of owned objects. None of them can be the name of another cluster's object of the same kind, except that a
// cluster named NAME-N has the Service of pair N of NAME: that is a NameConflict.

func pairName(cluster *v1alpha1.BrokerCluster, index int32) string {
	return fmt.Sprintf("%s-%d", cluster.Name, index)
}

func podName(pair string, ordinal int32) string { return fmt.Sprintf("%s-%d", pair, ordinal) }

// claimName is also the name of a claim that somebody prepared, restored or retained.
func claimName(pair string) string { return "store-" + pair }

// headlessName is the Service that gives each pod a DNS name, ready or not.
func headlessName(cluster *v1alpha1.BrokerCluster) string { return cluster.Name + "-brokers" }

func bindingName(cluster *v1alpha1.BrokerCluster) string { return cluster.Name + "-binding" }

func usersName(cluster *v1alpha1.BrokerCluster) string { return cluster.Name + "-users" }

// pairSlice is the EndpointSlice of the pair's own Service; it is also where the operator reads who is active.
func pairSlice(pair string) string { return pair }

// clusterSlice is the pair's EndpointSlice of the Service of all active brokers.
func clusterSlice(pair string) string { return pair + "-cluster" }

const (
	managedByLabel = "app.kubernetes.io/managed-by"
	managedBy      = "twinmesh"
	instanceLabel  = "app.kubernetes.io/instance"
	nameLabel      = "app.kubernetes.io/name"
	appName        = "twinmesh-broker"
)

// clusterLabels are on every owned object. The operator's caches hold only what has v1alpha1.LabelCluster.
func clusterLabels(cluster *v1alpha1.BrokerCluster) map[string]string {
	return map[string]string{
		nameLabel:             appName,
		instanceLabel:         cluster.Name,
		managedByLabel:        managedBy,
		v1alpha1.LabelCluster: cluster.Name,
	}
}

func pairLabels(cluster *v1alpha1.BrokerCluster, pair string) map[string]string {
	labels := clusterLabels(cluster)
	labels[v1alpha1.LabelPair] = pair
	return labels
}

// ownedBy makes an object go away with its cluster.
func ownedBy(cluster *v1alpha1.BrokerCluster) *metav1ac.OwnerReferenceApplyConfiguration {
	return metav1ac.OwnerReference().
		WithAPIVersion(v1alpha1.GroupVersion.String()).
		WithKind("BrokerCluster").
		WithName(cluster.Name).
		WithUID(cluster.UID).
		WithController(true).
		WithBlockOwnerDeletion(true)
}
