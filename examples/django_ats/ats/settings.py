"""Settings. What differs from one machine to the next comes from the environment; the defaults are for development.

DATABASE_URL     postgresql://ats@db.internal/ats, or sqlite:/var/lib/ats/ats.db
BROKER_URL       redis://127.0.0.1:6379/0
HIRENOW_KEYS     the file with the keys that sign links (manage.py hirenow_new_key makes a first one)
LINK_BASE        the https address of the applicant's page
HIRENOW_POLICY   the file with the retake policy
SECRET_KEY, ALLOWED_HOSTS, EMAIL_HOST, EMAIL_PORT, MAIL_FROM, DEBUG
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = os.environ.get("DEBUG", "0") == "1"
SECRET_KEY = os.environ.get("SECRET_KEY") or ("only for development" if DEBUG else "")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")

INSTALLED_APPS = [
    "hiring",
    "hirenow.contrib.django",
    "rest_framework",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "hiring.security.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "ats.urls"
WSGI_APPLICATION = "ats.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def database(url):
    """A URL as Django has it. PostgreSQL's may name any parameter of libpq's behind its question mark."""
    scheme, _, rest = url.partition(":")
    if scheme == "sqlite":
        # A transaction that will write takes its turn when it begins, and readers keep nobody from writing. Before
        # Django 5.1 say "PRAGMA journal_mode = WAL" once by hand: the file remembers it.
        from django import VERSION

        options = {}
        if VERSION >= (5, 1):
            options = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode = WAL"}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": rest, "OPTIONS": {"timeout": 10, **options}}
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or options.pop("host", ""),
        "PORT": parts.port or options.pop("port", ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 60,
    }


DATABASES = {"default": database(os.environ.get("DATABASE_URL", f"sqlite:{BASE_DIR / 'ats.db'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # what the browser asks for; hiring/locale has the words

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static"
WHITENOISE_USE_FINDERS = True  # small enough to do without collectstatic
LOGIN_REDIRECT_URL = "board"
LOGIN_URL = "login"

SECURE_COOKIES = not DEBUG and os.environ.get("LINK_BASE", "").startswith("https:")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_TIMEOUT = 60
DEFAULT_FROM_EMAIL = os.environ.get("MAIL_FROM", "Acme Hiring <jobs@acme.example>")

HIRENOW = {
    "KEYS": os.environ.get("HIRENOW_KEYS", BASE_DIR / "keys.json"),
    "POLICY": os.environ.get("HIRENOW_POLICY", BASE_DIR / "hiring" / "policy.json"),
    "LINK_BASE": os.environ.get("LINK_BASE", "http://127.0.0.1:8000/interview/"),
    "TENANT": "acme",
    "ENGINE": {"link_lifetime": timedelta(days=3), "time_limit": timedelta(hours=1)},
    "DISPATCHER": {"track_title": "hiring.models.track_title"},
}

CELERY_BROKER_URL = os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/0")
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = {
    # A firing that finds no worker free in time is dropped: the next one does its work.
    "mail": {"task": "hiring.tasks.send_mail", "schedule": 10.0, "options": {"expires": 10.0}},
    "clock": {"task": "hiring.tasks.let_the_clock_work", "schedule": 60.0, "options": {"expires": 60.0}},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["hiring.permissions.IsStaff"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_RATES": {"link": "5/min"},
    "EXCEPTION_HANDLER": "hiring.errors.answer_to",
}
