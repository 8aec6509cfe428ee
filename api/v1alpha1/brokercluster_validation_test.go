package v1alpha1_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
	"github.com/twinmesh/twinmesh/test/apiserver"
)

// manifest is one way to get a BrokerCluster wrong: what is written, the field that the refusal names, and a part of
// what it says to write instead.
type manifest struct {
	name  string // metadata.name; "orders" if empty
	spec  string // as YAML flow
	field string
	write string
	// admissionOnly: the types cannot hold it, so that the loop never sees it.
	admissionOnly bool
}

func badManifests() []manifest {
	const store = "store: {sharedVolume: {storageClassName: nfs}}"
	return []manifest{
		{name: "Orders", spec: "pairs: 1, " + store, field: "metadata.name", write: "DNS", admissionOnly: true},
		{name: "1orders", spec: "pairs: 1, " + store, field: "metadata.name", write: "starts with a letter"},
		{name: "my.orders", spec: "pairs: 1, " + store, field: "metadata.name", write: "DNS label"},
		{name: "orders-", spec: "pairs: 1, " + store, field: "metadata.name", write: "DNS", admissionOnly: true},
		{name: strings.Repeat("o", 41), spec: "pairs: 1, " + store, field: "metadata.name", write: "40 characters at most"},
		{spec: store, field: "spec.pairs", write: "Required", admissionOnly: true},
		{spec: "pairs: -1, " + store, field: "spec.pairs", write: "write 1 to 100 pairs"},
		{spec: "pairs: 101, " + store, field: "spec.pairs", write: "write 1 to 100 pairs"},
		{spec: "pairs: 0, " + store, field: "spec.pairs", write: "write 1 to 100 pairs"},
		{spec: "pairs: two, " + store, field: "spec.pairs", write: "integer", admissionOnly: true},
		{spec: "pairs: 1, standbys: -1, " + store, field: "spec.standbys", write: "write 0 to 5 standbys"},
		{spec: "pairs: 1, standbys: 6, " + store, field: "spec.standbys", write: "write 0 to 5 standbys"},
		{spec: "pairs: 1, standbys: '1', " + store, field: "spec.standbys", write: "integer", admissionOnly: true},
		{spec: "pairs: 1", field: "spec.store", write: "Required", admissionOnly: true},
		{spec: "pairs: 1, store: {}", field: "spec.store.sharedVolume", write: "write sharedVolume: {storageClassName: NAME}"},
		{spec: "pairs: 1, store: {type: Database, sharedVolume: {}}", field: "spec.store.type", write: "write SharedVolume, or leave type out"},
		{spec: "pairs: 1, store: {type: Replicated, sharedVolume: {}}", field: "spec.store.type", write: "write SharedVolume, or leave type out"},
		{spec: "pairs: 1, store: {type: Replicated, replicated: {size: 10Gi}}", field: "spec.store.replicated", write: "unknown field", admissionOnly: true},
		{spec: "pairs: 1, standbys: 2, store: {sharedVolume: {accessMode: ReadWriteOncePod}}", field: "spec.standbys", write: "accessMode: ReadWriteMany"},
		{spec: "pairs: 1, store: {sharedVolume: {accessMode: ReadWriteOnce}}", field: "spec.standbys", write: "standbys: 0"},
		{spec: "pairs: 1, store: {sharedVolume: {accessMode: RWX}}", field: "spec.store.sharedVolume.accessMode", write: "ReadWriteMany", admissionOnly: true},
		{spec: "pairs: 1, store: {sharedVolume: {size: '0'}}", field: "spec.store.sharedVolume.size", write: "write a size of 256Mi or more, with its unit, such as 10Gi"},
		{spec: "pairs: 1, store: {sharedVolume: {size: '10'}}", field: "spec.store.sharedVolume.size", write: "with its unit"},
		{spec: "pairs: 1, store: {sharedVolume: {size: -10Gi}}", field: "spec.store.sharedVolume.size", write: "write a size of 256Mi or more"},
		{spec: "pairs: 1, store: {sharedVolume: {size: ten}}", field: "spec.store.sharedVolume.size", write: "write a size of 256Mi or more", admissionOnly: true},
		{spec: "pairs: 1, store: {sharedVolume: {size: 10}}", field: "spec.store.sharedVolume.size", write: "string", admissionOnly: true},
		{spec: "pairs: 1, store: {sharedVolume: {size: 10 GB}}", field: "spec.store.sharedVolume.size", write: "write a size of 256Mi or more", admissionOnly: true},
		{spec: "pairs: 1, store: {sharedVolume: {storageClassName: My Class}}", field: "spec.store.sharedVolume.storageClassName", write: "write the name of a StorageClass"},
		{spec: "pairs: 1, store: {sharedVolume: {storageClass: nfs}}", field: "spec.store.sharedVolume.storageClass", write: "unknown field", admissionOnly: true},
		{spec: "pairs: 1, imagePullSecrets: [{name: ''}], " + store, field: "spec.imagePullSecrets", write: "write the name of a Secret"},
		{spec: `pairs: 1, image: "a b", ` + store, field: "spec.image", write: "write an image reference"},
		{spec: "pairs: 1, imagePullPolicy: Sometimes, " + store, field: "spec.imagePullPolicy", write: `"IfNotPresent"`, admissionOnly: true},
		{spec: "pairs: 1, connectors: [{name: stomp}], " + store, field: "spec.connectors", write: "(61616)"},
		{spec: "pairs: 1, connectors: [{name: openwire, protocol: STOMP}], " + store, field: "spec.connectors[0].protocol", write: `"OpenWire"`},
		{spec: "pairs: 1, connectors: [{name: a-name-that-is-too-long, port: 5000}], " + store, field: "spec.connectors[0].name", write: "15 characters at most"},
		{spec: "pairs: 1, connectors: [{name: http, port: 5000}], " + store, field: "spec.connectors[0].name", write: "other than http"},
		{spec: "pairs: 1, connectors: [{name: openwire, port: 80}], " + store, field: "spec.connectors[0].port", write: "1024 to 65535"},
		{spec: "pairs: 1, connectors: [{name: openwire, port: 8161}], " + store, field: "spec.connectors[0].port", write: "other than 8161"},
		{spec: "pairs: 1, connectors: [{name: openwire, port: 70000}], " + store, field: "spec.connectors[0].port", write: "1024 to 65535"},
		{spec: "pairs: 1, connectors: [{name: Open_Wire, port: 5000}], " + store, field: "spec.connectors[0].name", write: "such as openwire"},
		{spec: "pairs: 1, connectors: [{port: 5000}], " + store, field: "spec.connectors[0].name", write: "Required", admissionOnly: true},
		{spec: "pairs: 1, connectors: [{name: openwire, tls: {secretName: a}}], " + store, field: "spec.connectors[0].tls", write: "unknown field", admissionOnly: true},
		{spec: "pairs: 1, connectors: [{name: a, port: 5000}, {name: b, port: 5000}], " + store, field: "spec.connectors", write: "give each its own"},
		{spec: "pairs: 1, connectors: [{name: a, port: 61616}], " + store, field: "spec.connectors", write: "name this connector openwire"},
		{spec: "pairs: 1, connectors: [{name: openwire}, {name: openwire}], " + store, field: "spec.connectors[1]", write: "Duplicate value"},
		{spec: "pairs: 1, connectors: [{name: openwire, maximumConnections: 0}], " + store, field: "spec.connectors[0].maximumConnections", write: "write 1 or more"},
		{spec: "pairs: 1, connectors: [{name: openwire, maxFrameSize: 1Ki}], " + store, field: "spec.connectors[0].maxFrameSize", write: "64Ki to 1Gi"},
		{spec: "pairs: 1, connectors: [{name: openwire, maxFrameSize: 2Gi}], " + store, field: "spec.connectors[0].maxFrameSize", write: "64Ki to 1Gi"},
		{spec: "pairs: 1, connectors: [{name: openwire, maxFrameSize: big}], " + store, field: "spec.connectors[0].maxFrameSize", write: "such as 100Mi", admissionOnly: true},
		{spec: "pairs: 1, podTemplate: {resources: {limits: {memory: much}}}, " + store, field: "spec.podTemplate.resources.limits.memory", write: "[KMGTPE]i", admissionOnly: true},
		{spec: "pairs: 1, podTemplate: {metadata: {labels: {messaging.twinmesh.io/role: active}}}, " + store, field: "spec.podTemplate.metadata.labels", write: "another"},
		{spec: "pairs: 1, podTemplate: {metadata: {annotations: {messaging.twinmesh.io/a: b}}}, " + store, field: "spec.podTemplate.metadata.annotations", write: "another"},
		{spec: "pairs: 1, nodeLoss: {replaceAfter: -5s}, " + store, field: "spec.nodeLoss.replaceAfter", write: "write a duration such as 60s"},
		{spec: "pairs: 1, nodeLoss: {replaceAfter: soon}, " + store, field: "spec.nodeLoss.replaceAfter", write: "write a duration such as 60s", admissionOnly: true},
		{spec: "pairs: 1, standby: 1, " + store, field: "spec.standby", write: "unknown field", admissionOnly: true},
	}
}

func (m manifest) text() string {
	name := m.name
	if name == "" {
		name = "orders"
	}
	return fmt.Sprintf("apiVersion: messaging.twinmesh.io/v1alpha1\nkind: BrokerCluster\nmetadata: {name: %s}\nspec: {%s}\n", name, m.spec)
}

func TestTheLoopRefusesWhatAdmissionRefuses(t *testing.T) {
	for _, m := range badManifests() {
		if m.admissionOnly {
			continue
		}
		t.Run(m.name+" "+m.spec, func(t *testing.T) {
			var cluster v1alpha1.BrokerCluster
			if err := yaml.UnmarshalStrict([]byte(m.text()), &cluster); err != nil {
				t.Fatal(err)
			}
			says(t, fmt.Sprint(cluster.Validate().ToAggregate()), m)
		})
	}
}

func says(t *testing.T, refusal string, m manifest) {
	t.Helper()
	if !strings.Contains(refusal, m.field) || !strings.Contains(refusal, m.write) {
		t.Errorf("the refusal should name %s and say %q; it is: %s", m.field, m.write, refusal)
	}
}

func TestAdmission(t *testing.T) {
	server := apiserver.Start(t)
	t.Run("bad manifests", func(t *testing.T) {
		for _, m := range badManifests() {
			t.Run(m.name+" "+m.spec, func(t *testing.T) {
				_, err := server.Kubectl(m.text(), "create", "--dry-run=server", "-f", "-")
				says(t, fmt.Sprint(err), m)
			})
		}
	})
	t.Run("good manifests", func(t *testing.T) { acceptsGood(t, server) })
	t.Run("bad changes", func(t *testing.T) { refusesChanges(t, server) })
	t.Run("kubectl scale", func(t *testing.T) { refusesScale(t, server) })
	t.Run("what is read back has no defaults", func(t *testing.T) { addsNothing(t, server) })
}

func acceptsGood(t *testing.T, server *apiserver.Server) {
	for _, spec := range []string{
		"pairs: 1, store: {sharedVolume: {}}",
		"pairs: 100, standbys: 5, store: {type: SharedVolume, sharedVolume: {size: 1Ti, accessMode: ReadWriteMany}}",
		"pairs: 1, standbys: 0, store: {sharedVolume: {accessMode: ReadWriteOnce, size: '1073741824'}}",
		"pairs: 1, connectors: [{name: extra, port: 5000}, {name: openwire, port: 62000}], store: {sharedVolume: {}}",
		"pairs: 1, connectors: [{name: openwire, maxFrameSize: '65536'}], nodeLoss: {replaceAfter: 1h30m}, store: {sharedVolume: {}}",
		"pairs: 1, nodeLoss: {replaceAfter: 0s}, store: {sharedVolume: {}}",
	} {
		m := manifest{spec: spec}
		if _, err := server.Kubectl(m.text(), "create", "--dry-run=server", "--validate=strict", "-f", "-"); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
		var cluster v1alpha1.BrokerCluster
		if err := yaml.UnmarshalStrict([]byte(m.text()), &cluster); err != nil {
			t.Fatal(err)
		}
		if err := cluster.Validate().ToAggregate(); err != nil {
			t.Errorf("%s: the loop refuses what admission accepts: %v", spec, err)
		}
	}
}

func refusesChanges(t *testing.T, server *apiserver.Server) {
	before := "pairs: 2, store: {sharedVolume: {storageClassName: nfs, size: 20Gi}}"
	create(t, server, manifest{name: "changes", spec: before})
	for _, m := range []manifest{
		{spec: strings.Replace(before, "pairs: 2", "pairs: 1", 1), field: "spec.pairs", write: "write as many pairs as before, or more"},
		{spec: strings.Replace(before, "nfs", "other", 1), field: "spec.store.sharedVolume.storageClassName", write: "write it as it was"},
		{spec: strings.Replace(before, "storageClassName: nfs, ", "", 1), field: "spec.store.sharedVolume.storageClassName", write: "write it as it was"},
		{spec: strings.Replace(before, "20Gi", "19Gi", 1), field: "spec.store.sharedVolume.size", write: "write 20Gi or more"},
		{spec: strings.Replace(before, ", size: 20Gi", "", 1), field: "spec.store.sharedVolume.size", write: "write 20Gi or more"},
		{spec: "standbys: 0, " + strings.Replace(before, "20Gi", "20Gi, accessMode: ReadWriteOnce", 1), field: "spec.store.sharedVolume.accessMode", write: "write it as it was"},
	} {
		m.name = "changes"
		t.Run(m.spec, func(t *testing.T) {
			_, err := server.Kubectl(m.text(), "replace", "-f", "-")
			says(t, fmt.Sprint(err), m)
		})
	}
	larger := manifest{name: "changes", spec: strings.Replace(strings.Replace(before, "20Gi", "0.5Ti", 1), "pairs: 2", "pairs: 3", 1)}
	if _, err := server.Kubectl(larger.text(), "replace", "-f", "-"); err != nil {
		t.Errorf("more pairs and a larger size: %v", err)
	}
}

func refusesScale(t *testing.T, server *apiserver.Server) {
	create(t, server, manifest{name: "scaled", spec: "pairs: 2, store: {sharedVolume: {}}"})
	for replicas, write := range map[string]string{"1": "write as many pairs as before, or more", "0": "write 1 to 100 pairs", "101": "write 1 to 100 pairs"} {
		_, err := server.Kubectl("", "scale", "tmc/scaled", "--replicas="+replicas)
		says(t, fmt.Sprint(err), manifest{field: "spec.pairs", write: write})
	}
	if _, err := server.Kubectl("", "scale", "brokerclusters.messaging.twinmesh.io/scaled", "--replicas=3"); err != nil {
		t.Error(err)
	}
}

func addsNothing(t *testing.T, server *apiserver.Server) {
	create(t, server, manifest{name: "bare", spec: "pairs: 1, connectors: [{name: openwire}], store: {sharedVolume: {}}"})
	got, err := server.Kubectl("", "get", "tmc", "bare", "-o", "jsonpath={.spec}")
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"connectors":[{"name":"openwire"}],"pairs":1,"store":{"sharedVolume":{}}}`; got != want {
		t.Errorf("spec read back: %s, want %s", got, want)
	}
}

func create(t *testing.T, server *apiserver.Server, m manifest) {
	t.Helper()
	if _, err := server.Kubectl(m.text(), "create", "-f", "-"); err != nil {
		t.Fatal(err)
	}
}

// TestSamplesAreValid also sees that none is left out where they are applied.
func TestSamplesAreValid(t *testing.T) {
	dir := filepath.Join(apiserver.Root(t), "config", "samples")
	var list struct {
		metav1.TypeMeta `json:",inline"`
		Resources       []string `json:"resources"`
	}
	read(t, filepath.Join(dir, "kustomization.yaml"), &list)
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) != len(list.Resources)+1 {
		t.Errorf("%d files, of which kustomization.yaml lists %d; %v", len(files), len(list.Resources), err)
	}
	for _, name := range list.Resources {
		var cluster v1alpha1.BrokerCluster
		read(t, filepath.Join(dir, name), &cluster)
		if err := cluster.Validate().ToAggregate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
