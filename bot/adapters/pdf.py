"""The page for printing as a PDF a clinic can file. Nothing is fetched but our own style sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from weasyprint import HTML

SHEET = Path(__file__).parents[1] / "web/static/paper.css"
BASE = "https://paper.invalid/"  # never asked: makes the sheet's address absolute


class NotOurs(ValueError):
    """The page asks for something other than our own style sheet."""


def print_pdf(page: str) -> bytes:
    """The PDF of a page, tagged for screen readers. Raises NotOurs where the page asks for anything else."""
    document = HTML(string=page, base_url=BASE, url_fetcher=_only_our_sheet)
    return bytes(document.write_pdf(pdf_variant="pdf/ua-1"))


def _only_our_sheet(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    if url.split("?")[0] != f"{BASE}static/{SHEET.name}":
        raise NotOurs("the page for printing asks for something that is not ours")
    return {"string": SHEET.read_bytes(), "mime_type": "text/css"}
