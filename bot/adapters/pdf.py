"""A PDF of one of our own pages, with WeasyPrint. No address is ever opened; the one style sheet of ours is read."""

from __future__ import annotations

from pathlib import Path

SHEET = Path(__file__).parents[1] / "web/static/paper.css"
BASE = "https://paper.invalid/"  # never asked: makes the sheet's address absolute


class NotOurs(ValueError):
    """The page asks for something other than our own style sheet; nothing was printed."""


def pdf(page: str) -> bytes:
    """The page as a PDF tagged for screen readers. Raises NotOurs where it asks for anything but our style sheet."""
    from weasyprint import HTML  # a large library, and few processes ever print
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class OurSheetOnly(URLFetcher):  # type: ignore[misc]  # the library has no types
        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
            if url.split("?")[0] != f"{BASE}static/{SHEET.name}":
                raise NotOurs(url.split("?")[0])
            return URLFetcherResponse(url, body=SHEET.read_bytes(), headers={"Content-Type": "text/css"})

    document = HTML(string=page, base_url=BASE, url_fetcher=OurSheetOnly(fail_on_errors=True))
    try:
        return bytes(document.write_pdf(pdf_variant="pdf/ua-1"))
    except FatalURLFetchingError as error:  # not an Exception: it would pass every handler
        raise NotOurs("the page for printing asks for something that is not ours; nothing was printed") from error
