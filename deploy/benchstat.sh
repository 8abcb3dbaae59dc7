#!/bin/bash
# usage: benchstat.sh VERSION REF COUNT BENCHTIME PACKAGE...   runs the benchmarks of the Go packages here and, in turns, as they were at a ref (the last tag if it
# is empty), and compares the two with benchstat. Without a tag there is nothing to compare with, and the figures stand alone.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$1 ref=$2 count=$3 time=$4
shift 4
[ -n "$ref" ] || ref=$(git describe --tags --abbrev=0 2>/dev/null || true)
root=$PWD scratch=$(mktemp -d)
trap 'git -C "$root" worktree remove --force "$scratch/then" 2>/dev/null || true; rm -rf "$scratch"' EXIT
export PLANETAG_ORT_LIB

bench() { (cd "$1" && shift && go test -run '^$' -bench . -benchmem -benchtime "$time" -count 1 "$@"); }

if [ -z "$ref" ]; then
  echo "no tag and no REF=: nothing to compare with" >&2
  for _ in $(seq "$count"); do bench . "$@"; done | tee "$scratch/now.txt"
else
  git worktree add --quiet --detach "$scratch/then" "$ref"
  for _ in $(seq "$count"); do # in turns, because the machine is another one a minute later
    bench "$scratch/then" "$@" >>"$scratch/then.txt" || echo "some benchmarks failed at $ref" >&2
    bench . "$@" >>"$scratch/now.txt"
  done
fi
cd "$scratch"
files=(now.txt)
if [ -n "$ref" ]; then files=("$ref=then.txt" now.txt); fi
GOFLAGS='' go run "golang.org/x/perf/cmd/benchstat@$version" "${files[@]}"
