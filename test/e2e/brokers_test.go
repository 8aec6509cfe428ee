package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

type dialer = func(ctx context.Context, network, address string) (net.Conn, error)

// brokers is a BrokerCluster that runs in an installation.
type brokers struct {
	*installation
	name string
}

// binding is what a program needs to use a pair.
type binding struct{ url, username, password string }

// environment hands a binding to a Stream; the password is in no command line.
func (b binding) environment() []string {
	return []string{"JMS_URL=" + b.url, "JMS_USERNAME=" + b.username, "JMS_PASSWORD=" + b.password}
}

func (b *brokers) pair(index int) string { return fmt.Sprintf("%s-%d", b.name, index) }

func (b *brokers) get(ctx context.Context) (*v1alpha1.BrokerCluster, error) {
	found := &v1alpha1.BrokerCluster{}
	return found, b.api.Get(ctx, types.NamespacedName{Namespace: namespace, Name: b.name}, found)
}

// binding reads the Secret that the status names.
func (b *brokers) binding(t *testing.T, index int) binding {
	t.Helper()
	found, err := b.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var secret corev1.Secret
	if err := b.api.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: found.Status.Binding.Name}, &secret); err != nil {
		t.Fatal(err)
	}
	return binding{
		url:      string(secret.Data[fmt.Sprintf("url-%d", index)]),
		username: string(secret.Data["username"]),
		password: string(secret.Data["password"]),
	}
}

// pods are those of a pair.
func (b *brokers) pods(ctx context.Context, pair string) ([]corev1.Pod, error) {
	var pods corev1.PodList
	err := b.api.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelPair: pair})
	return pods.Items, err
}

// active is a pair's pod that says itself that it is active, and its term. It is an error if there is not exactly one.
func (b *brokers) active(ctx context.Context, pair string) (*corev1.Pod, uint64, error) {
	pods, err := b.pods(ctx, pair)
	if err != nil {
		return nil, 0, err
	}
	var active *corev1.Pod
	var term uint64
	var roles []string
	for i := range pods {
		role, itsTerm, err := b.role(ctx, &pods[i])
		if err != nil {
			return nil, 0, err
		}
		roles = append(roles, role)
		if role == v1alpha1.RoleActive {
			active, term = &pods[i], itsTerm
		}
	}
	if strings.Count(strings.Join(roles, " "), v1alpha1.RoleActive) != 1 {
		return nil, 0, fmt.Errorf("pair %s has brokers that are %v, want one of them active", pair, roles)
	}
	return active, term, nil
}

// role asks a broker what it is.
func (b *brokers) role(ctx context.Context, pod *corev1.Pod) (role string, term uint64, err error) {
	address := net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(v1alpha1.HTTPPort))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/role", nil)
	if err != nil {
		return "", 0, err
	}
	web := http.Client{Transport: &http.Transport{DialContext: b.dial, DisableKeepAlives: true}, Timeout: time.Second}
	response, err := web.Do(request)
	if err != nil {
		return "", 0, fmt.Errorf("asking pod %s for its role: %w", pod.Name, err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Role string
		Term uint64
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", 0, fmt.Errorf("asking pod %s for its role: %w", pod.Name, err)
	}
	return answer.Role, answer.Term, nil
}

// whole is nil if everything is as it should be at rest: conditions, one active broker in each pair, and all that tells
// who it is.
func (b *brokers) whole(ctx context.Context) error {
	found, err := b.get(ctx)
	if err != nil {
		return err
	}
	for _, condition := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionRedundant} {
		c := meta.FindStatusCondition(found.Status.Conditions, condition)
		if c == nil || c.Status != "True" || c.ObservedGeneration != found.Generation {
			return fmt.Errorf("condition %s is %+v", condition, c)
		}
	}
	var errs []error
	for index := range int(found.Spec.Pairs) {
		errs = append(errs, b.told(ctx, found, index))
	}
	return errors.Join(errs...)
}

// told is nil if all that tells of a pair's active broker tells the truth.
func (b *brokers) told(ctx context.Context, found *v1alpha1.BrokerCluster, index int) error {
	pair := b.pair(index)
	active, term, err := b.active(ctx, pair)
	if err != nil {
		return err
	}
	pods, err := b.pods(ctx, pair)
	if err != nil {
		return err
	}
	want := v1alpha1.PairStatus{Name: pair, Active: active.Name, Term: int64(term), ReadyReplicas: int32(len(pods))}
	if diff := cmp.Diff(want, found.Status.Pairs[index]); diff != "" {
		return fmt.Errorf("status.pairs is wrong (-want +got):\n%s", diff)
	}
	for _, pod := range pods {
		if got, want := pod.Labels[v1alpha1.LabelRole] == v1alpha1.RoleActive, pod.Name == active.Name; got != want {
			return fmt.Errorf("pod %s has the role label %q", pod.Name, pod.Labels[v1alpha1.LabelRole])
		}
	}
	if err := b.published(ctx, pair); err != nil {
		return err
	}
	return b.connects(ctx, pair)
}

// published is nil if the pair's EndpointSlices, of its own Service and of the cluster's, show its active broker and
// nothing else.
func (b *brokers) published(ctx context.Context, pair string) error {
	active, term, err := b.active(ctx, pair)
	if err != nil {
		return err
	}
	for _, name := range []string{pair, pair + "-cluster"} {
		var slice discoveryv1.EndpointSlice
		if err := b.api.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, &slice); err != nil {
			return err
		}
		if err := shows(&slice, active, term); err != nil {
			return err
		}
	}
	return nil
}

// connects is nil if a Service leads to somebody: only active brokers listen.
func (b *brokers) connects(ctx context.Context, service string) error {
	var found corev1.Service
	if err := b.api.Get(ctx, types.NamespacedName{Namespace: namespace, Name: service}, &found); err != nil {
		return err
	}
	address := net.JoinHostPort(found.Spec.ClusterIP, strconv.Itoa(v1alpha1.DefaultOpenWirePort))
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := b.dial(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("connecting to Service %s: %w", service, err)
	}
	return conn.Close()
}

func shows(slice *discoveryv1.EndpointSlice, active *corev1.Pod, term uint64) error {
	if got, want := slice.Annotations[v1alpha1.AnnotationTerm], strconv.FormatUint(term, 10); got != want {
		return fmt.Errorf("EndpointSlice %s has term %s, want %s", slice.Name, got, want)
	}
	if len(slice.Endpoints) != 1 {
		return fmt.Errorf("EndpointSlice %s has %d endpoints, want 1", slice.Name, len(slice.Endpoints))
	}
	endpoint := slice.Endpoints[0]
	if endpoint.TargetRef == nil || endpoint.TargetRef.UID != active.UID || len(endpoint.Addresses) != 1 || endpoint.Addresses[0] != active.Status.PodIP {
		return fmt.Errorf("EndpointSlice %s shows %v %v, want pod %s at %s", slice.Name, endpoint.TargetRef, endpoint.Addresses, active.Name, active.Status.PodIP)
	}
	return nil
}

// takeoverTold is nil if there is an event that this pod is active with this term.
func (b *brokers) takeoverTold(ctx context.Context, pair, pod string, term uint64) error {
	var events eventsv1.EventList
	if err := b.api.List(ctx, &events, client.InNamespace(namespace)); err != nil {
		return err
	}
	want := fmt.Sprintf("pair %s: %s is active with term %d", pair, pod, term)
	var notes []string
	for _, event := range events.Items {
		if event.Reason == "Takeover" && event.Regarding.Kind == "BrokerCluster" && event.Regarding.Name == b.name {
			notes = append(notes, event.Note)
			if strings.HasPrefix(event.Note, want+";") {
				return nil
			}
		}
	}
	return fmt.Errorf("no event says %q; there are %q", want, notes)
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue && pod.DeletionTimestamp.IsZero()
		}
	}
	return false
}
