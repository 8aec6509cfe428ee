package controllers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
	"github.com/twinmesh/twinmesh/test/apiserver"
)

const testImage = "registry.example/twinmesh-broker:test"

// harness is an API server with Kubernetes' own controllers and the operator on it. Where a kubelet or a broker would
// act, the test does.
type harness struct {
	server *apiserver.Server
	client client.WithWatch // the test's own, not cached
	clock  clock
	writes atomic.Int64 // requests of the operator that are not reads
}

// clock is the time that the operator sees. It is read once a pass, so that it also counts passes.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
	passes chan struct{}
}

func (c *clock) now() time.Time {
	select {
	case c.passes <- struct{}{}:
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	ctrl.SetLogger(logr.Discard())
	h := &harness{server: apiserver.Start(t), clock: clock{passes: make(chan struct{}, 1)}}
	h.server.StartControllers(t)
	if _, err := h.server.Kubectl("", "apply", "--server-side", "--kustomize", filepath.Join(apiserver.Root(t), "config", "default")); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.client, err = client.NewWithWatch(h.server.Config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	h.startOperator(t, scheme)
	return h
}

func (h *harness) startOperator(t *testing.T, scheme *runtime.Scheme) {
	t.Helper()
	config := rest.CopyConfig(h.server.Config)
	config.Impersonate.UserName = "system:serviceaccount:twinmesh-system:twinmesh" // it may do what config/rbac says
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet {
				h.writes.Add(1)
			}
			return next.RoundTrip(r)
		})
	})
	cacheOptions, err := CacheOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{Scheme: scheme, Cache: cacheOptions, Metrics: metricsserver.Options{BindAddress: "0"}})
	if err != nil {
		t.Fatal(err)
	}
	r := &Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Events: mgr.GetEventRecorder("twinmesh"),
		DefaultImage: testImage, Now: h.clock.now,
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := r.SetupWithManager(ctx, mgr); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the operator ended with: %v", err)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// scene is one BrokerCluster in a namespace of its own.
type scene struct {
	*harness
	*testing.T
	cluster   *v1alpha1.BrokerCluster
	namespace string
}

// play creates a cluster of 2 pairs named orders, changed by change, and returns when its pods are there.
func (h *harness) play(t *testing.T, change func(*v1alpha1.BrokerCluster)) *scene {
	t.Helper()
	s := h.prepare(t)
	if change != nil {
		change(s.cluster)
	}
	s.must(h.client.Create(t.Context(), s.cluster))
	s.until("all pods are there", func() error {
		if got, want := len(s.pods()), int(s.cluster.Spec.Pairs*replicas(s.cluster)); got != want {
			return fmt.Errorf("%d of %d pods", got, want)
		}
		return nil
	})
	return s
}

// prepare makes a namespace and a cluster that is not created yet.
func (h *harness) prepare(t *testing.T) *scene {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := h.client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return &scene{harness: h, T: t, cluster: h.prepareIn(namespace.Name), namespace: namespace.Name}
}

func (h *harness) prepareIn(namespace string) *v1alpha1.BrokerCluster {
	cluster := &v1alpha1.BrokerCluster{}
	cluster.Namespace, cluster.Name = namespace, "orders"
	cluster.Spec = v1alpha1.BrokerClusterSpec{Pairs: 2, Store: v1alpha1.Store{SharedVolume: &v1alpha1.SharedVolume{}}}
	return cluster
}

// serve does what kubelets and brokers do: every pod becomes Ready, and the first of each pair is published with term 1.
func (s *scene) serve() {
	s.Helper()
	for _, pod := range s.pods() {
		s.ready(&pod, true)
	}
	for index := range s.cluster.Spec.Pairs {
		pair := pairName(s.cluster, index)
		s.publish(pair, podName(pair, 0), 1)
	}
	s.untilCondition(v1alpha1.ConditionReady, metav1.ConditionTrue, "AllPairsServe")
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *scene) get(object client.Object, name string) {
	s.Helper()
	s.must(s.client.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, object))
}

func (s *scene) pods() []corev1.Pod {
	s.Helper()
	var pods corev1.PodList
	s.must(s.client.List(s.Context(), &pods, client.InNamespace(s.namespace)))
	return pods.Items
}

func (s *scene) pod(name string) *corev1.Pod {
	s.Helper()
	var pod corev1.Pod
	s.get(&pod, name)
	return &pod
}

func (s *scene) ready(pod *corev1.Pod, ready bool) {
	s.Helper()
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	before := pod.DeepCopy()
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
	s.must(s.client.Status().Patch(s.Context(), pod, client.MergeFrom(before)))
}

// publish writes what a broker would, in both slices of its pair; like a broker, it reads again at a conflict.
func (s *scene) publish(pair, pod string, term int) {
	s.Helper()
	for _, name := range []string{pairSlice(pair), clusterSlice(pair)} {
		s.must(retry.RetryOnConflict(retry.DefaultRetry, func() error {
			return s.publishIn(s.client, name, s.pod(pod), term)
		}))
	}
}

func (s *scene) publishIn(c client.Client, name string, pod *corev1.Pod, term int) error {
	var slice discoveryv1.EndpointSlice
	if err := c.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, &slice); err != nil {
		return err
	}
	metav1.SetMetaDataAnnotation(&slice.ObjectMeta, v1alpha1.AnnotationTerm, fmt.Sprint(term))
	slice.Endpoints = []discoveryv1.Endpoint{{
		Addresses: []string{"10.1.2.3"},
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: pod.Name, UID: pod.UID},
	}}
	return c.Update(s.Context(), &slice)
}

// change changes the cluster's spec or metadata as a user does.
func (s *scene) change(f func(*v1alpha1.BrokerCluster)) {
	s.Helper()
	s.get(s.cluster, "orders")
	before := s.cluster.DeepCopy()
	f(s.cluster)
	s.must(s.client.Patch(s.Context(), s.cluster, client.MergeFrom(before)))
}

// pass makes the operator pass over the cluster twice, so that at least one pass began after this call.
func (s *scene) pass() {
	s.Helper()
	for i := range 2 {
		select {
		case <-s.clock.passes:
		default:
		}
		s.change(func(c *v1alpha1.BrokerCluster) {
			metav1.SetMetaDataAnnotation(&c.ObjectMeta, "test/touched", fmt.Sprint(i, time.Now().UnixNano()))
		})
		select {
		case <-s.clock.passes:
		case <-time.After(20 * time.Second):
			s.Fatal("no pass within 20 s")
		}
	}
}

// until waits for check to return nil, looking again whenever something in the namespace changes.
func (s *scene) until(what string, check func() error) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 30*time.Second)
	defer cancel()
	changed := make(chan struct{}, 1)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer cancel()
	for _, list := range []client.ObjectList{
		&v1alpha1.BrokerClusterList{}, &corev1.PodList{}, &corev1.ServiceList{}, &corev1.SecretList{}, &corev1.PersistentVolumeClaimList{},
		&appsv1.StatefulSetList{}, &discoveryv1.EndpointSliceList{}, &policyv1.PodDisruptionBudgetList{}, &eventsv1.EventList{},
	} {
		w, err := s.client.Watch(ctx, list, client.InNamespace(s.namespace))
		s.must(err)
		watchers.Go(func() { forward(ctx, w, changed) })
	}
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			s.Fatalf("waiting until %s: %v", what, err)
		}
	}
}

func forward(ctx context.Context, w watch.Interface, changed chan<- struct{}) {
	defer w.Stop()
	for {
		select {
		case _, ok := <-w.ResultChan():
			if !ok {
				return
			}
			select {
			case changed <- struct{}{}:
			default:
			}
		case <-ctx.Done():
			return
		}
	}
}

// untilCondition waits for a condition of the current generation and returns its message.
func (s *scene) untilCondition(kind string, status metav1.ConditionStatus, reason string) (message string) {
	s.Helper()
	s.until(fmt.Sprintf("%s is %s (%s)", kind, status, reason), func() error {
		s.get(s.cluster, "orders")
		c := meta.FindStatusCondition(s.cluster.Status.Conditions, kind)
		if c == nil || c.Status != status || c.Reason != reason || c.ObservedGeneration != s.cluster.Generation {
			return fmt.Errorf("conditions are %+v", s.cluster.Status.Conditions)
		}
		message = c.Message
		return nil
	})
	return message
}

// untilEvent waits for an event whose note contains text.
func (s *scene) untilEvent(reason, text string) {
	s.Helper()
	s.until("event "+reason, func() error {
		var events eventsv1.EventList
		s.must(s.client.List(s.Context(), &events, client.InNamespace(s.namespace)))
		for _, e := range events.Items {
			if e.Reason == reason && e.Regarding.Name == "orders" && strings.Contains(e.Note, text) {
				return nil
			}
		}
		return fmt.Errorf("%d events, none of them %s with %q", len(events.Items), reason, text)
	})
}

func (s *scene) noEvent(reason string) {
	s.Helper()
	var events eventsv1.EventList
	s.must(s.client.List(s.Context(), &events, client.InNamespace(s.namespace)))
	for _, e := range events.Items {
		if e.Reason == reason {
			s.Errorf("event %s: %s", reason, e.Note)
		}
	}
}
