"""Telling devices apart: a random long-lived cookie, and a name in plain words. No fingerprinting."""

from __future__ import annotations

import secrets
from datetime import timedelta

from flask import current_app, g, request
from werkzeug.wrappers import Response

COOKIE = "device"
LASTS = timedelta(days=400)
BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def device_name(agent: str) -> str:
    """A browser and its system in words, such as `Firefox on Android`; never the text that the browser sent."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "A program")
    system = next((name for mark, name in SYSTEMS if mark in agent), "an unknown system")
    return f"{browser} on {system}"


def known_device() -> str | None:
    """The token of this device, where it has one."""
    token = request.cookies.get(COOKIE, "")
    return token if 20 <= len(token) <= 100 else None


def device_token() -> str:
    """The token of this device; a new one is kept with the answer to this request."""
    token = known_device() or g.get("device_token") or secrets.token_urlsafe(32)
    g.device_token = token
    return str(token)


def keep_device(response: Response) -> Response:
    """Set the device's cookie where a sign-in needed one."""
    if "device_token" in g:
        response.set_cookie(
            COOKIE,
            g.device_token,
            max_age=int(LASTS.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        )
    return response
