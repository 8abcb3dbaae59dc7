#!/bin/bash
# Installs the ONNX Runtime CPU library, which runs the models, into .deps/onnxruntime.
# usage: onnxruntime.sh [--from FILE pip|npm]    FILE is an already downloaded libonnxruntime.so; its sum is checked like any other
#
# The clients are tried in the order pip, npm. Maven Central has no 1.30.0 of com.microsoft.onnxruntime:onnxruntime, so Maven is not asked.
source "$(dirname "$0")/lib.sh"

version=1.30.0
library=$deps/onnxruntime/libonnxruntime.so.$version
sums=$(dirname "$0")/onnxruntime.sums
arch=${PLANETAG_ARCH:-$(architecture)} # another machine's: deploy/arm64.sh

pinned() { awk -v c="$1" -v a="$arch" '$1 == c && $2 == a {print $3}' "$sums"; }

# place FILE CHANNEL moves a checked library to where planetag looks for it; a wrong sum stops everything.
place() {
  local file=$1 channel=$2 want got
  want=$(pinned "$channel")
  [ -n "$want" ] || stop "no checksum is pinned for channel $channel on $arch; known channels are pip and npm"
  got=$(sum_of "$file")
  if [ "$got" != "$want" ]; then
    stop "the checksum of $file differs, so it is not installed" "  expected $want" "  found    $got"
  fi
  mkdir -p "$deps/onnxruntime"
  cp "$file" "$library.new"
  mv "$library.new" "$library"
  say "ONNX Runtime $version is ready at $library"
}

has_pip() { python3 -m pip --version >/dev/null 2>&1; }

# by_pip picks the wheel by architecture, not by the Python that happens to be here: only the library inside is wanted.
by_pip() {
  local machine=x86_64
  [ "$arch" = amd64 ] || machine=aarch64
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --implementation cp --python-version 3.12 \
    --platform "manylinux_2_28_$machine" --dest "$1" "onnxruntime==$version" || return 1
  python3 -m zipfile -e "$1"/onnxruntime-*.whl "$1"
  place "$1/onnxruntime/capi/libonnxruntime.so.$version" pip
}

by_npm() {
  local machine=x64
  [ "$arch" = amd64 ] || machine=arm64
  (cd "$1" && npm pack --silent "onnxruntime-node@$version" >/dev/null) || return 1
  tar -xzf "$1/onnxruntime-node-$version.tgz" -C "$1" "package/bin/napi-v6/linux/$machine/libonnxruntime.so.1"
  place "$1/package/bin/napi-v6/linux/$machine/libonnxruntime.so.1" npm
}

if [ "${1:-}" = --from ]; then
  [ $# -eq 3 ] || stop "usage: onnxruntime.sh --from FILE pip|npm"
  [ -r "$2" ] || stop "cannot read $2"
  place "$2" "$3"
  exit
fi

if [ -n "${PLANETAG_ORT_LIB:-}" ] && [ "$PLANETAG_ORT_LIB" != "$library" ]; then
  [ -r "$PLANETAG_ORT_LIB" ] || stop "PLANETAG_ORT_LIB names $PLANETAG_ORT_LIB, which cannot be read; correct or unset it"
  exit 0
fi
if [ -e "$library" ]; then
  got=$(sum_of "$library")
  if [ "$got" = "$(pinned pip)" ] || [ "$got" = "$(pinned npm)" ]; then exit 0; fi
  stop "the checksum of $library differs; delete the file and run the command again" \
    "  expected $(pinned pip) (pip) or $(pinned npm) (npm)" "  found    $got"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! has_pip && ! have npm; then
  install_packages "to download ONNX Runtime" python3-pip
fi
say "downloading ONNX Runtime $version for $arch: it runs the models, and no distribution packages it"
if has_pip && by_pip "$work"; then exit 0; fi
if have npm && by_npm "$work"; then exit 0; fi
stop "neither pip nor npm could download onnxruntime $version; their messages are above" \
  "with a libonnxruntime.so.$version from elsewhere, set PLANETAG_ORT_LIB to its absolute path"
