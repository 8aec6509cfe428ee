package controllers

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// nodeNameIndex finds pods by the node that they are on.
const nodeNameIndex = "spec.nodeName"

// concurrentClusters is how many clusters are worked on at a time: passes wait for the API server most of the time.
const concurrentClusters = 4

// watchedKinds are the kinds of owned objects.
func watchedKinds() []client.Object {
	return []client.Object{
		&appsv1.StatefulSet{}, &corev1.ConfigMap{}, &corev1.PersistentVolumeClaim{}, &corev1.Pod{}, &corev1.Secret{},
		&corev1.Service{}, &corev1.ServiceAccount{}, &discoveryv1.EndpointSlice{}, &policyv1.PodDisruptionBudget{},
		&rbacv1.Role{}, &rbacv1.RoleBinding{},
	}
}

// CacheOptions keep what is not ours out of memory: of the owned kinds only what has the cluster's label, of nodes only
// whether they are ready. No namespaces means all.
func CacheOptions(namespaces []string) (cache.Options, error) {
	ours, err := labels.NewRequirement(v1alpha1.LabelCluster, selection.Exists, nil)
	if err != nil {
		return cache.Options{}, fmt.Errorf("selecting by label: %w", err)
	}
	options := cache.Options{
		DefaultTransform:  cache.TransformStripManagedFields(),
		DefaultNamespaces: map[string]cache.Config{},
		ByObject:          map[client.Object]cache.ByObject{&corev1.Node{}: {Transform: keepNodeConditions}},
	}
	for _, namespace := range namespaces {
		options.DefaultNamespaces[namespace] = cache.Config{}
	}
	for _, kind := range watchedKinds() {
		options.ByObject[kind] = cache.ByObject{Label: labels.NewSelector().Add(*ours)}
	}
	return options, nil
}

func keepNodeConditions(object any) (any, error) {
	if node, ok := object.(*corev1.Node); ok {
		kept := &corev1.Node{Status: corev1.NodeStatus{Conditions: node.Status.Conditions}}
		kept.Name, kept.UID, kept.ResourceVersion = node.Name, node.UID, node.ResourceVersion
		return kept, nil
	}
	return object, nil
}

// SetupWithManager starts nothing; the manager does when it starts.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	r.applier = newApplier(r.Client, r.Live)
	r.hashes = &hashMemory{}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &corev1.Pod{}, nodeNameIndex, func(object client.Object) []string {
		return []string{object.(*corev1.Pod).Spec.NodeName}
	}); err != nil {
		return fmt.Errorf("indexing pods by node: %w", err)
	}
	b := ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.BrokerCluster{}, builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(r.clustersOnNode), builder.WithPredicates(readinessChanged()))
	for _, kind := range watchedKinds() {
		b = b.Watches(kind, handler.EnqueueRequestsFromMapFunc(clusterOf))
	}
	return b.WithOptions(controller.Options{MaxConcurrentReconciles: concurrentClusters}).Complete(r)
}

// clusterOf wakes the cluster that an object's label names: pods and claims are not owned by it directly.
func clusterOf(_ context.Context, object client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{
		Namespace: object.GetNamespace(),
		Name:      object.GetLabels()[v1alpha1.LabelCluster],
	}}}
}

func (r *Reconciler) clustersOnNode(ctx context.Context, node client.Object) []reconcile.Request {
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.MatchingFields{nodeNameIndex: node.GetName()}); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "listing the pods of a node", "node", node.GetName())
		return nil
	}
	var requests []reconcile.Request
	for i := range pods.Items {
		requests = append(requests, clusterOf(ctx, &pods.Items[i])...)
	}
	return requests
}

// readinessChanged passes over the heartbeats of nodes.
func readinessChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, wasLost := lostSince(e.ObjectOld.(*corev1.Node))
		after, isLost := lostSince(e.ObjectNew.(*corev1.Node))
		return wasLost != isLost || !before.Equal(after)
	}}
}
