"""What the documentation says about settings is what the program reads."""

from __future__ import annotations

import re

from bot.settings import ROOT, describe

PAGE = (ROOT / "docs/settings.md").read_text(encoding="utf-8")


def test_every_setting_is_documented_with_its_default_and_purpose() -> None:
    rows = dict(re.findall(r"^\| `(KAT_\w+)` \| (.+) \|$", PAGE, re.M))
    assert rows == {name: f"{f'`{default}`' if default else 'empty'} | {doc}" for name, default, doc in describe()}
