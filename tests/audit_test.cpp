// The audit chain and the Merkle root: constants computed with Python's hashlib, and every way to tamper that is to be
// found.

#include "hirenow/audit.hpp"

#include <cstdio>
#include <functional>
#include <string>

#include <catch2/catch_test_macros.hpp>

namespace {

using namespace hirenow;

std::string hex_of(const digest& d) {
  std::string text;
  for (const auto byte : d) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(byte));
    text += two;
  }
  return text;
}

const sys_seconds start{seconds{1772355600}};

interview_id some_id(std::uint8_t first = 1) {
  interview_id id{};
  for (std::size_t n = 0; n < 16; ++n) id.data[n] = static_cast<std::uint8_t>(first + n);
  return id;
}

applicant_record new_record() {
  applicant_record record{.tenant = "acme", .person = {.id = "ada", .email = "ada@example.org"}};
  record.salt = "0123456789abcdef";
  record.subject = commitment(record.salt, record.person.id);
  return record;
}

struct chain {
  applicant_record record = new_record();
  std::vector<audit_entry> entries{};

  void add(audit_entry entry) { entries.push_back(append_audit(record, std::move(entry))); }
};

/// Schedule and start of an interview, a fact, and a decision with a note.
chain a_chain() {
  chain c;
  c.add({.at = start,
         .actor = "staff:r1",
         .event = "schedule",
         .interview = some_id(),
         .to = interview_state::scheduled,
         .details = R"({"start_by":"2026-03-04T09:00:00Z"})"});
  c.add({.at = start + seconds{60},
         .actor = "applicant",
         .event = "start",
         .interview = some_id(),
         .from = interview_state::scheduled,
         .to = interview_state::in_progress});
  c.add({.at = start + seconds{60}, .actor = "system", .event = "record_fact"});
  c.add({.at = start + seconds{90},
         .actor = "staff:v1",
         .event = "fail",
         .interview = some_id(),
         .from = interview_state::submitted,
         .to = interview_state::failed,
         .details = R"({"note":")" + hex_of(commitment(c.record.salt, "too many gaps")) + R"("})",
         .note = "too many gaps"});
  c.add({.at = start + seconds{100}, .actor = "staff:v1", .event = "update_applicant"});
  return c;
}

/// The verifier's answer: empty where the chain is whole.
std::string fault_in(const chain& c) {
  audit_verifier verifier(c.record);
  for (const auto& entry : c.entries)
    if (auto ok = verifier.take(entry); ok.has_error()) {
      CHECK(ok.error().code == errc::audit_broken);
      return ok.error().message;
    }
  if (auto ok = verifier.finish(); ok.has_error()) {
    CHECK(ok.error().code == errc::audit_broken);
    return ok.error().message;
  }
  return "";
}

std::vector<audit_head> some_heads(std::size_t n) {
  std::vector<audit_head> heads;
  for (std::size_t i = 0; i < n; ++i)
    heads.push_back({"applicant-" + std::to_string(i), i * 3 + 1, sha256("head " + std::to_string(i))});
  return heads;
}

}  // namespace

TEST_CASE("the hash covers what the format says", "[audit]") {
  // hashlib.sha256 over the fields of audit_hash(), each length-prefixed with 8 bytes, big-endian.
  const chain c = a_chain();
  CHECK(hex_of(c.record.subject) == "83eeb38e004a295359bde4b0760bb271a6e9e614701bce5053849938a657c6ec");
  CHECK(hex_of(c.entries[0].hash) == "febe604e33156f9741940f11efa9e49f07fe289f6147a5288dde4f26ae44ff32");
  CHECK(hex_of(c.entries[1].hash) == "003d435c46eaefc16befade7f558383d7badf5bb597868c304af158e2081b087");
  CHECK(hex_of(c.entries[2].hash) == "bbaee4e6f64630e1a90b23ead96155cdfaa427de861b0cc5230b93c5ae977358");
}

TEST_CASE("append gives an entry its place and moves the record's head", "[audit]") {
  const chain c = a_chain();
  for (std::size_t n = 0; n < c.entries.size(); ++n) {
    CHECK(c.entries[n].sequence == n + 1);
    CHECK(c.entries[n].previous == (n == 0 ? digest{} : c.entries[n - 1].hash));
  }
  CHECK(c.record.sequence == c.entries.size());
  CHECK(c.record.audit_head == c.entries.back().hash);
  CHECK(c.record.last_instant == c.entries.back().at);
  CHECK(c.entries[1].details == "{}");
}

TEST_CASE("a whole chain verifies, and an empty one", "[audit]") {
  CHECK(fault_in(a_chain()).empty());
  CHECK(fault_in(chain{}).empty());
}

TEST_CASE("every edit of every field of every entry is found", "[audit]") {
  using edit = std::pair<const char*, std::function<void(audit_entry&)>>;
  const std::vector<edit> edits{
      {"sequence", [](audit_entry& e) { ++e.sequence; }},
      {"at, later", [](audit_entry& e) { e.at += seconds{1}; }},
      {"at, earlier", [](audit_entry& e) { e.at -= seconds{1}; }},
      {"actor", [](audit_entry& e) { e.actor += "x"; }},
      {"actor, none", [](audit_entry& e) { e.actor.clear(); }},
      {"event", [](audit_entry& e) { e.event[0] = 'S'; }},
      {"a letter moved from actor to event",
       [](audit_entry& e) { e.event.insert(0, 1, e.actor.back()), e.actor.pop_back(); }},
      {"interview", [](audit_entry& e) { e.interview = some_id(2); }},
      {"interview, none or nought",
       [](audit_entry& e) { e.interview = e.interview ? std::nullopt : std::optional(interview_id{}); }},
      {"from",
       [](audit_entry& e) {
         e.from = e.from == interview_state::passed ? interview_state::failed : interview_state::passed;
       }},
      {"from, none or first",
       [](audit_entry& e) { e.from = e.from ? std::nullopt : std::optional(interview_state::scheduled); }},
      {"to",
       [](audit_entry& e) {
         e.to = e.to == interview_state::passed ? interview_state::failed : interview_state::passed;
       }},
      {"to, none or first",
       [](audit_entry& e) { e.to = e.to ? std::nullopt : std::optional(interview_state::scheduled); }},
      {"from and to exchanged",
       [](audit_entry& e) {
         if (e.from == e.to) e.to = interview_state::archived;
         std::swap(e.from, e.to);
       }},
      {"details", [](audit_entry& e) { e.details += " "; }},
      {"details, none", [](audit_entry& e) { e.details.clear(); }},
      {"previous", [](audit_entry& e) { e.previous[31] ^= 1; }},
      {"hash", [](audit_entry& e) { e.hash[0] ^= 0x80; }},
  };
  const chain whole = a_chain();
  for (std::size_t n = 0; n < whole.entries.size(); ++n)
    for (const auto& [what, change] : edits) {
      CAPTURE(n, what);
      chain c = whole;
      change(c.entries[n]);
      REQUIRE(c.entries[n] != whole.entries[n]);
      const std::string fault = fault_in(c);
      CHECK(fault.find("audit entry " + std::to_string(n + 1) + ":") == 0);
    }
}

TEST_CASE("an edit with its hash made anew is found at the next entry, or at the record's head", "[audit]") {
  const chain whole = a_chain();
  for (std::size_t n = 0; n < whole.entries.size(); ++n) {
    CAPTURE(n);
    chain c = whole;
    c.entries[n].actor = "staff:mallory";
    c.entries[n].hash = audit_hash(c.record.tenant, c.record.subject, c.entries[n]);
    const std::string fault = fault_in(c);
    if (n + 1 < whole.entries.size())
      CHECK(fault.find("audit entry " + std::to_string(n + 2) + ":") == 0);
    else
      CHECK_FALSE(fault.empty());
  }
}

TEST_CASE("a swap, a deletion, a repetition and a truncation are found", "[audit]") {
  const chain whole = a_chain();
  const auto size = static_cast<std::ptrdiff_t>(whole.entries.size());
  for (std::ptrdiff_t n = 0; n < size; ++n) {
    CAPTURE(n);
    chain deleted = whole;
    deleted.entries.erase(deleted.entries.begin() + n);
    if (n + 1 < size)
      CHECK(fault_in(deleted) == "audit entry " + std::to_string(n + 1) + ": missing or out of order");
    else
      CHECK_FALSE(fault_in(deleted).empty());

    chain repeated = whole;
    repeated.entries.insert(repeated.entries.begin() + n, whole.entries[static_cast<std::size_t>(n)]);
    CHECK_FALSE(fault_in(repeated).empty());

    chain truncated = whole;
    truncated.entries.resize(static_cast<std::size_t>(n));
    CHECK(fault_in(truncated) == "the audit ends at entry " + std::to_string(n) + ", the record at 5");

    for (std::ptrdiff_t m = n + 1; m < size; ++m) {
      chain swapped = whole;
      std::swap(swapped.entries[static_cast<std::size_t>(n)], swapped.entries[static_cast<std::size_t>(m)]);
      CHECK_FALSE(fault_in(swapped).empty());
    }
  }
}

TEST_CASE("a chain belongs to its record", "[audit]") {
  chain other_tenant = a_chain();
  other_tenant.record.tenant = "other";
  CHECK_FALSE(fault_in(other_tenant).empty());
  chain other_person = a_chain();
  other_person.record.subject = commitment(other_person.record.salt, "bob");
  CHECK_FALSE(fault_in(other_person).empty());
  chain other_head = a_chain();
  other_head.record.audit_head[7] ^= 1;
  CHECK_FALSE(fault_in(other_head).empty());
  chain longer = a_chain();
  ++longer.record.sequence;
  CHECK_FALSE(fault_in(longer).empty());
}

TEST_CASE("a chain whose time runs backwards is refused even where its hashes fit", "[audit]") {
  chain c = a_chain();
  c.add({.at = start, .actor = "system", .event = "expire"});
  CHECK(fault_in(c) == "audit entry 6: is older than the entry before it");
}

TEST_CASE("a note is held to its commitment until the person is erased", "[audit]") {
  chain edited = a_chain();
  edited.entries[3].note = "too many Gaps";
  CHECK(fault_in(edited) == "audit entry 4: has another note or lost it");
  chain lost = a_chain();
  lost.entries[3].note.clear();
  CHECK(fault_in(lost) == "audit entry 4: has another note or lost it");
  chain erased = a_chain();
  erased.entries[3].note.clear();
  erased.record.salt.clear();
  erased.record.erased = true;
  CHECK(fault_in(erased).empty());
}

TEST_CASE("the Merkle root is that of RFC 6962", "[audit]") {
  // A second implementation with Python's hashlib, for 0 to 9 heads.
  const std::array expected{
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "3915570a3e1f9bcf4e14d1f31228643f6baadd5bbf523aabbcc5f03cd682033b",
      "5177885965519c3dde3362a9e7a49428b463cd99a597bf682ef9a5eed3d267f4",
      "e10f9ba109558f877d9a2ae55aca2152054bee8a73624a0b4cba9dd826d0b599",
      "2431855f9c400a45ac1e3d049eefe384a36d0740a24fa55db2e4448db4456391",
      "920c9ffee22a8d650954cd12fb17fdd6e095d3712abe676f2eae8c4f21af1ee0",
      "66cb2a5814ddff6384738f39f83337f64b11c44a99d2a76de740e3b7b489d41d",
      "8870a6343544dcdaa956045495ab7efcec0d179f2fe34374dd438f0ea09f0030",
      "91f8cd4217bf6afc779015b48d41ed150f5dde0c09e45a15146dccc45cf9dd05",
      "06a9f3b7f50efda4f5838c4270c73784de5b3bf80bc611fa49ad1efe8ccd60fc",
  };
  for (std::size_t n = 0; n < expected.size(); ++n) {
    CAPTURE(n);
    CHECK(hex_of(merkle_root(some_heads(n))) == expected[n]);
  }
}

TEST_CASE("the Merkle root changes with every head, their order and their number", "[audit]") {
  const auto heads = some_heads(7);
  const digest root = merkle_root(heads);
  for (std::size_t n = 0; n < heads.size(); ++n) {
    CAPTURE(n);
    auto other = heads;
    other[n].applicant_id += "x";
    CHECK(merkle_root(other) != root);
    other = heads;
    ++other[n].sequence;
    CHECK(merkle_root(other) != root);
    other = heads;
    other[n].hash[3] ^= 1;
    CHECK(merkle_root(other) != root);
    other = heads;
    other.erase(other.begin() + static_cast<std::ptrdiff_t>(n));
    CHECK(merkle_root(other) != root);
    other = heads;
    std::swap(other[n], other[(n + 1) % heads.size()]);
    CHECK(merkle_root(other) != root);
    other = heads;
    other.push_back(heads[n]);
    CHECK(merkle_root(other) != root);
  }
}

TEST_CASE("a commitment depends on salt and text", "[audit]") {
  CHECK(commitment("salt", "text") != commitment("salt", "texT"));
  CHECK(commitment("salt", "text") != commitment("salu", "text"));
  CHECK(commitment("salt", "text") == commitment("salt", "text"));
}
