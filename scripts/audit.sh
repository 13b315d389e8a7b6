#!/usr/bin/env bash
# Static checks and the dependency audit. Says so plainly where the vulnerability service cannot be reached; never passes then.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
echo "ruff, security rules:"
.venv/bin/ruff check --select S --ignore S101 bot actions || failed=1
echo "bandit, all findings but the accepted ones (SECURITY.md says why each is):"
.venv/bin/python -m bandit -q -r bot actions --skip "$(cut -d' ' -f1 scripts/accepted.txt | paste -sd,)" || failed=1
for python in .venv .venv-rasa; do
  echo "pip-audit, $python:"
  packages=$(.uv/bin/uv pip freeze -p "$python" 2>/dev/null) || { echo "  $python is not installed"; failed=1; continue; }
  if ! report=$(printf '%s\n' "$packages" | grep -v '^-e\|^#' | .venv/bin/python -m pip_audit --no-deps --disable-pip -r /dev/stdin 2>&1); then
    if grep -qiE 'ConnectionError|NameResolution|Max retries|ProxyError|timed out|ServiceError|Forbidden' <<<"$report"; then
      echo "  NOT DONE: the vulnerability service cannot be reached from here. Run this where it can be."
    else
      printf '%s\n' "$report"
    fi
    failed=1
  elif grep -q 'could not be audited' <<<"$report"; then
    echo "  NOT DONE: the service knew $(grep -c 'could not be audited' <<<"$report") packages not at all. Run this where it does."
    failed=1
  else
    printf '%s\n' "$report"
  fi
done
exit "$failed"
