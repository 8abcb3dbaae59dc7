#!/bin/bash
# Checks what no linter of Go does: the length of files, the documentation file of each package, the licence, and links to registries.
set -euo pipefail
cd "$(dirname "$0")/../.."

limit=250
bad=0
complain() {
  echo "$1"
  bad=1
}

mapfile -t files < <(git ls-files --cached --others --exclude-standard | sort)
for file in "${files[@]}"; do
  [ -f "$file" ] || continue
  case $file in
    *.go | *.c | *.h | *.py | *.sh)
      lines=$(wc -l <"$file")
      if [ "$lines" -gt "$limit" ]; then complain "$file: $lines lines, the limit is $limit"; fi
      ;;
  esac
done

for package in $(printf '%s\n' "${files[@]}" | grep '\.go$' | grep -v _test.go | xargs -n 1 dirname | sort -u); do
  [ -f "$package/doc.go" ] || complain "$package: no doc.go that says what the package promises and refuses"
done

grep -q 'Apache License' LICENSE || complain "LICENSE: not the Apache License"

# Names and versions are pinned; where they come from is the business of each client's own configuration.
hosts='(pypi|npmjs|proxy\.golang|repo1?\.maven|pythonhosted|nuget)\.(org|apache\.org|com)'
if git grep -nIE "$hosts" -- ':!*.lock' ':!go.sum' ':!deploy/lint/files.sh'; then complain "a registry host is named above"; fi

exit "$bad"
