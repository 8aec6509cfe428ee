package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// replaceLostPods deletes pods of nodes that are lost for nodeLoss.replaceAfter, so that their StatefulSet makes them
// anew elsewhere: Kubernetes itself never does that for a StatefulSet, lest two pods of one name run at a time. Here
// that is harmless: the store's lock and term decide who writes. Deleted by UID and without grace, since nobody is there
// to wait for. A node that does not exist any more is not our case: Kubernetes removes its pods.
func (p *pass) replaceLostPods(ctx context.Context) error {
	after := p.cluster.Spec.ReplaceAfter()
	if after == 0 {
		return nil
	}
	for _, pair := range p.pairs {
		for _, pod := range pair.pods {
			if err := p.replaceIfLost(ctx, pod, after); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *pass) replaceIfLost(ctx context.Context, pod *corev1.Pod, after time.Duration) error {
	if pod.Spec.NodeName == "" {
		return nil
	}
	var node corev1.Node
	if err := p.client.Get(ctx, types.NamespacedName{Name: pod.Spec.NodeName}, &node); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil
		}
		return fmt.Errorf("reading node %s: %w", pod.Spec.NodeName, err)
	}
	since, lost := lostSince(&node)
	if !lost {
		return nil
	}
	if gone := p.now.Sub(since); gone < after {
		p.working(fmt.Sprintf("node %s is lost; pod %s is replaced after %s", node.Name, pod.Name, after))
		p.wake(after - gone)
		return nil
	}
	p.working(fmt.Sprintf("replacing pod %s of the lost node %s", pod.Name, node.Name))
	p.event(pod, corev1.EventTypeWarning, "NodeLost", "ReplacePod", "node %s is lost for over %s: pod %s is deleted to run elsewhere", node.Name, after, pod.Name)
	return p.deletePod(ctx, pod, client.GracePeriodSeconds(0))
}

// lostSince is when a node was last known to be ready, if it is not ready now.
func lostSince(node *corev1.Node) (time.Time, bool) {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionTrue {
			return c.LastTransitionTime.Time, true
		}
	}
	return time.Time{}, false
}
