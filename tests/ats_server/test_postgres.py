"""The same program over PostgreSQL: host's rows and hirenow's in one database, one transaction."""

import os
import subprocess
from pathlib import Path

from conftest import failed_interview

SCRIPT = Path(__file__).parent.parent / "support" / "postgres.sh"


def test_a_retake_over_postgresql(people, make_server, chromium, tmp_path):
    subprocess.run([SCRIPT, "start", tmp_path / "url", str(os.getpid())], check=True, timeout=120)
    try:
        own = make_server("--interviews", "40", "--database", (tmp_path / "url").read_text().strip())
        them = type(people)(chromium, own)
        recruiter = them.staff()
        email, interview, old = failed_interview(own)
        recruiter.goto("/interviews?q=" + email)
        recruiter.locator("a.retake").click()
        recruiter.locator("dialog[open] button.primary").click()
        recruiter.wait_for_url("**?done=retake")
        page = them.someone()
        page.goto(old)
        page.locator("[data-kind=superseded_interview]").wait_for()
        recruiter.goto("/interviews?q=nadia")
        assert recruiter.locator("tbody tr").count() == 2
        # The host's own row went along: the application is open again.
        recruiter.goto("/interviews/" + interview)
        assert "interviewing" in recruiter.locator(".facts").inner_text()
        them.close()
        assert own.stop() == 0
    finally:
        subprocess.run([SCRIPT, "stop", tmp_path / "url"], check=True, timeout=60)
