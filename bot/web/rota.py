"""The rota's page: a week at a glance, gaps first, overrides and swaps."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, url_for

from bot.bootstrap import Application
from bot.core.policy import DUTIES, TARGET_NAMES, summary
from bot.services.ports import NotPermitted
from bot.services.rota import KEEPERS, RotaError
from bot.web.accounts import STAFF, allow, signed_in_staff

KEEPER_ROLES = (*STAFF, "administrator")


def make(application: Application) -> Blueprint:
    """The rota's pages over these services."""
    pages = Blueprint("rota", __name__, url_prefix="/staff/rota")
    zone = ZoneInfo(application.settings.time_zone)

    @pages.get("/")
    @allow(*KEEPER_ROLES)
    def rota() -> Any:
        return _page()

    @pages.post("/<action>")
    @allow(*KEEPER_ROLES)
    def change(action: str) -> Any:
        member, form, service = signed_in_staff(), request.form, application.rota
        try:
            if action == "override":
                service.override(
                    member,
                    duty=form.get("duty", ""),
                    member_id=form.get("member", 0, type=int),
                    starts_at=_moment(form.get("starts", "")),
                    ends_at=_moment(form.get("ends", "")),
                    reason=form.get("reason", ""),
                )
            elif action == "swap":
                first, second = _moment(form.get("first", "")), _moment(form.get("second", ""))
                service.swap(member, duty=form.get("duty", ""), first=first, second=second)
            elif action == "day-off":
                first_day = _day(form.get("first", ""))
                last_day = _day(form.get("last", "") or form.get("first", ""))
                who = form.get("member", type=int) or None
                service.day_off(
                    member, first_day=first_day, last_day=last_day, member_id=who, name=form.get("name", "")[:80]
                )
            elif action == "remove":
                service.remove(member, form.get("row", ""))
            else:
                abort(404)
        except NotPermitted:
            abort(404)
        except RotaError as problem:
            return _page(str(problem)), 422
        return redirect(url_for("rota.rota", week=request.args.get("week", 0)))

    def _page(problem: str | None = None) -> Any:
        weeks = max(-8, min(26, request.args.get("week", 0, type=int)))
        today = application.clock().astimezone(zone).date()
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
        start = datetime.combine(monday, datetime.min.time(), tzinfo=zone)
        end = datetime.combine(monday + timedelta(days=7), datetime.min.time(), tzinfo=zone)
        rota, names = application.rota.whole()
        spans = application.rota.between(start, end)
        with application.uow() as tx:
            staff = [m for m in tx.staff() if m.roles & set(STAFF)]
        return render_template(
            "rota.html",
            strip=[(duty, [_bar(row, start, end) for row in spans if row.duty == duty]) for duty in DUTIES],
            days=[start + timedelta(days=n) for n in range(7)],
            spans=spans,
            gaps=application.rota.gaps(),
            overrides=[o for o in rota.overrides if o.ends_at > application.clock()],
            days_off=[d for d in rota.days_off if d.last_day >= today],
            shifts=rota.shifts,
            names=names,
            staff=staff,
            duties=[(duty, TARGET_NAMES[duty]) for duty in DUTIES],
            roles=TARGET_NAMES,
            policy=summary(application.escalation.policy),
            may_change=bool(signed_in_staff().roles & KEEPERS),
            week=weeks,
            zone=zone.key,
            problem=problem,
            now=application.clock(),
        )

    def _moment(text: str) -> datetime:
        try:
            return datetime.fromisoformat(text).replace(tzinfo=zone)
        except ValueError as error:
            raise RotaError("Please give a date and an hour; nothing was kept.") from error

    def _day(text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise RotaError("Please give a date; nothing was kept.") from error

    return pages


def _bar(row: Any, start: datetime, end: datetime) -> dict[str, Any]:
    """One stretch as a rectangle of the week strip, in thousandths of the week."""
    whole = end - start
    left = (max(row.span.starts_at, start) - start) / whole
    right = (min(row.span.ends_at, end) - start) / whole
    return {
        "x": round(left * 1000),
        "width": max(2, round((right - left) * 1000)),
        "names": row.names,
        "span": row.span,
    }
