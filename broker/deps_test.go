// Package broker holds the packages of the message broker; its test says which of them may import which.
package broker

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/twinmesh/twinmesh/"

// levels: a package imports only lower ones, so that each can be read, tested and fuzzed without what is above it. What two
// of one level need of each other is an interface, joined in node.
var levels = map[string]int{
	"wire": 0, "vfs": 0, "destination": 1, "selector": 1, "policy": 2, "message": 2, // primitives, and the one form of a message
	"openwire": 3, "openwire/internal/gen": 3, "openwire/internal/table": 2, "config": 3, // codecs and plain data
	"log": 3, "log/group": 4, "log/mem": 5, "log/logtest": 5, "log/file": 5, // a log's contract before its forms
	"cron": 1, "store": 6, "core": 6, "security": 6, "client": 6, // what is durable, what a broker is, who may connect, and our own client
	"session/openwire": 7, "spool": 7, // one protocol's conversation
	"server": 8, "admin": 8, // listeners
	"node": 9, // all of it together
}

// forbidden has what packages must not even import indirectly, and why. in is a package's path, or the beginning of several.
var forbidden = []struct{ in, path, reason string }{
	{"api/", module, "programs of others import the types, and get nothing else"},
	{"broker/", "k8s.io/", "a broker runs without Kubernetes"},
	{"broker/", "sigs.k8s.io/", "a broker runs without Kubernetes"},
	{"broker/core", "net/http", "what a broker is has nothing to do with sockets"},
	{"broker/core", module + "broker/openwire", "the core serves every protocol"},
	{"broker/core", module + "broker/store", "the core is tested with stores that fail"},
	{"broker/openwire", "net/http", "a codec is bytes to values and back"},
	{"cmd/broker", "k8s.io/", "client-go would be most of the broker's program and of its memory"},
	{"cmd/broker", "sigs.k8s.io/", "client-go would be most of the broker's program and of its memory"},
	{"cmd/manager", module + "broker/core", "the operator knows how a broker is configured, and not how it works"},
	{"controllers", module + "broker/core", "the operator knows how a broker is configured, and not how it works"},
}

func TestLevels(t *testing.T) {
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module+"broker/")
		level, known := levels[name]
		if !known {
			t.Errorf("%s is in no level: give it one in the table", name)
		}
		for _, imported := range p.Imports {
			other := strings.TrimPrefix(imported, module+"broker/")
			if other != imported && levels[other] >= level {
				t.Errorf("%s imports %s, which is not of a lower level", name, other)
			}
		}
	}
}

func TestForbiddenImports(t *testing.T) {
	packages := list(t, "../...")
	for _, rule := range forbidden {
		found := false
		for _, p := range packages {
			if !strings.HasPrefix(p.ImportPath, module+rule.in) {
				continue
			}
			found = true
			for _, dependency := range p.Deps {
				if strings.HasPrefix(dependency, rule.path) {
					t.Errorf("%s depends on %s: %s", p.ImportPath, dependency, rule.reason)
				}
			}
		}
		if !found {
			t.Errorf("no package begins with %s, of which there is a rule", rule.in)
		}
	}
}

type goPackage struct {
	ImportPath    string
	Imports, Deps []string
}

// list returns the packages that match the pattern, but for this one.
func list(t *testing.T, pattern string) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", pattern).Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if p.ImportPath != strings.TrimSuffix(module, "/")+"/broker" {
			all = append(all, p)
		}
	}
	return all
}
