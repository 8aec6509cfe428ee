package v1alpha1

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

// What an unset field means. The texts of the fields and the CEL rules name the same values.
const (
	DefaultStandbys           = 1
	DefaultStoreSize          = "10Gi"
	DefaultMaximumConnections = 1000
	DefaultMaxFrameSize       = "100Mi"
	DefaultReplaceAfter       = 60 * time.Second

	// OpenWireConnector is the connector that every cluster has.
	OpenWireConnector = "openwire"
	// DefaultOpenWirePort is that connector's port.
	DefaultOpenWirePort = 61616
	// HTTPPort is the broker's own: health, readiness, role.
	HTTPPort = 8161
)

// StandbysOrDefault is how many standbys a pair has.
func (s *BrokerClusterSpec) StandbysOrDefault() int32 {
	return ptr.Deref(s.Standbys, DefaultStandbys)
}

// EffectiveConnectors are the connectors in the order listed, after openwire if that is only implied. Every field is set.
func (s *BrokerClusterSpec) EffectiveConnectors() []Connector {
	var connectors []Connector
	implied := true
	for _, c := range s.Connectors {
		implied = implied && c.Name != OpenWireConnector
		connectors = append(connectors, c.withDefaults())
	}
	if implied {
		openwire := Connector{Name: OpenWireConnector}
		connectors = append([]Connector{openwire.withDefaults()}, connectors...)
	}
	return connectors
}

func (c Connector) withDefaults() Connector {
	frame := ptr.Deref(c.MaxFrameSize, resource.MustParse(DefaultMaxFrameSize))
	protocol := c.Protocol
	if protocol == "" {
		protocol = ProtocolOpenWire
	}
	return Connector{
		Name:               c.Name,
		Protocol:           protocol,
		Port:               ptr.To(ptr.Deref(c.Port, DefaultOpenWirePort)),
		MaximumConnections: ptr.To(ptr.Deref(c.MaximumConnections, DefaultMaximumConnections)),
		MaxFrameSize:       &frame,
	}
}

// TypeOrDefault is the store's type.
func (s *Store) TypeOrDefault() StoreType {
	if s.Type == "" {
		return StoreSharedVolume
	}
	return s.Type
}

// SizeOrDefault is the size of each pair's volume.
func (v *SharedVolume) SizeOrDefault() resource.Quantity {
	return ptr.Deref(v.Size, resource.MustParse(DefaultStoreSize))
}

// AccessModeOrDefault is how the volume is mounted.
func (v *SharedVolume) AccessModeOrDefault() corev1.PersistentVolumeAccessMode {
	if v.AccessMode == "" {
		return corev1.ReadWriteMany
	}
	return v.AccessMode
}

// ReplaceAfter is how long a node may be lost until its pods are replaced; 0 means never.
func (s *BrokerClusterSpec) ReplaceAfter() time.Duration {
	if s.NodeLoss == nil || s.NodeLoss.ReplaceAfter == nil {
		return DefaultReplaceAfter
	}
	return s.NodeLoss.ReplaceAfter.Duration
}
