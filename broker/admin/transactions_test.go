package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/twinmesh/twinmesh/broker/admin"
	"github.com/twinmesh/twinmesh/broker/core"
	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/log/mem"
	"github.com/twinmesh/twinmesh/broker/message"
	"github.com/twinmesh/twinmesh/broker/node"
	"github.com/twinmesh/twinmesh/broker/security"
	"github.com/twinmesh/twinmesh/broker/session/openwire"
	"github.com/twinmesh/twinmesh/broker/store"
)

var (
	branch = message.XID{Format: 86, Global: "g", Branch: "b"}
	orders = destination.Destination{Kind: destination.Queue, Name: "ORDERS"}
	now    = time.UnixMilli(1_700_000_000_000)
)

// desk is an administrator's way to a broker that has prepared a transaction.
type desk struct {
	t       *testing.T
	handler http.Handler
	broker  *core.Broker
	store   *store.Store
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	s := store.New(mem.New(1<<20).Open(), store.Options{})
	if _, err := s.Lead(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	d := &desk{t: t, store: s, broker: core.New(core.Options{
		Store: node.Join(s), Advisor: openwire.NewAdvisor("ID:broker", "orders-0", ""), Now: func() time.Time { return now },
		Logger: slog.New(slog.DiscardHandler),
	})}
	d.handler = admin.Handler(func() admin.State { return admin.State{} }, admin.Administration{
		Authenticate: func(_ context.Context, l security.Login) error {
			if l != (security.Login{Address: "192.0.2.1", Name: "admin", Password: "secret"}) {
				return errors.New("not you")
			}
			return nil
		},
		Broker: func() *core.Broker { return d.broker },
	})
	d.prepare()
	return d
}

func (d *desk) prepare() {
	d.t.Helper()
	c, err := d.broker.Connect(core.ConnectionSpec{ID: "ID:c", Replaced: func() {}})
	if err != nil {
		d.t.Fatal(err)
	}
	tx, err := c.BeginBranch(branch)
	if err == nil {
		err = tx.Send(message.New(message.Plain, message.SetDestination(orders), message.SetID("ID:c", 1, 1, 1), message.SetPersistent(true)))
	}
	done := make(chan struct{})
	if err == nil {
		err = c.Prepare(branch, func(bool) { close(done) })
	}
	if err != nil {
		d.t.Fatal(err)
	}
	<-done
}

// ask asks as the administrator and returns the answer.
func (d *desk) ask(method, path string, change ...func(*http.Request)) (int, string) {
	r := httptest.NewRequest(method, path, nil)
	r.SetBasicAuth("admin", "secret")
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

func (d *desk) list() admin.Transactions {
	d.t.Helper()
	code, body := d.ask(http.MethodGet, "/transactions")
	var all admin.Transactions
	if err := json.Unmarshal([]byte(body), &all); code != http.StatusOK || err != nil {
		d.t.Fatalf("%d %q, %v", code, body, err)
	}
	return all
}

func about(how string) string {
	return "/transactions/" + how + "?xid=" + url.QueryEscape(branch.String())
}

func TestAnAdministratorEndsWhatIsPrepared(t *testing.T) {
	for how, c := range map[string]struct {
		state string
		left  int
	}{"commit": {"heuristically committed", 1}, "rollback": {"heuristically rolled back", 0}} {
		t.Run(how, func(t *testing.T) {
			d := newDesk(t)
			want := []admin.Branch{{XID: branch.String(), State: "prepared", Connection: "ID:c", Since: now.Local(), Sent: 1}}
			if diff := cmp.Diff(want, d.list().Branches); diff != "" {
				t.Errorf("branches (-want +got):\n%s", diff)
			}
			if code, body := d.ask(http.MethodPost, about(how)); code != http.StatusNoContent {
				t.Fatalf("%d %q", code, body)
			}
			want = []admin.Branch{{XID: branch.String(), State: c.state, Since: now.Local()}}
			if diff := cmp.Diff(want, d.list().Branches); diff != "" {
				t.Errorf("branches (-want +got):\n%s", diff)
			}
			if n, _ := d.store.Pending(orders); n != c.left {
				t.Errorf("%d messages in the queue", n)
			}
			if code, body := d.ask(http.MethodPost, about(how)); code != http.StatusConflict || !strings.Contains(body, "by an administrator") {
				t.Errorf("once more: %d %q", code, body)
			}
			if code, body := d.ask(http.MethodPost, about("forget")); code != http.StatusNoContent {
				t.Errorf("forget: %d %q", code, body)
			}
			if left := d.list().Branches; len(left) > 0 {
				t.Errorf("still there: %v", left)
			}
		})
	}
}

func TestWhoMayNotEndTransactions(t *testing.T) {
	d := newDesk(t)
	for name, c := range map[string]struct {
		method, path string
		change       func(*http.Request)
		code         int
		text         string
	}{
		"nobody":       {http.MethodGet, "/transactions", func(r *http.Request) { r.Header.Del("Authorization") }, 401, "not you"},
		"someone":      {http.MethodPost, about("commit"), func(r *http.Request) { r.SetBasicAuth("admin", "guess") }, 401, "not you"},
		"a page":       {http.MethodPost, about("commit"), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, ""},
		"a reader":     {http.MethodGet, about("commit"), func(*http.Request) {}, 405, ""},
		"no name":      {http.MethodPost, "/transactions/commit?xid=x", func(*http.Request) {}, 400, "is no transaction's name"},
		"another name": {http.MethodPost, about("forget"), func(*http.Request) {}, 409, "was decided by nobody"},
	} {
		if code, body := d.ask(c.method, c.path, c.change); code != c.code || !strings.Contains(body, c.text) {
			t.Errorf("%s: %d %q, want %d %q", name, code, body, c.code, c.text)
		}
	}
	if got := d.list().Branches; len(got) != 1 || got[0].State != "prepared" {
		t.Errorf("it is %+v", got)
	}
	d.broker = nil
	if code, body := d.ask(http.MethodGet, "/transactions"); code != http.StatusServiceUnavailable {
		t.Errorf("of a standby: %d %q", code, body)
	}
}
