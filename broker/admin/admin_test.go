package admin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAnswersByRole(t *testing.T) {
	for _, c := range []struct {
		role  Role
		path  string
		code  int
		holds string
	}{
		{Starting, "/healthz", 200, "ok"},
		{Starting, "/readyz", 503, "starting"},
		{Standby, "/readyz", 200, "ok"},
		{Active, "/readyz", 200, "ok"},
		{Stopping, "/readyz", 503, "stopping"},
		{Active, "/role", 200, `{"name":"a","role":"active","term":7}`},
		{Active, "/metrics", 200, "\ntwinmesh_active 1\n"},
		{Standby, "/metrics", 200, "\ntwinmesh_active 0\n"},
		{Active, "/else", 404, ""},
	} {
		w := httptest.NewRecorder()
		Handler(func() State { return State{"a", c.role, 7} }, Administration{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, nil))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.holds) {
			t.Errorf("%s as %s: got %d %q", c.path, c.role, w.Code, w.Body)
		}
	}
}
