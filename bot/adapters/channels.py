"""Handing notifications over, through Apprise, so that any channel it knows can be configured by an address."""

from __future__ import annotations

from urllib.parse import quote

import apprise

from bot.core.people import StaffMember
from bot.services.ports import SendFailed


class AppriseNotifier:
    """Sends by Apprise addresses: e-mail by default, else whatever the person's channel names.

    `{to}` in the default address stands for the recipient's e-mail.
    """

    def __init__(self, mail_url: str) -> None:
        self._mail_url = mail_url

    def send(self, recipient: StaffMember, subject: str, body: str, *, url: str | None = None) -> None:
        """Hand over one notification. Raises SendFailed; an address that cannot be used at all is permanent."""
        if url is None:
            if "@" not in recipient.email:
                raise SendFailed("address", permanent=True)
            url = self._mail_url.replace("{to}", quote(recipient.email, safe="@"))
        channel = apprise.Apprise()
        if not channel.add(url):
            raise SendFailed("address", permanent=True)
        try:
            accepted = channel.notify(title=subject, body=body, body_format=apprise.NotifyFormat.TEXT)
        except (OSError, TypeError, ValueError) as error:
            raise SendFailed("not_accepted", permanent=False) from error
        if not accepted:
            raise SendFailed("not_accepted", permanent=False)


def load_channels() -> None:
    """Load all that Apprise knows. It takes seconds, which the first alert must not wait for."""
    apprise.Apprise().add("json://localhost")


def is_address(url: str) -> bool:
    """Whether Apprise can use this address."""
    return bool(apprise.Apprise().add(url))


def development_mail_url(port: int, sender: str) -> str:
    """The URL of the mail sink that runs beside the other processes in development."""
    return f"mailto://127.0.0.1:{port}/?from={quote(sender)}&to={{to}}&mode=insecure&smtp=127.0.0.1"
