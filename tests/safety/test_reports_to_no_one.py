"""What reads patients' words reports to no one: the runtime of the meaning layer would, unless it is told not to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bot.settings import ROOT

LOAD = "from pathlib import Path; from bot.adapters.language.assess import load_assessor; load_assessor(Path('data/safety'))"


def test_the_meaning_layer_keeps_no_device_id_and_no_events(tmp_path: Path) -> None:
    silencing = {"CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}  # the first two silence it by themselves
    environment = {name: value for name, value in os.environ.items() if name not in silencing}
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", LOAD], cwd=ROOT, env=environment, check=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
