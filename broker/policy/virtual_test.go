package policy

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestMistakesOfVirtualDestinations(t *testing.T) {
	for want, text := range map[string]string{
		"queue://A forwards to itself: a message would go round for ever": "- compositeQueue: {name: A, forwardTo: [{queue: A}]}",
		"queue://A forwards to itself by way of queue://B and queue://C": `
- compositeQueue: {name: A, forwardTo: [{queue: B}]}
- compositeQueue: {name: B, forwardTo: [{queue: "X,C"}]}
- compositeQueue: {name: C, forwardTo: [{queue: A}]}`,
		"queue://A.> forwards to itself": "- compositeQueue: {name: A.>, forwardTo: [{queue: A.copy}]}",
		"queue://Consumer.A.VirtualTopic.T forwards to itself": `
- virtualTopic: {name: VirtualTopic.>}
- compositeQueue: {name: Consumer.A.VirtualTopic.T, forwardTo: [{topic: VirtualTopic.T}]}`,
		"topic://M.Q forwards to itself":                 "- compositeTopic: {name: M.Q, forwardTo: [{queue: Q}]}",
		"a wildcard is for consumers":                    "- compositeQueue: {name: A, forwardTo: [{queue: B.>}]}",
		"each entry of forwardTo has a queue or a topic": "- compositeQueue: {name: A, forwardTo: [{queue: B, topic: C}]}",
		`the selector "color =" is not valid`:            "- compositeQueue: {name: A, forwardTo: [{queue: B, selector: color =}]}",
		"the name is empty":                              "- compositeQueue: {forwardTo: [{queue: B}]}",
		"write an entry for each name":                   `- compositeQueue: {name: "A,B", forwardTo: [{queue: C}]}`,
		"an entry is one of":                             "- {}",
		"without prefix and postfix":                     `- virtualTopic: {prefix: ""}`,
	} {
		v := Virtual{Mirror: &MirroredQueue{Prefix: "M."}}
		if err := yaml.Unmarshal([]byte(text), &v.Destinations); err != nil {
			t.Fatal(err)
		}
		if err := v.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What branches and meets again is no loop, and mirrors of mirrors' queues come to an end.
func TestVirtualDestinationsThatEnd(t *testing.T) {
	text := "- virtualTopic: {name: VirtualTopic.>}\n"
	for i := range 40 {
		text += fmt.Sprintf("- compositeQueue: {name: A%d, forwardTo: [{queue: \"A%d,B%d\"}]}\n", i, i+1, i)
		text += fmt.Sprintf("- compositeQueue: {name: B%d, forwardTo: [{queue: A%d}]}\n", i, i+1)
	}
	mirror := DefaultMirroredQueue()
	v := Virtual{Mirror: &mirror}
	if err := yaml.Unmarshal([]byte(text), &v.Destinations); err != nil {
		t.Fatal(err)
	}
	if err := v.Validate(); err != nil {
		t.Error(err)
	}
}
