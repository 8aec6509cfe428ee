package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// The conditions of a BrokerCluster. Reconciling and Stalled follow kstatus; UpdatePending and Paused are there only
// while they are True.
const (
	// ConditionReady: this generation is in force and every pair has a published active broker.
	ConditionReady = "Ready"
	// ConditionRedundant: every pair has all its standbys Ready.
	ConditionRedundant = "Redundant"
	// ConditionReconciling: work goes on.
	ConditionReconciling = "Reconciling"
	// ConditionStalled: work waits for a person; the message says for what.
	ConditionStalled = "Stalled"
	// ConditionUpdatePending: this operator would run brokers differently and waits for approval, or for a change of
	// the spec that restarts brokers anyway.
	ConditionUpdatePending = "UpdatePending"
	// ConditionPaused: spec.paused is set.
	ConditionPaused = "Paused"
)

// Names of labels and annotations that are part of the API.
const (
	// LabelCluster on every owned object: the BrokerCluster's name.
	LabelCluster = "messaging.twinmesh.io/cluster"
	// LabelPair on every object of one pair: the pair's name.
	LabelPair = "messaging.twinmesh.io/pair"
	// LabelRole on pods: RoleActive or RoleStandby. For people and autoscalers, never for traffic.
	LabelRole = "messaging.twinmesh.io/role"
	// AnnotationTerm on EndpointSlices: the term of the broker that wrote it, as a decimal number.
	AnnotationTerm = "messaging.twinmesh.io/term"
	// AnnotationApprove on a BrokerCluster: the pendingRevision that may be applied now.
	AnnotationApprove = "messaging.twinmesh.io/approve"

	// RoleActive is the role of the pod that its pair's EndpointSlice names.
	RoleActive = "active"
	// RoleStandby is the role of every other pod of a pair.
	RoleStandby = "standby"
)

// BrokerClusterStatus is what the operator last saw.
type BrokerClusterStatus struct {
	// ObservedGeneration is the generation of the spec that the rest of the status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// +optional
	// +listType=map
	// +listMapKey=name
	Pairs []PairStatus `json:"pairs,omitempty"`

	// Binding names the Secret with which programs connect.
	// +optional
	Binding *Binding `json:"binding,omitempty"`

	// PendingRevision is how this operator would run the brokers, if that differs from how they run. It is applied when
	// the annotation messaging.twinmesh.io/approve names it, or with the next change of the spec that restarts brokers.
	// +optional
	PendingRevision string `json:"pendingRevision,omitempty"`

	// Replicas is how many pairs have a published active broker.
	// +optional
	Replicas int32 `json:"replicas"`

	// Selector matches the active pods, for autoscalers.
	// +optional
	Selector string `json:"selector,omitempty"`
}

// PairStatus is the state of one pair.
type PairStatus struct {
	// Name of the pair, which is also the name of its broker.
	// +required
	Name string `json:"name"`

	// Active is the pod that is published as the active broker; empty if there is none.
	// +optional
	Active string `json:"active,omitempty"`

	// Term of the active broker. It grows with each takeover.
	// +optional
	Term int64 `json:"term,omitempty"`

	// ReadyReplicas counts the active broker and the standbys that follow it.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`
}

// Binding is a reference as of servicebinding.io.
type Binding struct {
	// Name of a Secret in the cluster's namespace, with the keys url, url-N for each pair, host, port, username, password.
	// +required
	Name string `json:"name"`
}
