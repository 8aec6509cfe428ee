package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

const brokerFile = "broker.yaml"

// brokerConfig is the part of a broker's configuration that the operator writes. The broker's name comes by flag, so
// that one file serves all pairs.
type brokerConfig struct {
	Data     string     `json:"data"`
	OpenWire []string   `json:"openwire"`
	HTTP     string     `json:"http"`
	Auth     brokerAuth `json:"auth"`
}

type brokerAuth struct {
	UsersFile string `json:"usersFile"`
}

// renderBrokerConfig cannot fail: the type holds nothing but text.
func renderBrokerConfig(cluster *v1alpha1.BrokerCluster) string {
	config := brokerConfig{
		Data: dataPath,
		HTTP: fmt.Sprintf("0.0.0.0:%d", v1alpha1.HTTPPort),
		Auth: brokerAuth{UsersFile: configPath + "/users/" + usersKey},
	}
	for _, c := range cluster.Spec.EffectiveConnectors() {
		config.OpenWire = append(config.OpenWire, fmt.Sprintf("tcp://0.0.0.0:%d?maximumConnections=%d&wireFormat.maxFrameSize=%d",
			*c.Port, *c.MaximumConnections, c.MaxFrameSize.Value()))
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// configName is named after the content: brokers read the file only when they start, so that a change of it has to be a
// change of the pod template, and pods that did not restart yet keep the file that they started with.
func configName(cluster *v1alpha1.BrokerCluster) string {
	return cluster.Name + "-config-" + shortHash(renderBrokerConfig(cluster))
}

func configMap(cluster *v1alpha1.BrokerCluster) *corev1ac.ConfigMapApplyConfiguration {
	return corev1ac.ConfigMap(configName(cluster), cluster.Namespace).
		WithLabels(clusterLabels(cluster)).
		WithOwnerReferences(ownedBy(cluster)).
		WithImmutable(true).
		WithData(map[string]string{brokerFile: renderBrokerConfig(cluster)})
}

// applyConfigMap also removes files that neither a pod nor a StatefulSet refers to any more.
func (p *pass) applyConfigMap(ctx context.Context) error {
	if err := p.apply(ctx, configMap(p.cluster)); err != nil {
		return err
	}
	used := map[string]bool{configName(p.cluster): true}
	for _, pair := range p.pairs {
		if pair.statefulSet != nil {
			used[mountedConfig(&pair.statefulSet.Spec.Template.Spec)] = true
		}
		for _, pod := range pair.pods {
			used[mountedConfig(&pod.Spec)] = true
		}
	}
	var maps corev1.ConfigMapList
	if err := p.client.List(ctx, &maps, client.InNamespace(p.cluster.Namespace), client.MatchingLabels{v1alpha1.LabelCluster: p.cluster.Name}); err != nil {
		return fmt.Errorf("listing ConfigMaps: %w", err)
	}
	for i := range maps.Items {
		if used[maps.Items[i].Name] || !p.owns(&maps.Items[i]) {
			continue
		}
		if err := client.IgnoreNotFound(p.client.Delete(ctx, &maps.Items[i])); err != nil {
			return fmt.Errorf("deleting the unused ConfigMap %s: %w", maps.Items[i].Name, err)
		}
	}
	return nil
}

// mountedConfig is the name of the ConfigMap that brokers with this spec read.
func mountedConfig(spec *corev1.PodSpec) string {
	for _, volume := range spec.Volumes {
		if volume.Name != configVolume || volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.ConfigMap != nil {
				return source.ConfigMap.Name
			}
		}
	}
	return ""
}

// shortHash tells contents apart in a name or an annotation; it protects nothing.
func shortHash(content any) string {
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // only ever called with API types and text
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:10]
}
