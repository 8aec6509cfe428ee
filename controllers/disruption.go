package controllers

import (
	"context"

	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

func (p *pass) applyDisruptionBudgets(ctx context.Context) error {
	for _, pair := range p.pairs {
		if err := p.apply(ctx, disruptionBudget(p.cluster, pair.name)); err != nil {
			return err
		}
	}
	return nil
}

// disruptionBudget lets nodes be drained of one broker of a pair at a time. A broker without standbys may be evicted too,
// or its node could never be drained, and one that is not Ready always: it protects nothing.
func disruptionBudget(cluster *v1alpha1.BrokerCluster, pair string) *policyv1ac.PodDisruptionBudgetApplyConfiguration {
	return policyv1ac.PodDisruptionBudget(pair, cluster.Namespace).
		WithLabels(pairLabels(cluster, pair)).
		WithOwnerReferences(ownedBy(cluster)).
		WithSpec(policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{
				v1alpha1.LabelCluster: cluster.Name,
				v1alpha1.LabelPair:    pair,
			})))
}
