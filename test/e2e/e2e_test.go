// Package e2e runs all of Twinmesh together: the Helm chart, the operator and brokers on the project's local Kubernetes of
// three nodes, and real JMS programs, which go on while one thing after the other breaks. It measures how long they wait
// and logs it. What one package promises by itself is tested there.
package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/twinmesh/twinmesh/test/cluster"
)

// idleLimit is what a broker may need at rest.
const idleLimit = 25 // MiB

func TestTwinmesh(t *testing.T) {
	classes := compileJMS(t)
	i := install(t)
	for _, name := range []string{"pair", "complete"} {
		t.Run("sample "+name, func(t *testing.T) { testSample(t, i, name) })
	}
	orders := applySample(t, i, "pairs")
	orders.Kubectl(t, "patch", "tmc", orders.name, "--type=merge", "--patch", `{"spec": {"nodeLoss": {"replaceAfter": "5s"}}}`)
	t.Run("printer columns", func(t *testing.T) { testColumns(t, orders) })
	t.Run("memory at rest", func(t *testing.T) { testMemory(t, orders) })

	var streams []*stream
	for index := range 2 {
		streams = append(streams, startStream(t, i.Cluster, classes, orders.pair(index), orders.binding(t, index)))
	}
	for _, s := range streams {
		s.nextDelivery(t, 30*time.Second)
	}
	for _, fault := range faults() {
		t.Run(fault.name, func(t *testing.T) {
			fault.run(t, orders, streams[0])
			for _, s := range streams {
				s.check(t)
			}
		})
	}
	for _, s := range streams {
		s.end(t)
	}
	t.Run("uninstall", func(t *testing.T) { testUninstall(t, orders) })
}

// sampleNames of this cluster instead of those that a reader has to fill in.
var sampleNames = strings.NewReplacer(
	"storageClassName: nfs", "storageClassName: shared",
	"registry.example/twinmesh-broker:0.1.0", brokerImage,
)

var clusterName = regexp.MustCompile(`(?m)^metadata:\n  name: (\S+)$`)

// applySample applies one of config/samples and waits until all of it is there.
func applySample(t *testing.T, i *installation, name string) *brokers {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(cluster.Root(), "config", "samples", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found := clusterName.FindSubmatch(text)
	if found == nil {
		t.Fatalf("sample %s has no name", name)
	}
	start := time.Now()
	i.Apply(t, sampleNames.Replace(string(text)))
	b := &brokers{installation: i, name: string(found[1])}
	eventually(t, healLimit, "sample "+name+" is whole", b.whole)
	t.Logf("sample %s is Ready and Redundant %.1f s after it was applied", name, time.Since(start).Seconds())
	return b
}

func testSample(t *testing.T, i *installation, name string) {
	b := applySample(t, i, name)
	b.remove(t)
}

// remove deletes the BrokerCluster and waits until its pods are gone.
func (b *brokers) remove(t *testing.T) {
	t.Helper()
	b.Kubectl(t, "delete", "brokerclusters.messaging.twinmesh.io", b.name)
	eventually(t, healLimit, "the pods of "+b.name+" are gone", func(ctx context.Context) error {
		var pods corev1.PodList
		err := b.api.List(ctx, &pods, client.InNamespace(namespace))
		if err == nil && len(pods.Items) > 0 {
			err = fmt.Errorf("%d are there", len(pods.Items))
		}
		return err
	})
}

func testColumns(t *testing.T, b *brokers) {
	lines := strings.Split(b.Kubectl(t, "get", "tmc", b.name), "\n")
	if len(lines) != 2 {
		t.Fatalf("kubectl get tmc says %q", lines)
	}
	if got, want := strings.Fields(lines[0]), "NAME PAIRS ACTIVE READY REDUNDANT AGE"; strings.Join(got, " ") != want {
		t.Errorf("the columns are %q, want %s", got, want)
	}
	if got, want := strings.Join(strings.Fields(lines[1]), " "), b.name+" 2 2 True True "; !strings.HasPrefix(got, want) {
		t.Errorf("kubectl get tmc says %q, want %q", got, want)
	}
}

func testMemory(t *testing.T, b *brokers) {
	for _, pod := range b.operatorPods(t) {
		t.Logf("the operator has %.1f MiB resident", residentMiB(t, &pod))
	}
	for index := range 2 {
		pods, err := b.pods(t.Context(), b.pair(index))
		if err != nil {
			t.Fatal(err)
		}
		for _, pod := range pods {
			resident := residentMiB(t, &pod)
			t.Logf("broker %s has %.1f MiB resident", pod.Name, resident)
			if resident > idleLimit {
				t.Errorf("broker %s has %.1f MiB resident at rest, want %d at most", pod.Name, resident, idleLimit)
			}
		}
	}
}

// testUninstall sees that messages outlive what is removed: claims stay, and so does the CRD, whose removal would
// remove every BrokerCluster.
func testUninstall(t *testing.T, b *brokers) {
	b.remove(t)
	b.runHelm(t, "uninstall", "twinmesh", "--wait")
	for index := range 2 {
		var claim corev1.PersistentVolumeClaim
		name := types.NamespacedName{Namespace: namespace, Name: "store-" + b.pair(index)}
		if err := b.api.Get(t.Context(), name, &claim); err != nil || claim.Status.Phase != corev1.ClaimBound {
			t.Errorf("claim %s is %s (%v), want it Bound", name.Name, claim.Status.Phase, err)
		}
	}
	if _, err := b.get(t.Context()); !apierrors.IsNotFound(err) {
		t.Errorf("reading the deleted BrokerCluster: %v, want that it is not found", err)
	}
	b.Kubectl(t, "get", "crd", "brokerclusters.messaging.twinmesh.io")
	eventually(t, healLimit, "the operator is gone", func(ctx context.Context) error {
		var pods corev1.PodList
		err := b.api.List(ctx, &pods, client.InNamespace(operatorNamespace))
		if err == nil && len(pods.Items) > 0 {
			err = fmt.Errorf("%d pods are there", len(pods.Items))
		}
		return err
	})
}
