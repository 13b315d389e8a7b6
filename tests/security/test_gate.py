"""Deny by default: every route against every role, found by enumeration; a new route without a rule fails here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from bot.core.people import ROLES
from bot.web.accounts import BEFORE_SECOND_FACTOR, LIBRARY, STAFF, allow, roles_of
from tests.security.site import Browser, Site

OPEN_TO_ANYONE = {
    "static", "alive", "ready", "help_now", "service_worker",
    "api.openapi", "api.session", "api.open_session",
    "patient.invitation", "account.recover",
    "pin.enter",  # good on a device that has a code, five tries
    "staff.answer",  # the signed link of an alert message names its person; initials and level only
    "security.static", "security.login", "security.forgot_password", "security.reset_password",
    "security.two_factor_token_validation", "security.mf_recovery", "security.tf_select",
}  # fmt: skip
JOURNAL_OF = {
    "patient": {"patient"},
    "coach": {"coach"},
    "staff": {*STAFF, "coach"},
}  # blueprint -> who may ever open it
THROUGH = 299  # a status that no view of ours gives: the gate let the request through


@pytest.fixture
def probed(own_site: Site) -> Site:
    """A site with every view replaced by one that only says that the gate let the request through."""

    site = own_site

    def through(endpoint: str) -> Any:
        def view(**_: Any) -> tuple[str, int]:
            return "through", THROUGH

        rule = roles_of(site.flask, endpoint)
        return view if endpoint in LIBRARY or rule is None else allow(*rule)(view)

    people = {role: site.browser(role) for role in ROLES}
    site.flask.view_functions = {endpoint: through(endpoint) for endpoint in site.flask.view_functions}
    site.flask.config["WTF_CSRF_ENABLED"] = False
    for limiter in site.flask.extensions["limiter"]:
        limiter.enabled = False
    site.people = people  # type: ignore[attr-defined]
    return site


def unruled(flask: Flask) -> set[str]:
    return {rule.endpoint for rule in flask.url_map.iter_rules() if roles_of(flask, rule.endpoint) is None}


def test_every_route_has_a_rule(site: Site) -> None:
    refused_library_views = {name for name in unruled(site.flask) if name.startswith("security.")}
    assert unruled(site.flask) - refused_library_views == set()


def test_a_new_route_without_a_rule_is_found_and_refused(own_site: Site) -> None:
    site = own_site
    site.flask.add_url_rule("/forgotten", "forgotten", lambda: "secrets")
    assert "forgotten" in unruled(site.flask)
    assert site.browser().get("/forgotten").status_code == 302
    for role in ROLES:
        assert site.browser(role).get("/forgotten").status_code == 404


def test_every_route_answers_each_role_as_its_rule_says(probed: Site) -> None:
    people: dict[str | None, Browser] = {None: probed.browser(), **probed.people}  # type: ignore[attr-defined]
    wrong, looked = [], 0
    for endpoint, method, path in probed.routes():
        rule = roles_of(probed.flask, endpoint)
        for role, browser in people.items():
            answer = browser.client.open(path, method=method)
            may = rule == () or (rule is not None and role in rule)
            refused = {401} if path.startswith("/api/") else {302}
            expected = {THROUGH} if may else ({404} if role else refused)
            looked += 1
            if answer.status_code not in expected:
                wrong.append((endpoint, method, role, answer.status_code))
    assert wrong == []
    assert looked >= len(probed.routes()) * (len(ROLES) + 1)


def test_no_one_but_the_named_faces_reaches_journal_pages(site: Site) -> None:
    for rule in site.flask.url_map.iter_rules():
        face = rule.endpoint.split(".")[0]
        roles = roles_of(site.flask, rule.endpoint)
        if face in JOURNAL_OF and rule.endpoint not in OPEN_TO_ANYONE:
            assert roles, rule.endpoint
            assert "administrator" not in roles, rule.endpoint
            assert set(roles) <= JOURNAL_OF[face] | set(STAFF), rule.endpoint
        if face == "api" and rule.endpoint not in OPEN_TO_ANYONE:
            assert roles, rule.endpoint
            assert "administrator" not in roles, rule.endpoint


def test_what_is_open_to_anyone_is_a_short_list_that_someone_decided(site: Site) -> None:
    anyone = {r.endpoint for r in site.flask.url_map.iter_rules() if roles_of(site.flask, r.endpoint) == ()}
    assert anyone == OPEN_TO_ANYONE


def test_the_rules_for_library_views_name_views_that_exist(site: Site) -> None:
    known = {rule.endpoint for rule in site.flask.url_map.iter_rules()}
    assert set(LIBRARY) <= known
    assert known >= BEFORE_SECOND_FACTOR


IDOR = [  # (who, method, path with another's id)
    ("other", "POST", "/entries/{shared}/visibility"),
    ("other", "PUT", "/api/v1/entries/{private}/visibility"),
    ("patient", "PUT", "/api/v1/entries/{others}/visibility"),
    ("kit", "GET", "/coach/patients/{patient}"),
    ("kit", "GET", "/api/v1/patients/{patient}/entries"),
    ("coach", "GET", "/coach/patients/{other}"),
    ("coach", "GET", "/api/v1/patients/{other}/entries"),
    ("patient", "GET", "/coach/patients/{patient}"),
    ("patient", "GET", "/staff/alerts/{alert}"),
    ("coach", "GET", "/staff/alerts/{alert}"),
    ("administrator", "GET", "/staff/alerts/{alert}"),
    ("administrator", "POST", "/staff/alerts/{alert}/words"),
    ("coach", "POST", "/api/v1/alerts/{alert}/acknowledge"),
    ("other", "POST", "/account/sessions/{session}/end"),
]


@pytest.mark.parametrize(("who", "method", "path"), IDOR)
def test_an_id_of_someone_else_opens_nothing(site: Site, who: str, method: str, path: str) -> None:
    site.browser("patient")
    session = site.app.sign_in.sessions(site.ids["patient"], staff=False)[-1]
    ids = {
        "shared": site.shared.id, "private": site.private.id, "others": site.others_entry.id,
        "patient": site.patient.id, "other": site.other.id, "alert": site.alert.id, "session": session.id,
    }  # fmt: skip
    browser = site.browser(who)
    answer = browser.client.open(
        path.format(**ids), method=method, data={"visibility": "shared", "csrf_token": browser.token}
    ) if method == "POST" else browser.json(path.format(**ids), {"visibility": "shared"}, method)  # fmt: skip
    assert answer.status_code == 404
    assert b"green field" not in answer.data
    assert b"words of an alert" not in answer.data
    with site.app.uow() as tx:
        private = tx.entry(site.private.id)
        kept = tx.session(session.id)
    assert private is not None
    assert private.visibility.value == "private"
    assert kept is not None
    assert kept.ended_at is None


def test_restricted_staff_see_neither_the_patient_nor_their_alert(own_site: Site) -> None:
    site = own_site
    with site.app.uow() as tx:
        tx.put_patient(replace(site.patient, restricted_staff=(site.ids["responder"], site.ids["coach"])))
    responder, coach, lead = (site.browser(role) for role in ("responder", "coach", "clinical_lead"))
    assert responder.get(f"/staff/alerts/{site.alert.id}").status_code == 404
    assert responder.form(f"/staff/alerts/{site.alert.id}/words").status_code == 404
    assert responder.form(f"/staff/alerts/{site.alert.id}/acknowledge").status_code == 404
    assert site.alert.reference not in responder.get("/staff/").text
    assert responder.get("/api/v1/alerts").get_json()["alerts"] == []
    assert coach.get(f"/coach/patients/{site.patient.id}").status_code == 404
    assert site.patient.id not in coach.get("/coach/").text
    assert lead.get(f"/staff/alerts/{site.alert.id}").status_code == 200


def test_a_coach_reads_shared_entries_and_never_private_ones(site: Site) -> None:
    page = site.browser("coach").get(f"/coach/patients/{site.patient.id}").text
    assert "a green field" in page
    assert "a locked drawer" not in page
