package publish

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var us = Pod{Name: "orders-0-1", UID: "uid-1", IP: "10.1.2.3", Node: "node-2"}

// server answers as the API server does to get and update of EndpointSlices, and fails where a test says so.
type server struct {
	*httptest.Server
	t   *testing.T
	dir string // of the token and the certificate authority

	mu       sync.Mutex
	slices   map[string]slice
	token    string // the one that is accepted
	requests []string
	// before, if set, is called before each request is answered; it may answer itself, by returning true.
	before func(w http.ResponseWriter, r *http.Request) (answered bool)
}

func newServer(t *testing.T) *server {
	s := &server{t: t, dir: t.TempDir(), token: "first", slices: map[string]slice{}}
	s.write("token", s.token+"\n")
	s.add("orders-0")
	s.add("orders-0-cluster")
	s.Server = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	s.trust(s.Server)
	return s
}

// add puts a slice there as the operator makes it.
func (s *server) add(name string) {
	text := fmt.Sprintf(`{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4","endpoints":null,
		"metadata":{"name":%q,"resourceVersion":"1","generation":9007199254740993},"ports":[{"name":"openwire","port":61616}]}`, name)
	made, err := exact(strings.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	s.slices[name] = made
}

// exact keeps numbers as they are written.
func exact(r io.Reader) (s slice, err error) {
	decoder := json.NewDecoder(r)
	decoder.UseNumber()
	err = decoder.Decode(&s)
	return s, err
}

// trust makes a server's certificate the one that the pod is told to believe.
func (s *server) trust(served *httptest.Server) {
	block := pem.Block{Type: "CERTIFICATE", Bytes: served.Certificate().Raw}
	s.write("ca.crt", string(pem.EncodeToMemory(&block)))
}

func (s *server) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/")
	s.requests = append(s.requests, r.Method+" "+name)
	if s.before != nil && s.before(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		refuse(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	have, ok := s.slices[name]
	if !ok {
		refuse(w, http.StatusNotFound, "endpointslices "+name+" not found")
		return
	}
	if r.Method == http.MethodPut && !s.replace(w, r, have) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.slices[name])
}

func (s *server) replace(w http.ResponseWriter, r *http.Request, have slice) bool {
	sent, err := exact(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "that is no EndpointSlice")
		return false
	}
	metadata := sent.object("metadata")
	if metadata["resourceVersion"] != have.object("metadata")["resourceVersion"] {
		refuse(w, http.StatusConflict, "the object has been modified")
		return false
	}
	s.put(metadata["name"].(string), sent)
	return true
}

// put stores a slice under the next version. The caller holds mu, or nobody else is there.
func (s *server) put(name string, changed slice) {
	version, err := strconv.Atoi(s.slices[name].object("metadata")["resourceVersion"].(string))
	if err != nil {
		s.t.Error(err)
	}
	changed.object("metadata")["resourceVersion"] = strconv.Itoa(version + 1)
	s.slices[name] = changed
}

// show lets another pod be published with a term, as a broker that took over does.
func (s *server) show(name string, pod Pod, term uint64) {
	other := slice{}
	for key, value := range s.slices[name] {
		other[key] = value
	}
	other["metadata"] = map[string]any{"name": name}
	if _, err := other.publish(pod, term); err != nil {
		s.t.Error(err)
	}
	s.put(name, other)
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "status": "Failure", "message": message, "code": status})
}

// shown is who a slice leads to, and with which term.
func (s *server) shown(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var addresses []any
	endpoints, _ := s.slices[name]["endpoints"].([]any)
	for _, endpoint := range endpoints {
		addresses = append(addresses, endpoint.(map[string]any)["addresses"].([]any)...)
	}
	term, err := s.slices[name].term()
	if err != nil {
		s.t.Error(err)
	}
	return fmt.Sprintf("%v term %d", addresses, term)
}

func (s *server) count(request string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r == request {
			n++
		}
	}
	return n
}

// publisher publishes us, and hands each line that it logs to lines.
func (s *server) publisher(lines chan<- string, slices ...string) *Publisher {
	s.t.Helper()
	if len(slices) == 0 {
		slices = []string{"orders-0", "orders-0-cluster"}
	}
	p, err := New(Config{
		API:       API{URL: s.URL, CAFile: filepath.Join(s.dir, "ca.crt"), TokenFile: filepath.Join(s.dir, "token")},
		Namespace: "shop", Slices: slices, Pod: us, Log: slog.New(logged{lines}),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// logged is a log of which a test sees each line; nil: nobody looks.
type logged struct{ lines chan<- string }

func (l logged) Enabled(context.Context, slog.Level) bool { return l.lines != nil }
func (l logged) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l logged) WithGroup(string) slog.Handler            { return l }

func (l logged) Handle(_ context.Context, record slog.Record) error {
	line := record.Level.String() + " " + record.Message
	record.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	l.lines <- line
	return nil
}

// listenAgain takes the address that a closed listener had.
func listenAgain(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}
