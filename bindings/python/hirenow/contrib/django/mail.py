"""Mailers for the dispatcher: Django's e-mail backend, or hirenow's own SMTP by Django's settings."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from typing import Any, Optional

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import sanitize_address

import hirenow
from hirenow import Delivery, DeliveryOutcome, OutgoingMail


class DjangoMailer:
    """Sends by the e-mail backend of the settings, each mail on a connection of its own.

    A backend that only says that it failed is taken to have failed for the moment: the mail is tried again.
    """

    def __init__(self, backend: Optional[str] = None) -> None:
        self._backend = backend

    def send(self, mail: OutgoingMail) -> Delivery:
        """Delivers one mail. Any thread."""
        message = EmailMultiAlternatives(
            subject=mail.subject,
            body=mail.text,
            from_email=_with_name(mail.from_name, mail.from_address),
            to=[_with_name(mail.to_name, mail.to_address)],
            headers={
                "Message-ID": f"<{mail.message_id}>",
                "Auto-Submitted": "auto-generated",
                **({"Content-Language": mail.language} if mail.language else {}),
            },
        )
        if mail.html:
            message.attach_alternative(mail.html, "text/html")
        backend: Any = get_connection(self._backend)
        try:
            backend.open()
        except Exception as error:
            return _refused(error, DeliveryOutcome.TEMPORARY)
        try:
            if backend.send_messages([message]) == 0:
                return Delivery(DeliveryOutcome.TEMPORARY, 0, "the backend has not sent it")
            return Delivery(DeliveryOutcome.ACCEPTED, 250, "taken by the backend")
        except Exception as error:
            # Whether a server that went away had taken the mail before, nobody knows.
            cut = isinstance(error, (smtplib.SMTPServerDisconnected, OSError)) and not _code(error)
            return _refused(error, DeliveryOutcome.AMBIGUOUS if cut else DeliveryOutcome.TEMPORARY)
        finally:
            try:
                backend.close()
            except Exception:  # the mail has its answer
                pass


def _with_name(name: str, address: str) -> str:
    return sanitize_address((name, address), "utf-8") if name else address


def _code(error: BaseException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((int(code) for code, _ in error.recipients.values()), 0)
    return int(getattr(error, "smtp_code", 0) or 0)


def _refused(error: BaseException, otherwise: DeliveryOutcome) -> Delivery:
    code = _code(error)
    said: Any = getattr(error, "smtp_error", None) or type(error).__name__
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        said = next((text for _, text in error.recipients.values()), b"")
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    # A login that is refused is the operator's to mend: it says nothing of the mail.
    for_good = 500 <= code < 600 and not isinstance(error, smtplib.SMTPAuthenticationError)
    return Delivery(DeliveryOutcome.PERMANENT if for_good else otherwise, code, text[:400])


def smtp_mailer() -> hirenow.SmtpMailer:
    """hirenow's own SMTP, by Django's EMAIL_HOST and so on: keeps connections, and waits for the server's last answer
    as long as it should. HIRENOW = {"MAILER": "hirenow.contrib.django.mail.smtp_mailer"}"""
    security = hirenow.SmtpSecurity.PLAINTEXT
    if settings.EMAIL_USE_SSL:
        security = hirenow.SmtpSecurity.IMPLICIT_TLS
    elif settings.EMAIL_USE_TLS:
        security = hirenow.SmtpSecurity.STARTTLS
    timeout = timedelta(seconds=settings.EMAIL_TIMEOUT) if settings.EMAIL_TIMEOUT else None
    return hirenow.SmtpMailer(
        settings.EMAIL_HOST,
        int(settings.EMAIL_PORT),
        security=security,
        username=settings.EMAIL_HOST_USER,
        password=settings.EMAIL_HOST_PASSWORD,
        connect_timeout=timeout,
        response_timeout=timeout,
    )


__all__ = ["DjangoMailer", "smtp_mailer"]
