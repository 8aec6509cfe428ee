package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/broker/admin"
)

const (
	brokerLimit  = 3 * time.Second  // to the next delivery, when a process ends or a pod is deleted
	nodeLimit    = 15 * time.Second // and when a node is gone without a word
	publishLimit = 5 * time.Second  // until the Service is right, once the API server is there
	healLimit    = 60 * time.Second // until all is as before
)

// fault is something that happens to the active broker of a pair while messages flow.
type fault struct {
	name string
	// prepare comes before and is not measured.
	prepare func(*testing.T, *trial)
	// strike is what happens. The time to the next delivery counts from its start.
	strike func(*testing.T, *trial)
	limit  time.Duration
	// after comes when messages flow again.
	after func(*testing.T, *trial)
}

// trial is a fault and whom it strikes.
type trial struct {
	*brokers
	pair   string
	active *corev1.Pod
	term   uint64
	// process is that of the active broker. It is found beforehand: the API server may be away when it has to end.
	process *os.Process
}

func newTrial(t *testing.T, b *brokers, pair string) *trial {
	t.Helper()
	found := &trial{brokers: b, pair: pair}
	eventually(t, healLimit, "pair "+pair+" has an active broker", func(ctx context.Context) (err error) {
		if found.active, found.term, err = b.active(ctx, pair); err != nil {
			return err
		}
		found.process, err = processOf(found.active)
		return err
	})
	return found
}

// faults come in this order because of what a JVM remembers for 30 s: the address of a pod that was replaced. Until it
// forgets, only the Service leads a program to the new one (see "the operator is away"), and a Service needs the API
// server.
func faults() []fault {
	return []fault{
		{name: "the process is killed", strike: kill, limit: brokerLimit},
		{name: "the process is killed while the API server is away", prepare: stopAPIServer, strike: kill, limit: brokerLimit, after: startAPIServer},
		{name: "the pod is deleted", strike: deletePod, limit: brokerLimit},
		{name: "the process is killed while the operator is away", prepare: stopOperator, strike: kill, limit: brokerLimit, after: startOperator},
		{name: "the node loses power", prepare: leaveOperator, strike: powerOff, limit: nodeLimit, after: replaceThenPowerOn},
	}
}

// run lets the fault happen to a pair, and sees that messages go on in time and that all is whole again in the end.
func (f fault) run(t *testing.T, b *brokers, s *stream) {
	trial := newTrial(t, b, s.pair)
	if f.prepare != nil {
		f.prepare(t, trial)
	}
	start := time.Now()
	f.strike(t, trial)
	eventually(t, healLimit, "the broker serves no more", trial.ended)
	ended := time.Since(start)
	took := s.nextDelivery(t, healLimit).Sub(start)
	t.Logf("%s: served no more after %d ms, next delivery after %d ms (limit %v)", f.name, ended.Milliseconds(), took.Milliseconds(), f.limit)
	if took > f.limit {
		t.Errorf("the next delivery took %v, want %v at most", took, f.limit)
	}
	if f.after != nil {
		f.after(t, trial)
	}
	eventually(t, healLimit, "all is whole again", b.whole)
	t.Logf("%s: whole again after %.1f s", f.name, time.Since(start).Seconds())
	now := newTrial(t, b, s.pair)
	t.Logf("%s: the standby was active after %d ms", f.name, now.activeSince(t).Sub(start).Milliseconds())
	if now.term <= trial.term {
		t.Errorf("%s is active with term %d, and before %s was with term %d", now.active.Name, now.term, trial.active.Name, trial.term)
	}
	eventually(t, 5*time.Second, "an event tells of the takeover", func(ctx context.Context) error {
		return b.takeoverTold(ctx, s.pair, now.active.Name, now.term)
	})
}

// ended is nil when the broker that was active serves no more: one that was told to end goes on for a moment, and its
// process for longer.
func (f *trial) ended(ctx context.Context) error {
	err := f.process.Signal(syscall.Signal(0))
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	if role, _, roleErr := f.role(ctx, f.active); roleErr == nil && role == string(admin.Stopping) {
		return nil
	}
	return fmt.Errorf("process %d is there (%v)", f.process.Pid, err)
}

var activeLine = regexp.MustCompile(`(?m)^time=(\S+) level=INFO msg=active .*term=(\d+)$`)

// activeSince is when the active broker, by what it logged, became that.
func (f *trial) activeSince(t *testing.T) time.Time {
	t.Helper()
	for _, found := range activeLine.FindAllStringSubmatch(f.Kubectl(t, "logs", f.active.Name), -1) {
		if found[2] != strconv.FormatUint(f.term, 10) {
			continue
		}
		since, err := time.Parse(time.RFC3339, found[1])
		if err != nil {
			t.Fatal(err)
		}
		return since
	}
	t.Fatalf("%s is active with term %d and does not log it", f.active.Name, f.term)
	return time.Time{}
}

func kill(t *testing.T, f *trial) {
	if err := f.process.Kill(); err != nil {
		t.Fatal(err)
	}
}

func deletePod(t *testing.T, f *trial) {
	if err := f.api.Delete(t.Context(), f.active, client.Preconditions{UID: &f.active.UID}); err != nil {
		t.Fatal(err)
	}
}

func stopOperator(t *testing.T, f *trial) { f.scaleOperator(t, 0) }

// startOperator first sees that the Service needs no operator to be right.
func startOperator(t *testing.T, f *trial) {
	f.awaitPublished(t)
	f.scaleOperator(t, 1)
}

func stopAPIServer(t *testing.T, f *trial) { f.Run(t, "stop-apiserver") }

func startAPIServer(t *testing.T, f *trial) {
	f.Run(t, "start-apiserver")
	f.awaitPublished(t)
}

// awaitPublished sees how long it takes until the EndpointSlices are right. When the nodes follow them is Kubernetes'
// affair: after an outage each kube-proxy takes its own time to ask again.
func (f *trial) awaitPublished(t *testing.T) {
	t.Helper()
	start := time.Now()
	eventually(t, publishLimit, "the Service shows the active broker", func(ctx context.Context) error {
		return f.published(ctx, f.pair)
	})
	t.Logf("the Service is right after %d ms (limit %v)", time.Since(start).Milliseconds(), publishLimit)
}

// leaveOperator sees to it that the active broker is on another node than the operator, whose being away is a fault of
// its own.
func leaveOperator(t *testing.T, f *trial) {
	if f.active.Spec.NodeName != f.operatorPods(t)[0].Spec.NodeName {
		return
	}
	deletePod(t, f)
	eventually(t, healLimit, "the pair's other broker is active", func(ctx context.Context) error {
		return errors.Join(f.ended(ctx), f.whole(ctx))
	})
	*f = *newTrial(t, f.brokers, f.pair)
}

func powerOff(t *testing.T, f *trial) { f.Run(t, "power-off", nodeNumber(f.active)) }

// replaceThenPowerOn sees that lost pods run elsewhere before the node is back.
func replaceThenPowerOn(t *testing.T, f *trial) {
	eventually(t, healLimit, "the lost pods run elsewhere", f.whole)
	f.Run(t, "power-on", nodeNumber(f.active))
	f.Kubectl(t, "wait", "--for=condition=Ready", "node/"+f.active.Spec.NodeName, "--timeout=30s")
}

func nodeNumber(pod *corev1.Pod) string { return strings.TrimPrefix(pod.Spec.NodeName, "node") }
