package publish

import (
	"fmt"
	"strconv"
)

// slice is an EndpointSlice as it was read. It stays JSON, so that what this program does not know is written back as
// it was.
type slice map[string]any

// publish makes the pod the slice's only endpoint, with its term. False: the slice shows just that already.
func (s slice) publish(pod Pod, term uint64) (bool, error) {
	shown, err := s.term()
	if err != nil {
		return false, err
	}
	if shown > term {
		return false, fmt.Errorf("%w: %d, ours is %d", ErrSuperseded, shown, term)
	}
	if shown == term && s.shows(pod) {
		return false, nil
	}
	s.object("metadata").object("annotations")[termAnnotation] = formatTerm(term)
	endpoint := map[string]any{
		"addresses":  []any{pod.IP},
		"conditions": map[string]any{"ready": true, "serving": true, "terminating": false},
		"targetRef":  map[string]any{"kind": "Pod", "name": pod.Name, "uid": pod.UID},
	}
	if pod.Node != "" {
		endpoint["nodeName"] = pod.Node
	}
	s["endpoints"] = []any{endpoint}
	return true, nil
}

// clear empties a slice that shows this pod with this term. The term stays, as the lowest that may follow.
func (s slice) clear(pod Pod, term uint64) bool {
	if shown, err := s.term(); err != nil || shown != term || !s.shows(pod) {
		return false
	}
	s["endpoints"] = []any{}
	return true
}

// term is 0 in a slice that no broker wrote yet.
func (s slice) term() (uint64, error) {
	text, ok := s.object("metadata").object("annotations")[termAnnotation].(string)
	if !ok {
		return 0, nil
	}
	term, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("annotation %s should be a term: %w", termAnnotation, err)
	}
	return term, nil
}

func (s slice) shows(pod Pod) bool {
	endpoints, _ := s["endpoints"].([]any)
	if len(endpoints) != 1 {
		return false
	}
	endpoint, _ := endpoints[0].(map[string]any)
	addresses, _ := endpoint["addresses"].([]any)
	return slice(endpoint).object("targetRef")["uid"] == pod.UID && len(addresses) == 1 && addresses[0] == pod.IP
}

// object is a member that is an object itself, made if it is not there.
func (s slice) object(member string) slice {
	object, ok := s[member].(map[string]any)
	if !ok {
		object = map[string]any{}
		if s != nil {
			s[member] = object
		}
	}
	return object
}
