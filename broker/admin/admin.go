// Package admin serves a broker's health and role over HTTP, for which nobody has to say who he is, and to administrators its
// transactions.
package admin

import (
	"encoding/json"
	"net/http"
	"time"
)

// Role is what a broker is at the moment.
type Role string

// The roles.
const (
	Starting Role = "starting"
	Standby  Role = "standby"
	Active   Role = "active"
	Stopping Role = "stopping"
)

// State is what a broker tells of itself.
type State struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
	Term uint64 `json:"term"` // of an active broker
}

// Handler answers /healthz as long as the process lives, standby or active; /readyz once it is one of these; /role, /metrics; and to
// an administrator /transactions.
func Handler(state func() State, a Administration) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s := state(); s.Role != Standby && s.Role != Active {
			http.Error(w, string(s.Role), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /role", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(state())
	})
	handleMetrics(mux, state, a)
	handleTransactions(mux, a)
	return mux
}

// NewServer is a server that no client can hold up.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
	}
}
