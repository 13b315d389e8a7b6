#!/usr/bin/env bash
# Finds Chromium, or installs Debian's where that is allowed. The browser tests read its path from CHROMIUM or from PATH.
set -euo pipefail
for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  [ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && exit 0
done
fail() { printf 'browser: %s\n' "$1" >&2; exit 1; }
command -v apt-get >/dev/null 2>&1 || fail 'no Chromium was found; install it or set CHROMIUM to its path.'
[ "$(id -u)" = 0 ] || fail 'no Chromium was found; run: sudo apt-get install chromium'
echo 'browser: installing Chromium'
apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium >/dev/null ||
  fail 'Chromium could not be installed; install it and run this again.'
