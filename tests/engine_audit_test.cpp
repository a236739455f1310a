/// The audit as the engine verifies it: what a forger may do to a store, and what the signed checkpoint of a tenant
/// finds beyond it.

#include <boost/json.hpp>

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

/// Shows other rows than those that are stored.
class forged_store final : public store_in_between {
 public:
  using store_in_between::store_in_between;
  std::function<void(std::vector<audit_entry>&)> entries{};
  std::function<void(applicant_record&)> record{};
  std::function<void(std::vector<audit_head>&)> heads{};
  std::string progress_bytes{};  ///< shown in the place of what was saved

  result<loaded> load(const load_request& r) override {
    auto data = next_.load(r);
    if (data && record) record(data->record);
    if (data && data->progress && !progress_bytes.empty()) data->progress->bytes = progress_bytes;
    return data;
  }
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    auto all = next_.read_audit(tenant, applicant_id, 0, 100'000);
    if (!all) return all;
    if (entries) entries(*all);
    std::erase_if(*all, [&](const audit_entry& e) { return e.sequence <= after; });
    if (all->size() > limit) all->resize(limit);
    return all;
  }
  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    auto page = next_.audit_heads(tenant, after, limit);
    if (page && heads) heads(*page);
    return page;
  }
};

struct forgery {
  std::string_view name;
  void (*make)(forged_store&);
};

/// Chains the entries anew, as somebody would who knows how and can write every row.
void rehash(const applicant_record& record, std::vector<audit_entry>& all) {
  digest previous{};
  for (std::size_t n = 0; n < all.size(); ++n) {
    all[n].sequence = n + 1;
    all[n].previous = previous;
    previous = all[n].hash = audit_hash(record.tenant, record.subject, all[n]);
  }
}

const std::array forgeries{
    forgery{"another actor", [](forged_store& s) { s.entries = [](auto& all) { all[1].actor = "staff:somebody"; }; }},
    forgery{"another instant", [](forged_store& s) { s.entries = [](auto& all) { all[1].at += 1s; }; }},
    forgery{"another event", [](forged_store& s) { s.entries = [](auto& all) { all[1].event = "resume"; }; }},
    forgery{"another interview",
            [](forged_store& s) { s.entries = [](auto& all) { all[1].interview->data[0] ^= 1; }; }},
    forgery{"another state",
            [](forged_store& s) { s.entries = [](auto& all) { all[3].to = interview_state::passed; }; }},
    forgery{"other details", [](forged_store& s) { s.entries = [](auto& all) { all[0].details = "{}"; }; }},
    forgery{"another reason", [](forged_store& s) { s.entries = [](auto& all) { all[3].note = "a kinder one"; }; }},
    forgery{"a reason lost", [](forged_store& s) { s.entries = [](auto& all) { all[3].note.clear(); }; }},
    forgery{"an entry lost", [](forged_store& s) { s.entries = [](auto& all) { all.erase(all.begin() + 1); }; }},
    forgery{"the first lost", [](forged_store& s) { s.entries = [](auto& all) { all.erase(all.begin()); }; }},
    forgery{"the last lost", [](forged_store& s) { s.entries = [](auto& all) { all.pop_back(); }; }},
    forgery{"all lost", [](forged_store& s) { s.entries = [](auto& all) { all.clear(); }; }},
    forgery{"two swapped", [](forged_store& s) { s.entries = [](auto& all) { std::swap(all[1], all[2]); }; }},
    forgery{"one twice", [](forged_store& s) { s.entries = [](auto& all) { all.insert(all.begin() + 1, all[1]); }; }},
    forgery{"a gap, and newer ones behind it",
            [](forged_store& s) { s.entries = [](auto& all) { all.back().sequence += 5; }; }},
    forgery{"one added behind the end",
            [](forged_store& s) {
              s.entries = [&s](auto& all) {
                audit_entry more = all.back();
                more.sequence += 1;
                more.previous = all.back().hash;
                const auto record = s.load({.tenant = acme, .who = std::string_view("app-1")}).value().record;
                more.hash = audit_hash(acme, record.subject, more);
                all.push_back(more);
              };
            }},
    forgery{"a state changed behind the audit's back",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].state = interview_state::passed; }; }},
    forgery{"another outcome",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].outcome = outcome::passed; }; }},
    forgery{"another score", [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].score = 99; }; }},
    forgery{"no score", [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].score.reset(); }; }},
    forgery{"another attempt number", [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].attempt = 2; }; }},
    forgery{"another track", [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].track += "x"; }; }},
    forgery{"an earlier start", [](forged_store& s) { s.record = [](auto& r) { *r.interviews[0].started_at -= 1s; }; }},
    forgery{"a later deadline", [](forged_store& s) { s.record = [](auto& r) { *r.interviews[0].deadline += 1s; }; }},
    forgery{"an earlier submission",
            [](forged_store& s) { s.record = [](auto& r) { *r.interviews[0].submitted_at -= 1s; }; }},
    forgery{"an earlier decision",
            [](forged_store& s) { s.record = [](auto& r) { *r.interviews[0].decided_at -= 1s; }; }},
    forgery{"another start_by", [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].start_by += 1s; }; }},
    forgery{"an earlier creation",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].created_at -= 1s; }; }},
    forgery{"another last change",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].changed_at -= 1s; }; }},
    forgery{"a time limit changed",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].time_limit += 1s; }; }},
    forgery{"a grace changed", [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].grace += 1s; }; }},
    forgery{"another overtime",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].overtime = overtime::submit; }; }},
    forgery{"an accommodation slipped in",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].accommodation.percent = 150; }; }},
    forgery{"an outer limit slipped in",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].ends_by = max_instant; }; }},
    forgery{"another generation",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].link.generation = 2; }; }},
    forgery{"a lineage slipped in",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].retake_of = r.interviews[0].id; }; }},
    forgery{"a successor slipped in",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].superseded_by = r.interviews[0].id; }; }},
    forgery{"a request for a link slipped in",
            [](forged_store& s) { s.record = [](auto& r) { r.interviews[0].link_requested_at = monday; }; }},
    forgery{"another fact", [](forged_store& s) { s.record = [](auto& r) { r.facts[0].value = "with honours"; }; }},
    forgery{"a fact moved", [](forged_store& s) { s.record = [](auto& r) { r.facts[0].at -= 1s; }; }},
    forgery{"a fact lost", [](forged_store& s) { s.record = [](auto& r) { r.facts.clear(); }; }},
    forgery{"a fact slipped in", [](forged_store& s) { s.record = [](auto& r) { r.facts.push_back(r.facts[0]); }; }},
    forgery{"other progress", [](forged_store& s) { s.progress_bytes = "better answers"; }},
    forgery{"an interview lost", [](forged_store& s) { s.record = [](auto& r) { r.interviews.clear(); }; }},
    forgery{"an interview slipped in",
            [](forged_store& s) {
              s.record = [](auto& r) {
                r.interviews.push_back(r.interviews[0]);
                r.interviews.back().id.data[0] ^= 1;
              };
            }},
    forgery{"a step left out and everything chained anew, head included",
            [](forged_store& s) {
              s.entries = [&s](auto& all) {
                all.erase(all.begin() + 2);  // the submission: in_progress → failed remains, which is no step
                auto forged = s.record;
                s.record = nullptr;
                const auto record = s.load({.tenant = acme, .who = std::string_view("app-1")}).value().record;
                s.record = forged;
                rehash(record, all);
              };
              s.record = [&s](auto& r) {
                const auto all = s.read_audit(acme, "app-1", 0, 100).value();
                r.sequence = all.size();
                r.audit_head = all.back().hash;
              };
            }},
};

TEST_CASE("verify_audit finds every forgery of a record's history", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto f = GENERATE(from_range(forgeries));
  INFO(f.name);
  const auto at = bring_to(w, "in_progress");
  w.bench.submit(at.open, {.progress = "the true answers"}).value();
  w.bench.decide(at.id, w.reviewer, {.outcome = outcome::failed, .reason = "the true one", .score = 0.1}).value();
  // The last entry moves no interview: only the record's own end tells when it is lost, or another stands behind it.
  w.bench.record_fact(w.ada.id, {.name = "course", .at = monday}, w.recruiter).value();
  forged_store s(*w.data);
  auto bench = w.another(s);
  const auto honest = bench.verify_audit(w.ada.id, w.admin).value();
  CHECK(honest.entries == 5);
  CHECK(honest.head == w.record().audit_head);
  f.make(s);
  CHECK(code_of(bench.verify_audit(w.ada.id, w.admin)) == errc::audit_broken);
}

TEST_CASE("a long audit verifies page by page", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "submitted");
  for (int n = 0; n < 510; ++n)
    w.bench.decide(at.id, w.reviewer, {.outcome = outcome::on_hold, .notify = notify::none()}).value();
  CHECK(w.bench.verify_audit(w.ada.id, w.admin).value().entries == 513);
  CHECK(w.bench.history(at.id, w.reviewer).value().entries.size() == 513);
  CHECK(w.bench.verify_audit_checkpoint(w.bench.audit_checkpoint(w.admin).value(), w.admin).value() == 1);
}

struct two_records {
  explicit two_records(world& w) {
    for (const auto* id : {"app-1", "app-2", "app-3"}) {
      auto request = w.terms();
      request.applicant.id = id;
      w.bench.schedule(request, w.recruiter).value();
    }
    checkpoint = w.bench.audit_checkpoint(w.admin).value();
  }
  std::string checkpoint{};
};

TEST_CASE("a checkpoint verifies then and later", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const two_records r(w);
  CHECK(w.bench.verify_audit_checkpoint(r.checkpoint, w.admin).value() == 3);
  auto request = w.terms();
  request.track = "second";
  w.bench.schedule(request, w.recruiter).value();
  request.applicant.id = "app-0";
  w.bench.schedule(request, w.recruiter).value();
  w.bench.erase_applicant("app-2", w.admin).value();
  CHECK(w.bench.verify_audit_checkpoint(r.checkpoint, w.admin).value() == 3);
  // It holds no more of a person than the id, and of the keys nothing.
  CHECK(r.checkpoint.find("ada@") == std::string::npos);
  CHECK(r.checkpoint.find("Lovelace") == std::string::npos);
}

TEST_CASE("a checkpoint of an empty tenant verifies", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  CHECK(w.bench.verify_audit_checkpoint(w.bench.audit_checkpoint(w.admin).value(), w.admin).value() == 0);
}

TEST_CASE("a checkpoint finds what was cut off, lost or exchanged, even with every hash made to fit", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "submitted");
  const two_records r = [&] {
    auto request = w.terms();
    request.applicant.id = "app-9";
    w.bench.schedule(request, w.recruiter).value();
    world other(stores().front());
    two_records made(other);
    made.checkpoint = w.bench.audit_checkpoint(w.admin).value();
    return made;
  }();
  forged_store s(*w.data);
  auto bench = w.another(s);
  CHECK(bench.verify_audit_checkpoint(r.checkpoint, w.admin).value() == 2);
  SECTION("truncated") {
    s.entries = [](auto& all) {
      if (all.size() > 1) all.pop_back();
    };
  }
  SECTION("a whole record lost") {
    s.entries = [](auto& all) { all.clear(); };
  }
  SECTION("chained anew") {
    s.entries = [&](auto& all) {
      if (all.size() < 3) return;
      all[1].at += 1s;
      rehash(w.record(), all);
    };
  }
  CHECK(code_of(bench.verify_audit_checkpoint(r.checkpoint, w.admin)) == errc::audit_broken);
}

TEST_CASE("a checkpoint that was tampered with, or is somebody else's, is refused", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const two_records r(w);
  const auto with = [&](auto change) {
    auto value = boost::json::parse(r.checkpoint);
    change(value.as_object());
    return boost::json::serialize(value);
  };
  const auto refused = [&](const std::string& text) { return code_of(w.bench.verify_audit_checkpoint(text, w.admin)); };
  CHECK(refused(with([](auto& o) { o["heads"].as_array().pop_back(); })) == errc::audit_broken);
  CHECK(refused(with([](auto& o) { o["heads"].as_array()[0].as_array()[1] = 2; })) == errc::audit_broken);
  CHECK(refused(with([](auto& o) { std::swap(o["heads"].as_array()[0], o["heads"].as_array()[1]); })) ==
        errc::audit_broken);
  CHECK(refused(with([](auto& o) {
          std::string s(o["statement"].as_string());
          s.replace(s.find("acme"), 4, "acm3");
          o["statement"] = s;
        })) == errc::audit_broken);
  CHECK(refused(with([](auto& o) { o["signature"] = "AAAA"; })) == errc::audit_broken);
  CHECK(refused(with([](auto& o) { o["kid"] = "k9"; })) == errc::key_invalid);

  // Another ring with a key of the same name; another tenant.
  engine foreign(*w.data, key_ring::from_json(new_key_document(key_algorithm::hs256, "k1")).value(),
                 retake_policy::standard(), w.with_defaults({}));
  CHECK(refused(foreign.audit_checkpoint(w.admin).value()) == errc::audit_broken);
  CHECK(code_of(w.bench.verify_audit_checkpoint(r.checkpoint, w.stranger)) == errc::audit_broken);

  for (const auto* nonsense : {"", "{", "[]", "{}", "null", "{\"heads\":1}", "\xff", "{\"heads\":[]}",
                               "{\"heads\":[],\"statement\":7,\"kid\":{},\"signature\":[]}"}) {
    INFO(nonsense);
    const auto code = refused(nonsense);
    CHECK((code == errc::invalid_argument || code == errc::audit_broken));
  }
  CHECK(refused(std::string(100'000, '[')) == errc::invalid_argument);
  CHECK(refused(with([](auto& o) { o["heads"].as_array()[0] = 1; })) == errc::invalid_argument);
  CHECK(refused(with([](auto& o) { o["heads"].as_array()[0].as_array()[1] = -1; })) == errc::invalid_argument);
  CHECK(refused(with([](auto& o) { o["heads"].as_array()[0].as_array()[2] = std::string(64, 'Z'); })) ==
        errc::invalid_argument);
  CHECK(refused(with([](auto& o) { o["heads"].as_array()[0].as_array()[2] = std::string(64, '\x01'); })) ==
        errc::invalid_argument);
}

TEST_CASE("a checkpoint whose key was retired is no forgery, and no proof either", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const std::string document = new_key_document(key_algorithm::hs256, "old");
  const auto with_status = [&](std::string_view status) {
    auto keys = boost::json::parse(document);
    keys.at("keys").as_array()[0].as_object()["status"] = status;
    return boost::json::serialize(keys);
  };
  const key_ring ring = key_ring::from_json(document).value();
  engine bench(*w.data, ring, retake_policy::standard(), w.with_defaults({}));
  bench.schedule(w.terms(), w.recruiter).value();
  const std::string checkpoint = bench.audit_checkpoint(w.admin).value();
  const auto after = [&](std::string_view status) {
    engine later(*w.data, key_ring::from_json(with_status(status)).value(), retake_policy::standard(),
                 w.with_defaults({}));
    return later.verify_audit_checkpoint(checkpoint, w.admin);
  };
  CHECK(after("verify_only").value() == 1);
  CHECK(code_of(after("retired")) == errc::key_invalid);
}

TEST_CASE("an Ed25519 ring signs checkpoints as well", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  engine bench(*w.data, key_ring::from_json(new_key_document(key_algorithm::ed25519, "e1")).value(),
               retake_policy::standard(), w.with_defaults({}));
  const auto link = bench.schedule(w.terms(), w.recruiter).value().link;
  CHECK(bench.start(token_in(link), key_one));
  CHECK(bench.verify_audit_checkpoint(bench.audit_checkpoint(w.admin).value(), w.admin).value() == 1);
}

}  // namespace
