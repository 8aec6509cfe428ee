package controllers

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// usedByAnnotation on a claim: the UID of the last BrokerCluster that used it, so that using it is told of once.
const usedByAnnotation = "messaging.twinmesh.io/used-by"

// applyClaims makes the claim of each pair. Claims are the one kind that is not applied again and again, and not owned:
// one that exists is used as it is, whoever made it, so that messages outlive their cluster and can be restored under
// it. It is only labelled, and grown when the spec asks for more than it has.
func (p *pass) applyClaims(ctx context.Context) error {
	for _, pair := range p.pairs {
		if err := p.applyClaim(ctx, pair); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) applyClaim(ctx context.Context, pair *pair) error {
	key := types.NamespacedName{Namespace: p.cluster.Namespace, Name: claimName(pair.name)}
	existing, err := findLive(ctx, p.client, p.live, key, &corev1.PersistentVolumeClaim{})
	if err != nil {
		return err
	}
	if existing == nil {
		if err := p.client.Apply(ctx, claim(p.cluster, pair.name), fieldManager, client.ForceOwnership); err != nil {
			return fmt.Errorf("applying PersistentVolumeClaim %s: %w", key.Name, err)
		}
		return nil
	}
	pair.claim = existing
	if existing.DeletionTimestamp != nil {
		p.changing(fmt.Sprintf("claim %s is being deleted, and its messages with it: pair %s gets an empty one when no pod uses it any more", existing.Name, pair.name))
		return nil
	}
	if existing.Annotations[usedByAnnotation] != string(p.cluster.UID) {
		p.event(existing, corev1.EventTypeNormal, "ExistingClaimUsed", "UseClaim",
			"pair %s uses the claim %s, which was there before, and the messages on it", pair.name, existing.Name)
	}
	if p.cluster.Spec.StandbysOrDefault() > 0 && !slices.Contains(existing.Spec.AccessModes, corev1.ReadWriteMany) {
		p.refuse("ClaimUnusable", fmt.Sprintf("claim %s exists and is not ReadWriteMany, so that no standby can use it: write standbys: 0, or move the claim away",
			existing.Name))
	}
	return p.updateClaim(ctx, existing)
}

// updateClaim patches what differs and nothing else: the rest of a claim's spec is immutable.
func (p *pass) updateClaim(ctx context.Context, existing *corev1.PersistentVolumeClaim) error {
	changed := existing.DeepCopy()
	metav1.SetMetaDataLabel(&changed.ObjectMeta, v1alpha1.LabelCluster, p.cluster.Name)
	metav1.SetMetaDataAnnotation(&changed.ObjectMeta, usedByAnnotation, string(p.cluster.UID))
	size := p.cluster.Spec.Store.SharedVolume.SizeOrDefault()
	if has := existing.Spec.Resources.Requests[corev1.ResourceStorage]; size.Cmp(has) > 0 {
		changed.Spec.Resources.Requests[corev1.ResourceStorage] = size
	}
	if equality.Semantic.DeepEqual(existing, changed) {
		return nil
	}
	if err := p.client.Patch(ctx, changed, client.MergeFrom(existing), fieldManager); err != nil {
		return fmt.Errorf("changing PersistentVolumeClaim %s: %w", existing.Name, err)
	}
	return nil
}

func claim(cluster *v1alpha1.BrokerCluster, pair string) *corev1ac.PersistentVolumeClaimApplyConfiguration {
	volume := cluster.Spec.Store.SharedVolume
	spec := corev1ac.PersistentVolumeClaimSpec().
		WithAccessModes(volume.AccessModeOrDefault()).
		WithResources(corev1ac.VolumeResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceStorage: volume.SizeOrDefault()}))
	if volume.StorageClassName != nil {
		spec.WithStorageClassName(*volume.StorageClassName)
	}
	return corev1ac.PersistentVolumeClaim(claimName(pair), cluster.Namespace).
		WithLabels(pairLabels(cluster, pair)).
		WithAnnotations(map[string]string{usedByAnnotation: string(cluster.UID)}).
		WithSpec(spec)
}
