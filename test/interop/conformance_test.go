package interop

import "testing"

// TestConformance runs Joram's conformance tests of JMS 1.1, as ActiveMQ does, on this broker and on a real ActiveMQ Classic. Those
// that fail there, too, ask for more than its client has.
func TestConformance(t *testing.T) {
	classes := compileAll(t, "conformance", "java/conformance/*.java") + ":java/conformance"
	broker := newClassic(t, "", "")
	startClassic(t, []classic{broker})
	there := startJava(t, classes, broker.url, "Conformance")
	url := "tcp://" + freeAddress(t)
	start(t, build(t), t.TempDir(), configured(t, ""), "--openwire", url)
	here := startJava(t, classes, url, "Conformance").rest(t)
	for i, line := range there.rest(t) {
		outcome, _, test := parse(t, line)
		if outcome != "ok" {
			t.Logf("on Classic: %s", line)
			continue
		}
		t.Run(test, func(t *testing.T) {
			if outcome, _, name := parse(t, here[i]); outcome != "ok" || name != test {
				t.Error(here[i])
			}
		})
	}
}
