package publish

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/test/apiserver"
)

// pairObjects are what the operator makes of a pair, as far as publishing goes.
const pairObjects = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: orders-0, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: orders-0, namespace: shop}
rules:
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], resourceNames: [orders-0], verbs: [get, update]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: orders-0, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: orders-0}
subjects: [{kind: ServiceAccount, name: orders-0, namespace: shop}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: orders-0, namespace: shop, labels: {messaging.twinmesh.io/pair: orders-0, kubernetes.io/service-name: orders-0}}
addressType: IPv4
ports: [{name: openwire, port: 61616}]
`

// TestRealAPIServer publishes with a service account's token, and sees that the policy that is installed with the
// operator refuses a smaller term even from a broker that read nothing of a higher one.
func TestRealAPIServer(t *testing.T) {
	real := apiserver.Start(t)
	kubectl := func(stdin string, args ...string) string {
		t.Helper()
		out, err := real.Kubectl(stdin, args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	kubectl("", "apply", "--kustomize", filepath.Join(apiserver.Root(t), "config", "admission"))
	kubectl(pairObjects, "apply", "-f", "-")
	awaitPolicy(t, real)
	files := &server{t: t, dir: t.TempDir()}
	files.write("token", kubectl("", "-n", "shop", "create", "token", "orders-0"))
	files.write("ca.crt", string(real.Config.CAData))
	p, err := New(Config{
		API:       API{URL: real.Config.Host, CAFile: filepath.Join(files.dir, "ca.crt"), TokenFile: filepath.Join(files.dir, "token")},
		Namespace: "shop", Slices: []string{"orders-0"}, Pod: us, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		return kubectl("", "-n", "shop", "get", "endpointslice", "orders-0", "-o", `jsonpath={.endpoints[*].addresses[*]} {.endpoints[*].targetRef.uid} {.metadata.annotations.messaging\.twinmesh\.io/term}`)
	}
	if err := p.Run(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != "10.1.2.3 uid-1 10" {
		t.Errorf("published: %s", got)
	}
	refusesLateWrite(t, p)
	if err := p.Clear(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != "  10" {
		t.Errorf("cleared: %s", got)
	}
}

// awaitPolicy returns when the API server, which learns of policies by watching them, has learnt of this one.
func awaitPolicy(t *testing.T, real *apiserver.Server) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		out, err := real.Kubectl("", "-n", "shop", "annotate", "--dry-run=server", "endpointslice", "orders-0", termAnnotation+"=none")
		if err != nil && strings.Contains(out, "write a number") {
			return
		}
	}
	t.Fatal("the policy is not in force after 20 s")
}

// refusesLateWrite writes as a broker would that read the slice before another took over, but with the current
// resourceVersion, so that only the policy can refuse it.
func refusesLateWrite(t *testing.T, p *Publisher) {
	t.Helper()
	late, err := p.api.get(t.Context(), "shop", "orders-0")
	if err != nil {
		t.Fatal(err)
	}
	late.object("metadata").object("annotations")[termAnnotation] = "9"
	if err := p.api.put(t.Context(), "shop", "orders-0", late); err == nil || !strings.Contains(err.Error(), "term 9 is over") {
		t.Errorf("a smaller term: %v", err)
	}
}
