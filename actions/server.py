"""The action server's own start: loopback only, and only for whoever knows the shared secret."""

from __future__ import annotations

import hmac
from typing import Any

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Request, response
from sanic.response import HTTPResponse

from actions.sittings import ACTIONS, application
from bot.settings import Settings


def make_app(settings: Settings) -> Any:
    """The Sanic app with our actions and nothing else."""
    executor = ActionExecutor()
    for action in ACTIONS:
        executor.register_action(action())
    app = create_app(executor)

    @app.on_request
    async def refuse_strangers(request: Request) -> HTTPResponse | None:
        if request.path == "/health":
            return None
        given = request.headers.get("X-Action-Secret", "")
        if hmac.compare_digest(given.encode(), settings.action_secret.encode()):
            return None
        return response.json({"error": "forbidden"}, status=403)

    return app


def serve(settings: Settings) -> None:
    """Serve on the loopback port of the settings until stopped."""
    application()
    app = make_app(settings)
    app.run(host="127.0.0.1", port=settings.actions_port, single_process=True, access_log=False, motd=False)
