package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
	"github.com/twinmesh/twinmesh/controllers"
)

// oldestKubernetes has ValidatingAdmissionPolicies, which keep a late broker from publishing itself.
const oldestKubernetes = "1.30"

// run is the operator on the API server of config, until ctx ends.
func run(ctx context.Context, config *rest.Config, o options) error {
	if err := checkKubernetes(config); err != nil {
		return err
	}
	mgr, err := newManager(config, o)
	if err != nil {
		return err
	}
	reconciler := &controllers.Reconciler{
		Client:       mgr.GetClient(),
		Live:         mgr.GetAPIReader(),
		Events:       mgr.GetEventRecorder("twinmesh"),
		DefaultImage: o.brokerImage,
		Now:          time.Now,
	}
	if err := reconciler.SetupWithManager(ctx, mgr); err != nil {
		return fmt.Errorf("setting up the BrokerCluster controller: %w", err)
	}
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("running: %w", err)
	}
	return nil
}

func newManager(config *rest.Config, o options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("registering types: %w", err)
		}
	}
	cache, err := controllers.CacheOptions(o.namespaces)
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme,
		Cache:                  cache,
		Metrics:                metricsserver.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress: o.healthAddress,
	})
	if err != nil {
		return nil, fmt.Errorf("connecting to the API server: %w", err)
	}
	for _, add := range []func(string, healthz.Checker) error{mgr.AddHealthzCheck, mgr.AddReadyzCheck} {
		if err := add("ping", healthz.Ping); err != nil {
			return nil, fmt.Errorf("adding a health check: %w", err)
		}
	}
	return mgr, nil
}

// checkKubernetes says what is missing rather than failing later in a way that does not.
func checkKubernetes(config *rest.Config) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return fmt.Errorf("connecting to the API server: %w", err)
	}
	info, err := client.ServerVersion()
	if err != nil {
		return fmt.Errorf("asking the API server for its version: %w", err)
	}
	return checkVersion(info.GitVersion)
}

func checkVersion(text string) error {
	found, err := version.ParseGeneric(text)
	if err != nil {
		return fmt.Errorf("reading the Kubernetes version %q: %w", text, err)
	}
	if oldest := version.MustParseGeneric(oldestKubernetes); found.LessThan(oldest) {
		return fmt.Errorf("this is Kubernetes %s; Twinmesh needs %s or newer, for ValidatingAdmissionPolicy: upgrade the cluster", text, oldest)
	}
	return nil
}
