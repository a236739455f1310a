"""What Celery's workers do. Tasks that overlap share the work and double nothing."""

from celery import shared_task

from hirenow.contrib.django import dispatcher, store_engine


@shared_task
def send_mail(limit=100):
    """Sends what is due."""
    report = dispatcher().dispatch_due(limit)
    if report.accepted + report.retried + report.dead >= limit:
        send_mail.delay(limit)  # there may be more
    return {"accepted": report.accepted, "retried": report.retried, "dead": report.dead}


@shared_task
def let_the_clock_work():
    """Expires and submits what has run out of time."""
    report = store_engine().sweep()
    return {"records": report.records, "events": report.events, "set_aside": len(report.failed)}
