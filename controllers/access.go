package controllers

import (
	"context"

	rbacv1 "k8s.io/api/rbac/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// applyAccess lets the brokers of each pair read and replace their own pair's EndpointSlices, and nothing else.
func (p *pass) applyAccess(ctx context.Context) error {
	for _, pair := range p.pairs {
		for _, object := range []applyConfiguration{
			serviceAccount(p.cluster, pair.name),
			role(p.cluster, pair.name),
			roleBinding(p.cluster, pair.name),
		} {
			if err := p.apply(ctx, object); err != nil {
				return err
			}
		}
	}
	return nil
}

func serviceAccount(cluster *v1alpha1.BrokerCluster, pair string) *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(pair, cluster.Namespace).
		WithLabels(pairLabels(cluster, pair)).
		WithOwnerReferences(ownedBy(cluster)).
		WithAutomountServiceAccountToken(false)
}

func role(cluster *v1alpha1.BrokerCluster, pair string) *rbacv1ac.RoleApplyConfiguration {
	return rbacv1ac.Role(pair, cluster.Namespace).
		WithLabels(pairLabels(cluster, pair)).
		WithOwnerReferences(ownedBy(cluster)).
		WithRules(rbacv1ac.PolicyRule().
			WithAPIGroups("discovery.k8s.io").
			WithResources("endpointslices").
			WithResourceNames(pairSlice(pair), clusterSlice(pair)).
			WithVerbs("get", "update"))
}

func roleBinding(cluster *v1alpha1.BrokerCluster, pair string) *rbacv1ac.RoleBindingApplyConfiguration {
	return rbacv1ac.RoleBinding(pair, cluster.Namespace).
		WithLabels(pairLabels(cluster, pair)).
		WithOwnerReferences(ownedBy(cluster)).
		WithRoleRef(rbacv1ac.RoleRef().WithAPIGroup(rbacv1.GroupName).WithKind("Role").WithName(pair)).
		WithSubjects(rbacv1ac.Subject().WithKind(rbacv1.ServiceAccountKind).WithName(pair).WithNamespace(cluster.Namespace))
}
