package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
	"github.com/twinmesh/twinmesh/test/cluster"
)

const (
	operatorNamespace = "twinmesh-system"
	namespace         = "default"

	// Made by `make images`.
	managerImage = "localhost/twinmesh-manager:dev"
	brokerImage  = "localhost/twinmesh-broker:dev"
)

// installation is a local Kubernetes with the operator in it.
type installation struct {
	*cluster.Cluster
	// api is a client of the API server, as its administrator. It reads without a cache.
	api client.Client
	// dial reaches pods and Services by their addresses.
	dial dialer
	helm string
}

// install starts a cluster of three nodes, whose namespaces allow what is restricted and nothing more, and installs the
// operator as a user would.
func install(t *testing.T) *installation {
	t.Helper()
	helm := findHelm(t)
	archives := []string{archive(t, "manager"), archive(t, "broker")}
	i := &installation{Cluster: cluster.Start(t, "test-e2e", 3), helm: helm}
	t.Cleanup(func() { i.reportFailure(t) })
	i.Run(t, append([]string{"load"}, archives...)...)
	i.dial = i.Dialer(t)
	i.api = newClient(t, i)
	i.Kubectl(t, "create", "namespace", operatorNamespace)
	i.Kubectl(t, "label", "namespaces", operatorNamespace, namespace, "pod-security.kubernetes.io/enforce=restricted")
	i.runHelm(t, "install", "twinmesh", filepath.Join(cluster.Root(), "charts", "twinmesh"),
		"--set", "image="+managerImage+",brokerImage="+brokerImage, "--wait", "--timeout", "60s")
	return i
}

func archive(t *testing.T, image string) string {
	t.Helper()
	path := filepath.Join(cluster.Root(), "bin", "images", image+".tar")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("run 'make images' first: %v", err)
	}
	return path
}

// findHelm compiles the pinned Helm, or finds it in Go's cache.
func findHelm(t *testing.T) string {
	t.Helper()
	command := exec.Command("go", "tool", "-modfile=hack/tools/helm.mod", "-n", "helm")
	command.Dir = cluster.Root()
	command.Stderr = os.Stderr
	path, err := command.Output()
	if err != nil {
		t.Fatalf("compiling Helm: %v", err)
	}
	return strings.TrimSpace(string(path))
}

func (i *installation) runHelm(t *testing.T, command string, arguments ...string) {
	t.Helper()
	i.Run(t, append([]string{"client", i.helm, command, "--namespace", operatorNamespace}, arguments...)...)
}

func newClient(t *testing.T, i *installation) client.Client {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", i.Kubeconfig(t))
	if err != nil {
		t.Fatal(err)
	}
	config.Dial = i.dial
	config.QPS = -1 // polling is not to wait for itself
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// scaleOperator changes how many pods the operator has, and waits until they are there or gone.
func (i *installation) scaleOperator(t *testing.T, replicas int) {
	t.Helper()
	deployment := i.operator(t)
	i.Kubectl(t, "--namespace", operatorNamespace, "scale", "deployment", deployment.Name, fmt.Sprintf("--replicas=%d", replicas))
	eventually(t, 30*time.Second, fmt.Sprintf("the operator has %d pods", replicas), func(context.Context) error {
		pods := i.operatorPods(t)
		for _, pod := range pods {
			if !isReady(&pod) {
				return fmt.Errorf("pod %s is not Ready", pod.Name)
			}
		}
		if len(pods) != replicas {
			return fmt.Errorf("%d are there", len(pods))
		}
		return nil
	})
}

// operator is the only Deployment of its namespace.
func (i *installation) operator(t *testing.T) *appsv1.Deployment {
	t.Helper()
	var deployments appsv1.DeploymentList
	if err := i.api.List(t.Context(), &deployments, client.InNamespace(operatorNamespace)); err != nil {
		t.Fatal(err)
	}
	if len(deployments.Items) != 1 {
		t.Fatalf("%d Deployments in %s, want the operator's", len(deployments.Items), operatorNamespace)
	}
	return &deployments.Items[0]
}

func (i *installation) operatorPods(t *testing.T) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	selector := client.MatchingLabels(i.operator(t).Spec.Selector.MatchLabels)
	if err := i.api.List(t.Context(), &pods, client.InNamespace(operatorNamespace), selector); err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// eventually polls until check succeeds, and fails the test with the reason if it does not within that time.
func eventually(t *testing.T, within time.Duration, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	var reason error
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil || reason == nil { // later errors only say that time is up
			reason = err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %v: %v", what, within, reason)
		}
	}
}
