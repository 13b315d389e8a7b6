"""Schemathesis over the WSGI application: whatever fits or misfits our OpenAPI document, there is no 5xx."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from bot.web.api import DOCUMENT
from tests.security.site import Browser, Site

EXAMPLES = int(os.environ.get("KAT_SCHEMA_EXAMPLES", "15"))
schema = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, Browser]:
    for limiter in site.flask.extensions["limiter"]:
        limiter.enabled = False
    return {who: site.browser(who) for who in ("patient", "coach", "responder")}


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
def test_no_request_of_the_document_makes_the_server_fail(case: Case, people: dict[str, Browser]) -> None:
    for browser in people.values():
        if not browser.is_signed_in:  # a generated request may have ended it
            browser.sign_in()
        headers: dict[str, Any] = {"X-CSRFToken": browser.token}
        made = case.as_transport_kwargs(base_url="http://localhost/api/v1", headers=headers)
        answer = browser.client.open(
            made["url"],
            method=made["method"],
            query_string=made.get("params"),
            json=made.get("json"),
            data=made.get("data"),
            headers={str(k): str(v) for k, v in made["headers"].items() if "\n" not in str(v) and "\r" not in str(v)},
        )
        assert answer.status_code < 500
