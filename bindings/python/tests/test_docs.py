"""What the documentation shows is run, and the quickstart prints what its siblings in C++ and C print."""

import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT


def test_the_quickstart_tells_the_common_story():
    done = subprocess.run([sys.executable, str(ROOT / "examples" / "quickstart.py")], capture_output=True, text=True,
                          timeout=60)
    assert done.stderr == ""
    assert done.stdout == (ROOT / "examples" / "quickstart.expected").read_text()


@pytest.mark.parametrize("page", ["docs/python.md", "README.md"])
def test_the_code_of_the_documentation_runs(page, tmp_path, monkeypatch):
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "documentation"}
    if page == "README.md":
        # What the sketch takes for granted: files, and the host's connection and rows.
        exec(SETTING, names)
    for n, block in enumerate(blocks):
        exec(compile(block, f"{page}, block {n + 1}", "exec"), names)
    assert os.listdir(tmp_path)


SETTING = """
import sqlite3, hirenow
from datetime import timedelta
with open("keys.json", "w", opener=lambda path, flags: __import__("os").open(path, flags, 0o600)) as file:
    file.write(hirenow.new_key_document(hirenow.KeyAlgorithm.ED25519, "k"))
policy = {"hirenow_policy": 1, "version": "1", "retake_after": ["failed", "cancelled"], "rules": []}
engine = hirenow.open("sqlite:ats.db", keys="keys.json", policy=policy, link_base="https://x.example/go")
recruiter = hirenow.Actor("r", "acme", hirenow.Role.ADMIN)
invited = engine.schedule(hirenow.Applicant("a", "a@b.example"), "t", actor=recruiter)
sitting = engine.start(invited.link.partition("#")[2], b"0123456789abcdef")
engine.submit(sitting.session)
interview_id = engine.decide(invited.interview.id, hirenow.Outcome.FAILED, actor=recruiter).interview.id
click = "click-4711"
with open("policy.json", "w") as file:
    __import__("json").dump(policy, file)
db = sqlite3.connect("ats.db")
db.execute("CREATE TABLE application (id TEXT, stage TEXT)")
db.commit()
engine.close()
"""
