package e2e

import (
	"context"
	"strings"
	"testing"
)

// reportFailure prints what is needed to find out why a test failed: objects, events and what the programs logged.
func (i *installation) reportFailure(t *testing.T) {
	if !t.Failed() {
		return
	}
	for _, arguments := range []string{
		"get --all-namespaces --output wide deployments,statefulsets,pods,persistentvolumeclaims,services",
		"get --output yaml brokerclusters.messaging.twinmesh.io,endpointslices",
		"events --all-namespaces",
		"--namespace " + operatorNamespace + " logs --selector app.kubernetes.io/name=twinmesh --tail 200 --prefix",
		"logs --selector app.kubernetes.io/name=twinmesh-broker --tail 200 --prefix",
		"logs --selector app.kubernetes.io/name=twinmesh-broker --tail 50 --prefix --previous",
	} {
		output, err := i.Command(context.WithoutCancel(t.Context()), append([]string{"kubectl"}, strings.Fields(arguments)...)...).CombinedOutput()
		t.Logf("kubectl %s (%v)\n%s", arguments, err, output)
	}
}
