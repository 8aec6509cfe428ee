package publish

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var other = Pod{Name: "orders-0-0", UID: "uid-0", IP: "10.1.2.2"}

func TestPublishesInEverySlice(t *testing.T) {
	s := newServer(t)
	if err := s.publisher(nil).Run(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"orders-0", "orders-0-cluster"} {
		if got := s.shown(name); got != "[10.1.2.3] term 7" {
			t.Errorf("%s shows %s", name, got)
		}
	}
	got := s.slices["orders-0"]
	endpoint := slice(got["endpoints"].([]any)[0].(map[string]any))
	if ref := endpoint.object("targetRef"); ref["kind"] != "Pod" || ref["name"] != us.Name || ref["uid"] != us.UID {
		t.Errorf("targetRef is %v", ref)
	}
	if endpoint["nodeName"] != us.Node || endpoint.object("conditions")["ready"] != true {
		t.Errorf("endpoint is %v", endpoint)
	}
	ports, _ := got["ports"].([]any)
	if generation := got.object("metadata")["generation"]; got["addressType"] != "IPv4" || len(ports) != 1 || generation != json.Number("9007199254740993") {
		t.Errorf("what was there before is changed: %v", got)
	}
}

func TestWhatIsPublishedIsNotWrittenAgain(t *testing.T) {
	s := newServer(t)
	p := s.publisher(nil)
	for range 2 {
		if err := p.Run(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.count("PUT orders-0"); n != 1 {
		t.Errorf("written %d times", n)
	}
}

func TestASliceThatWasWrittenInBetweenIsReadAgain(t *testing.T) {
	s := newServer(t)
	s.show("orders-0", other, 3)
	s.before = once(http.MethodPut, func() { s.show("orders-0", other, 4) })
	if err := s.publisher(nil).Run(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if got := s.shown("orders-0"); got != "[10.1.2.3] term 7" || s.count("PUT orders-0") != 2 {
		t.Errorf("it shows %s after %d writes", got, s.count("PUT orders-0"))
	}
}

// once calls f before the first request with this method is answered.
func once(method string, f func()) func(http.ResponseWriter, *http.Request) bool {
	done := false
	return func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == method && !done {
			done = true
			f()
		}
		return false
	}
}

func TestAHigherTermEndsIt(t *testing.T) {
	for _, test := range []struct {
		name   string
		writes int
		when   func(*server)
	}{
		{"when it is read", 0, func(s *server) { s.show("orders-0", other, 8) }},
		{"when it wins a race", 1, func(s *server) {
			s.before = once(http.MethodPut, func() { s.show("orders-0", other, 8) })
		}},
		{"when the API server refuses ours, though we read an old one", 1, func(s *server) {
			s.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPut {
					return false
				}
				s.show("orders-0", other, 8)
				refuse(w, http.StatusUnprocessableEntity, "term 7 is over")
				return true
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			test.when(s)
			err := s.publisher(nil).Run(t.Context(), 7)
			if !errors.Is(err, ErrSuperseded) || !strings.Contains(err.Error(), "8, ours is 7") {
				t.Errorf("Run returns %v", err)
			}
			if got := s.shown("orders-0"); got != "[10.1.2.2] term 8" || s.count("PUT orders-0") != test.writes {
				t.Errorf("the slice shows %s after %d writes", got, s.count("PUT orders-0"))
			}
			if s.count("GET orders-0-cluster") != 0 {
				t.Error("it went on with the next slice")
			}
		})
	}
}

// Whatever is wrong, Run says so once, goes on trying, and publishes when it is right again.
func TestRunOutlastsFaults(t *testing.T) {
	answer := func(status int, text string) func(*server) {
		return func(s *server) {
			s.before = func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(status)
				_, _ = w.Write([]byte(text))
				return true
			}
		}
	}
	healed := func(s *server) { s.before = nil }
	for _, test := range []struct {
		name        string
		fault, heal func(*server)
		says        string
	}{
		{"an error of the server", answer(500, `{"message":"etcd is slow"}`), healed, "(500 Internal Server Error): etcd is slow"},
		{"too many requests", answer(429, "later"), healed, "429 Too Many Requests"},
		{"a redirect", answer(302, ""), healed, "302 Found"},
		{"an answer that is no JSON", answer(200, "<html>"), healed, "decoding the API server's answer"},
		{"an answer without end", answer(200, strings.Repeat(" ", 2*answerLimit)+"{}"), healed, "decoding the API server's answer"},
		{"a slice that is not there yet", func(s *server) { delete(s.slices, "orders-0") }, func(s *server) { s.add("orders-0") }, "orders-0 not found"},
		{"a token that is not valid any more", func(s *server) { s.token = "second" }, func(s *server) { s.write("token", "second") }, "401 Unauthorized"},
		{"a token that is not there", func(s *server) { s.write("token", "") }, func(s *server) { s.write("token", "first") }, "401 Unauthorized"},
		{"another certificate authority", func(s *server) { s.write("ca.crt", "none") }, func(s *server) { s.trust(s.Server) }, "ca.crt holds no certificate"},
		{"a term that is none", func(s *server) { s.slices["orders-0"].object("metadata").object("annotations")[termAnnotation] = "x" },
			func(s *server) { s.add("orders-0") }, "should be a term"},
		{"a slice that always changes", func(s *server) {
			s.before = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPut {
					s.show("orders-0", other, 3)
				}
				return false
			}
		}, healed, "changes again and again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			test.fault(s)
			lines := make(chan string, 10)
			done := make(chan error, 1)
			go func() { done <- s.publisher(lines, "orders-0").Run(t.Context(), 7) }()
			if line := <-lines; !strings.Contains(line, "WARN cannot publish yet") || !strings.Contains(line, test.says) {
				t.Errorf("it says %q, want %q", line, test.says)
			}
			s.mu.Lock()
			test.heal(s)
			s.mu.Unlock()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if got := s.shown("orders-0"); got != "[10.1.2.3] term 7" {
				t.Errorf("it shows %s", got)
			}
			if line := <-lines; !strings.Contains(line, "INFO published as the active broker") {
				t.Errorf("then it says %q", line)
			}
		})
	}
}

// An API server that is away is one line in the log, however long it lasts, and one that comes back with a new
// certificate authority is believed as soon as the pod is told of it.
func TestRunOutlastsAnAPIServerThatIsAway(t *testing.T) {
	s := newServer(t)
	address := s.Listener.Addr().String()
	s.Close()
	lines := make(chan string, 10)
	p := s.publisher(lines, "orders-0")
	done := make(chan error, 1)
	go func() { done <- p.Run(t.Context(), 7) }()
	if line := <-lines; !strings.Contains(line, "connection refused") {
		t.Errorf("it says %q", line)
	}
	again := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	again.Listener = listenAgain(t, address)
	again.StartTLS()
	defer again.Close()
	s.trust(again)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if line := <-lines; !strings.Contains(line, "published as the active broker") {
		t.Errorf("then it says %q", line)
	}
}

// One request must not wait for a server that took it and will never answer.
func TestRunGivesUpAConnectionThatIsSilent(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	silent := true
	s.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if silent {
			silent = false
			<-r.Context().Done()
			return true
		}
		return false
	}
	if err := s.publisher(nil, "orders-0").Run(t.Context(), 7); err != nil {
		t.Fatal(err)
	}
	if n := s.count("GET orders-0"); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	s := newServer(t)
	s.token = "another"
	lines := make(chan string, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.publisher(lines, "orders-0").Run(ctx, 7) }()
	<-lines
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run returns %v", err)
	}
}

func TestClear(t *testing.T) {
	for _, test := range []struct {
		name  string
		shown func(*server)
		want  string
	}{
		{"our own address, but not the term", func(s *server) { s.show("orders-0", us, 7) }, "[] term 7"},
		{"not the next one's address", func(s *server) { s.show("orders-0", other, 8) }, "[10.1.2.2] term 8"},
		{"not our address with a later term", func(s *server) { s.show("orders-0", us, 8) }, "[10.1.2.3] term 8"},
		{"not another pod's with our term", func(s *server) { s.show("orders-0", other, 7) }, "[10.1.2.2] term 7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			test.shown(s)
			if err := s.publisher(nil, "orders-0").Clear(t.Context(), 7); err != nil {
				t.Fatal(err)
			}
			if got := s.shown("orders-0"); got != test.want {
				t.Errorf("it shows %s, want %s", got, test.want)
			}
		})
	}
}

func TestClearTriesEverySliceAndTakesASecondAtMost(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	delete(s.slices, "orders-0")
	s.show("orders-0-cluster", us, 7)
	if err := s.publisher(nil).Clear(t.Context(), 7); err == nil || !strings.Contains(err.Error(), "orders-0 not found") {
		t.Errorf("Clear returns %v", err)
	}
	if got := s.shown("orders-0-cluster"); got != "[] term 7" {
		t.Errorf("the second slice shows %s", got)
	}
	s.before = func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}
	began := time.Now()
	if err := s.publisher(nil).Clear(t.Context(), 7); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Clear returns %v", err)
	}
	if took := time.Since(began); took < clearTime || took > 2*clearTime {
		t.Errorf("it took %v", took)
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	whole := Config{API: API{URL: "https://10.0.0.1"}, Namespace: "shop", Pod: us}
	for says, change := range map[string]func(*Config){
		"needs the namespace":  func(c *Config) { c.Namespace = "" },
		"needs the pod's name": func(c *Config) { c.Pod.Name = "" },
		"needs the pod's UID":  func(c *Config) { c.Pod.UID = "" },
		"needs the pod's IP":   func(c *Config) { c.Pod.IP = "" },
		"API server's URL":     func(c *Config) { c.API.URL = "https://[" },
	} {
		config := whole
		change(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("want %q; it is %v", says, err)
		}
	}
	if _, err := New(whole); err != nil {
		t.Error(err)
	}
}

func TestInCluster(t *testing.T) {
	env := map[string]string{"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
	api, err := InCluster(func(name string) string { return env[name] })
	if err != nil || api.URL != "https://[fd00::1]:443" {
		t.Errorf("%+v, %v", api, err)
	}
	if _, err := InCluster(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "KUBERNETES_SERVICE_HOST") {
		t.Errorf("outside of a pod: %v", err)
	}
}
