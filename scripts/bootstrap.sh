#!/usr/bin/env bash
# Prepares a bare machine: uv (pinned, in .uv), CPython 3.10 and >= 3.12, and the environments .venv and .venv-rasa from one lock.
# Quick when nothing changed. Usage: scripts/bootstrap.sh [--clinic-only | --training]
set -euo pipefail
cd "$(dirname "$0")/.."
UV_VERSION=0.13.9
fail() { printf 'bootstrap: %s\n' "$1" >&2; exit 1; }
works() { "$1" -c "import sys; raise SystemExit(0 if ($2) else 1)" >/dev/null 2>&1; }

# find_python CONDITION NAME...: PATH first (a pyenv shim that answers 127 does not count), then pyenv's versions.
find_python() {
  local condition=$1 name candidate
  shift
  for name in "$@"; do
    candidate=$(command -v "$name" 2>/dev/null) && works "$candidate" "$condition" && { "$candidate" -c 'import sys; print(sys.executable)'; return; }
  done
  for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3; do
    [ -x "$candidate" ] && works "$candidate" "$condition" && { printf '%s\n' "$candidate"; return; }
  done
  return 1
}

if ! .uv/bin/uv --version 2>/dev/null | grep -qF "$UV_VERSION"; then
  echo "bootstrap: installing uv $UV_VERSION into .uv"
  seed=$(find_python 'sys.version_info >= (3, 9)' python3 python3.13 python3.12 python3.11 python3.10) ||
    fail 'no Python 3.9 or newer was found; install one (on Debian: apt-get install python3 python3-venv) and run this again.'
  "$seed" -m venv --clear .uv || fail 'could not make a virtual environment; install python3-venv and run this again.'
  .uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION" ||
    fail 'uv could not be installed; check that this machine reaches a Python package index, then run this again.'
fi

stamp=$(cat uv.lock pyproject.toml | cksum | tr -d ' ')
sync_environment() { # FOLDER VERSION PYTHON OPTION...
  local folder=$1 version=$2 python=$3
  shift 3
  [ -f "$folder/.stamp" ] && [ "$(cat "$folder/.stamp")" = "$stamp" ] && return
  echo "bootstrap: syncing $folder (CPython $version); the first time takes a few minutes"
  if [ -z "$python" ]; then
    .uv/bin/uv python install "$version" || fail "CPython $version was not found on PATH or under pyenv and could not be fetched; install it and run this again."
    python=$version
  fi
  UV_PROJECT_ENVIRONMENT=$folder .uv/bin/uv sync --quiet --locked --python "$python" "$@" ||
    fail "the packages of $folder could not be installed; the lines above say why."
  printf '%s' "$stamp" >"$folder/.stamp"
}
sync_environment .venv 3.12 "$(find_python '(3, 12) <= sys.version_info < (3, 14)' python3.12 python3.13 python3 || true)"
if [ "${1:-}" = --training ]; then # torch and what else only training needs; a large download
  sync_environment .venv-train 3.12 "$(find_python '(3, 12) <= sys.version_info < (3, 14)' python3.12 python3.13 python3 || true)" --group train
  exit
fi
[ "${1:-}" = --clinic-only ] ||
  sync_environment .venv-rasa 3.10 "$(find_python 'sys.version_info[:2] == (3, 10)' python3.10 python3 || true)" --no-dev
