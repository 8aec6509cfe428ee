package controllers

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
	"github.com/twinmesh/twinmesh/test/apiserver"
)

func TestOperator(t *testing.T) {
	h := newHarness(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *harness)
	}{
		{"a cluster becomes Ready", becomesReady},
		{"samples apply", samplesApply},
		{"a cluster is Ready without its standby", staysReady},
		{"a node can be drained of one broker of a pair at a time", budgetsDisruption},
		{"nothing is written at rest", restsSilently},
		{"what somebody changed is repaired", repairsDrift},
		{"credentials are generated once", keepsCredentials},
		{"a name that is taken is left alone", respectsNames},
		{"paused changes nothing", pauses},
		{"deletion leaves the claims", leavesClaims},
		{"a cluster created again waits for what is left of the old one", waitsForLeftovers},
		{"a claim that is being deleted is waited for", waitsForDeletedClaim},
		{"what the API server refuses is told", tellsRefusal},
		{"fewer pairs than there are changes nothing", refusesFewerPairs},
		{"an existing claim is used", usesExistingClaim},
		{"a claim grows", growsClaim},
		{"a takeover is told", tellsTakeover},
		{"the slice of a pod that is gone is emptied", emptiesSlice},
		{"a pod on a lost node is replaced", replacesLostPod},
		{"a change of the pods rolls standbys first", rollsInOrder},
		{"a broken change stops and accepts its fix", acceptsFix},
		{"admission refuses a smaller term", refusesSmallerTerm},
		{"a broker may touch its own slices only", limitsBrokers},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h) })
	}
}

func becomesReady(t *testing.T, h *harness) {
	s := h.play(t, nil)
	waiting := s.untilCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, "NoActiveBroker")
	if !strings.Contains(waiting, "0 of 2 pairs have a published active broker; waiting for pod orders-0-0 to become Ready") {
		t.Errorf("Ready should say what is waited for; it says: %s", waiting)
	}
	s.serve()
	ready := s.untilCondition(v1alpha1.ConditionReady, metav1.ConditionTrue, "AllPairsServe")
	if !strings.Contains(ready, "stands alone") || !strings.Contains(ready, "url-N of Secret orders-binding") {
		t.Errorf("Ready should say that there is no mesh yet; it says: %s", ready)
	}
	s.untilCondition(v1alpha1.ConditionRedundant, metav1.ConditionTrue, "AllStandbysReady")
	want := v1alpha1.BrokerClusterStatus{
		ObservedGeneration: 1,
		Pairs: []v1alpha1.PairStatus{
			{Name: "orders-0", Active: "orders-0-0", Term: 1, ReadyReplicas: 2},
			{Name: "orders-1", Active: "orders-1-0", Term: 1, ReadyReplicas: 2},
		},
		Binding:  &v1alpha1.Binding{Name: "orders-binding"},
		Replicas: 2,
		Selector: "messaging.twinmesh.io/cluster=orders,messaging.twinmesh.io/role=active",
	}
	got := s.cluster.Status
	got.Conditions = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	s.until("role labels follow", func() error {
		if a, b := s.pod("orders-0-0").Labels[v1alpha1.LabelRole], s.pod("orders-0-1").Labels[v1alpha1.LabelRole]; a != "active" || b != "standby" {
			return fmt.Errorf("roles are %q and %q", a, b)
		}
		return nil
	})
	for _, format := range []string{"{.status.replicas}", "{.spec.pairs}"} {
		if out, err := s.server.Kubectl("", "-n", s.namespace, "get", "tmc", "orders", "-o", "jsonpath="+format); err != nil || out != "2" {
			t.Errorf("%s: %q, %v", format, out, err)
		}
	}
}

func samplesApply(t *testing.T, h *harness) {
	s := h.prepare(t)
	if _, err := h.server.Kubectl("", "-n", s.namespace, "apply", "--kustomize", filepath.Join(apiserver.Root(t), "config", "samples")); err != nil {
		t.Fatal(err)
	}
	s.until("every sample has its StatefulSets", func() error {
		var sets appsv1.StatefulSetList
		s.must(s.client.List(t.Context(), &sets, client.InNamespace(s.namespace)))
		if len(sets.Items) != 5 {
			return fmt.Errorf("%d of 5", len(sets.Items))
		}
		return nil
	})
}

func budgetsDisruption(t *testing.T, h *harness) {
	s := h.play(t, func(c *v1alpha1.BrokerCluster) { c.Spec.Pairs = 1 })
	s.serve()
	s.until("Kubernetes allows one disruption", func() error {
		var budget policyv1.PodDisruptionBudget
		s.get(&budget, "orders-0")
		if budget.Status.DisruptionsAllowed != 1 || budget.Status.ExpectedPods != 2 {
			return fmt.Errorf("%+v", budget.Status)
		}
		return nil
	})
	evict := func(pod string) error {
		return h.client.SubResource("eviction").Create(t.Context(), s.pod(pod), &policyv1.Eviction{})
	}
	s.must(evict("orders-0-1"))
	if err := evict("orders-0-0"); !apierrors.IsTooManyRequests(err) {
		t.Errorf("the second of the pair: %v", err)
	}
}

// versions are the resourceVersions of all that the cluster has.
func (s *scene) versions() map[string]string {
	s.Helper()
	out, err := s.server.Kubectl("", "-n", s.namespace, "get", "-l", v1alpha1.LabelCluster,
		"statefulsets,services,secrets,configmaps,serviceaccounts,roles,rolebindings,endpointslices,poddisruptionbudgets,pvc,pods",
		"-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.resourceVersion}{"\n"}{end}`)
	s.must(err)
	versions := map[string]string{}
	for _, line := range strings.Fields(out) {
		name, version, _ := strings.Cut(line, "=")
		versions[name] = version
	}
	return versions
}

func restsSilently(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	s.until("Kubernetes has told of all pods", s.setsSettled)
	s.pass() // the last objects that changed are seen
	before, writes := s.versions(), h.writes.Load()
	for range 3 {
		s.pass()
	}
	if n := h.writes.Load() - writes; n != 0 {
		t.Errorf("%d requests at rest that are no reads", n)
	}
	if diff := cmp.Diff(before, s.versions()); diff != "" || len(before) < 20 {
		t.Errorf("%d objects changed at rest:\n%s", len(before), diff)
	}
}

// setsSettled tells whether Kubernetes' own controller has nothing more to write in the StatefulSets' status.
func (s *scene) setsSettled() error {
	var sets appsv1.StatefulSetList
	s.must(s.client.List(s.Context(), &sets, client.InNamespace(s.namespace)))
	for _, set := range sets.Items {
		got := set.Status
		if got.ObservedGeneration != set.Generation || got.ReadyReplicas != *set.Spec.Replicas || got.AvailableReplicas != *set.Spec.Replicas {
			return fmt.Errorf("%s: %d ready and %d available of %d", set.Name, got.ReadyReplicas, got.AvailableReplicas, *set.Spec.Replicas)
		}
	}
	return nil
}

func repairsDrift(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	var set appsv1.StatefulSet
	s.get(&set, "orders-0")
	set.Spec.Template.Spec.Containers[0].Image = "registry.example/other"
	s.must(h.client.Update(t.Context(), &set))
	s.must(h.client.Delete(t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "orders-1"}}))
	var role rbacv1.Role
	s.get(&role, "orders-0")
	role.Rules[0].Verbs = []string{"*"}
	s.must(h.client.Update(t.Context(), &role))
	s.until("it is as before", func() error {
		s.get(&set, "orders-0")
		s.get(&role, "orders-0")
		if image, verbs := set.Spec.Template.Spec.Containers[0].Image, role.Rules[0].Verbs; image != testImage || len(verbs) != 2 {
			return fmt.Errorf("image %s, verbs %v", image, verbs)
		}
		return h.client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "orders-1"}, &corev1.Service{})
	})
}

func keepsCredentials(t *testing.T, h *harness) {
	s := h.play(t, nil)
	var binding, users corev1.Secret
	s.get(&binding, "orders-binding")
	s.get(&users, "orders-users")
	if binding.Type != "servicebinding.io/activemq" || len(binding.Data["password"]) < 26 {
		t.Errorf("binding of type %s with a password of %d bytes", binding.Type, len(binding.Data["password"]))
	}
	if text := string(users.Data["users.properties"]); !strings.HasPrefix(text, "orders=$2a$") || strings.Contains(text, string(binding.Data["password"])) {
		t.Errorf("users.properties should hold a hash, and only that: %q", text)
	}
	wantURL := "failover:(tcp://orders-1-0.orders-brokers." + s.namespace + ".svc:61616,tcp://orders-1-1.orders-brokers." + s.namespace +
		".svc:61616,tcp://orders-1." + s.namespace + ".svc:61616)?randomize=false&"
	if got := string(binding.Data["url-1"]); !strings.HasPrefix(got, wantURL) {
		t.Errorf("url-1 is %s, want %s…", got, wantURL)
	}
	s.must(h.client.Delete(t.Context(), &users))
	s.pass()
	var after, again corev1.Secret
	s.get(&after, "orders-binding")
	s.get(&again, "orders-users")
	if diff := cmp.Diff(binding.Data, after.Data); diff != "" {
		t.Errorf("the binding changed:\n%s", diff)
	}
}

func pauses(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	s.change(func(c *v1alpha1.BrokerCluster) { c.Spec.Paused, c.Spec.Standbys = true, ptr.To[int32](2) })
	s.untilCondition(v1alpha1.ConditionPaused, metav1.ConditionTrue, "Paused")
	var set appsv1.StatefulSet
	s.get(&set, "orders-0")
	if *set.Spec.Replicas != 2 {
		t.Errorf("%d replicas while paused", *set.Spec.Replicas)
	}
	s.ready(s.pod("orders-0-1"), false)
	s.untilCondition(v1alpha1.ConditionRedundant, metav1.ConditionFalse, "BrokersMissing")
	s.change(func(c *v1alpha1.BrokerCluster) { c.Spec.Paused = false })
	s.until("the change is made", func() error {
		s.get(&set, "orders-0")
		if *set.Spec.Replicas != 3 {
			return fmt.Errorf("%d replicas", *set.Spec.Replicas)
		}
		return nil
	})
}

func leavesClaims(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.must(h.client.Delete(t.Context(), s.cluster))
	s.until("garbage collection took what is owned", func() error {
		var services corev1.ServiceList
		var sets appsv1.StatefulSetList
		s.must(h.client.List(t.Context(), &services, client.InNamespace(s.namespace)))
		s.must(h.client.List(t.Context(), &sets, client.InNamespace(s.namespace)))
		if n := len(services.Items) + len(sets.Items) + len(s.pods()); n > 0 {
			return fmt.Errorf("%d objects are left", n)
		}
		return nil
	})
	for _, name := range []string{"store-orders-0", "store-orders-1"} {
		var claim corev1.PersistentVolumeClaim
		s.get(&claim, name)
		if claim.DeletionTimestamp != nil || len(claim.OwnerReferences) != 0 {
			t.Errorf("claim %s is deleted or owned", name)
		}
	}
}

func usesExistingClaim(t *testing.T, h *harness) {
	s := h.prepare(t)
	claim := &corev1.PersistentVolumeClaim{}
	for _, name := range []string{"store-orders-1", "store-orders-0"} {
		claim = &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
		claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
		claim.Spec.StorageClassName = ptr.To("prepared")
		claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("50Gi")}
		s.must(h.client.Create(t.Context(), claim))
	}
	s.must(h.client.Create(t.Context(), s.cluster))
	s.untilEvent("ExistingClaimUsed", "store-orders-0")
	s.untilEvent("ExistingClaimUsed", "store-orders-1")
	s.until("the claim is labelled", func() error {
		s.get(claim, "store-orders-0")
		if claim.Labels[v1alpha1.LabelCluster] != "orders" {
			return fmt.Errorf("labels %v", claim.Labels)
		}
		return nil
	})
	if size := claim.Spec.Resources.Requests[corev1.ResourceStorage]; size.String() != "50Gi" || *claim.Spec.StorageClassName != "prepared" {
		t.Errorf("the claim's spec was changed: %+v", claim.Spec)
	}
}

func growsClaim(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.change(func(c *v1alpha1.BrokerCluster) { c.Spec.Store.SharedVolume.Size = ptr.To(resource.MustParse("20Gi")) })
	// No provisioner runs here, and only a bound claim may grow: what the API server says to that reaches the user.
	s.until("the refusal is in the status", func() error {
		s.get(s.cluster, "orders")
		for _, c := range s.cluster.Status.Conditions {
			if c.Type == v1alpha1.ConditionReady && strings.Contains(c.Message, "store-orders-0") && strings.Contains(c.Message, "bound claims") {
				return nil
			}
		}
		return fmt.Errorf("conditions %+v", s.cluster.Status.Conditions)
	})
}

func tellsTakeover(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	s.publish("orders-1", "orders-1-1", 7)
	s.untilEvent("Takeover", "pair orders-1: orders-1-1 is active with term 7; before: orders-1-0, term 1")
	s.until("the status and the labels follow", func() error {
		s.get(s.cluster, "orders")
		if p := s.cluster.Status.Pairs[1]; p.Active != "orders-1-1" || p.Term != 7 {
			return fmt.Errorf("%+v", p)
		}
		if role := s.pod("orders-1-0").Labels[v1alpha1.LabelRole]; role != v1alpha1.RoleStandby {
			return fmt.Errorf("role %s", role)
		}
		return nil
	})
}

func emptiesSlice(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	s.must(h.client.Delete(t.Context(), s.pod("orders-0-0")))
	s.until("no address is left, and the term is", func() error {
		for _, name := range []string{"orders-0", "orders-0-cluster"} {
			var slice discoveryv1.EndpointSlice
			s.get(&slice, name)
			if len(slice.Endpoints) != 0 || slice.Annotations[v1alpha1.AnnotationTerm] != "1" {
				return fmt.Errorf("%s: %v, %v", name, slice.Endpoints, slice.Annotations)
			}
		}
		return nil
	})
	s.untilCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, "NoActiveBroker")
}

func staysReady(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	s.ready(s.pod("orders-0-1"), false)
	s.untilCondition(v1alpha1.ConditionRedundant, metav1.ConditionFalse, "BrokersMissing")
	h.clock.advance(comeBackDeadline + time.Second)
	defer h.clock.advance(-comeBackDeadline - time.Second)
	s.pass()
	s.untilCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "PodNotReady")
	s.untilCondition(v1alpha1.ConditionReady, metav1.ConditionTrue, "AllPairsServe")
}

func replacesLostPod(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{GenerateName: "node-"}}
	s.must(h.client.Create(t.Context(), node))
	lost, kept := s.pod("orders-0-1"), s.pod("orders-1-1")
	s.must(h.client.SubResource("binding").Create(t.Context(), lost, &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: node.Name}}))
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, LastTransitionTime: metav1.Now()}}
	s.must(h.client.Status().Update(t.Context(), node))
	s.until("the operator waits", func() error {
		s.get(s.cluster, "orders")
		for _, c := range s.cluster.Status.Conditions {
			if strings.Contains(c.Message, "pod orders-0-1 is replaced after 1m0s") {
				return nil
			}
		}
		return fmt.Errorf("conditions %+v", s.cluster.Status.Conditions)
	})
	if s.pod("orders-0-1").UID != lost.UID {
		t.Fatal("the pod was replaced before its time")
	}
	h.clock.advance(time.Minute)
	defer h.clock.advance(-time.Minute)
	s.pass()
	s.until("the pod is a new one", func() error {
		var pod corev1.Pod
		err := h.client.Get(t.Context(), client.ObjectKeyFromObject(lost), &pod)
		if err != nil || pod.UID == lost.UID {
			return fmt.Errorf("still the same, or none: %v", err)
		}
		return nil
	})
	s.untilEvent("NodeLost", "pod orders-0-1 is deleted to run elsewhere")
	if s.pod("orders-1-1").UID != kept.UID {
		t.Error("a pod that is not on the lost node was replaced, too")
	}
}

// rollsInOrder answers each restart as a kubelet would, and hands over as a broker would.
func rollsInOrder(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	uids := map[string]string{}
	for _, pod := range s.pods() {
		uids[pod.Name] = string(pod.UID)
	}
	s.change(func(c *v1alpha1.BrokerCluster) { c.Spec.Image = "registry.example/twinmesh-broker:next" })
	var order []string
	for range uids {
		name := s.untilRestarted(uids)
		order = append(order, name)
		if strings.HasSuffix(name, "-0") {
			pair := strings.TrimSuffix(name, "-0")
			s.publish(pair, pair+"-1", 2)
		}
		s.ready(s.pod(name), true)
	}
	want := []string{"orders-0-1", "orders-0-0", "orders-1-1", "orders-1-0"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("order of restarts (-want +got):\n%s", diff)
	}
	s.untilCondition(v1alpha1.ConditionReady, metav1.ConditionTrue, "AllPairsServe")
	for _, pod := range s.pods() {
		if pod.Spec.Containers[0].Image != "registry.example/twinmesh-broker:next" {
			t.Errorf("%s runs %s", pod.Name, pod.Spec.Containers[0].Image)
		}
	}
}

// untilRestarted waits until exactly one pod is another than in uids, and notes it there.
func (s *scene) untilRestarted(uids map[string]string) (name string) {
	s.Helper()
	s.until("one pod was restarted", func() error {
		var restarted []string
		pods := s.pods()
		for _, pod := range pods {
			if uids[pod.Name] != string(pod.UID) {
				restarted = append(restarted, pod.Name)
			}
		}
		if len(restarted) > 1 {
			s.Fatalf("restarted at the same time: %v", restarted)
		}
		if len(restarted) == 0 || len(pods) != len(uids) {
			return fmt.Errorf("restarted: %v of %d pods", restarted, len(pods))
		}
		name = restarted[0]
		return nil
	})
	uids[name] = string(s.pod(name).UID)
	return name
}

func refusesSmallerTerm(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	s.publish("orders-0", "orders-0-1", 10) // as a number, not as text: 9 < 10
	err := s.publishIn(h.client, "orders-0", s.pod("orders-0-0"), 9)
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "term 9 is over, since a broker with term 10 was published") {
		t.Errorf("a smaller term: %v", err)
	}
	var slice discoveryv1.EndpointSlice
	s.get(&slice, "orders-0")
	delete(slice.Annotations, v1alpha1.AnnotationTerm)
	if err := h.client.Update(t.Context(), &slice); !apierrors.IsInvalid(err) {
		t.Errorf("no term: %v", err)
	}
	s.publish("orders-0", "orders-0-0", 11)
}

func limitsBrokers(t *testing.T, h *harness) {
	s := h.play(t, nil)
	config := rest.CopyConfig(h.server.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:" + s.namespace + ":orders-0"}
	broker, err := client.New(config, client.Options{Scheme: h.client.Scheme()})
	s.must(err)
	for _, name := range []string{"orders-0", "orders-0-cluster"} {
		if err := s.publishIn(broker, name, s.pod("orders-0-0"), 1); err != nil {
			t.Errorf("its own slice %s: %v", name, err)
		}
	}
	own := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "orders-0"}}
	for what, err := range map[string]error{
		"another pair's slice": s.publishIn(broker, "orders-1", s.pod("orders-0-0"), 1),
		"list":                 broker.List(t.Context(), &discoveryv1.EndpointSliceList{}, client.InNamespace(s.namespace)),
		"patch":                broker.Patch(t.Context(), own, client.RawPatch("application/merge-patch+json", []byte(`{}`))),
		"delete":               broker.Delete(t.Context(), own),
		"a Secret":             broker.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "orders-binding"}, &corev1.Secret{}),
		"a pod":                broker.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "orders-0-0"}, &corev1.Pod{}),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s should be forbidden: %v", what, err)
		}
	}
}
