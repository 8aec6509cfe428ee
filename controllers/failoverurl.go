package controllers

import (
	"fmt"
	"strings"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

// The options of the failover URL. The names are those of ActiveMQ's FailoverTransport; "nested." hands an option on to
// each tcp: address, also to those that a broker tells of later. Times are milliseconds.
//
// What they are for is a node that is gone without a word: nothing closes the connection, and packets to its pods vanish.
//   - wireFormat.maxInactivityDuration: a client looks once in this time whether anything came, and believes it only when
//     it looks again, so it takes two to three of them to notice: 6 to 9 s. With the default it would be 60 to 90 s. The
//     broker's keep-alives come three times as often.
//   - wireFormat.maxInactivityDurationInitalDelay (spelt so): without it a connection is not watched for its first 10 s.
//   - connectionTimeout: the try at an address where nobody answers, of a dead node or of a pod that was just removed. It
//     leaves time for a second SYN, which goes out after 1 s. The default is 30 s.
//   - maxReconnectDelay: the longest pause between rounds of tries while nobody serves yet. The default is 30 s.
//
// Not set: timeout (a send waits for the next active broker as long as that takes, which is what JMS programs expect),
// soTimeout (a read that times out is only tried again).
const failoverOptions = "maxReconnectDelay=500" +
	"&nested.connectionTimeout=1200" +
	"&nested.wireFormat.maxInactivityDuration=3000" +
	"&nested.wireFormat.maxInactivityDurationInitalDelay=3000"

// pairURL leads to whichever broker of a pair is active. The order of tries is fixed, since only one of them answers.
func pairURL(cluster *v1alpha1.BrokerCluster, index int32) string {
	return failoverURL(pairAddresses(cluster, index), false)
}

// clusterURL leads to any pair, at random, so that clients spread.
func clusterURL(cluster *v1alpha1.BrokerCluster) string {
	var addresses []string
	for index := range cluster.Spec.Pairs {
		addresses = append(addresses, pairAddresses(cluster, index)...)
	}
	return failoverURL(addresses, true)
}

func failoverURL(addresses []string, randomize bool) string {
	return fmt.Sprintf("failover:(%s)?randomize=%t&%s", strings.Join(addresses, ","), randomize, failoverOptions)
}

// pairAddresses names the pair's pods, then its Service. A pod's name is resolved without the API server, and needs no
// kube-proxy to follow a takeover. But a JVM remembers for 30 s what a name was resolved to, and a pod that was replaced
// has another address: until then the Service, whose address never changes, is the only way to it. Names end in .svc,
// which pods of any namespace complete by their search list whatever the cluster's domain is; the domain itself is not
// to be had from the API.
func pairAddresses(cluster *v1alpha1.BrokerCluster, index int32) []string {
	pair := pairName(cluster, index)
	var addresses []string
	for ordinal := range replicas(cluster) {
		addresses = append(addresses, address(cluster, podName(pair, ordinal)+"."+headlessName(cluster)))
	}
	return append(addresses, address(cluster, pair))
}

func address(cluster *v1alpha1.BrokerCluster, host string) string {
	return fmt.Sprintf("tcp://%s.%s.svc:%d", host, cluster.Namespace, openWirePort(cluster))
}

// replicas is how many pods a pair has.
func replicas(cluster *v1alpha1.BrokerCluster) int32 { return 1 + cluster.Spec.StandbysOrDefault() }

func openWirePort(cluster *v1alpha1.BrokerCluster) int32 {
	for _, c := range cluster.Spec.EffectiveConnectors() {
		if c.Name == v1alpha1.OpenWireConnector {
			return *c.Port
		}
	}
	return v1alpha1.DefaultOpenWirePort
}
