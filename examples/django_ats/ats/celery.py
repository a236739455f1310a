"""Celery: its workers send the mail and let the clock work.

celery --app ats worker --beat      # with many workers, run beat once
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ats.settings")

app = Celery("ats")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
