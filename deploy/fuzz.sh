#!/bin/bash
# Runs every fuzz target, one after another on one core, each for as long as the first argument says. What it finds is kept by the Go tool below testdata/fuzz
# of the package, and every later `go test` runs it.
set -euo pipefail
cd "$(dirname "$0")/.."

time=${1:-30s}
failed=0
while IFS=: read -r file target; do
  package=./$(dirname "$file")
  echo "== $package $target"
  # The seeds of photos are large: without a bound all time goes into shrinking the first find.
  if ! out=$(go test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 5x -parallel 1 2>&1); then
    echo "$out"
    failed=1
    continue
  fi
  grep -E 'execs: ' <<<"$out" | tail -n 1
done < <(git ls-files --cached --others --exclude-standard '*_test.go' | xargs grep -o '^func Fuzz[A-Za-z]*' | sed 's/:func /:/' | sort)
exit "$failed"
