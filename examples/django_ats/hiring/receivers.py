"""What is done once a transaction with promised mail is committed."""

from django.dispatch import receiver

from hirenow.contrib.django import mail_promised

from .tasks import send_mail


@receiver(mail_promised)
def wake_a_worker(using, **_):
    """Has the mail sent at once. Where the broker is away, beat's next firing does it: nobody waits for the broker."""
    send_mail.apply_async(retry=False, expires=60)
