package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// pair is what is there of one pair.
type pair struct {
	name        string
	statefulSet *appsv1.StatefulSet
	claim       *corev1.PersistentVolumeClaim
	pods        []*corev1.Pod // by name
	slices      []*discoveryv1.EndpointSlice
}

// active is the pod that is published as this pair's active broker and is still there; nil if there is none.
func (p *pair) active() *corev1.Pod {
	uid := p.publication().uid
	for _, pod := range p.pods {
		if pod.UID == uid {
			return pod
		}
	}
	return nil
}

func (p *pair) publication() publication {
	for _, slice := range p.slices {
		if slice.Name == pairSlice(p.name) {
			return published(slice)
		}
	}
	return publication{}
}

func (p *pair) readyPods() (n int32) {
	for _, pod := range p.pods {
		if podReady(pod) {
			n++
		}
	}
	return n
}

func podReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp.IsZero()
		}
	}
	return false
}

// observe sorts what is there into pairs.
func (p *pass) observe(ctx context.Context) error {
	ours := []client.ListOption{
		client.InNamespace(p.cluster.Namespace),
		client.MatchingLabels{v1alpha1.LabelCluster: p.cluster.Name},
	}
	var sets appsv1.StatefulSetList
	var pods corev1.PodList
	var endpointSlices discoveryv1.EndpointSliceList
	for _, list := range []client.ObjectList{&sets, &pods, &endpointSlices} {
		if err := p.client.List(ctx, list, ours...); err != nil {
			return fmt.Errorf("listing what the cluster has: %w", err)
		}
	}
	for index := range p.cluster.Spec.Pairs {
		pair := &pair{name: pairName(p.cluster, index)}
		for i := range sets.Items {
			if sets.Items[i].Name == pair.name && p.owns(&sets.Items[i]) {
				pair.statefulSet = &sets.Items[i]
			}
		}
		pair.takePods(pods.Items)
		for i := range endpointSlices.Items {
			if endpointSlices.Items[i].Labels[v1alpha1.LabelPair] == pair.name && p.owns(&endpointSlices.Items[i]) {
				pair.slices = append(pair.slices, &endpointSlices.Items[i])
			}
		}
		p.pairs = append(p.pairs, pair)
	}
	for i := range sets.Items {
		if p.owns(&sets.Items[i]) && !p.hasPair(sets.Items[i].Name) {
			p.surplus = append(p.surplus, sets.Items[i].Name)
		}
	}
	return nil
}

func (p *pair) takePods(pods []corev1.Pod) {
	for i := range pods {
		if pods[i].Labels[v1alpha1.LabelPair] == p.name {
			p.pods = append(p.pods, &pods[i])
		}
	}
	slices.SortFunc(p.pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
}

func (p *pass) hasPair(name string) bool {
	return slices.ContainsFunc(p.pairs, func(pair *pair) bool { return pair.name == name })
}

func (p *pass) hasPod(uid types.UID) bool {
	for _, pair := range p.pairs {
		for _, pod := range pair.pods {
			if pod.UID == uid {
				return true
			}
		}
	}
	return false
}
