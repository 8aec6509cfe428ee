package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// processOf finds the process of a pod's only container, as this machine numbers it, by the container's control group.
// There may be none for a moment: a container was started again, and the kubelet has not told yet.
func processOf(pod *corev1.Pod) (*os.Process, error) {
	if len(pod.Status.ContainerStatuses) != 1 {
		return nil, fmt.Errorf("pod %s has %d containers, want 1", pod.Name, len(pod.Status.ContainerStatuses))
	}
	_, container, _ := strings.Cut(pod.Status.ContainerStatuses[0].ContainerID, "://")
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil || container == "" {
		return nil, fmt.Errorf("finding the process of pod %s, container %q: %w", pod.Name, container, err)
	}
	for _, path := range groups {
		if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), container) {
			continue // also what ended meanwhile
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		return os.FindProcess(pid)
	}
	return nil, fmt.Errorf("pod %s has no process", pod.Name)
}

// residentMiB is how much memory a pod's process has in use.
func residentMiB(t *testing.T, pod *corev1.Pod) float64 {
	t.Helper()
	process, err := processOf(pod)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	var kib float64
	if _, err := fmt.Sscanf(after, "%f kB", &kib); err != nil {
		t.Fatalf("reading the resident memory of process %d: %v", process.Pid, err)
	}
	return kib / 1024
}
