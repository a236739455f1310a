"""German as well as English: what the pages say, what the catalogue holds, what mails call a position."""

import ast
import gettext
import re
from itertools import chain
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation.template import templatize

import hirenow
from hirenow.contrib.django import dispatcher
from hiring.models import track_title

HIRING = Path(__file__).resolve().parents[1] / "hiring"
CATALOGUE = HIRING / "locale" / "de" / "LC_MESSAGES" / "django.po"
LITERAL = r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""


def catalogue():
    """The .po's entries: each id (with the number of its plural form, where it has them) and its words."""
    entries, one = {}, None
    for block in CATALOGUE.read_text().split("\n\n"):
        if 'msgid ""\n' in block:
            continue
        parts = {
            key: "".join(ast.literal_eval(s) for s in re.findall(LITERAL, value))
            for key, value in re.findall(r'^(msg[\w\[\]]+) ((?:".*"\n?)+)', block, re.M)
        }
        one = parts["msgid"]
        if "msgid_plural" in parts:
            entries.update({(one, n): parts[f"msgstr[{n}]"] for n in (0, 1)})
        else:
            entries[one] = parts["msgstr"]
    return entries


def test_the_compiled_catalogue_is_current():
    with open(CATALOGUE.with_suffix(".mo"), "rb") as file:
        compiled = dict(gettext.GNUTranslations(file)._catalog)
    compiled.pop("")
    assert compiled == catalogue()
    assert all(catalogue().values())


def test_the_catalogue_has_all_words_and_no_others():
    used = set()
    for template in HIRING.glob("templates/**/*.html"):
        for literal in re.findall(rf"gettext\(u?{LITERAL}|_\({LITERAL}", templatize(template.read_text())):
            used.add(ast.literal_eval("".join(literal)))
    for literal in re.findall(rf"\b_\({LITERAL}\)", (HIRING / "words.py").read_text()):
        used.add(ast.literal_eval(literal))
    assert {key[0] if isinstance(key, tuple) else key for key in catalogue()} == used
    words = hirenow.InterviewState, hirenow.Outcome, hirenow.Event, hirenow.MessageKind, hirenow.MessageState
    assert {str(word.value) for word in chain(*words)} - used == {"pending"}  # that no page shows


@pytest.mark.parametrize("asked, language", [("de", "de"), ("de-AT,en;q=0.5", "de"), ("fr", "en"), ("", "en")])
def test_pages_speak_the_browsers_language(world, asked, language):
    world.position.title_de = "Backend-Entwicklung"
    world.position.save()
    old = world.failed(cooled_down=False)
    rosa = Client(headers={"accept-language": asked})
    rosa.force_login(world.rosa)
    pages = {path: rosa.get(path).content.decode() for path in ("/", f"/interviews/{old}/", "/interview/")}
    assert all(f'<html lang="{language}">' in page for page in pages.values())
    board, interview, applicant = pages.values()
    german = language == "de"
    assert ("Wiederholung erlauben" in board, "Allow retake" in board) == (german, not german)
    assert ("Backend-Entwicklung" in board, "Backend engineer" in board) == (german, not german)
    assert ("nicht bestanden</span>" in interview, ">failed</span>" in interview) == (german, not german)
    assert ("Tage" in board, "7 days" in board) == (german, not german)  # the library's own words
    assert ("Interview beginnen" in applicant, "Start the interview" in applicant) == (german, not german)
    words = rosa.get(f"/api/interviews/{old}/").json()["retake"]["words"]
    assert ("Tage" in words) == german
    look = rosa.post("/api/sitting/look/", headers={"authorization": f"Interview {world.token(old)}"})
    assert look.json()["title"] == ("Backend-Entwicklung" if german else "Backend engineer")


def test_mails_call_a_position_by_its_name_in_their_language(committed, mailoutbox):
    committed.position.title_de = "Backend-Entwicklung"
    committed.position.save()
    committed.ada.locale = "de-CH"
    committed.ada.save()
    committed.invited()
    assert dispatcher().dispatch_due().accepted == 1
    assert "Backend-Entwicklung" in mailoutbox[0].subject
    assert "Backend engineer" not in mailoutbox[0].body + mailoutbox[0].alternatives[0][0]


def test_a_position_without_a_german_title_keeps_its_english_one(world):
    assert track_title("acme", "backend/technical", "de") == "Backend engineer"
    assert track_title("acme", "nowhere/technical", "de") == "nowhere"
