package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/security"
)

// decisionTime is how long a decision may take to be durable. It is shorter than what a server waits.
const decisionTime = 4 * time.Second

// Administration is what needs a user.
type Administration struct {
	// Authenticate returns an error unless this is an administrator. It is nil where everybody may do everything.
	Authenticate func(ctx context.Context, l security.Login) error
	// Broker is the active broker, nil if this is none.
	Broker func() *core.Broker
}

// Transactions are the distributed transactions of a broker, and the commits on record.
type Transactions struct {
	Branches []Branch `json:"branches"`
	Commits  []Commit `json:"commits"`
}

// Branch is a branch of a distributed transaction.
type Branch struct {
	XID        string    `json:"xid"`
	State      string    `json:"state"`
	Connection string    `json:"connection,omitempty"` // whose client began or prepared it
	Since      time.Time `json:"since,omitzero"`       // when it was prepared or decided
	Sent       int       `json:"sent"`                 // messages
	Consumed   int       `json:"consumed"`
}

// Commit is a commit on record.
type Commit struct {
	Transaction string    `json:"transaction"`
	Connection  string    `json:"connection"` // whose client asked for it
	Time        time.Time `json:"time"`
}

// handleTransactions answers GET /transactions, and POST /transactions/{commit,rollback,forget}?xid=.
func handleTransactions(mux *http.ServeMux, a Administration) {
	mux.Handle("GET /transactions", a.guard(func(w http.ResponseWriter, _ *http.Request, b *core.Broker) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(transactionsOf(b))
	}))
	for path, end := range map[string]func(b *core.Broker, x message.XID, by string, done func()) error{
		"commit": func(b *core.Broker, x message.XID, by string, done func()) error {
			return b.DecideBranch(x, true, by, done)
		},
		"rollback": func(b *core.Broker, x message.XID, by string, done func()) error {
			return b.DecideBranch(x, false, by, done)
		},
		"forget": func(b *core.Broker, x message.XID, _ string, done func()) error { return b.ForgetBranch(x, done) },
	} {
		mux.Handle("POST /transactions/"+path, a.guard(func(w http.ResponseWriter, r *http.Request, b *core.Broker) {
			x, err := message.ParseXID(r.URL.Query().Get("xid"))
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			user, _, _ := r.BasicAuth()
			decide(w, r, func(done func()) error { return end(b, x, user, done) })
		}))
	}
}

// guard lets an administrator through to the active broker. A page that his browser shows cannot ask in his name.
func (a Administration) guard(handle func(http.ResponseWriter, *http.Request, *core.Broker)) http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.Authenticate != nil {
			if err := a.Authenticate(r.Context(), login(r)); err != nil {
				w.Header().Set("WWW-Authenticate", `Basic realm="twinmesh-broker"`)
				http.Error(w, err.Error(), http.StatusUnauthorized)
				return
			}
		}
		b := a.Broker()
		if b == nil {
			http.Error(w, "this broker is not the active one: ask that", http.StatusServiceUnavailable)
			return
		}
		handle(w, r, b)
	}))
}

func login(r *http.Request) security.Login {
	user, password, _ := r.BasicAuth()
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return security.Login{Address: host, Name: user, Password: password}
}

func decide(w http.ResponseWriter, r *http.Request, ask func(done func()) error) {
	ctx, cancel := context.WithTimeout(r.Context(), decisionTime)
	defer cancel()
	durable := make(chan struct{})
	err := ask(func() { close(durable) })
	var x *core.XAError
	switch {
	case errors.As(err, &x):
		http.Error(w, x.Text, http.StatusConflict)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	select {
	case <-durable:
		w.WriteHeader(http.StatusNoContent)
	case <-ctx.Done():
		http.Error(w, "the outcome is not durable yet: look again", http.StatusGatewayTimeout)
	}
}

func transactionsOf(b *core.Broker) Transactions {
	t := Transactions{Branches: []Branch{}, Commits: []Commit{}}
	for _, o := range b.Branches() {
		branch := Branch{XID: o.XID.String(), State: o.State, Connection: o.Connection, Sent: o.Sent, Consumed: o.Consumed}
		if o.Since > 0 {
			branch.Since = time.UnixMilli(o.Since)
		}
		t.Branches = append(t.Branches, branch)
	}
	for _, c := range b.Commits() {
		t.Commits = append(t.Commits, Commit{c.Name, c.Connection, time.UnixMilli(c.Time)})
	}
	return t
}
