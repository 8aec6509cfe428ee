package controllers

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// applyStatefulSets runs after all that pods need is there.
func (p *pass) applyStatefulSets(ctx context.Context) error {
	for _, pair := range p.pairs {
		decision := decideRevision(p.cluster, pair.statefulSet, p.defaultImage)
		if decision.pending != "" {
			p.pendingRevision = decision.pending
		}
		if err := p.apply(ctx, statefulSet(p.cluster, pair.name, decision)); err != nil {
			return err
		}
	}
	return nil
}

// statefulSet restarts pods by itself only where they ended by themselves: Parallel, so that no pod waits for another of
// its pair, and OnDelete, so that the order of a rolling update is the operator's.
func statefulSet(cluster *v1alpha1.BrokerCluster, pair string, decision revisionDecision) *appsv1ac.StatefulSetApplyConfiguration {
	template := decision.keep
	if template == nil {
		template = podTemplate(cluster, pair, decision.image)
	}
	return appsv1ac.StatefulSet(pair, cluster.Namespace).
		WithLabels(pairLabels(cluster, pair)).
		WithAnnotations(map[string]string{
			revisionAnnotation: decision.revision,
			specAnnotation:     decision.specHash,
		}).
		WithOwnerReferences(ownedBy(cluster)).
		WithSpec(appsv1ac.StatefulSetSpec().
			WithServiceName(headlessName(cluster)).
			WithReplicas(replicas(cluster)).
			WithPodManagementPolicy(appsv1.ParallelPodManagement).
			WithUpdateStrategy(appsv1ac.StatefulSetUpdateStrategy().WithType(appsv1.OnDeleteStatefulSetStrategyType)).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{
				v1alpha1.LabelCluster: cluster.Name,
				v1alpha1.LabelPair:    pair,
			})).
			WithTemplate(template))
}

func templateOf(statefulSet *appsv1.StatefulSet) *corev1ac.PodTemplateSpecApplyConfiguration {
	return as[corev1ac.PodTemplateSpecApplyConfiguration](statefulSet.Spec.Template)
}
