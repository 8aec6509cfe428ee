package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/twinmesh/twinmesh/test/apiserver"
)

func TestFlags(t *testing.T) {
	got, err := parseFlags([]string{"--broker-image=a", "--namespaces=orders,billing", "--metrics-bind-address=0", "--health-bind-address=:1"}, io.Discard)
	want := options{brokerImage: "a", namespaces: []string{"orders", "billing"}, metricsAddress: "0", healthAddress: ":1"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); diff != "" || err != nil {
		t.Errorf("%v; -want +got:\n%s", err, diff)
	}
	for _, test := range []struct{ flag, says string }{
		{"", "--broker-image is required"},
		{"--broker-imag=a", "flag provided but not defined: -broker-imag"},
		{"--broker-image=a operator", `unexpected argument "operator"`},
	} {
		var out strings.Builder
		if _, err := parseFlags(strings.Fields(test.flag), &out); err == nil || !strings.Contains(out.String(), test.says) {
			t.Errorf("%q: %v, %q; want %q", test.flag, err, out.String(), test.says)
		}
	}
}

func TestKubernetesVersion(t *testing.T) {
	for _, version := range []string{"v1.30.0", "v1.30.4-gke.100+abc", "v1.37.2", "v2.0.0"} {
		if err := checkVersion(version); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
	for version, says := range map[string]string{
		"v1.29.9": "this is Kubernetes v1.29.9; Twinmesh needs 1.30 or newer",
		"":        "reading the Kubernetes version",
		"dev":     "reading the Kubernetes version",
	} {
		if err := checkVersion(version); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// TestRun starts the operator as its pod does, as its service account.
func TestRun(t *testing.T) {
	ctrl.SetLogger(logr.Discard())
	server := apiserver.Start(t)
	if _, err := server.Kubectl("", "apply", "--server-side", "--kustomize", filepath.Join(apiserver.Root(t), "config", "default")); err != nil {
		t.Fatal(err)
	}
	server.Config.Impersonate.UserName = "system:serviceaccount:twinmesh-system:twinmesh"
	o := options{brokerImage: "broker", metricsAddress: freeAddress(t), healthAddress: freeAddress(t)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, server.Config, o) }()
	for path, says := range map[string]string{
		o.healthAddress + "/healthz":  "ok",
		o.healthAddress + "/readyz":   "ok",
		o.metricsAddress + "/metrics": `controller_runtime_max_concurrent_reconciles{controller="brokercluster"} 4`,
	} {
		await(t, "http://"+path, says)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
}

// await asks until the answer contains text.
func await(t *testing.T, url, text string) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		response, err := http.Get(url)
		if err != nil {
			last = err.Error()
			continue
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		last = fmt.Sprint(response.Status, " ", string(body), err)
		if response.StatusCode == http.StatusOK && strings.Contains(string(body), text) {
			return
		}
	}
	t.Fatalf("%s does not answer with %q, but: %s", url, text, last)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
