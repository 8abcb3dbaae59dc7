#!/bin/bash
# usage: vulnerabilities.sh VERSION PACKAGE...   runs govulncheck, built once from the Go module proxy into .deps/bin. It fails for a known vulnerability that
# the packages reach. Without its database, vuln.go.dev or GOVULNDB, it says that nothing was checked, and why, and passes.
source "$(dirname "$0")/../setup/lib.sh"

version=$1
shift
checker=$deps/bin/govulncheck
if [ ! -x "$checker" ] || ! go version -m "$checker" | grep -q "golang.org/x/vuln.v$version"; then
  say "building govulncheck $version (once)"
  mkdir -p "$deps/bin"
  (cd "$deps" && GOFLAGS='' GOBIN="$deps/bin" go install "golang.org/x/vuln/cmd/govulncheck@v$version")
fi
cd "$root"
status=0
out=$("$checker" ${GOVULNDB:+-db "$GOVULNDB"} "$@" 2>&1) || status=$?
case $status in
  0) say "govulncheck $version: ${out##*$'\n'}" ;;
  3)
    echo "$out"
    exit 1
    ;;
  *)
    reason=$(grep -m 1 -E 'no such host|dial tcp|proxyconnect|connection refused|connection reset|timeout|unreachable|HTTP GET .* returned' <<<"$out") || {
      echo "$out"
      exit 1
    }
    say "govulncheck $version was SKIPPED, no dependency was checked for known vulnerabilities: its database cannot be reached: $reason"
    ;;
esac
