package controllers

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	discoveryv1ac "k8s.io/client-go/applyconfigurations/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// publication is what a pair's active broker wrote into its EndpointSlice: that it is this pod, with this term.
type publication struct {
	pod  string
	uid  types.UID
	term int64
}

// published reads a slice. Without an address there is no active broker, but the last term is still told.
func published(slice *discoveryv1.EndpointSlice) publication {
	if slice == nil {
		return publication{}
	}
	// Admission lets nothing but a number through; what is none says nothing.
	term, _ := strconv.ParseInt(slice.Annotations[v1alpha1.AnnotationTerm], 10, 64)
	for _, endpoint := range slice.Endpoints {
		if endpoint.TargetRef != nil {
			return publication{pod: endpoint.TargetRef.Name, uid: endpoint.TargetRef.UID, term: term}
		}
	}
	return publication{term: term}
}

// applySlices makes each pair's EndpointSlices, and empties those whose pod is gone. The address is the active broker's
// to write: what is applied has no endpoints and no term, so that applying never touches them.
func (p *pass) applySlices(ctx context.Context) error {
	for _, pair := range p.pairs {
		for _, slice := range []*discoveryv1ac.EndpointSliceApplyConfiguration{
			endpointSlice(p.cluster, pair.name, pairSlice(pair.name), pair.name),
			endpointSlice(p.cluster, pair.name, clusterSlice(pair.name), p.cluster.Name),
		} {
			if err := p.apply(ctx, slice); err != nil {
				return err
			}
		}
		for _, slice := range pair.slices {
			if err := p.emptyIfPodIsGone(ctx, slice); err != nil {
				return err
			}
		}
	}
	return nil
}

func endpointSlice(cluster *v1alpha1.BrokerCluster, pair, name, service string) *discoveryv1ac.EndpointSliceApplyConfiguration {
	labels := pairLabels(cluster, pair)
	labels[discoveryv1.LabelServiceName] = service
	labels[discoveryv1.LabelManagedBy] = v1alpha1.GroupVersion.Group
	slice := discoveryv1ac.EndpointSlice(name, cluster.Namespace).
		WithLabels(labels).
		WithOwnerReferences(ownedBy(cluster)).
		WithAddressType(discoveryv1.AddressTypeIPv4)
	for _, c := range cluster.Spec.EffectiveConnectors() {
		slice.WithPorts(discoveryv1ac.EndpointPort().WithName(c.Name).WithProtocol(corev1.ProtocolTCP).WithPort(*c.Port))
	}
	return slice
}

// emptyIfPodIsGone asks the API server, not the cache, whether the pod is gone, and replaces only the version of the
// slice that named it: a broker that publishes at the same time wins.
func (p *pass) emptyIfPodIsGone(ctx context.Context, slice *discoveryv1.EndpointSlice) error {
	active := published(slice)
	if active.uid == "" || p.hasPod(active.uid) {
		return nil
	}
	var pod corev1.Pod
	err := p.live.Get(ctx, types.NamespacedName{Namespace: slice.Namespace, Name: active.pod}, &pod)
	if err == nil && pod.UID == active.uid {
		return nil
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("reading pod %s: %w", active.pod, err)
	}
	emptied := slice.DeepCopy()
	emptied.Endpoints = []discoveryv1.Endpoint{}
	err = p.client.Update(ctx, emptied, fieldManager)
	if err == nil || apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // who changed it in between also wakes the next pass
	}
	return fmt.Errorf("emptying EndpointSlice %s: %w", slice.Name, err)
}
