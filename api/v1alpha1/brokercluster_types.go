package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BrokerCluster is a set of pairs of brokers: in each pair one broker is active and its standbys follow it over one store.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.pairs,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=tmc,categories=twinmesh
// +kubebuilder:metadata:annotations="helm.sh/resource-policy=keep"
// +kubebuilder:printcolumn:name="Pairs",type=integer,JSONPath=`.spec.pairs`
// +kubebuilder:printcolumn:name="Active",type=integer,JSONPath=`.status.replicas`,description="Pairs that have a published active broker"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Redundant",type=string,JSONPath=`.status.conditions[?(@.type=="Redundant")].status`
// +kubebuilder:printcolumn:name="Stalled",type=string,JSONPath=`.status.conditions[?(@.type=="Stalled")].reason`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name: write a DNS label that starts with a letter, 40 characters at most (a-z, 0-9 and '-'), such as orders: pods and Services are named after it"
type BrokerCluster struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +required
	Spec BrokerClusterSpec `json:"spec"`
	// +optional
	Status BrokerClusterStatus `json:"status,omitempty"`
}

// BrokerClusterList is what a list call returns.
//
// +kubebuilder:object:root=true
type BrokerClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []BrokerCluster `json:"items"`
}

// BrokerClusterSpec is what the user asks for. The operator never writes it: an unset field stays unset and means the
// default that its text gives.
//
// +kubebuilder:validation:XValidation:rule="(has(self.standbys) ? self.standbys : 1) == 0 || !has(self.store.sharedVolume) || !has(self.store.sharedVolume.accessMode) || self.store.sharedVolume.accessMode == 'ReadWriteMany'",fieldPath=".standbys",message="a standby on another node needs the volume, too: write store.sharedVolume.accessMode: ReadWriteMany, or standbys: 0"
type BrokerClusterSpec struct {
	// Pairs is how many pairs the cluster has, 1 to 100. It can grow; until draining is built it cannot shrink.
	// No broker restarts when it changes.
	// +required
	// +kubebuilder:validation:XValidation:rule="self >= 1 && self <= 100",message="write 1 to 100 pairs; to stop a cluster delete it: its claims stay, and the same manifest uses them again"
	// +kubebuilder:validation:XValidation:rule="self >= oldSelf",message="fewer pairs than before is refused until draining is built, since their messages would be left behind: write as many pairs as before, or more"
	Pairs int32 `json:"pairs"`

	// Standbys is how many brokers of each pair wait to take over, 0 to 5. Default: 1. With 0 a pair is away while its
	// only broker restarts. No broker restarts when it changes.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 0 && self <= 5",message="write 0 to 5 standbys a pair; 1 is usual"
	Standbys *int32 `json:"standbys,omitempty"`

	// Image is the broker's image. Default: the image that the operator was installed with when the pair was made; an
	// upgrade of the operator does not change it by itself (see status.pendingRevision). A change restarts brokers.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="write an image reference such as registry.example/twinmesh-broker:1.0, or leave image out"
	Image string `json:"image,omitempty"`

	// ImagePullPolicy is as in a container. A change restarts brokers.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// ImagePullSecrets are as in a pod. A change restarts brokers.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:XValidation:rule="self.all(s, s.name != '')",message="write the name of a Secret: imagePullSecrets: [{name: NAME}]"
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`

	// Store is where the messages are.
	// +required
	Store Store `json:"store"`

	// Connectors are the ports that clients connect to. One named openwire is always there, on 61616 unless it is
	// listed with another port. A change restarts brokers.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.all(c, c.name == 'openwire' || has(c.port))",message="give each connector a port; only the one named openwire has a default (61616)"
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, (has(a.port) ? a.port : 61616) == (has(b.port) ? b.port : 61616)))",message="two connectors have the same port: give each its own"
	// +kubebuilder:validation:XValidation:rule="self.exists(c, c.name == 'openwire') || self.all(c, !has(c.port) || c.port != 61616)",message="port 61616 is taken by the connector openwire, which is always there: write another port, or name this connector openwire"
	Connectors []Connector `json:"connectors,omitempty"`

	// PodTemplate is what the brokers' pods get besides what they need. A change restarts brokers.
	// +optional
	PodTemplate *PodTemplate `json:"podTemplate,omitempty"`

	// NodeLoss says what happens to pods of a node that does not answer.
	// +optional
	NodeLoss *NodeLoss `json:"nodeLoss,omitempty"`

	// Paused stops the operator from changing anything. Status, and deleting the cluster, still work.
	// +optional
	Paused bool `json:"paused,omitempty"`
}

// StoreType says how the brokers of a pair share what they store. SharedVolume is the one that is built.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:XValidation:rule="self == 'SharedVolume'",message="write SharedVolume, or leave type out; Database and Replicated are not built yet"
type StoreType string

// StoreSharedVolume is one volume that all brokers of a pair mount.
const StoreSharedVolume StoreType = "SharedVolume"

// Store is where the messages of each pair are.
//
// +kubebuilder:validation:XValidation:rule="(has(self.type) ? self.type : 'SharedVolume') == (has(oldSelf.type) ? oldSelf.type : 'SharedVolume')",fieldPath=".type",message="the type of a store cannot change: write it as it was, and make another cluster to move to another store"
// +kubebuilder:validation:XValidation:rule="has(self.sharedVolume)",fieldPath=".sharedVolume",message="say which volume: write sharedVolume: {storageClassName: NAME}, or sharedVolume: {} for the default class"
type Store struct {
	// Type is immutable. Default: SharedVolume.
	// +optional
	Type StoreType `json:"type,omitempty"`

	// SharedVolume is the volume of each pair.
	// +optional
	SharedVolume *SharedVolume `json:"sharedVolume,omitempty"`
}

// SharedVolume describes the claim store-NAME-N of each pair. An existing claim of that name is used as it is.
//
// +kubebuilder:validation:XValidation:rule="has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)",fieldPath=".storageClassName",message="the storage class of a volume cannot change: write it as it was, and make another cluster to move to another class"
// +kubebuilder:validation:XValidation:rule="(has(self.accessMode) ? self.accessMode : 'ReadWriteMany') == (has(oldSelf.accessMode) ? oldSelf.accessMode : 'ReadWriteMany')",fieldPath=".accessMode",message="the access mode of a volume cannot change: write it as it was, and make another cluster to move to another mode"
// +kubebuilder:validation:XValidation:rule="quantity(has(self.size) ? self.size : '10Gi').compareTo(quantity(has(oldSelf.size) ? oldSelf.size : '10Gi')) >= 0",fieldPath=".size",messageExpression="'a volume cannot shrink: write ' + (has(oldSelf.size) ? oldSelf.size : '10Gi') + ' or more'"
type SharedVolume struct {
	// StorageClassName is a class whose volumes several nodes can mount. Immutable. Default: the cluster's default class.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$')",message="write the name of a StorageClass (kubectl get storageclass lists them), or leave storageClassName out for the default one"
	StorageClassName *string `json:"storageClassName,omitempty"`

	// Size of each pair's volume, 256Mi or more, since brokers write files of 64Mi. It may grow where the class allows.
	// Default: 10Gi.
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="isQuantity(self) && quantity(self).compareTo(quantity('256Mi')) >= 0",message="write a size of 256Mi or more, with its unit, such as 10Gi"
	Size *resource.Quantity `json:"size,omitempty"`

	// AccessMode is immutable. Only ReadWriteMany, the default, lets a standby wait on another node; the others need
	// standbys: 0.
	// +optional
	// +kubebuilder:validation:Enum=ReadWriteMany;ReadWriteOnce;ReadWriteOncePod
	AccessMode corev1.PersistentVolumeAccessMode `json:"accessMode,omitempty"`
}

// Protocol is what is spoken on a connector.
//
// +kubebuilder:validation:Enum=OpenWire
type Protocol string

// ProtocolOpenWire is what ActiveMQ's own JMS clients speak.
const ProtocolOpenWire Protocol = "OpenWire"

// Connector is one port for clients.
type Connector struct {
	// Name is the port's name in pods and Services, 15 characters at most.
	// +required
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.size() <= 15 && self.matches('^[a-z]([a-z0-9]|-[a-z0-9])*$') && self != 'http'",message="write a port name of 15 characters at most (a-z, 0-9 and single '-', starting with a letter) other than http, such as openwire"
	Name string `json:"name"`

	// Protocol that is spoken there. Default: OpenWire.
	// +optional
	Protocol Protocol `json:"protocol,omitempty"`

	// Port that brokers and Services listen on, 1024 or above, since brokers do not run as root. Default for the
	// connector named openwire: 61616.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1024 && self <= 65535 && self != 8161",message="write a port from 1024 to 65535 other than 8161, which is the broker's own HTTP port"
	Port *int32 `json:"port,omitempty"`

	// MaximumConnections at one time; more are refused. Default: 1000.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self >= 1",message="write 1 or more connections"
	MaximumConnections *int32 `json:"maximumConnections,omitempty"`

	// MaxFrameSize is the largest frame, and so the largest message, that is taken: 64Ki to 1Gi. Default: 100Mi.
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule="isQuantity(self) && quantity(self).isInteger() && quantity(self).compareTo(quantity('64Ki')) >= 0 && quantity(self).compareTo(quantity('1Gi')) <= 0",message="write a size from 64Ki to 1Gi, such as 100Mi"
	MaxFrameSize *resource.Quantity `json:"maxFrameSize,omitempty"`
}

// PodTemplate is the part of a pod that is the user's to choose.
type PodTemplate struct {
	// Metadata is added to each pod.
	// +optional
	Metadata *PodMetadata `json:"metadata,omitempty"`

	// Resources of the broker's container. Default: requests of 250m and 512Mi, a memory limit of 512Mi. The Go
	// runtime is told to stay below 90 % of the memory limit.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// +optional
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// Affinity replaces the default, which prefers different nodes, then different zones, for the pods of a pair.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// +optional
	// +listType=atomic
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// +optional
	PriorityClassName string `json:"priorityClassName,omitempty"`
}

// PodMetadata is what may be added to a pod's metadata.
type PodMetadata struct {
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('messaging.twinmesh.io/') && !k.startsWith('app.kubernetes.io/'))",message="labels of messaging.twinmesh.io/ and app.kubernetes.io/ are the operator's: write another prefix"
	Labels map[string]string `json:"labels,omitempty"`

	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('messaging.twinmesh.io/'))",message="annotations of messaging.twinmesh.io/ are the operator's: write another prefix"
	Annotations map[string]string `json:"annotations,omitempty"`
}

// NodeLoss says when a pod on a lost node is replaced.
type NodeLoss struct {
	// ReplaceAfter is how long a node may be not ready until the operator deletes its broker pods, so that they run
	// elsewhere. That is safe at any time: the store's lock and term decide who writes. 0s: never. Default: 60s.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]') && self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$')",message="write a duration such as 60s, 5m or 1h30m; 0s for never"
	ReplaceAfter *metav1.Duration `json:"replaceAfter,omitempty"`
}
