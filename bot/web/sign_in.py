"""How Flask-Security is set: its options, its forms with a lock after many tries, one-time codes, plain mail."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from typing import Any

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from flask_security import (
    ChangePasswordForm,
    LoginForm,
    MailUtil,
    MfRecoveryForm,
    Totp,
    TwoFactorVerifyCodeForm,
    VerifyForm,
    hash_password,
    verify_password,
)

from bot.core.people import StaffMember
from bot.services.ports import Notifier, SendFailed
from bot.settings import Settings
from bot.web.devices import known_device

log = structlog.get_logger()
LOCKED = "Too many tries. Please wait 15 minutes, or call the clinic: {phone}."
REFUSED = "That e-mail and passphrase do not fit together."


def options(settings: Settings) -> dict[str, Any]:
    """Flask-Security's options for these settings."""
    return {
        "SECURITY_PASSWORD_SALT": settings.password_salt,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_LENGTH_MIN": 12,
        "SECURITY_REGISTERABLE": False,
        "SECURITY_RECOVERABLE": True,
        "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=1),
        "SECURITY_CHANGEABLE": True,
        "SECURITY_SEND_REGISTER_EMAIL": False,
        "SECURITY_POST_LOGIN_VIEW": "/",
        "SECURITY_POST_LOGOUT_VIEW": "/login",
        "SECURITY_POST_RESET_VIEW": "/login",
        "SECURITY_POST_CHANGE_VIEW": "/account/sessions",
        "SECURITY_AUTO_LOGIN_AFTER_RESET": False,
        "SECURITY_AUTO_LOGIN_AFTER_CONFIRM": False,
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_UNAUTHORIZED_VIEW": None,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_FLASH_MESSAGES": True,
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_FRESHNESS": timedelta(minutes=15),
        "SECURITY_FRESHNESS_GRACE_PERIOD": timedelta(minutes=15),
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_ALWAYS_VALIDATE": True,
        "SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY": 30,
        "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": "/mf-recovery-codes",
        "SECURITY_TWO_FACTOR_ERROR_VIEW": "/login",
        "SECURITY_TOTP_SECRETS": {"1": derived(settings.password_salt, "totp")},
        "SECURITY_TOTP_ISSUER": settings.clinic_name,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_N": 8,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_KEYS": [derived(settings.password_salt, "recovery codes").encode()],
        "SECURITY_EMAIL_SENDER": settings.mail_from,
        "SECURITY_EMAIL_HTML": False,
        "SECURITY_EMAIL_SUBJECT_PASSWORD_RESET": "A new passphrase",
        "SECURITY_EMAIL_SUBJECT_PASSWORD_NOTICE": "Your passphrase was changed",
        "SECURITY_EMAIL_SUBJECT_PASSWORD_CHANGE_NOTICE": "Your passphrase was changed",
        "SECURITY_MSG_GENERIC_AUTHN_FAILED": (REFUSED, "error"),
        "SECURITY_MSG_PASSWORD_INVALID_LENGTH": (
            "Please choose a passphrase of at least %(length)s characters; a few words work well.",
            "error",
        ),
    }


def derived(secret: str, purpose: str) -> str:
    """A key for one purpose, 32 bytes in URL-safe base64, from a secret of the settings."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(secret.encode())
    return base64.urlsafe_b64encode(key).decode()


def credentials_fit(email: str, passphrase: str) -> Any | None:
    """The account of an e-mail and passphrase, or None; takes as long for an unknown account as for a known one.

    Counts the failure; a locked account fits nothing.
    """
    application, device = _application(), known_device()
    if application.sign_in.is_locked(email, device):
        return None
    user = current_app.extensions["security"].datastore.find_user(email=email.strip().lower())
    if user is None:
        hash_password(passphrase)
        fits = False
    else:
        fits = verify_password(passphrase, user.password) and user.active
    if not fits:
        application.sign_in.failed(email, device)
        return None
    if not has_second_factor(user):
        application.sign_in.succeeded(email, device)
    return user


def has_second_factor(user: Any) -> bool:
    """Whether signing in to this account takes more than the passphrase."""
    return bool(user.tf_primary_method)


def code_fits(user: Any, code: str) -> bool:
    """Whether a code of the account's authenticator is right and new. Counts a wrong one."""
    application, device = _application(), known_device()
    if not code or not user.tf_totp_secret or application.sign_in.is_locked(user.email, device):
        return False
    security = current_app.extensions["security"]
    window = current_app.config["SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY"]
    secret, verify = user.tf_totp_secret, security.totp_factory.verify_totp
    fits: bool = verify(token=code, totp_secret=secret, user=user, window=window)
    if fits:
        security.datastore.put(user)
        security.datastore.commit()
        application.sign_in.succeeded(user.email, device)
    else:
        application.sign_in.failed(user.email, device)
    return fits


class _Guarded:
    """A form that counts failures, and takes nothing from a locked account."""

    def account(self) -> str:
        """The e-mail address that the failures count for."""
        user: Any = self.user  # type: ignore[attr-defined]
        return str(user.email)

    def validate(self, **kwargs: Any) -> bool:
        application, device = _application(), known_device()
        if application.sign_in.is_locked(self.account(), device):
            words = LOCKED.format(phone=application.settings.clinic_phone)
            self.form_errors.append(words)  # type: ignore[attr-defined]
            return False
        fits: bool = super().validate(**kwargs)  # type: ignore[misc]
        if not fits:
            application.sign_in.failed(self.account(), device)
        elif self.settles():
            application.sign_in.succeeded(self.account(), device)
        return fits

    def settles(self) -> bool:
        """Whether passing this form alone proves who it is, so that earlier failures are forgotten."""
        return True


class GuardedLoginForm(_Guarded, LoginForm):
    """E-mail and passphrase."""

    def account(self) -> str:
        return str(self.email.data or "")

    def settles(self) -> bool:
        return not has_second_factor(self.user)


class GuardedCodeForm(_Guarded, TwoFactorVerifyCodeForm):
    """A code of the authenticator."""


class GuardedRecoveryForm(_Guarded, MfRecoveryForm):
    """A recovery code."""


class GuardedVerifyForm(_Guarded, VerifyForm):
    """The passphrase once more."""


class GuardedChangeForm(_Guarded, ChangePasswordForm):
    """The passphrase and a new one."""

    def account(self) -> str:
        from flask_security import current_user

        return str(current_user.email)


FORMS: dict[str, Any] = {
    "login_form": GuardedLoginForm,
    "two_factor_verify_code_form": GuardedCodeForm,
    "mf_recovery_form": GuardedRecoveryForm,
    "verify_form": GuardedVerifyForm,
    "change_password_form": GuardedChangeForm,
}


class OneTimeTotp(Totp):
    """Codes that are good once: the counter of the last one taken is kept with the account."""

    def get_last_counter(self, user: Any) -> int | None:
        counter: int | None = user.totp_counter
        return counter

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        user.totp_counter = tmatch.counter


class PlainMail(MailUtil):
    """Sends the library's mails as plain text through the clinic's channel: to staff only.

    A mail about a journal could be read by others; patients get their way back in from the clinic (`kat recover`).
    """

    def validate(self, email: str) -> str:
        """The address, normalised; which addresses there are was decided when the accounts were made."""
        normal: str = self.normalize(email)
        return normal

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: Any,
        sender: Any,
        body: str | None,
        html: str | None,
        **kwargs: Any,
    ) -> None:
        user = kwargs.get("user")
        if user is None or all(role.name == "patient" for role in user.roles):
            return
        member = StaffMember(id=user.id, name=user.display_name, email=user.email, roles=frozenset())
        words = (_application().notifier, member, str(subject), body or "")
        threading.Thread(target=_send, args=words, daemon=True).start()  # an unknown address is answered as fast


def _send(notifier: Notifier, member: StaffMember, subject: str, body: str) -> None:
    try:
        notifier.send(member, subject, body)
    except SendFailed as error:
        log.warning("account.mail_failed", user_id=member.id, code=error.code)


def _application() -> Any:
    return current_app.extensions["application"]
