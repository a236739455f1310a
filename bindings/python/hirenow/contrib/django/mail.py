"""Mailers for the dispatcher: Django's e-mail backend, or hirenow's own SMTP by Django's settings.

Django's settings are MAILERS (Django 6.1) where that is set, else EMAIL_BACKEND, EMAIL_HOST and so on.
"""

from __future__ import annotations

import re
import smtplib
from datetime import timedelta
from typing import Any, Mapping, Optional

import django.core.mail
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

import hirenow
from hirenow import Delivery, DeliveryOutcome, OutgoingMail


class DjangoMailer:
    """Sends by the e-mail backend of the settings, each mail on a connection of its own. Another one is named by its
    path; where MAILERS is set, by its alias.

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
        backend = _backend(self._backend)
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


def _backend(name: Optional[str]) -> Any:
    if _mailers() is None:
        return django.core.mail.get_connection(name)
    mailers: Any = getattr(django.core.mail, "mailers")  # Django 6.1
    return mailers[name or "default"]


def _mailers() -> Optional[Mapping[str, Any]]:
    return getattr(settings, "MAILERS", None)


def backend_path() -> str:
    """The class of the backend that mail goes by."""
    mailers = _mailers()
    if mailers is None:
        return str(settings.EMAIL_BACKEND)
    return str(mailers.get("default", {}).get("BACKEND", "django.core.mail.backends.smtp.EmailBackend"))


def smtp_options() -> Mapping[str, Any]:
    """Where the settings say that mail goes, by the names of MAILERS' OPTIONS."""
    mailers = _mailers()
    if mailers is not None:
        return dict(mailers.get("default", {}).get("OPTIONS", {}))
    return {
        "host": settings.EMAIL_HOST,
        "port": settings.EMAIL_PORT,
        "username": settings.EMAIL_HOST_USER,
        "password": settings.EMAIL_HOST_PASSWORD,
        "use_tls": settings.EMAIL_USE_TLS,
        "use_ssl": settings.EMAIL_USE_SSL,
        "timeout": settings.EMAIL_TIMEOUT,
    }


def _with_name(name: str, address: str) -> str:
    """A mailbox (RFC 5322 §3.4); what is not ASCII Django encodes for the wire."""
    if re.search(r'[()<>\[\]:;@\\,."]', name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{name} <{address}>" if name else address


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
    """hirenow's own SMTP, to the server of Django's settings: keeps connections, and waits for the server's last answer
    as long as it should. HIRENOW = {"MAILER": "hirenow.contrib.django.mail.smtp_mailer"}"""
    options = smtp_options()
    security, port = hirenow.SmtpSecurity.PLAINTEXT, 25
    if options.get("use_ssl"):
        security, port = hirenow.SmtpSecurity.IMPLICIT_TLS, 465
    elif options.get("use_tls"):
        security, port = hirenow.SmtpSecurity.STARTTLS, 587
    timeout = timedelta(seconds=options["timeout"]) if options.get("timeout") else None
    return hirenow.SmtpMailer(
        options.get("host") or "localhost",
        int(options.get("port") or port),
        security=security,
        username=options.get("username") or "",
        password=options.get("password") or "",
        connect_timeout=timeout,
        response_timeout=timeout,
    )


__all__ = ["DjangoMailer", "backend_path", "smtp_mailer", "smtp_options"]
