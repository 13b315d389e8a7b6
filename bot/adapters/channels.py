"""Handing notifications over, through Apprise, so that any channel it knows can be configured by an address."""

from __future__ import annotations

from urllib.parse import quote

import apprise

from bot.core.people import StaffMember
from bot.services.ports import SendFailed


class AppriseNotifier:
    """Sends e-mail by an Apprise URL. `{to}` in the URL stands for the recipient's address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, recipient: StaffMember, subject: str, body: str) -> None:
        """Hand over one notification. Raises SendFailed; an address that cannot be used at all is permanent."""
        channel = apprise.Apprise()
        if "@" not in recipient.email or not channel.add(self._url.replace("{to}", quote(recipient.email, safe="@"))):
            raise SendFailed("address", permanent=True)
        if not channel.notify(title=subject, body=body, body_format=apprise.NotifyFormat.TEXT):
            raise SendFailed("not_accepted", permanent=False)


def development_mail_url(port: int, sender: str) -> str:
    """The URL of the mail sink that runs beside the other processes in development."""
    return f"mailto://127.0.0.1:{port}/?from={quote(sender)}&to={{to}}&mode=insecure&smtp=127.0.0.1"
