"""docs/retake_policy.schema.json against the documents of the specification: it accepts what the reader accepts, and
refuses what the reader refuses where a schema can tell."""

import json
from pathlib import Path

import pytest
from conftest import spec

jsonschema = pytest.importorskip("jsonschema", minversion="4.0")

ROOT = Path(__file__).resolve().parents[3]
SPEC = spec("retake_cases.json")
SCHEMA = json.loads((ROOT / "docs/retake_policy.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker(formats=["date"]))
# What a schema cannot tell: names that must be there or be there once, order, amounts behind a duration's letters.
BEYOND = {"id-twice", "calendar-not-there", "zone-unknown"}


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def members(schema, path=""):
    """Every member that the schema names, with its place."""
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if key == "properties":
            yield from ((f"{path}/{name}", found) for name, found in value.items())
        if isinstance(value, (dict, list)):
            yield from members(value, f"{path}/{key}")


def test_every_member_says_what_it_means():
    # Where a kind of rule is told from another, its members are only looked at.
    silent = [path for path, found in members(SCHEMA) if "description" not in found and "/if/" not in path + "/"]
    assert silent == [] and len(list(members(SCHEMA))) > 80


@pytest.mark.parametrize("name", sorted(SPEC["policies"]))
def test_a_document_that_is_read_is_valid(name):
    VALIDATOR.validate(SPEC["policies"][name]["document"])


@pytest.mark.parametrize("path", sorted((ROOT / "examples/policies").glob("*.json")), ids=lambda p: p.stem)
def test_an_example_is_valid(path):
    document = json.loads(path.read_text())
    VALIDATOR.validate(document)
    assert (path.parent / document["$schema"]).resolve() == ROOT / "docs/retake_policy.schema.json"


def refused():
    for case in SPEC["refused"]:
        if "document" in case and case["id"] not in BEYOND:
            yield pytest.param(case["document"], id=case["id"])


@pytest.mark.parametrize("document", refused())
def test_a_document_that_is_refused_is_invalid(document):
    assert not VALIDATOR.is_valid(document)
