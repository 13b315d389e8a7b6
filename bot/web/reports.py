"""Reports per week: server-drawn charts, each with its table, and the same as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from bot.bootstrap import Application
from bot.core.policy import TARGET_NAMES
from bot.core.reports import LEVELS, week_rows
from bot.services.ports import NotPermitted
from bot.web.accounts import STAFF, allow, signed_in_staff

READER_ROLES = (*STAFF, "administrator")


def make(application: Application) -> Blueprint:
    """The report pages over these services."""
    pages = Blueprint("reports", __name__, url_prefix="/staff/reports")

    @pages.get("/")
    @allow(*READER_ROLES)
    def week() -> Any:
        ago = max(0, min(520, request.args.get("ago", 0, type=int)))
        try:
            report = application.reports.week(signed_in_staff(), ago)
        except NotPermitted:
            abort(404)
        start, end = application.reports.week_of(ago)
        per_category = [
            (category, [(level, report.counts.get((category, level), 0)) for level in LEVELS])
            for category in report.categories
        ]
        most = max((sum(count for _, count in row) for _, row in per_category), default=1)
        return render_template(
            "reports.html",
            report=report,
            ago=ago,
            start=start,
            end=end,
            levels=LEVELS,
            per_category=per_category,
            most=max(1, most),
            worst=max((values[2] for values in report.acknowledged.values()), default=1.0) or 1.0,
            roles=TARGET_NAMES,
            year=application.clock().year,
            zone=application.settings.time_zone,
        )

    @pages.get("/week.csv")
    @allow(*READER_ROLES)
    def week_csv() -> Any:
        ago = max(0, min(520, request.args.get("ago", 0, type=int)))
        return _csv(week_rows(application.reports.week(signed_in_staff(), ago)), f"alerts-week-{ago}-ago.csv")

    @pages.get("/year.csv")
    @allow(*READER_ROLES)
    def year_csv() -> Any:
        year = request.args.get("year", application.clock().year, type=int)
        if not 2000 <= year <= 2200:
            abort(404)
        rows = [("category", "level", "count"), *application.reports.year(signed_in_staff(), year)]
        return _csv(rows, f"alerts-{year}.csv")

    return pages


def _csv(rows: Any, name: str) -> Response:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return Response(
        out.getvalue(), mimetype="text/csv", headers={"Content-Disposition": f"attachment; filename={name}"}
    )
