# shellcheck shell=bash
# Images: brought to the nodes from archives, since there is no registry.

# images_load ARCHIVE...: docker or OCI archives; each node imports them.
images_load() {
  local archive n pid pids=()
  (($#)) || fail "load: name at least one image archive"
  for archive in "$@"; do [[ -r $archive ]] || fail "load: cannot read $archive"; done
  for n in $(nodes); do
    node_import "$n" "$@" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

# The archives go through a pipe: a node need not see their directory.
node_import() {
  local n=$1 archive
  shift
  for archive in "$@"; do on_node "$n" ctr --namespace k8s.io images import - <"$archive" >/dev/null; done
}
