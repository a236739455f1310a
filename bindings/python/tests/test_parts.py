"""Parts of the core that need no engine: signatures of texts, the audit's chain, what a dispatcher of one's own needs."""

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from conftest import World

import hirenow
from hirenow import AuditHead, MessageKey, MessageKind


def test_a_text_is_signed_for_one_purpose():
    w = World()
    signature = w.keys.sign_text("k1", "checkpoint", "the text")
    assert w.keys.verify_text("k1", "checkpoint", "the text", signature) is None
    for kid, purpose, text, signed in (("k1", "another", "the text", signature), ("k1", "checkpoint", "a text", signature),
                                       ("k1", "checkpoint", "the text", signature[:-4]), ("k1", "checkpoint", "the text", "")):
        with pytest.raises(hirenow.InvalidArgumentError):
            w.keys.verify_text(kid, purpose, text, signed)
    with pytest.raises(hirenow.KeyInvalidError):
        w.keys.sign_text("another", "checkpoint", "the text")
    with pytest.raises(hirenow.KeyInvalidError):
        w.keys.verify_text("another", "checkpoint", "the text", signature)


@pytest.fixture
def kept():
    """A record and its audit, as a store has them."""
    store = hirenow.open_store("memory:")
    w = World(store)
    w.bring_to("failed")
    record = store.load(hirenow.LoadRequest("acme", "app-1")).record
    return record, list(store.read_audit("acme", "app-1", 0, 100))


def test_a_chain_is_followed_to_its_end(kept):
    record, entries = kept
    assert hirenow.follow_audit(record, iter(entries)) is None
    for entry in entries:
        assert hirenow.audit_hash("acme", record.subject, entry) == entry.hash
    edited = [*entries[:2], entries[2].replace(actor="staff:somebody"), *entries[3:]]
    for broken, word in ((edited, "audit entry 3"), (entries[1:], "audit entry 1"), (entries[:-1], "ends at entry"),
                         ([entries[1], entries[0]], "audit entry 1")):
        with pytest.raises(hirenow.AuditBrokenError, match=word):
            hirenow.follow_audit(record, broken)
    with pytest.raises(TypeError):
        hirenow.follow_audit(record, [1])
    assert len(hirenow.audit_commitment(b"salt", "a note")) == 32
    assert hirenow.audit_commitment(b"salt", "a note") != hirenow.audit_commitment(b"another", "a note")


def test_the_root_is_that_of_rfc_6962():
    def field(value):
        return len(value).to_bytes(8, "big") + value

    def leaf(head):
        number = head.sequence.to_bytes(8, "big")
        return hashlib.sha256(b"\0" + field(head.applicant_id.encode()) + number + field(head.hash)).digest()

    heads = [AuditHead(f"app-{n}", n + 1, bytes([n]) * 32) for n in range(3)]
    assert hirenow.merkle_root([]) == hashlib.sha256(b"").digest()
    assert hirenow.merkle_root(heads[:1]) == leaf(heads[0])
    pair = hashlib.sha256(b"\1" + leaf(heads[0]) + leaf(heads[1])).digest()
    assert hirenow.merkle_root(heads) == hashlib.sha256(b"\1" + pair + leaf(heads[2])).digest()


def test_a_message_has_one_id_for_all_tries():
    key = MessageKey(UUID(int=7), MessageKind.INVITATION, 1)
    one = hirenow.message_id(key, "jobs.example.com")
    assert one.endswith("@jobs.example.com") and one == hirenow.message_id(key, "jobs.example.com")
    assert one != hirenow.message_id(key.replace(occasion=2), "jobs.example.com")


def test_waits_double_up_to_the_longest():
    waits = [hirenow.backoff_after(n, 0.0).total_seconds() for n in range(1, 13)]
    assert waits == [min(30 * 2**n, 6 * 3600) / 2 for n in range(12)]
    assert hirenow.backoff_after(1, 0.999) == timedelta(seconds=30)
    assert hirenow.backoff_after(9, 0.0, first=timedelta(seconds=2), longest=timedelta(seconds=8)) == timedelta(seconds=4)
    for chance in (1.0, -0.1, float("nan")):
        with pytest.raises(ValueError):
            hirenow.backoff_after(1, chance)
    with pytest.raises(ValueError):
        hirenow.backoff_after(1, 0.5, first=timedelta(0))
