package controllers

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

const (
	// revisionAnnotation on a StatefulSet: the revision of its pod template as some operator rendered it.
	revisionAnnotation = "messaging.twinmesh.io/revision"
	// specAnnotation on a StatefulSet: a hash of what the spec said of its pods then.
	specAnnotation = "messaging.twinmesh.io/spec"
)

// revisionDecision is which pod template a StatefulSet gets.
type revisionDecision struct {
	// keep is the template to leave in place; nil to render one with image.
	keep  *corev1ac.PodTemplateSpecApplyConfiguration
	image string
	// revision and specHash describe the template that the StatefulSet has afterwards.
	revision, specHash string
	// pending is the revision that waits, if one does.
	pending string
}

// decideRevision keeps the contract that an operator's upgrade never by itself restarts a broker. What this operator
// would render for the spec is a revision; the StatefulSet says which revision it has, and for which spec:
//
//	no StatefulSet yet                        render
//	same revision                             render: it is the same, and repairs what somebody changed by hand
//	other revision, the spec of pods changed  render: pods restart anyway, so that a new default image comes along
//	other revision, approved by annotation    render
//	other revision, same spec                 keep what is there; the difference is pending
//
// Pairs, standbys, the store and node loss are not part of a pod, so that changing them approves nothing.
func decideRevision(cluster *v1alpha1.BrokerCluster, live *appsv1.StatefulSet, defaultImage string) revisionDecision {
	image := cluster.Spec.Image
	if image == "" {
		image = defaultImage
	}
	// One revision for all pairs, so that one approval covers them: that of the first.
	revision := shortHash(podTemplate(cluster, pairName(cluster, 0), image))
	spec := podSpecHash(cluster)
	render := revisionDecision{image: image, revision: revision, specHash: spec}
	switch {
	case live == nil,
		live.Annotations[revisionAnnotation] == revision,
		live.Annotations[specAnnotation] != spec,
		cluster.Annotations[v1alpha1.AnnotationApprove] == revision:
		return render
	}
	return revisionDecision{
		keep:     templateOf(live),
		revision: live.Annotations[revisionAnnotation],
		specHash: spec,
		pending:  revision,
	}
}

// podSpecHash is of those fields of the spec that are in a pod template, as the user wrote them.
func podSpecHash(cluster *v1alpha1.BrokerCluster) string {
	return shortHash(v1alpha1.BrokerClusterSpec{
		Image:            cluster.Spec.Image,
		ImagePullPolicy:  cluster.Spec.ImagePullPolicy,
		ImagePullSecrets: cluster.Spec.ImagePullSecrets,
		Connectors:       cluster.Spec.Connectors,
		PodTemplate:      cluster.Spec.PodTemplate,
	})
}
