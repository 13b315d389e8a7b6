"""A PDF from one of our own HTML pages, with WeasyPrint. Nothing is fetched: no address is ever opened."""

from __future__ import annotations

from typing import Any


def pdf(html: str) -> bytes:
    """The page as PDF. The HTML carries its own style; images and links to other files are refused."""
    from weasyprint import HTML  # 20 MiB that a server without exports need not hold

    return bytes(HTML(string=html, url_fetcher=_refuse).write_pdf())


def _refuse(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    raise ValueError("a journal's copy opens no address")
