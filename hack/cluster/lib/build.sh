# shellcheck shell=bash
# Compiles the programs of a Kubernetes node from their Go modules. modules/*/go.mod pins their versions and says which
# programs are wanted of each (as its tools). What is compiled is kept until its pins or options change.

modules=(kubernetes etcd containerd coredns)

# build_flags MODULE: the arguments of go build. A Kubernetes without a version is refused by its own clients.
build_flags() {
  local version
  case $1 in
    kubernetes)
      version=$(module_version kubernetes k8s.io/kubernetes)
      printf '%s\n' -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$(cut -d. -f2 <<<"$version")"
      ;;
    containerd) printf '%s\n' -tags "no_btrfs no_zfs no_devmapper" ;;
    coredns) printf '%s\n' -ldflags "-s -w" ;;
  esac
}

module_version() { awk -v m="$2" '$1 == "require" && $2 == m {print $3}' "$here/modules/$1/go.mod"; }

# The programs of a module, one package a line: its tools.
module_programs() { awk '/^tool \(/ {t = 1; next} /^\)/ {t = 0} t {print $1} $1 == "tool" && NF == 2 {print $2}' "$here/modules/$1/go.mod"; }

# A program's name is the last element of its package that is no version.
program_name() {
  case $1 in
    go.etcd.io/etcd/server/v3) echo etcd ;;
    *) echo "${1##*/}" ;;
  esac
}

module_stamp() { { cat "$here/modules/$1/"go.{mod,sum} && build_flags "$1" && go version; } | sha256sum | cut -c1-16; }

module_is_built() { [[ $(cat "$cache/stamps/$1" 2>/dev/null) == "$(module_stamp "$1")" ]]; }

build_module() {
  local module=$1 package program flags
  mapfile -t flags < <(build_flags "$module")
  for package in $(module_programs "$module"); do
    program=$(program_name "$package")
    say "compiling $program ($module; $(date +%T))"
    (cd "$here/modules/$module" && CGO_ENABLED=0 GOFLAGS='-trimpath -mod=readonly' go build "${flags[@]}" -o "$programs/$program" "$package")
  done
  module_stamp "$module" >"$cache/stamps/$module"
}

pause_is_built() { [[ $programs/pause.tar -nt $here/pause/main.go ]]; }

# The image that holds a pod's namespaces.
build_pause() {
  local context
  pause_is_built && return
  context=$(mktemp -d)
  (cd "$here/pause" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$context/pause" .)
  "$here/../image.sh" "$pause_image" "$programs/pause.tar" --file "$here/pause/Dockerfile" "$context"
  rm -r "$context"
}

build() {
  local module
  require go golang buildah buildah flock util-linux
  mkdir -p "$programs" "$cache/stamps"
  exec {lock}>"$cache/lock"
  flock -n "$lock" || { say "another build is running: waiting for it" && flock "$lock"; }
  for module in "${modules[@]}"; do
    module_is_built "$module" && continue
    [[ -e $cache/stamps/kubernetes || $module != kubernetes ]] ||
      say "compiling Kubernetes once into $cache: about 15 minutes on two cores"
    build_module "$module"
  done
  build_pause
  exec {lock}>&-
}

is_built() {
  local module
  for module in "${modules[@]}"; do module_is_built "$module" || return; done
  pause_is_built
}
