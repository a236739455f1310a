"""The project's settings over a database for tests: HIRENOW_TEST_DATABASE says "sqlite" (a file) or "postgresql" (a
private server, which ends with this process)."""

import json
import os
import subprocess
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import hirenow

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(tempfile.mkdtemp(prefix="hirenow-django-"))
KIND = os.environ.get("HIRENOW_TEST_DATABASE", "sqlite")
assert KIND in ("sqlite", "postgresql")

if KIND == "postgresql":
    subprocess.run([ROOT / "tests" / "support" / "postgres.sh", "start", FOLDER / "url", str(os.getpid())], check=True)
    os.environ["DATABASE_URL"] = (FOLDER / "url").read_text().strip()
else:
    os.environ["DATABASE_URL"] = f"sqlite:{FOLDER / 'ats.db'}"
keys = Path(os.environ.get("HIRENOW_TEST_KEYS", FOLDER / "keys.json"))
if not keys.exists():
    with open(os.open(keys, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(hirenow.new_key_document(hirenow.KeyAlgorithm.ED25519, "test"))
os.environ.update(
    SECRET_KEY="test", HIRENOW_KEYS=str(keys), BROKER_URL="memory://", LINK_BASE="https://jobs.acme.example/interview/"
)

from ats.settings import *  # noqa: E402, F403
from ats.settings import DATABASES, HIRENOW  # noqa: E402

if KIND == "sqlite":
    DATABASES["default"]["TEST"] = {"NAME": str(FOLDER / "test.db")}
if "HIRENOW_TEST_CONNECTION" in os.environ:  # a program that a test has started looks into the test's own database
    DATABASES["default"] = json.loads(os.environ["HIRENOW_TEST_CONNECTION"])
# Another database of the same site, which has nothing of hirenow's.
DATABASES["elsewhere"] = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": str(FOLDER / "elsewhere.db"),
    "TEST": {"NAME": str(FOLDER / "test-elsewhere.db")},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick

MONDAY = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)
clock = hirenow.ManualClock(MONDAY)
HIRENOW = {**HIRENOW, "CLOCK": "tests.settings.clock", "STORE": {"database_clock": False}}
