package cluster_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/test/cluster"
)

// TestCluster starts two clusters at a time, takes the one of three nodes through what tests do to a cluster, and ends
// with a machine on which nothing of them is left.
func TestCluster(t *testing.T) {
	before := machineState(t)
	three, one := cluster.Start(t, "test-three", 3), cluster.Start(t, "test-one", 1)
	probe := loadProbe(t, three)
	three.Apply(t, readFile(t, "testdata/probe.yaml"))
	three.Kubectl(t, "--namespace", "probe", "rollout", "status", "daemonset/probe", "--timeout", "60s")

	t.Run("client reaches Services, pods and DNS", func(t *testing.T) { testClient(t, three, probe) })
	t.Run("pods share a volume", func(t *testing.T) { testSharedVolume(t, three, probe) })
	t.Run("a node's mounts are its own", func(t *testing.T) { testMounts(t, three) })
	t.Run("kubectl reaches into pods", func(t *testing.T) { testKubectl(t, three) })
	t.Run("clusters do not see each other", func(t *testing.T) { testIsolation(t, one) })
	t.Run("a node is cut off, another loses power", func(t *testing.T) { testNodeLoss(t, three, probe) })
	t.Run("the API server stops", func(t *testing.T) { testAPIServerStops(t, three, probe) })
	t.Run("down leaves no trace", func(t *testing.T) {
		testDown(t, three)
		testDown(t, one)
		if diff := cmp.Diff(before, machineState(t)); diff != "" {
			t.Errorf("the machine is not as before (-before +after):\n%s", diff)
		}
	})
}

// testDown also sees that traces are found while there are some: at least those of a node's own programs.
func testDown(t *testing.T, c *cluster.Cluster) {
	containers := containers(t, c)
	if found := traces(t, c, containers); len(found) < 5+len(containers) {
		t.Errorf("a running cluster's traces are not found: %q", found)
	}
	c.Run(t, "down")
	if left := traces(t, c, containers); len(left) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
}

// loadProbe compiles the program that the test's pods run, brings its image to the nodes, and returns the program.
func loadProbe(t *testing.T, c *cluster.Cluster) string {
	t.Helper()
	context := t.TempDir()
	program, archive := filepath.Join(context, "probe"), filepath.Join(context, "probe.tar")
	compile := exec.Command("go", "build", "-o", program, "./probe")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	image := exec.Command(filepath.Join(cluster.Root(), "hack/image.sh"), "localhost/twinmesh-probe:test", archive,
		"--file", "testdata/Dockerfile", context)
	for _, command := range []*exec.Cmd{compile, image} {
		if text, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, text)
		}
	}
	c.Run(t, "load", archive)
	return program
}

func testClient(t *testing.T, c *cluster.Cluster, probe string) {
	for _, url := range []string{
		"http://probe.probe/lookup?name=kubernetes.default",
		"http://" + podIP(t, c, 2) + ":8080/lookup?name=kubernetes.default",
		"http://" + podIP(t, c, 3) + ":8080/lookup?name=kubernetes.default",
	} {
		if got, want := c.Run(t, "client", probe, "get", url), "10.96.0.1"; got != want {
			t.Errorf("%s answers %q, want %q", url, got, want)
		}
	}
}

func testSharedVolume(t *testing.T, c *cluster.Cluster, probe string) {
	pods := strings.Fields(c.Kubectl(t, "--namespace", "probe", "get", "pods", "--output", "jsonpath={.items[*].metadata.name}"))
	slices.Sort(pods)
	for _, node := range []int{2, 3} {
		files := strings.Fields(c.Run(t, "client", probe, "get", "http://"+podIP(t, c, node)+":8080/directory"))
		if diff := cmp.Diff(pods, files); diff != "" {
			t.Errorf("node %d does not see a file of each pod (-pods +files):\n%s", node, diff)
		}
	}
}

func testMounts(t *testing.T, c *cluster.Cluster) {
	const volume = "/var/lib/twinmesh/shared/volume-32"
	c.Run(t, "node", "2", "mount", "-t", "tmpfs", "none", volume)
	c.Run(t, "node", "2", "touch", volume+"/on-node-2")
	if got := c.Run(t, "node", "3", "ls", volume); got != "" {
		t.Errorf("node 3 sees %q in what only node 2 has mounted", got)
	}
	c.Run(t, "node", "2", "umount", volume)
}

func testKubectl(t *testing.T, c *cluster.Cluster) {
	got := c.Kubectl(t, "--namespace", "probe", "exec", "daemonset/probe", "--",
		"/probe", "get", "http://probe/lookup?name=kubernetes.default.svc.cluster.local")
	if got != "10.96.0.1" {
		t.Errorf("a program in a pod finds the API server at %q, want 10.96.0.1", got)
	}
	if log := c.Kubectl(t, "--namespace", "probe", "logs", "daemonset/probe"); !strings.Contains(log, "serves") {
		t.Errorf("a pod's log is %q, want its line", log)
	}
}

func testIsolation(t *testing.T, other *cluster.Cluster) {
	if got := other.Run(t, "status"); got != "node1 on plugged" {
		t.Errorf("status of the cluster of one node: %q", got)
	}
	if text, err := other.Command(t.Context(), "client", "getent", "hosts", "probe.probe").Output(); err == nil {
		t.Errorf("a cluster knows another's Service: %s", text)
	}
}

// testNodeLoss loses nodes 2 and 3 at once, since it takes Kubernetes 10 s to notice.
func testNodeLoss(t *testing.T, c *cluster.Cluster, probe string) {
	c.Run(t, "cut", "2")
	if running := processes(t, c, "node3"); len(running) < 5 {
		t.Errorf("a node's processes are not found: %q", running)
	}
	c.Run(t, "power-off", "3")
	if left := processes(t, c, "node3"); len(left) > 0 {
		t.Errorf("still running on the node without power:\n%s", strings.Join(left, "\n"))
	}
	if got, want := c.Run(t, "status"), "node1 on plugged\nnode2 on cut\nnode3 off cut"; got != want {
		t.Errorf("status is\n%s\nwant\n%s", got, want)
	}
	c.Kubectl(t, "wait", "--for=condition=Ready=Unknown", "node/node2", "node/node3", "--timeout=30s")

	c.Run(t, "heal", "2")
	c.Run(t, "power-on", "3")
	c.Kubectl(t, "wait", "--for=condition=Ready", "node/node2", "node/node3", "--timeout=30s")
	c.Kubectl(t, "--namespace", "probe", "wait", "--for=condition=Ready", "pod", "--selector=app=probe", "--timeout=30s")
	if got := podField(t, c, 2, ".status.containerStatuses[0].restartCount"); got != "0" {
		t.Errorf("the container on the node that was cut off was restarted %s times, want 0", got)
	}
	if got := podField(t, c, 3, ".status.containerStatuses[0].restartCount"); got != "1" {
		t.Errorf("the container on the node that lost power was restarted %s times, want 1", got)
	}
	testClient(t, c, probe)
}

func testAPIServerStops(t *testing.T, c *cluster.Cluster, probe string) {
	c.Run(t, "stop-apiserver")
	if err := c.Command(t.Context(), "kubectl", "get", "nodes").Run(); err == nil {
		t.Error("the API server answers while it is stopped")
	}
	c.Run(t, "client", probe, "get", "http://probe.probe/directory")
	c.Run(t, "start-apiserver")
	c.Kubectl(t, "get", "nodes")
}

func podIP(t *testing.T, c *cluster.Cluster, node int) string {
	t.Helper()
	return podField(t, c, node, ".status.podIP")
}

// podField returns a field of the probe's pod on a node.
func podField(t *testing.T, c *cluster.Cluster, node int, field string) string {
	t.Helper()
	return c.Kubectl(t, "--namespace", "probe", "get", "pods", "--field-selector", fmt.Sprintf("spec.nodeName=node%d", node),
		"--output", "jsonpath={.items[0]"+field+"}")
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestUsage(t *testing.T) {
	for _, test := range []struct{ arguments, want string }{
		{"--name No up", "a cluster's name has"},
		{"--name test-none up 4", "1 to 3 nodes, not '4'"},
		{"--name test-none status", "cluster test-none is not up"},
		{"--name test-none cut 1", "cluster test-none is not up"},
		{"--name test-none load /nowhere.tar", "cluster test-none is not up"},
		{"--name test-none bogus", "cluster.sh [--name NAME] COMMAND"},
	} {
		t.Run(test.arguments, func(t *testing.T) {
			command := exec.Command(filepath.Join(cluster.Root(), "hack/cluster/cluster.sh"), strings.Fields(test.arguments)...)
			text, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(text), test.want) {
				t.Errorf("ends with %v and says %q, want an error that says %q", err, text, test.want)
			}
		})
	}
}
