"""A patient's question to the coach or the medical team, as staff track it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question. `text` is the patient's words."""

    id: str
    patient_id: str
    addressee: str  # coach or medical_team
    status: str  # open or answered
    asked_at: datetime
    text: str
