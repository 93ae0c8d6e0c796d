# What the scripts of this folder share: a program, a server on a free port, a folder for results, and their end. With
# NO_INSTALL they install nothing, and are skipped where something is missing.
set -euo pipefail
reach=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

skip() { echo "skipped: $1"; exit 0; }
fail() { echo "$(basename "$0"): $1" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Installs the Debian packages after the first argument, a program, unless that is there.
need() {
  local program=$1
  shift
  has "$program" && return
  [ -z "${NO_INSTALL:-}" ] || skip "$program is missing"
  has apt-get || skip "$program is missing, and there is no apt-get to install it with"
  [ "$(id -u)" = 0 ] || skip "$program is missing, and only root can install it ($*)"
  echo "installing $*"
  # Package lists that are a day old may name versions that no longer exist.
  apt-get -qq update >/dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" >/dev/null ||
    skip "apt-get cannot install $*"
}

# The program: HOLA, or the newest that cargo has built.
find_hola() {
  local built=${CARGO_TARGET_DIR:-$reach/../../target}
  local builds=("$built/release/hola" "$built/debug/hola")
  # The newer one: an old build does not know the options of today.
  [ ! "${builds[1]}" -nt "${builds[0]}" ] || builds=("${builds[1]}" "${builds[0]}")
  for program in "${HOLA:-}" "${builds[@]}" "$(command -v hola || true)"; do
    if [ -x "$program" ]; then
      hola=$(realpath "$program")
      return
    fi
  done
  fail 'there is no hola: build it with cargo build, or name it in HOLA'
}

# Starts the program as a server by these arguments, and sets `url` to its address and `results` to an empty folder.
start_server() {
  results=$(mktemp --directory)
  mkfifo "$results/announced"
  "$hola" "$@" >"$results/announced" 2>"$results/server.log" &
  server=$!
  trap 'finish' EXIT
  read -r announced <"$results/announced"
  url=http://${announced##* }/
}

# What a load by four processes needs: the program, a server, a folder.
prepare() {
  find_hola
  start_server serve epoll --bind 127.0.0.1:0
}

# Ends what the script started.
finish() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -rf "$results"
}

# The instant so many seconds ahead.
in_seconds() { echo "@$(($(date +%s) + $1))"; }

# Adds up the results, all of whose requests must have been answered rightly.
check() {
  "$hola" merge "$results/ranks" --fail-if 'failed>0'
  echo "$1: four ranks made one load"
}

# One share of the load; what is left of the arguments is that of the scheduler.
load=(--rate 400 --connections 8 --duration 2s --warmup 500ms)
