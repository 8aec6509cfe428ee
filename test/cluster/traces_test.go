package cluster_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/test/cluster"
)

// traces lists what of a cluster is on this machine: its directory, its containers' control groups, processes that hold
// its machines, and processes that see its directory mounted, which are those of its nodes and containers. Network
// namespaces need no look of their own: they end with their last process, as nothing else holds them.
func traces(tb testing.TB, c *cluster.Cluster, containers []string) []string {
	tb.Helper()
	var found []string
	if _, err := os.Stat(directory(c)); err == nil {
		found = append(found, "directory "+directory(c))
	}
	for _, container := range containers {
		found = append(found, controlGroups(tb, container)...)
	}
	return append(found, processes(tb, c, "")...)
}

func directory(c *cluster.Cluster) string { return "/var/lib/twinmesh-clusters/" + c.Name() }

// containers lists all containers of a cluster, also those that hold a pod's namespaces.
func containers(tb testing.TB, c *cluster.Cluster) []string {
	tb.Helper()
	var names []string
	for _, path := range glob(tb, directory(c)+"/node*/containerd/io.containerd.grpc.v1.cri/*/*") {
		names = append(names, filepath.Base(path))
	}
	return names
}

// controlGroups finds a container's control groups, of version 1 in each controller's directory or of version 2.
func controlGroups(tb testing.TB, container string) []string {
	tb.Helper()
	return append(glob(tb, "/sys/fs/cgroup/*/k8s.io/"+container), glob(tb, "/sys/fs/cgroup/k8s.io/"+container)...)
}

// processes lists the processes of a cluster, or those of one of its nodes.
func processes(tb testing.TB, c *cluster.Cluster, node string) []string {
	tb.Helper()
	var found []string
	for _, process := range glob(tb, "/proc/[0-9]*") {
		if contains(process+"/environ", "TWINMESH_MACHINE="+c.Name()+"/"+node) ||
			contains(process+"/mountinfo", directory(c)+"/"+node) {
			command, _ := os.ReadFile(process + "/cmdline")
			found = append(found, process+" "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}

func glob(tb testing.TB, pattern string) []string {
	tb.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		tb.Fatal(err)
	}
	return names
}

// contains reports whether a file can be read and has the text: a process may end at any time.
func contains(file, text string) bool {
	content, err := os.ReadFile(file)
	return err == nil && strings.Contains(string(content), text)
}

// machineState is what the whole machine shares and no cluster may change: settings, interfaces, routes, and the
// directories in which a kubelet leaves pods' logs and looks for plug-ins.
func machineState(tb testing.TB) string {
	tb.Helper()
	files := []string{"/proc/net/route"}
	for _, setting := range []string{
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
		"net/netfilter/nf_conntrack_max", "net/ipv4/ip_forward",
	} {
		files = append(files, "/proc/sys/"+setting)
	}
	var state strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		fmt.Fprintf(&state, "%s %s %v\n", file, content, err)
	}
	for _, pattern := range []string{"/var/log/*/", "/var/log/pods/*", "/var/log/containers/*", "/usr/libexec/kubernetes"} {
		fmt.Fprintln(&state, pattern, glob(tb, pattern))
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		tb.Fatal(err)
	}
	for _, i := range interfaces {
		fmt.Fprintln(&state, i.Index, i.Name)
	}
	return state.String()
}
