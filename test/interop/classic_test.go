package interop

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// classic is a broker of ActiveMQ Classic: its configuration, and where it listens.
type classic struct{ file, url string }

// newClassic writes the configuration of a broker. What goes into its <broker> is derived from the lines of our broker.yaml, or given.
func newClassic(t *testing.T, yaml, elements string) classic {
	t.Helper()
	if elements == "" {
		elements = classicElements(t, yaml)
	}
	dir, address := t.TempDir(), freeAddress(t)
	if !strings.Contains(elements, "AuthenticationPlugin") {
		elements = addPlugin(elements, fmt.Sprintf(`<simpleAuthenticationPlugin><users>
			<authenticationUser username="%s" password="%s" groups="users"/></users></simpleAuthenticationPlugin>`, user, password))
	}
	text := fmt.Sprintf(`<beans xmlns="http://www.springframework.org/schema/beans">
		<broker xmlns="http://activemq.apache.org/schema/core" brokerName="pair" useJmx="false" useShutdownHook="false"
			schedulerSupport="true" dataDirectory="%s">
		<persistenceAdapter><kahaDB directory="%[1]s/kahadb" journalDiskSyncStrategy="never" journalMaxFileLength="4mb"/></persistenceAdapter>
		%s
		<transportConnectors><transportConnector uri="tcp://%s"/></transportConnectors>
		</broker></beans>`, dir, elements, address)
	file := filepath.Join(dir, "activemq.xml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return classic{file, "tcp://" + address}
}

func addPlugin(elements, plugin string) string {
	if before, after, ok := strings.Cut(elements, "<plugins>"); ok {
		return before + "<plugins>" + plugin + after
	}
	return elements + "<plugins>" + plugin + "</plugins>"
}

// startClassic starts brokers, all in one process.
func startClassic(t *testing.T, brokers []classic) {
	t.Helper()
	var files []string
	for _, b := range brokers {
		files = append(files, b.file)
	}
	j := startJava(t, compileAll(t, "classic", "java/classic/*.java"), "", append([]string{"Classic"}, files...)...)
	t.Cleanup(func() { _ = j.in.Close(); _ = j.command.Wait() })
	if said := j.await(t, 1); said[0] != "started" {
		t.Fatalf("Classic says %q", said)
	}
}

// classicElements turns lines of broker.yaml into elements of activemq.xml.
func classicElements(t *testing.T, text string) string {
	t.Helper()
	var root struct {
		Policies []map[string]yaml.Node `yaml:"destinationPolicies"`
		Others   map[string]yaml.Node   `yaml:",inline"`
	}
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	var policies, plugins strings.Builder
	addPolicies(t, &policies, "policyMap", "policyEntries", "policyEntry", root.Policies)
	for key, value := range root.Others {
		if !strings.HasSuffix(key, "Plugin") {
			t.Fatalf("%s: say in a file .xml beside the class what this is for Classic", key)
		}
		addElement(t, &plugins, key, members(t, value))
	}
	return "<destinationPolicy>" + policies.String() + "</destinationPolicy><plugins>" + plugins.String() + "</plugins>"
}

// addPolicies writes entries for destinations, of which one may be for all others.
func addPolicies(t *testing.T, to *strings.Builder, name, list, entry string, all []map[string]yaml.Node) {
	t.Helper()
	var entries, byDefault strings.Builder
	for _, one := range all {
		if _, ok := one["default"]; ok {
			delete(one, "default")
			byDefault.WriteString("<defaultEntry>")
			addElement(t, &byDefault, entry, one)
			byDefault.WriteString("</defaultEntry>")
			continue
		}
		addElement(t, &entries, entry, one)
	}
	fmt.Fprintf(to, "<%s>%s<%s>%s</%[3]s></%[1]s>", name, byDefault.String(), list, entries.String())
}

// addElement writes what has one value as attributes, and what has several as elements.
func addElement(t *testing.T, to *strings.Builder, name string, values map[string]yaml.Node) {
	t.Helper()
	fmt.Fprintf(to, "<%s", name)
	var inside strings.Builder
	for key, value := range values {
		if key == "redeliveryPolicyMap" {
			var all []map[string]yaml.Node
			if err := value.Decode(&all); err != nil {
				t.Fatal(err)
			}
			inside.WriteString("<redeliveryPolicyMap>")
			addPolicies(t, &inside, "redeliveryPolicyMap", "redeliveryPolicyEntries", "redeliveryPolicy", all)
			inside.WriteString("</redeliveryPolicyMap>")
			continue
		}
		if value.Kind != yaml.ScalarNode || value.Tag == "!!null" {
			addElement(t, &inside, key, members(t, value))
			continue
		}
		fmt.Fprintf(to, ` %s="`, key)
		if err := xml.EscapeText(to, []byte(value.Value)); err != nil {
			t.Fatal(err)
		}
		to.WriteString(`"`)
	}
	fmt.Fprintf(to, ">%s</%s>", inside.String(), name)
}

func members(t *testing.T, n yaml.Node) map[string]yaml.Node {
	t.Helper()
	var all map[string]yaml.Node
	if err := n.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}
