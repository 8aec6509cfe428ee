package controllers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups="",resources=secrets;serviceaccounts;services,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=apps,resources=statefulsets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=get;list;watch;create;update;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=messaging.twinmesh.io,resources=brokerclusters,verbs=get;list;watch
// +kubebuilder:rbac:groups=messaging.twinmesh.io,resources=brokerclusters/finalizers,verbs=update
// +kubebuilder:rbac:groups=messaging.twinmesh.io,resources=brokerclusters/status,verbs=patch
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,resources=rolebindings;roles,verbs=get;list;watch;create;patch

//go:generate go tool -modfile=../hack/tools/controller-gen.mod controller-gen rbac:roleName=twinmesh-manager paths=. output:rbac:dir=../config/rbac
//go:generate go tool -modfile=../hack/tools/controller-gen.mod controller-gen rbac:roleName=twinmesh-manager,fileName=manager-role.yaml paths=. output:rbac:dir=../charts/twinmesh/files
//go:generate cp ../config/admission/term.yaml ../charts/twinmesh/files/term.yaml

// Reconciler runs BrokerClusters. Its fields are set before SetupWithManager and not changed afterwards.
type Reconciler struct {
	// Client reads from caches that hold only what has v1alpha1.LabelCluster (CacheOptions).
	Client client.Client
	// Live reads from the API server.
	Live client.Reader
	// Events of what the operator did.
	Events events.EventRecorder
	// DefaultImage is the broker's image where a spec has none.
	DefaultImage string
	// Now is the clock, for node loss and for what takes too long.
	Now func() time.Time

	applier *applier
	hashes  *hashMemory
}

// Reconcile makes one pass over one cluster. What is wrong with the user's input is in the status and not an error.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	cluster := &v1alpha1.BrokerCluster{}
	if err := r.Client.Get(ctx, req.NamespacedName, cluster); err != nil {
		r.applier.forget(req.NamespacedName)
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !cluster.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // nothing to wait for: garbage collection takes what is owned, and claims stay
	}
	p := newPass(r, cluster)
	if err := p.observe(ctx); err != nil {
		return ctrl.Result{}, err
	}
	err := p.run(ctx)
	return ctrl.Result{RequeueAfter: p.requeueAfter}, errors.Join(err, p.finish(ctx, err))
}

// run changes what has to change, in an order in which each step finds what it needs.
func (p *pass) run(ctx context.Context) error {
	if errs := append(p.cluster.Validate(), p.validatePairs()...); len(errs) > 0 {
		p.refuse("InvalidSpec", errs.ToAggregate().Error())
		return nil
	}
	if p.cluster.Spec.Paused {
		return nil
	}
	for _, step := range []func(context.Context) error{
		p.applySecrets,
		p.applyConfigMap,
		p.applyServices,
		p.applyAccess,
		p.applyClaims,
		p.applySlices,
		p.applyDisruptionBudgets,
		p.applyStatefulSets,
		p.replaceLostPods,
		p.roll,
		p.labelRoles,
	} {
		if err := step(ctx); err != nil {
			return p.explain(err)
		}
	}
	return nil
}

// validatePairs asks what admission asks of a change of the pairs, where admission did not.
func (p *pass) validatePairs() field.ErrorList {
	if len(p.surplus) == 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("spec", "pairs"), p.cluster.Spec.Pairs,
		fmt.Sprintf("there is more (%s), and fewer pairs than before is refused until draining is built: write as many pairs as before, or more",
			strings.Join(p.surplus, ", ")))}
}

// explain sorts out the errors that trying again does not help against, or not soon: they are for the status.
func (p *pass) explain(err error) error {
	var conflict *nameConflictError
	var leftover *leftoverError
	switch {
	case errors.As(err, &conflict):
		p.conflict(conflict)
	case errors.As(err, &leftover):
		p.changing(leftover.Error())
		p.wake(blockedRetry)
	case apierrors.IsInvalid(err):
		p.refuse("Refused", err.Error())
		p.wake(blockedRetry)
	default:
		return err
	}
	return nil
}
