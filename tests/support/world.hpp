#pragma once
/// A small world for tests of the engine: a store of each kind, a clock that stands still, a key ring, an engine, staff
/// with every role, and an applicant. A test case runs in it once for every store.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "hirenow/adapters/memory.hpp"
#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/engine.hpp"
#include "support/postgres.hpp"
#include "support/store_in_between.hpp"
#include "support/temporary_folder.hpp"

namespace hirenow {
/// So that a failed comparison names the code.
inline std::ostream& operator<<(std::ostream& out, errc code) { return out << to_string(code); }
inline std::ostream& operator<<(std::ostream& out, interview_state s) { return out << to_string(s); }
inline std::ostream& operator<<(std::ostream& out, outcome o) { return out << to_string(o); }
inline std::ostream& operator<<(std::ostream& out, verdict v) { return out << to_string(v); }
inline std::ostream& operator<<(std::ostream& out, message_kind k) { return out << to_string(k); }
inline std::ostream& operator<<(std::ostream& out, message_state s) { return out << to_string(s); }
}  // namespace hirenow

/// A result is shown by its code: most values cannot be printed, and none needs to be.
template <class T>
struct Catch::StringMaker<boost::system::result<T, hirenow::error>> {
  static std::string convert(const boost::system::result<T, hirenow::error>& r) {
    return r ? "success" : std::string(to_string(r.error().code)) + ": " + r.error().message;
  }
};

namespace hirenow::test {

using namespace std::chrono_literals;
using std::chrono::days;

/// A kind of store, and how one is opened in a fresh folder.
struct store_kind {
  std::string name;
  std::function<std::unique_ptr<store>(const std::filesystem::path& folder)> open;
};

/// Every kind of store that a test of the engine runs over.
inline std::vector<store_kind> stores() {
  return {
      {"memory", [](const std::filesystem::path&) { return open_memory_store(); }},
      {"sqlite", [](const std::filesystem::path& folder) {
         // NORMAL: what is tested here is not what a loss of power leaves.
         return std::move(open_sqlite_store((folder / "ats.db").string(), {.durability = sqlite_durability::normal}))
             .value();
       }}};
}

/// The stores that a test runs over: every kind that needs no server; or, where HIRENOW_TEST_OVER says "postgres",
/// PostgreSQL, in a schema of its own each time, which goes with the server.
inline std::vector<store_kind> chosen_stores() {
  const char* const over = std::getenv("HIRENOW_TEST_OVER");
  if (!over || std::string_view(over) != "postgres") return stores();
  return {{"postgres", [](const std::filesystem::path&) {
             return open_postgres_store(postgres_url(),
                                        {.schema = fresh_schema_name(), .clock = postgres_clock::caller})
                 .value();
           }}};
}

/// All that a store holds of a tenant and that reading shows, for comparing before and after.
struct contents {
  std::vector<applicant_record> records;
  std::vector<audit_entry> audit;
  std::vector<message> messages;
  std::vector<std::pair<interview_id, std::optional<progress>>> saved;

  friend bool operator==(const contents&, const contents&) = default;
};

inline contents contents_of(store& s, std::string_view tenant) {
  contents all;
  for (const auto& head : s.audit_heads(tenant, "", 1000).value()) {
    all.records.push_back(s.load({.tenant = tenant, .who = std::string_view(head.applicant_id)}).value().record);
    for (auto& entry : s.read_audit(tenant, head.applicant_id, 0, 100'000).value()) all.audit.push_back(entry);
    for (const auto& i : all.records.back().interviews)
      all.saved.emplace_back(i.id, s.load({.tenant = tenant, .who = i.id, .with_progress = true}).value().progress);
  }
  all.messages = s.messages({.tenant = tenant, .limit = 100'000}).value();
  return all;
}

/// The token behind the '#' of a link, as the applicant's page takes it out.
inline std::string token_in(std::string_view link) {
  const auto at = link.find('#');
  REQUIRE(at != std::string_view::npos);
  return std::string(link.substr(at + 1));
}

/// Why a call was refused: nothing for success.
template <class T>
std::optional<error> refusal_of(const result<T>& r) {
  if (r) return std::nullopt;
  return r.error();
}

/// 2026-03-02T09:00:00Z, a Monday.
inline constexpr sys_seconds monday{seconds{1772442000}};

inline const std::string key_one = "0123456789abcdef-one";
inline const std::string key_two = "0123456789abcdef-two";

/// The world's own tenant and another one.
inline const std::string acme = "acme", globex = "globex";

struct world {
  explicit world(const store_kind& kind, retake_policy policy = retake_policy::standard(), engine_options options = {})
      : data(kind.open(folder.path())), bench(*data, keys, std::move(policy), with_defaults(std::move(options))) {}

  temporary_folder folder{};
  std::unique_ptr<store> data;
  manual_clock clock{monday};
  key_ring keys = key_ring::from_json(new_key_document(key_algorithm::hs256, "k1")).value();
  engine bench;  ///< the engine under test

  const actor recruiter{"rita", acme, role::recruiter};
  const actor reviewer{"victor", acme, role::reviewer};
  const actor admin{"anna", acme, role::admin};
  const actor stranger{"gus", globex, role::recruiter | role::reviewer | role::admin};
  const applicant ada{"app-1", "ada@example.org", "Ada Lovelace", "en", "Europe/London"};
  const std::string track = "backend/technical";

  engine_options with_defaults(engine_options o) const {
    if (o.link_base.empty()) o.link_base = "https://jobs.example.com/interview";
    o.clock = &clock;
    return o;
  }
  /// A second engine over a store of the test's own and this world's keys and clock.
  engine another(store& s, engine_options o = {}) const {
    return engine(s, keys, retake_policy::standard(), with_defaults(std::move(o)));
  }

  schedule_request terms() const {
    return {.applicant = ada, .track = track, .link_lifetime = 72h, .time_limit = 1h, .grace = 5min};
  }
  invited schedule() { return bench.schedule(terms(), recruiter).value(); }

  applicant_record record(std::string_view applicant_id = "app-1") const {
    return data->load({.tenant = acme, .who = applicant_id}).value().record;
  }
  interview stored(const interview_id& id) const {
    const auto loaded = data->load({.tenant = acme, .who = id}).value();
    const interview* found = find_interview(loaded.record, id);
    REQUIRE(found);
    return *found;
  }
  std::vector<message> messages(const interview_id& id) const {
    return data->messages({.tenant = acme, .interview = id, .limit = 1000}).value();
  }
  std::vector<message> unsent(const interview_id& id) const {
    auto all = messages(id);
    std::erase_if(
        all, [](const message& m) { return m.state != message_state::queued && m.state != message_state::leased; });
    return all;
  }
  std::vector<audit_entry> audit(std::string_view applicant_id = "app-1") const {
    return data->read_audit(acme, applicant_id, 0, 10'000).value();
  }
  contents dump() const { return contents_of(*data, acme); }
};

/// An interview and what its applicant holds.
struct attempt_at_hand {
  interview_id id{};
  std::string token{};
  session open{};  ///< of the sitting; with fence 0 where none was ever opened
  std::optional<interview_id> successor{};
};

/// A place in an interview's life, and how to bring a fresh one there.
struct situation {
  std::string_view name;
  interview_state state;
  bool started;
};
inline constexpr std::array situations{
    situation{"scheduled", interview_state::scheduled, false},
    situation{"in_progress", interview_state::in_progress, true},
    situation{"submitted", interview_state::submitted, true},
    situation{"passed", interview_state::passed, true},
    situation{"failed", interview_state::failed, true},
    situation{"on_hold", interview_state::on_hold, true},
    situation{"expired, never started", interview_state::expired, false},
    situation{"expired after its start", interview_state::expired, true},
    situation{"cancelled", interview_state::cancelled, false},
    situation{"voided", interview_state::voided, true},
    situation{"archived", interview_state::archived, true},
};

/// Schedules an interview and brings it there, by the engine's own calls. Where the clock has a part in it, it moves.
/// An interview that may be retaken has waited long enough.
inline attempt_at_hand bring_to(world& w, const situation& s, const schedule_request& request) {
  using enum interview_state;
  const auto invited = w.bench.schedule(request, w.recruiter).value();
  attempt_at_hand at{.id = invited.interview.id, .token = token_in(invited.link)};
  at.open = {acme, at.id, 0, key_one};
  if (s.started) at.open = w.bench.start(at.token, key_one).value().session;
  const bool decided = s.state == passed || s.state == failed || s.state == on_hold || s.state == archived;
  if (decided || s.state == submitted) w.bench.submit(at.open).value();
  if (decided)
    w.bench
        .decide(at.id, w.reviewer,
                {.outcome = s.state == passed    ? outcome::passed
                            : s.state == on_hold ? outcome::on_hold
                                                 : outcome::failed})
        .value();
  if (s.state == cancelled) w.bench.cancel(at.id, w.recruiter).value();
  if (s.state == voided) w.bench.void_attempt(at.id, w.reviewer, {.reason_code = "network_outage"}).value();
  if (s.state == expired) w.clock.set(*clock_limit(w.stored(at.id)));
  if (s.state == failed || s.state == on_hold || s.state == archived) w.clock.advance(days{14});
  if (s.state == archived) at.successor = w.bench.retake(at.id, w.recruiter).value().interview.id;
  return at;
}
inline attempt_at_hand bring_to(world& w, const situation& s) { return bring_to(w, s, w.terms()); }

inline const situation& situation_of(std::string_view name) {
  for (const auto& s : situations)
    if (s.name == name) return s;
  throw std::logic_error("no such situation: " + std::string(name));
}
inline attempt_at_hand bring_to(world& w, std::string_view name) { return bring_to(w, situation_of(name)); }

/// The code of a refusal; a call that was expected to fail and did not is a failure of the test.
template <class T>
errc code_of(const result<T>& r) {
  if (r) FAIL("the call succeeded");
  return r.error().code;
}

}  // namespace hirenow::test

/// Runs the rest of the test case in a fresh world for every store.
#define HIRENOW_IN_EVERY_STORE(w, ...)                                             \
  const auto store_kind_ = GENERATE(from_range(::hirenow::test::chosen_stores())); \
  INFO("store: " << store_kind_.name);                                             \
  ::hirenow::test::world w(store_kind_ __VA_OPT__(, ) __VA_ARGS__)
