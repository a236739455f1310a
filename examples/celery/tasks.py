"""hirenow behind Celery: its workers send the mail and let the clock do what is due.

    celery --app tasks worker --beat        # in this folder; with many workers, run beat once

The requests of the site itself need none of this: they call the engine, and what it promises stands in the outbox when
they commit. Tasks that overlap, in as many workers as there are, share the outbox and double nothing.
"""

import functools
import os

from celery import Celery

import hirenow

app = Celery("tasks", broker=os.environ["BROKER_URL"], backend=os.environ.get("RESULT_URL", os.environ["BROKER_URL"]))
app.conf.beat_schedule = {
    # A firing that finds no worker free in time is dropped: the next one does its work.
    "mail": {"task": "tasks.send_mail", "schedule": 5.0, "options": {"expires": 5.0}},
    "clock": {"task": "tasks.let_the_clock_work", "schedule": 60.0, "options": {"expires": 60.0}},
}
app.conf.broker_connection_retry_on_startup = True


@functools.lru_cache(maxsize=None)
def engine():
    """One for each worker process, opened on first use: what is opened before Celery forks is refused in the child."""
    return hirenow.open(os.environ["HIRENOW_STORE"], keys=os.environ["HIRENOW_KEYS"], link_base=os.environ["LINK_BASE"])


@functools.lru_cache(maxsize=None)
def dispatcher():
    host, _, port = os.environ["SMTP_SERVER"].partition(":")
    security = hirenow.SmtpSecurity(os.environ.get("SMTP_SECURITY", "starttls"))
    mailer = hirenow.SmtpMailer(host, int(port or 587), security=security)
    return hirenow.Dispatcher(engine(), mailer, sender=hirenow.MailSender(os.environ["MAIL_FROM"]))


@app.task
def send_mail(limit=100):
    """Sends what is due, at most so many messages, and says what came of them."""
    report = dispatcher().dispatch_due(limit)
    return {"accepted": report.accepted, "retried": report.retried, "dead": report.dead, "worker": os.getpid()}


@app.task
def let_the_clock_work():
    """Expires and submits what has run out of time. Reading does not need it: lists show it as done already."""
    report = engine().sweep()
    return {"records": report.records, "events": report.events, "set_aside": len(report.failed)}
