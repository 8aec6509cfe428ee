package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// labelRoles lets the pods' role label follow what is published. Where nobody is, labels stay: a pod is not made a
// standby because an address is being moved.
func (p *pass) labelRoles(ctx context.Context) error {
	for _, pair := range p.pairs {
		active := pair.active()
		if active == nil {
			continue
		}
		for _, pod := range pair.pods {
			role := v1alpha1.RoleStandby
			if pod == active {
				role = v1alpha1.RoleActive
			}
			if err := p.labelRole(ctx, pod, role); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *pass) labelRole(ctx context.Context, pod *corev1.Pod, role string) error {
	if pod.Labels[v1alpha1.LabelRole] == role {
		return nil
	}
	// With the UID, so that a label for a pod that is gone does not land on its successor.
	patch := fmt.Appendf(nil, `{"metadata":{"uid":%q,"labels":{%q:%q}}}`, pod.UID, v1alpha1.LabelRole, role)
	target := &corev1.Pod{}
	target.Namespace, target.Name = pod.Namespace, pod.Name
	err := p.client.Patch(ctx, target, client.RawPatch(types.MergePatchType, patch), fieldManager)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("labelling pod %s: %w", pod.Name, err)
	}
	return nil
}
