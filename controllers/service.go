package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

func (p *pass) applyServices(ctx context.Context) error {
	for _, service := range []*corev1ac.ServiceApplyConfiguration{headlessService(p.cluster), clusterService(p.cluster)} {
		if err := p.apply(ctx, service); err != nil {
			return err
		}
	}
	for index := range p.cluster.Spec.Pairs {
		if err := p.apply(ctx, pairService(p.cluster, pairName(p.cluster, index))); err != nil {
			return err
		}
	}
	return nil
}

// headlessService gives every pod a name, ready or not: clients try them all and stay with the one that serves.
func headlessService(cluster *v1alpha1.BrokerCluster) *corev1ac.ServiceApplyConfiguration {
	return service(cluster, headlessName(cluster), clusterLabels(cluster)).WithSpec(corev1ac.ServiceSpec().
		WithClusterIP(corev1.ClusterIPNone).
		WithPublishNotReadyAddresses(true).
		WithSelector(map[string]string{v1alpha1.LabelCluster: cluster.Name, nameLabel: appName}).
		WithPorts(servicePorts(cluster)...))
}

// clusterService and pairService have no selector: the active brokers write their EndpointSlices.
func clusterService(cluster *v1alpha1.BrokerCluster) *corev1ac.ServiceApplyConfiguration {
	return service(cluster, cluster.Name, clusterLabels(cluster)).
		WithSpec(corev1ac.ServiceSpec().WithPorts(servicePorts(cluster)...))
}

func pairService(cluster *v1alpha1.BrokerCluster, pair string) *corev1ac.ServiceApplyConfiguration {
	return service(cluster, pair, pairLabels(cluster, pair)).
		WithSpec(corev1ac.ServiceSpec().WithPorts(servicePorts(cluster)...))
}

func service(cluster *v1alpha1.BrokerCluster, name string, labels map[string]string) *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(name, cluster.Namespace).WithLabels(labels).WithOwnerReferences(ownedBy(cluster))
}

func servicePorts(cluster *v1alpha1.BrokerCluster) []*corev1ac.ServicePortApplyConfiguration {
	var ports []*corev1ac.ServicePortApplyConfiguration
	for _, c := range cluster.Spec.EffectiveConnectors() {
		ports = append(ports, corev1ac.ServicePort().
			WithName(c.Name).
			WithProtocol(corev1.ProtocolTCP).
			WithPort(*c.Port).
			WithTargetPort(intstr.FromInt32(*c.Port)))
	}
	return ports
}
