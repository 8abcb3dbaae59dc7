#!/bin/bash
# usage: golangci.sh VERSION PACKAGE...   runs golangci-lint, built once from the Go module proxy into .deps/bin
source "$(dirname "$0")/../setup/lib.sh"

version=$1
shift
linter=$deps/bin/golangci-lint
if [ ! -x "$linter" ] || ! go version -m "$linter" | grep -q "golangci-lint/v2.v$version"; then
  say "building golangci-lint $version (some minutes, once)"
  mkdir -p "$deps/bin"
  (cd "$deps" && GOFLAGS='' GOBIN="$deps/bin" go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$version")
fi
cd "$root"
"$linter" run "$@"
