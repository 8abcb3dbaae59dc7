# Sourced by the set-up scripts: where things go, and how they speak.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
deps=${PLANETAG_DEPS:-$root/.deps}

say() { printf 'setup: %s\n' "$*"; }

stop() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# architecture prints Go's word for this machine.
architecture() {
  case $(uname -m) in
    x86_64 | amd64) echo amd64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) stop "planetag is built for amd64 and arm64; this machine is $(uname -m)" ;;
  esac
}

sum_of() { sha256sum "$1" | cut -d' ' -f1; }

# install_packages WHY PACKAGE... installs distribution packages, or says which are missing and stops.
install_packages() {
  local why=$1 runner=()
  shift
  have apt-get || stop "this machine has no apt-get; install what corresponds to these Debian packages, then run the command again:" "  $*"
  if [ "$(id -u)" -ne 0 ]; then
    # -n: a set-up that stops to ask for a password would hang wherever nobody is watching.
    if have sudo && sudo -n true 2>/dev/null; then
      runner=(sudo -n)
    else
      stop "these packages are missing ($why), and neither root nor sudo without a password is at hand; install them, then run the command again:" \
        "  apt-get install --no-install-recommends $*"
    fi
  fi
  say "installing with apt-get, $why: $*"
  local log
  log=$(mktemp)
  if ! { "${runner[@]}" apt-get update -q &&
    "${runner[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    rm -f "$log"
    stop "apt-get could not install: $*; its last lines are above"
  fi
  rm -f "$log"
}
