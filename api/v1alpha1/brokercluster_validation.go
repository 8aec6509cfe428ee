package v1alpha1

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate is what admission asks of one object, asked again: an object may be older than a rule, and a rule may be
// absent where somebody else installed the CRD. What admission asks of a change cannot be seen in one object: the loop asks
// of the pairs that it finds whether there are fewer now, and never shrinks or exchanges a claim.
func (c *BrokerCluster) Validate() field.ErrorList {
	errs := validateName(c.Name)
	errs = append(errs, c.Spec.validateCounts()...)
	errs = append(errs, c.Spec.validatePullSecrets()...)
	errs = append(errs, c.Spec.validateStore()...)
	errs = append(errs, validateConnectors(field.NewPath("spec", "connectors"), c.Spec.Connectors)...)
	errs = append(errs, c.Spec.validatePodMetadata()...)
	return append(errs, c.Spec.validateNodeLoss()...)
}

func validateName(name string) field.ErrorList {
	if len(name) <= 40 && matches(`^[a-z]([-a-z0-9]*[a-z0-9])?$`, name) {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("metadata", "name"), name,
		"write a DNS label that starts with a letter, 40 characters at most, such as orders")}
}

func (s *BrokerClusterSpec) validateCounts() (errs field.ErrorList) {
	spec := field.NewPath("spec")
	if s.Pairs < 1 || s.Pairs > 100 {
		errs = append(errs, field.Invalid(spec.Child("pairs"), s.Pairs, "write 1 to 100 pairs"))
	}
	if n := s.StandbysOrDefault(); n < 0 || n > 5 {
		errs = append(errs, field.Invalid(spec.Child("standbys"), n, "write 0 to 5 standbys a pair"))
	}
	if s.Image != "" && !matches(`^[!-~]+$`, s.Image) {
		errs = append(errs, field.Invalid(spec.Child("image"), s.Image, "write an image reference, or leave image out"))
	}
	return errs
}

func (s *BrokerClusterSpec) validatePullSecrets() (errs field.ErrorList) {
	for i, secret := range s.ImagePullSecrets {
		if secret.Name == "" {
			errs = append(errs, field.Required(field.NewPath("spec", "imagePullSecrets").Index(i).Child("name"), "write the name of a Secret"))
		}
	}
	return errs
}

func (s *BrokerClusterSpec) validateStore() (errs field.ErrorList) {
	store := field.NewPath("spec", "store")
	if s.Store.TypeOrDefault() != StoreSharedVolume {
		return field.ErrorList{field.Invalid(store.Child("type"), s.Store.Type,
			"write SharedVolume, or leave type out; Database and Replicated are not built yet")}
	}
	volume := s.Store.SharedVolume
	if volume == nil {
		return field.ErrorList{field.Required(store.Child("sharedVolume"), "write sharedVolume: {storageClassName: NAME}")}
	}
	if size := volume.SizeOrDefault(); size.Cmp(resource.MustParse("256Mi")) < 0 {
		errs = append(errs, field.Invalid(store.Child("sharedVolume", "size"), size.String(), "write a size of 256Mi or more, with its unit, such as 10Gi"))
	}
	if class := volume.StorageClassName; class != nil && !matches(`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$`, *class) {
		errs = append(errs, field.Invalid(store.Child("sharedVolume", "storageClassName"), *class,
			"write the name of a StorageClass, or leave storageClassName out for the default one"))
	}
	if mode := volume.AccessModeOrDefault(); mode != corev1.ReadWriteMany && s.StandbysOrDefault() != 0 {
		errs = append(errs, field.Invalid(field.NewPath("spec", "standbys"), s.StandbysOrDefault(),
			"a standby on another node needs the volume, too: write store.sharedVolume.accessMode: ReadWriteMany, or standbys: 0"))
	}
	return errs
}

func validateConnectors(path *field.Path, connectors []Connector) (errs field.ErrorList) {
	names, ports := map[string]bool{}, map[int32]bool{}
	for i, c := range connectors {
		errs = append(errs, c.validate(path.Index(i))...)
		if names[c.Name] {
			errs = append(errs, field.Duplicate(path.Index(i).Child("name"), c.Name))
		}
		port := *c.withDefaults().Port
		if ports[port] {
			errs = append(errs, field.Invalid(path.Index(i).Child("port"), port, "two connectors have the same port: give each its own"))
		}
		names[c.Name], ports[port] = true, true
	}
	if len(connectors) > 0 && !names[OpenWireConnector] && ports[DefaultOpenWirePort] {
		errs = append(errs, field.Invalid(path, DefaultOpenWirePort,
			"port 61616 is taken by the connector openwire, which is always there: write another port, or name this connector openwire"))
	}
	return errs
}

func (c Connector) validate(path *field.Path) (errs field.ErrorList) {
	if len(c.Name) > 15 || !matches(`^[a-z]([a-z0-9]|-[a-z0-9])*$`, c.Name) || c.Name == "http" {
		errs = append(errs, field.Invalid(path.Child("name"), c.Name, "write a port name of 15 characters at most other than http, such as openwire"))
	}
	if c.Port == nil && c.Name != OpenWireConnector {
		errs = append(errs, field.Required(path.Child("port"), "only the connector named openwire has a default (61616)"))
	}
	d := c.withDefaults()
	if d.Protocol != ProtocolOpenWire {
		errs = append(errs, field.NotSupported(path.Child("protocol"), c.Protocol, []Protocol{ProtocolOpenWire}))
	}
	if *d.Port < 1024 || *d.Port > 65535 || *d.Port == HTTPPort {
		errs = append(errs, field.Invalid(path.Child("port"), *d.Port, "write a port from 1024 to 65535 other than 8161, which is the broker's own HTTP port"))
	}
	if *d.MaximumConnections < 1 {
		errs = append(errs, field.Invalid(path.Child("maximumConnections"), *d.MaximumConnections, "write 1 or more connections"))
	}
	if d.MaxFrameSize.Cmp(resource.MustParse("64Ki")) < 0 || d.MaxFrameSize.Cmp(resource.MustParse("1Gi")) > 0 {
		errs = append(errs, field.Invalid(path.Child("maxFrameSize"), d.MaxFrameSize.String(), "write a size from 64Ki to 1Gi, such as 100Mi"))
	}
	return errs
}

func (s *BrokerClusterSpec) validatePodMetadata() (errs field.ErrorList) {
	if s.PodTemplate == nil || s.PodTemplate.Metadata == nil {
		return nil
	}
	path := field.NewPath("spec", "podTemplate", "metadata")
	for _, key := range slices.Sorted(maps.Keys(s.PodTemplate.Metadata.Labels)) {
		if strings.HasPrefix(key, "messaging.twinmesh.io/") || strings.HasPrefix(key, "app.kubernetes.io/") {
			errs = append(errs, field.Invalid(path.Child("labels"), key, "this prefix is the operator's: write another"))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.PodTemplate.Metadata.Annotations)) {
		if strings.HasPrefix(key, "messaging.twinmesh.io/") {
			errs = append(errs, field.Invalid(path.Child("annotations"), key, "this prefix is the operator's: write another"))
		}
	}
	return errs
}

func (s *BrokerClusterSpec) validateNodeLoss() field.ErrorList {
	if after := s.ReplaceAfter(); after < 0 {
		return field.ErrorList{field.Invalid(field.NewPath("spec", "nodeLoss", "replaceAfter"), after.String(), "write a duration such as 60s; 0s for never")}
	}
	return nil
}

func matches(pattern, s string) bool {
	return regexp.MustCompile(pattern).MatchString(s)
}
