// Package apiserver runs a real Kubernetes API server with its etcd for one test, with the project's CRD installed, and
// on request the controllers that Kubernetes itself brings (StatefulSets, garbage collection). There are no nodes: pods
// are created and never run, and a test says what a kubelet would have said.
package apiserver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Server is a running API server. It ends with its test.
type Server struct {
	// Config is a cluster administrator's.
	Config *rest.Config
	// Env can add users.
	Env *envtest.Environment

	assets     string
	kubeconfig string
}

// Start runs an API server. Without its programs the test is skipped, unless KUBEBUILDER_ASSETS promises them.
func Start(t testing.TB) *Server {
	t.Helper()
	assets := findAssets(t)
	env := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{filepath.Join(Root(t), "config", "crd")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := env.Start()
	if err != nil {
		t.Fatalf("starting kube-apiserver of %s: %v", assets, err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Errorf("stopping kube-apiserver: %v", err)
		}
	})
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, env.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	return &Server{Config: config, Env: env, assets: assets, kubeconfig: kubeconfig}
}

// StartControllers runs kube-controller-manager with what acts on a BrokerCluster's objects.
func (s *Server) StartControllers(t testing.TB) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "kube-controller-manager.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(s.assets, "kube-controller-manager"),
		"--kubeconfig="+s.kubeconfig, "--leader-elect=false", "--secure-port=0",
		"--controllers=statefulset-controller,disruption-controller,garbage-collector-controller,namespace-controller,clusterrole-aggregation-controller")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting kube-controller-manager: %v", err)
	}
	t.Cleanup(func() {
		err := errors.Join(cmd.Process.Kill(), log.Close())
		if exit := (*exec.ExitError)(nil); !errors.As(cmd.Wait(), &exit) || err != nil {
			t.Errorf("kube-controller-manager ended by itself: %v", err)
		}
	})
}

// Kubectl runs kubectl as the cluster's administrator and returns all that it wrote.
func (s *Server) Kubectl(stdin string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(s.assets, "kubectl"), append([]string{"--kubeconfig", s.kubeconfig}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(s.kubeconfig))
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out.String())
	}
	return out.String(), err
}

// Root is the directory of the module's go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test's directory")
		}
		dir = filepath.Dir(dir)
	}
}

// Program is the path of one of the programs that a local Kubernetes consists of, such as kubectl. Without it the test is
// skipped as by Start.
func Program(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(findAssets(t), name)
}

// findAssets looks where the Makefile says, then where the project's local Kubernetes is built.
func findAssets(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("no cache directory to look for kube-apiserver in: %v", err)
	}
	dir := filepath.Join(cache, "twinmesh", "cluster", "bin")
	if _, err := os.Stat(filepath.Join(dir, "kube-apiserver")); err != nil {
		t.Skipf("needs a real kube-apiserver, which 'make test' builds: %v", err)
	}
	return dir
}
