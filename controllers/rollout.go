package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// comeBackDeadline is how long a restarted pod may take to become Ready until a person should look.
const comeBackDeadline = 5 * time.Minute

// rolloutStep is what a rolling update does now: restart one pod, or wait for one, or (neither) it is done.
type rolloutStep struct {
	restart *corev1.Pod
	wait    *corev1.Pod // nil while waiting for a pod that is not there yet
	why     string
}

// nextStep decides on one step of a rolling update over all pairs. From the top, the first case that holds:
//
//	a StatefulSet's controller has not seen its template yet    wait: nobody knows yet which pods are outdated
//	a pod is ending                                             wait
//	a pod is missing                                            wait: its controller makes it, from the new template
//	an outdated pod is not Ready                                restart it: nothing is lost, and it may be the fix
//	a pod of the new template is not Ready                      wait: one that does not come back stops the update
//	an outdated standby                                         restart it, pair by pair
//	an outdated active broker                                   restart it last: it hands over to a standby that is new
//
// The trap is the fourth case: were it after the fifth, or were Ready pods demanded first, a cluster that a bad spec
// broke would never accept the good one.
func nextStep(pairs []*pair) rolloutStep {
	for _, check := range []func(*pair) *rolloutStep{waitForTemplate, waitForEnding, waitForMissing, restartBroken, waitForReady, restartNext} {
		for _, pair := range pairs {
			if step := check(pair); step != nil {
				return *step
			}
		}
	}
	return rolloutStep{}
}

func waitForTemplate(p *pair) *rolloutStep {
	if p.statefulSet == nil || p.statefulSet.Status.ObservedGeneration < p.statefulSet.Generation {
		return &rolloutStep{why: fmt.Sprintf("waiting for StatefulSet %s to be seen by its controller", p.name)}
	}
	return nil
}

func waitForEnding(p *pair) *rolloutStep {
	for _, pod := range p.pods {
		if !pod.DeletionTimestamp.IsZero() {
			return &rolloutStep{wait: pod, why: fmt.Sprintf("waiting for pod %s to end", pod.Name)}
		}
	}
	return nil
}

func waitForMissing(p *pair) *rolloutStep {
	if has, want := int32(len(p.pods)), *p.statefulSet.Spec.Replicas; has < want {
		return &rolloutStep{why: fmt.Sprintf("waiting for pods of pair %s: %d of %d are there", p.name, has, want)}
	}
	return nil
}

func restartBroken(p *pair) *rolloutStep {
	for _, pod := range p.pods {
		if outdated(p, pod) && !podReady(pod) {
			return &rolloutStep{restart: pod, why: fmt.Sprintf("restarting pod %s, which is not Ready", pod.Name)}
		}
	}
	return nil
}

func waitForReady(p *pair) *rolloutStep {
	for _, pod := range p.pods {
		if !podReady(pod) {
			return &rolloutStep{wait: pod, why: fmt.Sprintf("waiting for pod %s to become Ready%s", pod.Name, pendingBecause(p, pod))}
		}
	}
	return nil
}

// restartNext takes the highest standby first. Where nobody is published, every pod counts as a standby: an update must
// not wait for a broker that may need it.
func restartNext(p *pair) *rolloutStep {
	active := p.active()
	for _, pod := range slices.Backward(p.pods) {
		if outdated(p, pod) && pod != active {
			return &rolloutStep{restart: pod, why: fmt.Sprintf("restarting standby %s", pod.Name)}
		}
	}
	if active != nil && outdated(p, active) {
		return &rolloutStep{restart: active, why: fmt.Sprintf("restarting %s, which hands over", active.Name)}
	}
	return nil
}

func outdated(p *pair, pod *corev1.Pod) bool {
	return p.statefulSet.Status.UpdateRevision != "" &&
		pod.Labels[appsv1.ControllerRevisionHashLabelKey] != p.statefulSet.Status.UpdateRevision
}

// rolling tells whether some pod is not yet as the spec says. One that is missing will be.
func rolling(pairs []*pair) bool {
	for _, pair := range pairs {
		if waitForTemplate(pair) != nil {
			return true
		}
		for _, pod := range pair.pods {
			if outdated(pair, pod) {
				return true
			}
		}
	}
	return false
}

// pendingBecause adds what keeps a pod from running, if Kubernetes says so.
func pendingBecause(p *pair, pod *corev1.Pod) string {
	if p.claim != nil && p.claim.Status.Phase == corev1.ClaimPending {
		return fmt.Sprintf(": claim %s is Pending; does its storage class provide %v volumes?", p.claim.Name, p.claim.Spec.AccessModes)
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Message != "" {
			return ": " + c.Message
		}
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Waiting != nil && c.State.Waiting.Message != "" {
			return ": " + c.State.Waiting.Message
		}
	}
	return ""
}

// roll takes one step of a rolling update. Whatever comes of it wakes the next pass.
func (p *pass) roll(ctx context.Context) error {
	step := nextStep(p.pairs)
	if step.why == "" {
		return nil
	}
	if rolling(p.pairs) {
		p.changing(step.why)
	} else {
		p.working(step.why)
	}
	if step.restart != nil {
		p.event(step.restart, corev1.EventTypeNormal, "RollingUpdate", "RestartPod", "%s for a change of its pod template", step.why)
		return p.deletePod(ctx, step.restart)
	}
	if step.wait == nil || podReady(step.wait) {
		return nil
	}
	waited := p.now.Sub(step.wait.CreationTimestamp.Time)
	if waited < comeBackDeadline {
		p.wake(comeBackDeadline - waited)
		return nil
	}
	p.stall("PodNotReady", step.why+" for over "+comeBackDeadline.String()+"; nothing else is restarted until then: look at its log and events, or change the spec")
	return nil
}

// deletePod deletes that very pod, not one of its name.
func (p *pass) deletePod(ctx context.Context, pod *corev1.Pod, options ...client.DeleteOption) error {
	options = append(options, client.Preconditions{UID: &pod.UID})
	if err := client.IgnoreNotFound(p.client.Delete(ctx, pod, options...)); err != nil {
		return fmt.Errorf("deleting pod %s: %w", pod.Name, err)
	}
	return nil
}
