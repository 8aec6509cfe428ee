#!/usr/bin/env bash
# image.sh NAME ARCHIVE BUILD_ARGUMENT...: builds an image with buildah, without a network, and writes it as a docker
# archive. The arguments are those of `buildah build`. The images of this machine's user are left alone.
set -euo pipefail
name=$1 archive=$2
shift 2
storage=$(mktemp -d)
trap 'rm -rf "$storage"' EXIT

in_storage() { buildah --root "$storage/root" --runroot "$storage/run" --storage-driver vfs "$@"; }

in_storage build --quiet --isolation chroot --format docker --timestamp 0 --tag "$name" "$@" >/dev/null
rm -f "$archive"
in_storage push --quiet "$name" "docker-archive:$archive:$name"
