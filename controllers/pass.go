package controllers

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// blockedRetry is how often it is tried again what an object that is not ours, and not watched, may stand in the way of.
const blockedRetry = 30 * time.Second

// pass is what one pass over one cluster knows. It lives for one call of Reconcile.
type pass struct {
	client       client.Client
	live         client.Reader
	applier      *applier
	hashes       *hashMemory
	recorder     events.EventRecorder
	defaultImage string
	now          time.Time

	cluster *v1alpha1.BrokerCluster
	pairs   []*pair
	surplus []string // pairs that are there and that the spec does not have

	// What the steps found out, for the status.
	pendingRevision string
	outdated        bool   // this generation is not in force yet
	progress        string // what goes on
	stalled         *stall
	requeueAfter    time.Duration
	events          []occurrence
}

// stall is what a person has to do something about.
type stall struct{ reason, message string }

// occurrence becomes an event.
type occurrence struct {
	related                    runtime.Object
	kind, reason, action, note string
	args                       []any
}

func newPass(r *Reconciler, cluster *v1alpha1.BrokerCluster) *pass {
	return &pass{
		client: r.Client, live: r.Live, applier: r.applier, hashes: r.hashes, recorder: r.Events,
		defaultImage: r.DefaultImage, now: r.Now(), cluster: cluster,
	}
}

// apply makes an object be as config says. What was changed just now is not yet in the caches that the status is made
// from, so the cluster is not Ready in this pass; the change itself brings about the next one.
func (p *pass) apply(ctx context.Context, config applyConfiguration) error {
	kind, name := *config.GetKind(), *config.GetName()
	changed, err := p.applier.apply(ctx, p.cluster, config)
	if changed {
		p.changing(fmt.Sprintf("%s %s was changed", kind, name))
	}
	return err
}

func (p *pass) owns(object metav1.Object) bool { return metav1.IsControlledBy(object, p.cluster) }

// stall keeps the first reason: later ones often follow from it.
func (p *pass) stall(reason, message string) {
	if p.stalled == nil {
		p.stalled = &stall{reason, message}
	}
}

// refuse stalls with what keeps this generation from being in force.
func (p *pass) refuse(reason, message string) {
	p.outdated = true
	p.stall(reason, message)
}

// changing notes what there is still to do until this generation is in force.
func (p *pass) changing(message string) {
	if !p.outdated {
		p.outdated, p.progress = true, "" // says more than what is waited for
	}
	p.working(message)
}

// working notes what goes on besides: a standby comes back, a node is lost. It keeps the first reason, too.
func (p *pass) working(message string) {
	if p.progress == "" {
		p.progress = message
	}
}

// wake asks for another pass after d, or earlier.
func (p *pass) wake(d time.Duration) {
	if p.requeueAfter == 0 || d < p.requeueAfter {
		p.requeueAfter = d
	}
}

// event is sent when the status of this pass was written. Events that differ only in their note count as one, of which
// the first note is kept, so each has the object that it is related to, if there is one.
func (p *pass) event(related runtime.Object, kind, reason, action, note string, args ...any) {
	p.events = append(p.events, occurrence{related, kind, reason, action, note, args})
}

func (p *pass) conflict(err *nameConflictError) {
	p.refuse("NameConflict", err.Error())
	p.wake(blockedRetry)
	if !conditionIs(p.cluster, v1alpha1.ConditionStalled, "NameConflict") {
		p.event(nil, corev1.EventTypeWarning, "NameConflict", "Apply", "%s", err.Error())
	}
}
