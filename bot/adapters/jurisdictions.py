"""Reading the profile of a jurisdiction from data/jurisdictions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import yaml

from bot.core.jurisdiction import Jurisdiction
from bot.core.privacy import Retention


class JurisdictionUnknown(ValueError):
    """There is no such profile, or it lacks something. The message says which and what."""


def load_jurisdiction(folder: Path, name: str) -> Jurisdiction:
    """The profile of a place. Raises JurisdictionUnknown."""
    path = folder / f"{name}.yml"
    if not name.isidentifier() or not path.exists():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yml")))
        raise JurisdictionUnknown(f"KAT_JURISDICTION names no profile of data/jurisdictions; there are: {known}.")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))["jurisdiction"]
    try:
        return Jurisdiction(
            name=raw["name"],
            disclose_every=timedelta(hours=raw["disclosure"]["every_hours"]),
            disclose_after_away=timedelta(days=raw["disclosure"]["after_days_away"]),
            disclosure=raw["disclosure"]["text"],
            functions=tuple(raw["functions"]),
            crisis_lines=tuple(raw["crisis_lines"]),
            report_counts=tuple(raw["report_counts"]),
            retention=Retention(**raw["retention_days"]),
        )
    except (KeyError, TypeError) as error:
        raise JurisdictionUnknown(f"data/jurisdictions/{path.name} lacks or misnames {error}.") from error
