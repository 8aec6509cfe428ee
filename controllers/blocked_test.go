package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// What stands in the way of a cluster, and how it is told.

// waitsForLeftovers holds the old objects with finalizers, as a slow garbage collection does.
func waitsForLeftovers(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	var old corev1.Secret
	s.get(&old, "orders-binding")
	old.Finalizers = []string{"test/slow"}
	s.must(h.client.Update(t.Context(), &old))
	s.must(h.client.Delete(t.Context(), s.cluster))
	s.cluster = s.prepareIn(s.namespace)
	s.must(h.client.Create(t.Context(), s.cluster))
	message := s.untilCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, "Progressing")
	if !strings.Contains(message, "waiting until the old Secret orders-binding is gone") {
		t.Errorf("the message should name what is waited for: %s", message)
	}
	s.untilCondition(v1alpha1.ConditionStalled, metav1.ConditionFalse, "NotStalled")
	s.get(&old, "orders-binding")
	old.Finalizers = nil
	s.must(h.client.Update(t.Context(), &old))
	s.until("the binding and the StatefulSets are those of the new cluster", func() error {
		objects := map[string]client.Object{"orders-binding": &corev1.Secret{}, "orders-0": &appsv1.StatefulSet{}, "orders-1": &appsv1.StatefulSet{}}
		for name, object := range objects {
			if err := h.client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, object); err != nil {
				return err
			}
			if !metav1.IsControlledBy(object, s.cluster) {
				return fmt.Errorf("%s is owned by %v", name, object.GetOwnerReferences())
			}
		}
		return nil
	})
	s.noEvent("NameConflict")
}

func waitsForDeletedClaim(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	var claim corev1.PersistentVolumeClaim
	s.get(&claim, "store-orders-1")
	claim.Finalizers = []string{"kubernetes.io/pvc-protection"}
	s.must(h.client.Update(t.Context(), &claim))
	s.must(h.client.Delete(t.Context(), &claim))
	message := s.untilCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, "Progressing")
	if !strings.Contains(message, "claim store-orders-1 is being deleted, and its messages with it") {
		t.Errorf("the message should name the claim: %s", message)
	}
	s.get(&claim, "store-orders-1")
	claim.Finalizers = nil
	s.must(h.client.Update(t.Context(), &claim))
	s.until("there is a new claim", func() error {
		var again corev1.PersistentVolumeClaim
		err := h.client.Get(t.Context(), client.ObjectKeyFromObject(&claim), &again)
		if err == nil && again.UID == claim.UID {
			return errors.New("it is the old one")
		}
		return err
	})
	s.untilCondition(v1alpha1.ConditionReady, metav1.ConditionTrue, "AllPairsServe")
}

func tellsRefusal(t *testing.T, h *harness) {
	s := h.prepare(t)
	s.cluster.Spec.PodTemplate = &v1alpha1.PodTemplate{Resources: &corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
	}}
	s.must(h.client.Create(t.Context(), s.cluster))
	message := s.untilCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "Refused")
	if !strings.Contains(message, "StatefulSet orders-0") || !strings.Contains(message, "must be less than or equal to memory limit") {
		t.Errorf("the message should say what is refused, and why: %s", message)
	}
	s.change(func(c *v1alpha1.BrokerCluster) { c.Spec.PodTemplate = nil })
	s.untilCondition(v1alpha1.ConditionStalled, metav1.ConditionFalse, "NotStalled")
}

// refusesFewerPairs adds a StatefulSet of a pair that the spec lacks, since admission lets no spec shrink.
func refusesFewerPairs(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	var set appsv1.StatefulSet
	s.get(&set, "orders-1")
	surplus := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.namespace, Name: "orders-2", Labels: set.Labels, OwnerReferences: set.OwnerReferences,
	}}
	surplus.Spec = set.Spec
	surplus.Spec.Replicas = ptr.To[int32](0)
	s.must(h.client.Create(t.Context(), surplus))
	message := s.untilCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "InvalidSpec")
	if !strings.Contains(message, "spec.pairs") || !strings.Contains(message, "orders-2") || !strings.Contains(message, "as many pairs as before") {
		t.Errorf("the message should name the field, the pair and what to write: %s", message)
	}
	s.get(surplus, "orders-2")
	if surplus.DeletionTimestamp != nil {
		t.Error("the StatefulSet was deleted")
	}
}

func respectsNames(t *testing.T, h *harness) {
	s := h.prepare(t)
	foreign := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "orders-1"}}
	foreign.Spec.Ports = []corev1.ServicePort{{Port: 80}}
	s.must(h.client.Create(t.Context(), foreign))
	version := foreign.ResourceVersion
	s.must(h.client.Create(t.Context(), s.cluster))
	message := s.untilCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "NameConflict")
	if !strings.Contains(message, "Service orders-1") || !strings.Contains(message, "delete or rename it") {
		t.Errorf("the message should name the object and what to do: %s", message)
	}
	s.untilEvent("NameConflict", "Service orders-1")
	s.get(foreign, "orders-1")
	if foreign.ResourceVersion != version {
		t.Error("the foreign Service was changed")
	}
	s.must(h.client.Delete(t.Context(), foreign))
	s.pass()
	s.untilCondition(v1alpha1.ConditionStalled, metav1.ConditionFalse, "NotStalled")
}

func acceptsFix(t *testing.T, h *harness) {
	s := h.play(t, nil)
	s.serve()
	uids := map[string]string{}
	for _, pod := range s.pods() {
		uids[pod.Name] = string(pod.UID)
	}
	s.change(func(c *v1alpha1.BrokerCluster) { c.Spec.Image = "registry.example/broken" })
	if name := s.untilRestarted(uids); name != "orders-0-1" {
		t.Fatalf("%s was restarted first", name)
	}
	h.clock.advance(comeBackDeadline + time.Second)
	defer h.clock.advance(-comeBackDeadline - time.Second)
	s.pass()
	if message := s.untilCondition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "PodNotReady"); !strings.Contains(message, "orders-0-1") {
		t.Errorf("the message should name the pod: %s", message)
	}
	s.change(func(c *v1alpha1.BrokerCluster) { c.Spec.Image = "registry.example/fixed" })
	if name := s.untilRestarted(uids); name != "orders-0-1" {
		t.Errorf("the broken pod should get the fix first, not %s", name)
	}
}
