// Whole stories with a clock, from tests/spec/scenarios.json, over every store.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "support/postgres.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;
namespace json = boost::json;

json::value read_spec() {
  std::ifstream file(HIRENOW_SOURCE_DIR "/tests/spec/scenarios.json");
  return json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

/// One step's arguments. What a runner does not ask for is a mistake in the file.
class step_reader {
 public:
  explicit step_reader(const json::object& step) : step_(step) {}

  const json::value* find(const char* name) {
    asked_.insert(name);
    return step_.if_contains(name);
  }
  std::string text(const char* name) {
    const auto* v = find(name);
    return v ? std::string(v->as_string()) : std::string();
  }
  seconds span(const char* name) {
    const auto* v = find(name);
    return v ? seconds{v->as_int64()} : seconds{0};
  }
  std::optional<seconds> maybe_span(const char* name) { return find(name) ? std::optional(span(name)) : std::nullopt; }
  std::optional<sys_seconds> instant(const char* name) {
    const auto* v = find(name);
    if (!v) return std::nullopt;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    REQUIRE(std::sscanf(v->as_string().c_str(), "%d-%d-%dT%d:%d:%dZ", &year, &month, &day, &hour, &minute, &second) ==
            6);
    return std::chrono::sys_days{std::chrono::year{year} / month / day} + std::chrono::hours{hour} +
           std::chrono::minutes{minute} + seconds{second};
  }
  void expect_all_asked() const {
    for (const auto& member : step_)
      if (!asked_.contains(std::string(member.key()))) FAIL("unknown member: " << member.key());
  }

 private:
  const json::object& step_;
  std::set<std::string> asked_{"do", "expect", "error", "error_has"};
};

json::value instant_or_null(const std::optional<sys_seconds>& at) {
  return at ? json::value(to_string(*at)) : json::value(nullptr);
}

json::object answer_of(const interview& i) {
  return {{"state", to_string(i.state)},
          {"attempt", i.attempt},
          {"outcome", to_string(i.outcome)},
          {"start_by", to_string(i.start_by)},
          {"deadline", instant_or_null(i.deadline)}};
}

/// Plays one scenario in a world.
class player {
 public:
  explicit player(world& w) : w_(w), sends_(w.bench, mailer_, dispatch_options()) {}

  void play(const json::object& step) {
    INFO(json::serialize(step));
    step_reader args(step);
    error_ = {};
    const json::object answer = make(std::string(step.at("do").as_string()), args);
    args.expect_all_asked();
    if (const auto* due = step.if_contains("error")) {
      REQUIRE(error_);
      CHECK(to_string(error_->code) == due->as_string());
      if (const auto* has = step.if_contains("error_has")) compare(error_answer(), has->as_object());
      return;
    }
    if (error_) FAIL("refused: " << to_string(error_->code) << ": " << error_->message);
    if (const auto* due = step.if_contains("expect")) compare(answer, due->as_object());
  }

 private:
  static void compare(const json::object& answer, const json::object& due) {
    for (const auto& member : due) {
      INFO("answer: " << json::serialize(answer));
      const auto* got = answer.if_contains(member.key());
      if (!got) FAIL("the answer has no " << member.key());
      CHECK(json::serialize(*got) == json::serialize(member.value()));
    }
  }

  json::object error_answer() const {
    json::object o{{"reason", error_->reason}, {"eligible_at", instant_or_null(error_->eligible_at)}};
    for (const auto& [name, id] : interviews_)
      if (to_string(id) == error_->superseded_by) o["superseded_by"] = name;
    return o;
  }

  actor who(step_reader& args) {
    const std::string word = args.text("as");
    const std::map<std::string, role_set> roles{
        {"recruiter", role::recruiter}, {"reviewer", role::reviewer}, {"admin", role::admin}, {"nobody", role_set{}}};
    const std::string id = args.text("id");
    return {id.empty() ? word : id, acme, roles.at(word)};
  }
  applicant person(step_reader& args) {
    const std::string id = args.text("applicant");
    return {id, id + "@applicants.example", id, "en", "Europe/Vienna"};
  }
  interview_id about(step_reader& args) { return interviews_.at(args.text("interview")); }
  std::string token(step_reader& args) { return token_in(links_.at(args.text("link"))); }
  session sits(step_reader& args) { return sessions_.at(args.text("session")); }

  /// The value; where there is an error, it is kept and the step has no answer.
  template <class T>
  const T* good(const result<T>& r) {
    if (r) return &*r;
    error_ = r.error();
    return nullptr;
  }

  template <class T>
  json::object invitation(step_reader& args, const result<T>& r) {
    const std::string name = args.text("names");
    const T* got = good(r);
    if (!got) return {};
    if (!name.empty()) {
      interviews_[name] = got->interview.id;
      links_[name] = got->link;
    }
    json::object o = answer_of(got->interview);
    o["link"] = !got->link.empty();
    o["replayed"] = got->replayed;
    if constexpr (std::is_same_v<T, retaken>) o["archived"] = to_string(got->archived.state);
    return o;
  }
  json::object change(const result<changed>& r) {
    const auto* got = good(r);
    if (!got) return {};
    json::object o = answer_of(got->interview);
    o["replayed"] = got->replayed;
    return o;
  }
  json::object seat(step_reader& args, const result<sitting>& r) {
    const std::string name = args.text("names");
    const auto* got = good(r);
    if (!got) return {};
    if (!name.empty()) sessions_[name] = got->session;
    json::object o = answer_of(got->interview);
    o["left"] = got->left.count();
    o["progress"] = got->progress ? json::value(got->progress->bytes) : json::value(nullptr);
    return o;
  }

  json::object exception_to(step_reader& args, const result<waiver_changed>& r) {
    const std::string name = args.text("names");
    const auto* got = good(r);
    if (!got) return {};
    if (!name.empty()) waivers_[name] = got->waiver.number;
    return {{"state", to_string(got->waiver.state)}, {"replayed", got->replayed}};
  }

  /// The calls about policies and exceptions to them; nothing where it is none of these.
  std::optional<json::object> make_exception(const std::string& what, step_reader& args) {
    engine& e = w_.bench;
    if (what == "grant_waiver")
      return exception_to(args, e.grant_waiver({.applicant_id = args.text("applicant"),
                                                .track = args.text("track"),
                                                .rule_id = args.text("rule"),
                                                .reason_code = args.text("reason_code"),
                                                .expires_at = w_.clock.now() + args.span("expires_in"),
                                                .floor = args.text("floor"),
                                                .idempotency_key = args.text("idempotency_key")},
                                               who(args)));
    if (what == "approve_waiver")
      return exception_to(args, e.approve_waiver(args.text("applicant"), waivers_.at(args.text("waiver")), who(args)));
    if (what == "revoke_waiver")
      return exception_to(args, e.revoke_waiver(args.text("applicant"), waivers_.at(args.text("waiver")), who(args)));
    if (what == "waivers") {
      json::array states;
      for (const auto& w : e.waivers(args.text("applicant"), who(args)).value())
        states.push_back(json::value(to_string(w.state)));
      return json::object{{"states", std::move(states)}};
    }
    if (what == "set_policy") {
      const auto waits = args.text("running_waits") == "keep" ? running_waits::keep : running_waits::replace;
      const auto r = e.set_policy(args.text("track"), json::serialize(*args.find("policy")), who(args),
                                  {.from = args.instant("active_from"),
                                   .running_waits = waits,
                                   .idempotency_key = args.text("idempotency_key")});
      if (!r) error_ = r.error();
      return json::object{};
    }
    if (what == "what_if") {
      const auto waits = args.text("running_waits") == "keep" ? running_waits::keep : running_waits::replace;
      const auto r = e.what_if(
          {.document = json::serialize(*args.find("policy")), .track = args.text("track"), .running_waits = waits},
          who(args));
      const auto* page = good(r);
      if (!page) return json::object{};
      const what_if_counts& c = page->counts;
      return json::object{{"applicants", c.applicants},
                          {"interviews", c.interviews},
                          {"tracks", c.tracks},
                          {"eligible_now", c.eligible_now},
                          {"eligible_then", c.eligible_then},
                          {"become", c.become},
                          {"cease", c.cease},
                          {"sooner", c.sooner},
                          {"later", c.later}};
    }
    if (what == "policies") return json::object{{"count", e.policies(args.text("track"), who(args)).value().size()}};
    return std::nullopt;
  }

  message nth_message(step_reader& args, const actor& asks) {
    const auto all = w_.bench.read_messages({.interview = about(args)}, asks).value();
    return all.at(static_cast<std::size_t>(args.find("message")->as_int64()));
  }

  json::object nothing(const result<void>& r) {
    if (!r) error_ = r.error();
    return {};
  }

  /// The calls about what stands beside an interview: facts, messages, and the record of all of it; nothing where it
  /// is none of these.
  std::optional<json::object> make_beside(const std::string& what, step_reader& args) {
    engine& e = w_.bench;
    if (what == "record_fact") {
      const std::map<std::string, fact_kind> kinds{{"event", fact_kind::event}, {"credential", fact_kind::credential}};
      const fact f{.kind = kinds.at(args.text("kind")),
                   .name = args.text("name"),
                   .track = args.text("track"),
                   .at = args.instant("at").value(),
                   .until = args.instant("until")};
      const auto r = e.record_fact(args.text("applicant"), f, who(args), args.text("idempotency_key"));
      const auto* got = good(r);
      return got ? json::object{{"replayed", got->replayed}} : json::object{};
    }
    if (what == "messages") {
      json::array all;
      for (const auto& m : e.read_messages({.interview = about(args)}, who(args)).value())
        all.push_back({{"kind", to_string(m.key.kind)}, {"state", to_string(m.state)}, {"tries", m.tries}});
      return json::object{{"messages", std::move(all)}};
    }
    if (what == "redrive") return nothing(e.redrive(nth_message(args, who(args)).key, who(args)));
    if (what == "drop") return nothing(e.drop(nth_message(args, who(args)).key, who(args)));
    if (what == "history") {
      const auto got = e.history(about(args), who(args)).value();
      json::array states;
      for (const auto& i : got.attempts) states.push_back(json::value(to_string(i.state)));
      return json::object{{"attempts", std::move(states)},
                          {"entries", got.entries.size()},
                          {"messages", got.messages.size()},
                          {"erased", got.erased}};
    }
    if (what == "read_progress") {
      const auto r = e.read_progress(about(args), who(args));
      const auto* got = good(r);
      return json::object{{"progress", got && *got ? json::value((*got)->bytes) : json::value(nullptr)}};
    }
    if (what == "read_audit") {
      json::array events;
      for (const auto& entry : e.read_audit(args.text("applicant"), who(args)).value())
        events.push_back(json::value(entry.event));
      return json::object{{"events", std::move(events)}};
    }
    if (what == "audit_checkpoint") {
      const std::string name = args.text("names");
      const auto r = e.audit_checkpoint(who(args));
      if (const auto* got = good(r)) checkpoints_[name] = *got;
      return json::object{};
    }
    if (what == "verify_checkpoint") {
      const auto r = e.verify_audit_checkpoint(checkpoints_.at(args.text("checkpoint")), who(args));
      const auto* got = good(r);
      return got ? json::object{{"records", *got}} : json::object{};
    }
    return std::nullopt;
  }

  json::object make(const std::string& what, step_reader& args) {
    engine& e = w_.bench;
    if (auto made = make_exception(what, args)) return *std::move(made);
    if (auto made = make_beside(what, args)) return *std::move(made);
    if (what == "wait") {
      w_.clock.advance(args.span("seconds"));
      return {};
    }
    if (what == "schedule")
      return invitation(args,
                        e.schedule({.applicant = person(args),
                                    .track = args.text("track"),
                                    .opens_at = args.instant("opens_at"),
                                    .link_lifetime = args.span("link_lifetime"),
                                    .time_limit = args.span("time_limit"),
                                    .grace = args.span("grace"),
                                    .overtime = args.text("overtime") == "submit" ? overtime::submit : overtime::expire,
                                    .idempotency_key = args.text("idempotency_key")},
                                   who(args)));
    if (what == "retake")
      return invitation(args, e.retake(about(args), who(args), {.idempotency_key = args.text("idempotency_key")}));
    if (what == "reissue")
      return invitation(args, e.reissue(about(args), who(args), {.link_lifetime = args.span("link_lifetime")}));
    if (what == "start" || what == "resume") {
      const std::string link = token(args), key = args.text("key");
      return seat(args, what == "start" ? e.start(link, key) : e.resume(link, key));
    }
    if (what == "checkpoint") {
      good(e.checkpoint(sits(args), args.text("progress")));
      return {};
    }
    if (what == "submit") return change(e.submit(sits(args)));
    if (what == "withdraw") return change(e.withdraw(token(args)));
    if (what == "accommodate") {
      accommodate_options more{.extra = args.maybe_span("extra"),
                               .pause = args.maybe_span("pause"),
                               .grace = args.maybe_span("grace"),
                               .reason_code = args.text("reason_code"),
                               .idempotency_key = args.text("idempotency_key")};
      if (const auto percent = args.maybe_span("percent")) more.percent = static_cast<std::uint32_t>(percent->count());
      return change(e.accommodate(about(args), who(args), more));
    }
    if (what == "cancel") return change(e.cancel(about(args), who(args)));
    if (what == "void")
      return change(e.void_attempt(about(args), who(args), {.reason_code = args.text("reason_code")}));
    if (what == "reopen") return change(e.reopen(about(args), who(args), {.reason = args.text("reason")}));
    if (what == "decide")
      return change(e.decide(about(args), who(args),
                             {.outcome = args.text("outcome") == "passed" ? outcome::passed : outcome::failed}));
    if (what == "inspect") {
      const auto got = e.inspect(token(args)).value();
      json::object o{{"verdict", to_string(got.verdict)}};
      if (got.left) o["left"] = got.left->count();
      if (got.interview) o["state"] = to_string(got.interview->state);
      return o;
    }
    if (what == "request_link") {
      const auto r = e.request_link(token(args));
      const auto* got = good(r);
      return got ? json::object{{"queued", got->queued}, {"noted", got->noted}} : json::object{};
    }
    if (what == "eligibility") {
      const auto got = e.retake_eligibility(about(args), who(args)).value();
      return {{"allowed", got.allowed},
              {"reason", got.reason},
              {"eligible_at", instant_or_null(got.eligible_at)},
              {"attempts_left", got.attempts_left ? json::value(*got.attempts_left) : json::value(nullptr)}};
    }
    if (what == "find") return answer_of(e.find(about(args), who(args)).value());
    if (what == "actions") {
      std::set<std::string> allowed;
      for (const auto& a : e.permitted_actions(about(args), who(args)).value())
        if (a.allowed) allowed.emplace(to_string(a.event));
      return {{"allowed", json::array(allowed.begin(), allowed.end())}};
    }
    if (what == "sweep") {
      const auto got = e.sweep().value();
      return {{"records", got.records}, {"events", got.events}};
    }
    if (what == "list") {
      const auto got = e.list({}, who(args)).value();
      std::map<std::string, std::uint64_t> counts;
      for (std::size_t n = 0; n < interview_state_count; ++n)
        if ((*got.counts)[n] != 0) counts.emplace(to_string(static_cast<interview_state>(n)), (*got.counts)[n]);
      json::object by_state;
      for (const auto& [state, count] : counts) by_state[state] = count;
      return {{"rows", got.rows.size()}, {"counts", std::move(by_state)}};
    }
    if (what == "update_applicant") {
      auto whom = person(args);
      whom.email = args.text("email");
      good(e.update_applicant(whom, who(args)));
      return {};
    }
    if (what == "erase") {
      if (const auto r = e.erase_applicant(args.text("applicant"), who(args)); !r) error_ = r.error();
      return {};
    }
    if (what == "verify_audit") {
      const auto r = e.verify_audit(args.text("applicant"), who(args));
      const auto* got = good(r);
      return got ? json::object{{"entries", got->entries}} : json::object{};
    }
    if (what == "dispatch") {
      mailer_.forget();
      const std::string server = args.text("server");
      mailer_.answer = [server](const outgoing_mail&) -> delivery {
        if (server == "refuses") return {delivery_outcome::permanent, 550, "550 no such mailbox"};
        if (server == "defers") return {delivery_outcome::temporary, 451, "451 try again later"};
        return {delivery_outcome::accepted, 250, "250 taken"};
      };
      sends_.dispatch_due().value();
      return {{"mails", mails()}};
    }
    FAIL("unknown call: " << what);
    return {};
  }

  /// What was sent, by kind and address. The kind stands in the Message-ID.
  json::array mails() const {
    std::vector<json::object> all;
    for (const auto& mail : mailer_.mails()) {
      const auto begin = mail.message_id.find('.') + 1;
      json::object o{{"kind", mail.message_id.substr(begin, mail.message_id.find('.', begin) - begin)},
                     {"to", mail.to_address},
                     {"link", nullptr}};
      for (const auto& [name, link] : links_)
        if (mail.text.find(link) != std::string::npos) o["link"] = name;
      all.push_back(std::move(o));
    }
    std::sort(all.begin(), all.end(),
              [](const json::object& a, const json::object& b) { return json::serialize(a) < json::serialize(b); });
    return json::array(all.begin(), all.end());
  }

  world& w_;
  recording_mailer mailer_{};
  dispatcher sends_;
  std::map<std::string, interview_id> interviews_{};
  std::map<std::string, std::string> links_{};
  std::map<std::string, session> sessions_{};
  std::map<std::string, std::uint64_t> waivers_{};
  std::map<std::string, std::string> checkpoints_{};
  std::optional<error> error_{};
};

}  // namespace

namespace {

const json::array& scenarios() {
  static const auto spec = read_spec();
  return spec.at("scenarios").as_array();
}

void play(const json::object& scenario, const test::store_kind& kind) {
  test::world w(kind, retake_policy::parse(json::serialize(scenario.at("policy"))).value());
  player p(w);
  for (const auto& step : scenario.at("steps").as_array()) p.play(step.as_object());
}

}  // namespace

TEST_CASE("every scenario goes as it is written", "[engine][spec]") {
  REQUIRE(scenarios().size() >= 10);
  const auto n = GENERATE_COPY(range(std::size_t{0}, scenarios().size()));
  const auto& scenario = scenarios()[n].as_object();
  const auto kind = GENERATE(from_range(test::stores()));
  INFO(json::serialize(scenario.at("name")) << " in " << kind.name);
  play(scenario, kind);
}

TEST_CASE("every scenario goes as it is written in PostgreSQL", "[engine][spec][postgres]") {
  for (const auto& scenario : scenarios()) {
    INFO(json::serialize(scenario.at("name")));
    const test::fresh_schema schema;
    play(scenario.as_object(), {"postgres", [&](const std::filesystem::path&) { return schema.open().value(); }});
  }
}
