package interop

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var only = flag.String("only", "", "checks to run, as CLASS or CLASS.METHOD, several between commas; all without it")

// class is a class of checks that is to run.
type class struct {
	name string
	run  string // for Checks: its name, or which of its checks
}

// classes finds the classes that are to run.
func classes(t *testing.T) []class {
	t.Helper()
	files, err := filepath.Glob("java/*Checks.java")
	if err != nil {
		t.Fatal(err)
	}
	var all []class
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".java"); name != "Checks" {
			all = append(all, class{name, name})
		}
	}
	if *only == "" {
		return all
	}
	var some []class
	for _, run := range strings.Split(*only, ",") {
		name, _, _ := strings.Cut(run, ".")
		if !slices.Contains(all, class{name, name}) {
			t.Fatalf("-only %s: there is no class %s", *only, name)
		}
		some = append(some, class{name, run})
	}
	return some
}

// pick returns the classes for which that is so.
func pick(all []class, is func(class) bool) []class {
	return slices.DeleteFunc(slices.Clone(all), func(c class) bool { return !is(c) })
}

func (c class) onPair() bool { return strings.HasSuffix(c.name, "FailoverChecks") }

// beside returns what a file beside the class holds, "" if there is none.
func (c class) beside(t *testing.T, suffix string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("java", c.name+suffix))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	here, err := filepath.Abs("java")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "${java}", here)
}

// runs are classes of checks and the URLs that each runs at.
type runs struct{ names, args []string }

func (r *runs) add(name, url string, all ...class) {
	if len(all) == 0 {
		return
	}
	var which []string
	for _, c := range all {
		which = append(which, c.run)
	}
	r.names = append(r.names, name)
	r.args = append(r.args, url, strings.Join(which, ","))
}

// do runs them, so many at a time, and makes a test of each outcome.
func (r *runs) do(t *testing.T, g generation, broker string, threads int) {
	if len(r.names) == 0 {
		return
	}
	lines := g.run(t, "Checks", append([]string{broker, fmt.Sprint(threads)}, r.args...)...)
	if len(lines) == 0 {
		t.Fatalf("-only %s: there is no such check", *only)
	}
	for _, line := range lines {
		report(t, r.names, line)
	}
}

// report makes a test of the outcome of a check.
func report(t *testing.T, runs []string, line string) {
	t.Helper()
	outcome, run, check := parse(t, line)
	t.Run(runs[run]+"/"+check, func(t *testing.T) {
		switch outcome {
		case "ok":
		case "ours":
			t.Skip(line)
		default:
			t.Error(line)
		}
	})
}

func parse(t *testing.T, line string) (outcome string, run int, check string) {
	t.Helper()
	if _, err := fmt.Sscan(line, &outcome, &run, &check); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return outcome, run, strings.TrimSuffix(check, ":")
}

// findWhatTheyExpect goes through what programs expect of a broker, and over each form of the protocol through what depends
// on that. The second connector offers what ActiveMQ's brokers do.
func findWhatTheyExpect(t *testing.T, g generation, program string) {
	all := pick(classes(t), func(c class) bool { return !c.onPair() })
	var r runs
	for _, group := range byConfiguration(t, all) {
		text := group[0].beside(t, ".yaml")
		if text == "" {
			addForms(t, &r, g, group, program)
			continue
		}
		url := "tcp://" + freeAddress(t)
		start(t, program, t.TempDir(), configured(t, text), "--openwire", url)
		r.add("configured", url, group...)
	}
	r.do(t, g, "twinmesh", 8)
}

// addForms adds the forms of the protocol, of one broker. What all classes go through a second time differs with the generation, since
// the two are one client but for the package.
func addForms(t *testing.T, r *runs, g generation, all []class, program string) {
	plain, rich := "tcp://"+freeAddress(t), "tcp://"+freeAddress(t)
	start(t, program, t.TempDir(), configured(t, ""), "--openwire", plain,
		"--openwire", rich+"?wireFormat.tightEncodingEnabled=true&wireFormat.cacheEnabled=true&wireFormat.stackTraceEnabled=true")
	r.add("as the broker offers", plain, all...)
	if g.name == "javax" {
		r.add("failover", "failover:("+plain+")", all...)
	}
	// What an encoding could spoil. Before version 12 nothing translates exceptions' names for jakarta.
	encoded := pick(all, func(c class) bool {
		return slices.Contains([]string{"AcknowledgeChecks", "TemporaryChecks", "ReceiveChecks", "MessageChecks"}, c.name)
	})
	if g.name == "jakarta" {
		r.add("tight, cached", rich, all...)
	} else {
		r.add("tight, cached", rich, encoded...)
	}
	r.add("tight", rich+"?wireFormat.cacheEnabled=false", encoded...)
	r.add("cached", rich+"?wireFormat.tightEncodingEnabled=false", encoded...)
	r.add("small cache", rich+"?wireFormat.cacheSize=128", encoded...)
	r.add("size prefix disabled", rich+"?wireFormat.sizePrefixDisabled=true", encoded...)
	r.add("no inactivity", plain+"?wireFormat.maxInactivityDuration=0", encoded...)
	r.add("version 11", plain+"?wireFormat.version=11", encoded...)
	r.add("no stack traces", rich+"?wireFormat.stackTraceEnabled=false", encoded...)
	for _, version := range []int{9, 10, 11} { // of those between 1 and 9 ActiveMQ's client has none any more
		url := fmt.Sprintf("%s?wireFormat.version=%d", rich, version)
		r.add(fmt.Sprint("version ", version, ", loose"), url+"&wireFormat.tightEncodingEnabled=false&wireFormat.cacheEnabled=false", encoded...)
		r.add(fmt.Sprint("version ", version, ", tight"), url+"&wireFormat.cacheEnabled=false", encoded...)
		r.add(fmt.Sprint("version ", version, ", tight, cached"), url, encoded...)
	}
	r.add("version 1", rich+"?wireFormat.version=1", // nothing is pulled yet
		pick(encoded, func(c class) bool { return c.name == "TemporaryChecks" || c.name == "MessageChecks" })...)
}

// findTheSameOnClassic goes through the same on a real ActiveMQ Classic, so that nothing is expected of a broker that is not so there.
func findTheSameOnClassic(t *testing.T, g generation) {
	all := pick(classes(t), func(c class) bool { return !c.onPair() })
	var r runs
	var brokers []classic
	for _, configuration := range byConfiguration(t, all) {
		broker := newClassic(t, configuration[0].beside(t, ".yaml"), configuration[0].beside(t, ".xml"))
		brokers = append(brokers, broker)
		r.add("classic", broker.url, configuration...)
	}
	if len(brokers) > 0 {
		startClassic(t, brokers)
		r.do(t, g, "classic", 8)
	}
}

// byConfiguration groups classes by what broker they need: one for all that are not configured, and one for each that is.
func byConfiguration(t *testing.T, all []class) (groups [][]class) {
	t.Helper()
	isPlain := func(c class) bool { return c.beside(t, ".yaml") == "" }
	if plain := pick(all, isPlain); len(plain) > 0 {
		groups = append(groups, plain)
	}
	for _, c := range all {
		if !isPlain(c) {
			groups = append(groups, []class{c})
		}
	}
	return groups
}

// goOnOverAFailover does to a pair what the checks of a class ask for, and gives it a standby again each time.
func goOnOverAFailover(t *testing.T, g generation, program string) {
	for _, c := range pick(classes(t), class.onPair) {
		p := startPair(t, program, configured(t, c.beside(t, ".yaml")))
		checks := g.start(t, "Checks", "twinmesh", "1", p.url(), c.run)
		for line, ok := checks.next(t); ok; line, ok = checks.next(t) {
			faults := map[string]func(){
				"kill":                     func() { p.kill(t, func() { checks.answer(t) }) },
				"kill at the next answer":  func() { p.loseAndKill(t, toClient, checks) },
				"kill at the next request": func() { p.loseAndKill(t, toBroker, checks) },
			}
			if fault := faults[line]; fault != nil {
				fault()
				p.restore(t)
				continue
			}
			report(t, []string{"pair"}, line)
		}
	}
}
