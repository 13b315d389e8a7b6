#!/usr/bin/env bash
# Finds PostgreSQL's own programs, or installs Debian's where that is allowed. Without them the tests on PostgreSQL are skipped, and say so.
set -euo pipefail
for folder in "${POSTGRES_BIN:-}" $(printf '%s:' "$PATH" | tr ':' ' ') /usr/lib/postgresql/*/bin; do
  [ -n "$folder" ] && [ -x "$folder/initdb" ] && [ -x "$folder/pg_ctl" ] && exit 0
done
skipped() { printf 'postgres: %s The tests on PostgreSQL will be skipped.\n' "$1" >&2; exit 0; }
command -v apt-get >/dev/null 2>&1 || skipped 'PostgreSQL was not found; install it, or set POSTGRES_BIN to the folder of initdb.'
[ "$(id -u)" = 0 ] || skipped 'PostgreSQL was not found; run: sudo apt-get install postgresql.'
echo 'postgres: installing PostgreSQL'
apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql >/dev/null ||
  skipped 'PostgreSQL could not be installed.'
