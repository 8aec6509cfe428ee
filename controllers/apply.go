package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// fieldManager owns every field that the operator sets.
const fieldManager = client.FieldOwner("twinmesh")

// applyConfiguration is what client-go generates for each kind.
type applyConfiguration interface {
	runtime.ApplyConfiguration
	GetAPIVersion() *string
	GetKind() *string
	GetName() *string
	GetNamespace() *string
}

// nameConflictError: an object that we need has the name of one that is not ours.
type nameConflictError struct{ kind, name string }

func (e *nameConflictError) Error() string {
	return fmt.Sprintf("%s %s exists and belongs to something else: delete or rename it, or give the BrokerCluster another name", e.kind, e.name)
}

// leftoverError: an object that we need still has the name of one that is on its way out: of an earlier BrokerCluster of
// the same name, which Kubernetes has not collected yet, or deleted by somebody and held by a finalizer.
type leftoverError struct{ kind, name string }

func (e *leftoverError) Error() string {
	return fmt.Sprintf("waiting until the old %s %s is gone, which Kubernetes is removing", e.kind, e.name)
}

// heldBy is nil if found, which has the name that we need, is the owner's and stays.
func (k objectKey) heldBy(owner *v1alpha1.BrokerCluster, found client.Object) error {
	switch holder := metav1.GetControllerOf(found); {
	case found.GetDeletionTimestamp() != nil, holder != nil && holder.UID != owner.UID && isEarlier(holder, owner):
		return &leftoverError{kind: k.Kind, name: k.Name}
	case holder == nil || holder.UID != owner.UID:
		return &nameConflictError{kind: k.Kind, name: k.Name}
	}
	return nil
}

// isEarlier: owners are of the object's own namespace, so that the name tells which BrokerCluster it was.
func isEarlier(holder *metav1.OwnerReference, owner *v1alpha1.BrokerCluster) bool {
	return holder.Kind == "BrokerCluster" && holder.Name == owner.Name &&
		schema.FromAPIVersionAndKind(holder.APIVersion, holder.Kind).Group == v1alpha1.GroupVersion.Group
}

// applier applies configurations on the server's side, but sends nothing when the object is as this configuration last
// left it. It may be used by several passes at once, each for another cluster.
type applier struct {
	client client.Client // reads from label-filtered caches
	live   client.Reader // reads from the API server

	mu   sync.Mutex
	last map[types.NamespacedName]map[objectKey]applied // by owner
}

type objectKey struct {
	schema.GroupVersionKind
	types.NamespacedName
}

// applied is a configuration and the version of the object that it led to.
type applied struct {
	hash            [sha256.Size]byte
	resourceVersion string
}

func newApplier(c client.Client, live client.Reader) *applier {
	return &applier{client: c, live: live, last: map[types.NamespacedName]map[objectKey]applied{}}
}

// apply makes the object be as config says and tells whether that changed it. An object that exists and is not the
// owner's is left alone: nameConflictError, or leftoverError if it will be gone by itself.
func (a *applier) apply(ctx context.Context, owner *v1alpha1.BrokerCluster, config applyConfiguration) (changed bool, err error) {
	key := objectKey{
		schema.FromAPIVersionAndKind(*config.GetAPIVersion(), *config.GetKind()),
		types.NamespacedName{Namespace: *config.GetNamespace(), Name: *config.GetName()},
	}
	found, err := a.find(ctx, key)
	if err != nil {
		return false, err
	}
	if found != nil {
		if err := key.heldBy(owner, found); err != nil {
			return false, err
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		return false, fmt.Errorf("encoding %s %s: %w", key.Kind, key.Name, err)
	}
	want := applied{hash: sha256.Sum256(text)}
	if found != nil {
		want.resourceVersion = found.GetResourceVersion()
		if a.remembered(client.ObjectKeyFromObject(owner), key) == want {
			return false, nil
		}
	}
	done, err := a.send(ctx, key, config)
	if err != nil {
		return false, err
	}
	changed = done != want.resourceVersion
	want.resourceVersion = done
	a.remember(client.ObjectKeyFromObject(owner), key, want)
	return changed, nil
}

// send returns the version of the object that the server answered with.
func (a *applier) send(ctx context.Context, key objectKey, config applyConfiguration) (resourceVersion string, err error) {
	if err := a.client.Apply(ctx, config, fieldManager, client.ForceOwnership); err != nil {
		return "", fmt.Errorf("applying %s %s: %w", key.Kind, key.Name, err)
	}
	var answer struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
	}
	text, err := json.Marshal(config) // the client has put the server's answer there
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil {
		return "", fmt.Errorf("decoding the answer to %s %s: %w", key.Kind, key.Name, err)
	}
	return answer.Metadata.ResourceVersion, nil
}

// find looks in the cache, then at the API server: what lacks our label is not in the cache and may still be there.
func (a *applier) find(ctx context.Context, key objectKey) (client.Object, error) {
	empty, err := a.client.Scheme().New(key.GroupVersionKind)
	if err != nil {
		return nil, fmt.Errorf("reading %s %s: %w", key.Kind, key.Name, err)
	}
	object, ok := empty.(client.Object)
	if !ok {
		return nil, errors.New(key.Kind + " is not a kind of object")
	}
	return findLive(ctx, a.client, a.live, key.NamespacedName, object)
}

// findLive returns nil if neither the cache nor the API server has the object.
func findLive[T client.Object](ctx context.Context, cached, live client.Reader, key types.NamespacedName, object T) (found T, err error) {
	err = cached.Get(ctx, key, object)
	if apierrors.IsNotFound(err) {
		err = live.Get(ctx, key, object)
	}
	switch {
	case apierrors.IsNotFound(err):
		return found, nil
	case err != nil:
		return found, fmt.Errorf("reading %T %s: %w", object, key.Name, err)
	}
	return object, nil
}

func (a *applier) remembered(owner types.NamespacedName, key objectKey) applied {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last[owner][key]
}

func (a *applier) remember(owner types.NamespacedName, key objectKey, done applied) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last[owner] == nil {
		a.last[owner] = map[objectKey]applied{}
	}
	a.last[owner][key] = done
}

// forget drops what is remembered of a deleted cluster.
func (a *applier) forget(owner types.NamespacedName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.last, owner)
}
