package admin

import (
	"fmt"
	"io"
	"net/http"
)

// handleMetrics answers GET /metrics in the text format of Prometheus. It names no destination and no client, and so needs no user;
// a broker that is not active counts nothing.
func handleMetrics(mux *http.ServeMux, state func() State, a Administration) {
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		active := int64(0)
		if state().Role == Active {
			active = 1
		}
		writeMetric(w, "twinmesh_active", "gauge", "1 if this broker is the active one of its pair.", active)
		if a.Broker == nil || a.Broker() == nil {
			return
		}
		waiting, ever := a.Broker().WaitingSenders()
		writeMetric(w, "twinmesh_waiting_senders", "gauge", "Senders that wait for room. The log says who and for what.", waiting)
		writeMetric(w, "twinmesh_waiting_senders_total", "counter", "How often a sender began to wait for room.", ever)
	})
}

func writeMetric(w io.Writer, name, kind, help string, value int64) {
	_, _ = fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", name, help, name, kind, name, value)
}
