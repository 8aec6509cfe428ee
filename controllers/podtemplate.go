package controllers

import (
	"encoding/json"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/twinmesh/twinmesh/api/v1alpha1"
)

const (
	containerName = "broker"
	httpPortName  = "http"

	dataVolume, dataPath     = "store", "/data"
	configVolume, configPath = "config", "/etc/twinmesh"
	tokenVolume, tokenPath   = "token", "/var/run/secrets/kubernetes.io/serviceaccount"

	// brokerUser is what the broker's image runs as; the volume's files belong to this group.
	brokerUser = 65532

	// gracePeriodSeconds is for a broker that hands over, which takes it a second, refuses clients for two more, and may be
	// on a node that is slow.
	gracePeriodSeconds = 30
	// tokenSeconds is how long a token is valid; the kubelet renews it long before, and the publisher reads it afresh.
	tokenSeconds = 3600
)

// podTemplate is how the brokers of one pair run. It is a pure function of the spec, the image and the pair.
func podTemplate(cluster *v1alpha1.BrokerCluster, pair, image string) *corev1ac.PodTemplateSpecApplyConfiguration {
	labels, annotations := pairLabels(cluster, pair), map[string]string{}
	if t := cluster.Spec.PodTemplate; t != nil && t.Metadata != nil {
		maps.Copy(annotations, t.Metadata.Annotations)
		for key, value := range t.Metadata.Labels {
			if _, ours := labels[key]; !ours {
				labels[key] = value
			}
		}
	}
	return corev1ac.PodTemplateSpec().
		WithLabels(labels).
		WithAnnotations(annotations).
		WithSpec(podSpec(cluster, pair, image))
}

func podSpec(cluster *v1alpha1.BrokerCluster, pair, image string) *corev1ac.PodSpecApplyConfiguration {
	spec := corev1ac.PodSpec().
		WithServiceAccountName(pair).
		WithAutomountServiceAccountToken(false). // tokenSource mounts one that is bounded in time
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(gracePeriodSeconds).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).
			WithRunAsUser(brokerUser).
			WithRunAsGroup(brokerUser).
			WithFSGroup(brokerUser).
			WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithContainers(container(cluster, pair, image)).
		WithVolumes(
			corev1ac.Volume().WithName(dataVolume).WithPersistentVolumeClaim(
				corev1ac.PersistentVolumeClaimVolumeSource().WithClaimName(claimName(pair))),
			corev1ac.Volume().WithName(configVolume).WithProjected(configSource(cluster)),
			corev1ac.Volume().WithName(tokenVolume).WithProjected(tokenSource()))
	for _, secret := range cluster.Spec.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(secret.Name))
	}
	return place(spec, cluster, pair)
}

// place sets what the user chose of where pods run.
func place(spec *corev1ac.PodSpecApplyConfiguration, cluster *v1alpha1.BrokerCluster, pair string) *corev1ac.PodSpecApplyConfiguration {
	t := cluster.Spec.PodTemplate
	if t == nil {
		t = &v1alpha1.PodTemplate{}
	}
	spec.WithNodeSelector(t.NodeSelector)
	if t.PriorityClassName != "" {
		spec.WithPriorityClassName(t.PriorityClassName)
	}
	for i := range t.Tolerations {
		spec.WithTolerations(as[corev1ac.TolerationApplyConfiguration](t.Tolerations[i]))
	}
	for i := range t.TopologySpreadConstraints {
		spec.WithTopologySpreadConstraints(as[corev1ac.TopologySpreadConstraintApplyConfiguration](t.TopologySpreadConstraints[i]))
	}
	if t.Affinity != nil {
		return spec.WithAffinity(as[corev1ac.AffinityApplyConfiguration](t.Affinity))
	}
	return spec.WithAffinity(corev1ac.Affinity().WithPodAntiAffinity(corev1ac.PodAntiAffinity().
		WithPreferredDuringSchedulingIgnoredDuringExecution(
			awayFromPair(pair, corev1.LabelHostname, 100),
			awayFromPair(pair, corev1.LabelTopologyZone, 50))))
}

func awayFromPair(pair, topologyKey string, weight int32) *corev1ac.WeightedPodAffinityTermApplyConfiguration {
	return corev1ac.WeightedPodAffinityTerm().WithWeight(weight).WithPodAffinityTerm(corev1ac.PodAffinityTerm().
		WithTopologyKey(topologyKey).
		WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{v1alpha1.LabelPair: pair})))
}

func container(cluster *v1alpha1.BrokerCluster, pair, image string) *corev1ac.ContainerApplyConfiguration {
	resources := containerResources(cluster)
	c := corev1ac.Container().
		WithName(containerName).
		WithImage(image).
		WithArgs("serve", "--config", configPath+"/"+brokerFile, "--name", pair,
			"--publish-slice", pairSlice(pair), "--publish-slice", clusterSlice(pair)).
		WithEnv(environment(resources)...).
		WithPorts(containerPorts(cluster)...).
		WithResources(as[corev1ac.ResourceRequirementsApplyConfiguration](resources)).
		WithVolumeMounts(
			corev1ac.VolumeMount().WithName(dataVolume).WithMountPath(dataPath),
			corev1ac.VolumeMount().WithName(configVolume).WithMountPath(configPath).WithReadOnly(true),
			corev1ac.VolumeMount().WithName(tokenVolume).WithMountPath(tokenPath).WithReadOnly(true)).
		WithLivenessProbe(httpProbe("/healthz").WithPeriodSeconds(10).WithTimeoutSeconds(5).WithFailureThreshold(6)).
		WithReadinessProbe(httpProbe("/readyz").WithPeriodSeconds(2).WithTimeoutSeconds(2).WithFailureThreshold(3)).
		WithSecurityContext(corev1ac.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithReadOnlyRootFilesystem(true).
			WithCapabilities(corev1ac.Capabilities().WithDrop("ALL")))
	if cluster.Spec.ImagePullPolicy != "" {
		c.WithImagePullPolicy(cluster.Spec.ImagePullPolicy)
	}
	return c
}

// containerResources are the user's as they are, or the defaults. Without a processor limit: throttling a broker only
// makes it miss its own deadlines.
func containerResources(cluster *v1alpha1.BrokerCluster) corev1.ResourceRequirements {
	if t := cluster.Spec.PodTemplate; t != nil && t.Resources != nil {
		return *t.Resources
	}
	memory := resource.MustParse("512Mi")
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("250m"), corev1.ResourceMemory: memory},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: memory},
	}
}

// environment tells a broker who it is, and the Go runtime how much memory it has: a tenth of the limit stays for what
// the runtime does not count.
func environment(resources corev1.ResourceRequirements) []*corev1ac.EnvVarApplyConfiguration {
	env := []*corev1ac.EnvVarApplyConfiguration{
		fromField("POD_NAME", "metadata.name"),
		fromField("POD_NAMESPACE", "metadata.namespace"),
		fromField("POD_UID", "metadata.uid"),
		fromField("POD_IP", "status.podIP"),
		fromField("NODE_NAME", "spec.nodeName"),
	}
	if limit := resources.Limits.Memory(); !limit.IsZero() {
		env = append(env, corev1ac.EnvVar().WithName("GOMEMLIMIT").WithValue(fmt.Sprint(limit.Value()/10*9)))
	}
	return env
}

func fromField(name, path string) *corev1ac.EnvVarApplyConfiguration {
	return corev1ac.EnvVar().WithName(name).WithValueFrom(
		corev1ac.EnvVarSource().WithFieldRef(corev1ac.ObjectFieldSelector().WithFieldPath(path)))
}

func containerPorts(cluster *v1alpha1.BrokerCluster) []*corev1ac.ContainerPortApplyConfiguration {
	var ports []*corev1ac.ContainerPortApplyConfiguration
	for _, c := range cluster.Spec.EffectiveConnectors() {
		ports = append(ports, containerPort(c.Name, *c.Port))
	}
	return append(ports, containerPort(httpPortName, v1alpha1.HTTPPort))
}

func containerPort(name string, port int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(port).WithProtocol(corev1.ProtocolTCP)
}

func httpProbe(path string) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().WithHTTPGet(corev1ac.HTTPGetAction().WithPath(path).WithPort(intstr.FromString(httpPortName)))
}

// configSource joins the configuration and the users file in one volume, since a mount inside a read-only mount cannot
// be made everywhere. The users file is read again when it changes.
func configSource(cluster *v1alpha1.BrokerCluster) *corev1ac.ProjectedVolumeSourceApplyConfiguration {
	return corev1ac.ProjectedVolumeSource().WithSources(
		corev1ac.VolumeProjection().WithConfigMap(corev1ac.ConfigMapProjection().
			WithName(configName(cluster)).
			WithItems(corev1ac.KeyToPath().WithKey(brokerFile).WithPath(brokerFile))),
		corev1ac.VolumeProjection().WithSecret(corev1ac.SecretProjection().
			WithName(usersName(cluster)).
			WithItems(corev1ac.KeyToPath().WithKey(usersKey).WithPath("users/"+usersKey))))
}

// tokenSource is what the publisher needs to speak to the API server, at the place where such things are.
func tokenSource() *corev1ac.ProjectedVolumeSourceApplyConfiguration {
	return corev1ac.ProjectedVolumeSource().WithSources(
		corev1ac.VolumeProjection().WithServiceAccountToken(corev1ac.ServiceAccountTokenProjection().
			WithPath("token").WithExpirationSeconds(tokenSeconds)),
		corev1ac.VolumeProjection().WithConfigMap(corev1ac.ConfigMapProjection().
			WithName("kube-root-ca.crt").
			WithItems(corev1ac.KeyToPath().WithKey("ca.crt").WithPath("ca.crt"))))
}

// as turns an API type into its apply-configuration: both are the same JSON.
func as[Config any](object any) *Config {
	var config Config
	text, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	if err != nil {
		panic(err) // generated from one another
	}
	return &config
}
