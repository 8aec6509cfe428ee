package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// finish writes the status, once and only if it differs, and then tells of what happened.
func (p *pass) finish(ctx context.Context, failure error) error {
	before := p.cluster.DeepCopy()
	p.setStatus(failure)
	p.tellTakeovers(before.Status.Pairs)
	if !equality.Semantic.DeepEqual(before.Status, p.cluster.Status) {
		if err := p.client.Status().Patch(ctx, p.cluster, client.MergeFrom(before), fieldManager); err != nil {
			return client.IgnoreNotFound(err)
		}
	}
	for _, e := range p.events {
		p.recorder.Eventf(p.cluster, e.related, e.kind, e.reason, e.action, e.note, e.args...)
	}
	return nil
}

// setStatus is a function of what the pass found.
func (p *pass) setStatus(failure error) {
	status := &p.cluster.Status
	status.Pairs, status.Replicas = nil, 0
	for _, pair := range p.pairs {
		s := v1alpha1.PairStatus{Name: pair.name, Term: pair.publication().term, ReadyReplicas: pair.readyPods()}
		if active := pair.active(); active != nil {
			s.Active = active.Name
			status.Replicas++
		}
		status.Pairs = append(status.Pairs, s)
	}
	status.Selector = fmt.Sprintf("%s=%s,%s=%s", v1alpha1.LabelCluster, p.cluster.Name, v1alpha1.LabelRole, v1alpha1.RoleActive)
	status.PendingRevision = p.pendingRevision
	if failure == nil && !p.cluster.Spec.Paused && p.stalled == nil {
		status.Binding = &v1alpha1.Binding{Name: bindingName(p.cluster)}
	}
	if failure == nil {
		status.ObservedGeneration = p.cluster.Generation
	}
	p.setConditions(failure)
}

func (p *pass) setConditions(failure error) {
	p.set(p.reconciling(failure))
	p.set(p.stalling())
	p.set(p.redundant())
	p.set(p.ready(failure))
	p.setOrRemove(p.pendingRevision != "", v1alpha1.ConditionUpdatePending, "NewRevision",
		fmt.Sprintf("this operator would run brokers differently (revision %[1]s), which restarts them one by one: it waits for the next change of their pods in the spec, or for: kubectl annotate --overwrite brokerclusters.messaging.twinmesh.io %[2]s %[3]s=%[1]s",
			p.pendingRevision, p.cluster.Name, v1alpha1.AnnotationApprove))
	p.setOrRemove(p.cluster.Spec.Paused, v1alpha1.ConditionPaused, "Paused", "spec.paused is true: nothing is changed")
}

func (p *pass) reconciling(failure error) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionFalse, Reason: "AsSpecified"}
	switch {
	case p.stalled != nil:
		c.Reason = "Stalled"
	case failure != nil:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, "Retrying", failure.Error()
	case p.progress != "":
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, "Progressing", p.progress
	case p.cluster.Spec.Paused:
		c.Reason = "Paused"
	}
	return c
}

func (p *pass) stalling() metav1.Condition {
	if p.stalled == nil {
		return metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionFalse, Reason: "NotStalled"}
	}
	return metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: p.stalled.reason, Message: p.stalled.message}
}

func (p *pass) redundant() metav1.Condition {
	want := replicas(p.cluster)
	for _, pair := range p.pairs {
		if ready := pair.readyPods(); ready < want {
			return metav1.Condition{Type: v1alpha1.ConditionRedundant, Status: metav1.ConditionFalse, Reason: "BrokersMissing",
				Message: fmt.Sprintf("pair %s has %d of %d brokers Ready", pair.name, ready, want)}
		}
	}
	if want == 1 {
		return metav1.Condition{Type: v1alpha1.ConditionRedundant, Status: metav1.ConditionTrue, Reason: "NoStandbys",
			Message: "no standbys are asked for: a pair is away while its broker restarts"}
	}
	return metav1.Condition{Type: v1alpha1.ConditionRedundant, Status: metav1.ConditionTrue, Reason: "AllStandbysReady"}
}

// ready says, as long as there is no mesh, what a user has to know of it. A standby that is away does not make it False:
// Redundant tells that.
func (p *pass) ready(failure error) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}
	serving := p.cluster.Status.Replicas == p.cluster.Spec.Pairs
	switch {
	case p.stalled != nil && (p.outdated || !serving):
		c.Reason, c.Message = p.stalled.reason, p.stalled.message
	case failure != nil:
		c.Reason, c.Message = "Retrying", failure.Error()
	case p.outdated:
		c.Reason, c.Message = "Progressing", p.progress
	case !serving:
		c.Reason = "NoActiveBroker"
		c.Message = fmt.Sprintf("%d of %d pairs have a published active broker", p.cluster.Status.Replicas, p.cluster.Spec.Pairs)
		if p.progress != "" {
			c.Message += "; " + p.progress
		}
	default:
		c.Status, c.Reason = metav1.ConditionTrue, "AllPairsServe"
		c.Message = fmt.Sprintf("all %d pairs serve; the mesh between pairs is not built yet, each stands alone: a program uses one pair, by a key url-N of Secret %s",
			p.cluster.Spec.Pairs, bindingName(p.cluster))
	}
	return c
}

func (p *pass) set(condition metav1.Condition) {
	condition.ObservedGeneration = p.cluster.Generation
	condition.LastTransitionTime = metav1.NewTime(p.now)
	meta.SetStatusCondition(&p.cluster.Status.Conditions, condition)
}

func (p *pass) setOrRemove(present bool, kind, reason, message string) {
	if !present {
		meta.RemoveStatusCondition(&p.cluster.Status.Conditions, kind)
		return
	}
	p.set(metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: message})
}

func conditionIs(cluster *v1alpha1.BrokerCluster, kind, reason string) bool {
	c := meta.FindStatusCondition(cluster.Status.Conditions, kind)
	return c != nil && c.Reason == reason
}

// tellTakeovers compares with the last status: a pair that is now led with a higher term was taken over.
func (p *pass) tellTakeovers(before []v1alpha1.PairStatus) {
	for i, now := range p.cluster.Status.Pairs {
		for _, was := range before {
			if was.Name != now.Name || now.Active == "" || was.Term == 0 || now.Term <= was.Term {
				continue
			}
			p.event(p.pairs[i].active(), corev1.EventTypeNormal, "Takeover", "Observe", "pair %s: %s is active with term %d; before: %s, term %d",
				now.Name, now.Active, now.Term, valueOr(was.Active, "none"), was.Term)
		}
	}
}

func valueOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
