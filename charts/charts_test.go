// Package charts_test renders the Helm chart with the Helm that hack/tools pins, and what config/ has for kustomize.
package charts_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/twinmesh/twinmesh/test/apiserver"
)

// The images that the Makefile makes.
const images = "image=localhost/twinmesh-manager:dev,brokerImage=localhost/twinmesh-broker:dev"

func TestLint(t *testing.T) {
	if out, err := helm(t)("lint", "--strict", "twinmesh", "--set", images); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestBadValues(t *testing.T) {
	helm := helm(t)
	for _, test := range []struct{ set, says string }{
		{"", "image: name the operator's image"},
		{"image=a", "brokerImage: name the brokers' image"},
		{images + ",imag=a", "additional properties 'imag' not allowed"},
		{images + ",image=a b", "at '/image': 'a b' does not match pattern"},
		{images + ",imagePullPolicy=Sometimes", "at '/imagePullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"},
		{images + ",imagePullSecrets=registry", "at '/imagePullSecrets': got string, want array"},
		{images + ",imagePullSecrets[0].name=registry", "at '/imagePullSecrets/0': got object, want string"},
		{images + ",namespaces={My_Namespace}", "at '/namespaces/0': 'My_Namespace' does not match pattern"},
		{images + ",resources.limit.memory=1Gi", "at '/resources': additional properties 'limit' not allowed"},
		{images + ",lostNodeSeconds=-1", "at '/lostNodeSeconds': minimum: got -1, want 0"},
		{images + ",tolerations[0].efect=NoSchedule", "at '/tolerations/0': additional properties 'efect' not allowed"},
		{images + ",podAnnotations.a=1", "at '/podAnnotations/a': got number, want string"},
	} {
		t.Run(test.set, func(t *testing.T) {
			out, err := helm("template", "twinmesh", "twinmesh", "--set", test.set)
			if err == nil || !strings.Contains(out, test.says) {
				t.Errorf("this should be refused with %q; it is: %v: %s", test.says, err, out)
			}
		})
	}
}

func TestEveryValueIsUsed(t *testing.T) {
	text, err := helm(t)("template", "ops", "twinmesh", "--namespace", "messaging", "--values", "testdata/every-value.yaml")
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	objects := parse(t, text)
	var deployment appsv1.Deployment
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects["Deployment messaging/ops"], &deployment); err != nil {
		t.Fatal(err)
	}
	pod := deployment.Spec.Template
	container := pod.Spec.Containers[0]
	memory := container.Resources.Limits[corev1.ResourceMemory]
	got := map[string]any{
		"image and arguments": append([]string{container.Image, string(container.ImagePullPolicy)}, container.Args...),
		"secrets":             pod.Spec.ImagePullSecrets,
		"annotations":         pod.Annotations,
		"memory":              memory.String(),
		"node selector":       pod.Spec.NodeSelector,
		"affinity":            pod.Spec.Affinity != nil && pod.Spec.Affinity.NodeAffinity != nil,
		"priority":            pod.Spec.PriorityClassName,
		"replaced after":      *pod.Spec.Tolerations[0].TolerationSeconds,
		"more tolerations":    pod.Spec.Tolerations[2].Key,
		"service account":     pod.Spec.ServiceAccountName,
	}
	want := map[string]any{
		"image and arguments": []string{"registry.example/manager:1", "Always", "--broker-image=registry.example/broker:1", "--namespaces=orders,billing"},
		"secrets":             []corev1.LocalObjectReference{{Name: "registry"}},
		"annotations":         map[string]string{"prometheus.io/scrape": "true"},
		"memory":              "1Gi",
		"node selector":       map[string]string{"kubernetes.io/os": "linux"},
		"affinity":            true,
		"priority":            "system-cluster-critical",
		"replaced after":      int64(5),
		"more tolerations":    "dedicated",
		"service account":     "ops",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What kustomize installs and what Helm installs is the same, but for the namespace, which Helm makes itself, and labels
// that say who installed it.
func TestKustomizeAndHelmAgree(t *testing.T) {
	kustomized, err := exec.Command(apiserver.Program(t, "kubectl"), "kustomize", "../config/default").Output()
	if err != nil {
		t.Fatal(err)
	}
	templated, err := helm(t)("template", "twinmesh", "twinmesh", "--namespace", "twinmesh-system", "--set", images)
	if err != nil {
		t.Fatalf("%v: %s", err, templated)
	}
	byKustomize, byHelm := parse(t, string(kustomized)), parse(t, templated)
	delete(byKustomize, "Namespace /twinmesh-system")
	if diff := cmp.Diff(byKustomize, byHelm); diff != "" || len(byHelm) != 7 {
		t.Errorf("%d objects; -kustomize +helm:\n%s", len(byHelm), diff)
	}
}

// parse returns objects by kind, namespace and name.
func parse(t *testing.T, text string) map[string]map[string]any {
	t.Helper()
	objects := map[string]map[string]any{}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var object unstructured.Unstructured
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) == 0 {
			continue
		}
		withoutInstaller(object.Object, "metadata")
		withoutInstaller(object.Object, "spec", "template", "metadata")
		objects[fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())] = object.Object
	}
}

func withoutInstaller(object map[string]any, metadata ...string) {
	path := append(metadata, "labels")
	labels, _, _ := unstructured.NestedStringMap(object, path...)
	for _, label := range []string{"name", "instance", "version", "managed-by"} {
		delete(labels, "app.kubernetes.io/"+label)
	}
	unstructured.RemoveNestedField(object, path...)
	if len(labels) > 0 {
		_ = unstructured.SetNestedStringMap(object, labels, path...)
	}
}

// helm returns what runs the pinned Helm in this directory and gives back all that it wrote.
func helm(t *testing.T) func(args ...string) (string, error) {
	t.Helper()
	path, err := exec.Command("go", "tool", "-modfile="+filepath.Join("..", "hack", "tools", "helm.mod"), "-n", "helm").Output()
	if err != nil {
		t.Fatalf("compiling Helm: %v", err)
	}
	home := t.TempDir()
	return func(args ...string) (string, error) {
		cmd := exec.Command(strings.TrimSpace(string(path)), args...)
		cmd.Env = append(os.Environ(), "HOME="+home, "KUBECONFIG=/dev/null")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		return out.String(), err
	}
}
