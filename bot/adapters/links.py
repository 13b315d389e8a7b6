"""The link in a message to staff: it names one alert and one person, is signed, and runs out."""

from __future__ import annotations

from itsdangerous import BadSignature, URLSafeTimedSerializer

GOOD_FOR_SECONDS = 24 * 3600


class Links:
    """Makes and reads links to acknowledge an alert. A link shows on GET and acts on POST only."""

    def __init__(self, secret: str, address: str) -> None:
        self._signer = URLSafeTimedSerializer(secret, salt="acknowledge")
        self._address = address

    def to_alert(self, alert_id: str, member_id: int) -> str:
        """The address to put into a message."""
        return f"{self._address}/staff/alerts/{alert_id}/answer/{self._signer.dumps([alert_id, member_id])}"

    def to_caseload(self) -> str:
        """The coach's own page: a concern is read there."""
        return f"{self._address}/coach/"

    def read(self, token: str) -> tuple[str, int] | None:
        """(alert id, member id), or None for a link that is not ours or has run out."""
        try:
            alert_id, member_id = self._signer.loads(token, max_age=GOOD_FOR_SECONDS)
        except (BadSignature, ValueError, TypeError):
            return None
        return str(alert_id), int(member_id)
