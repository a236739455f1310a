// The dispatcher, one message at a time: what is mailed, to whom, when, and what becomes of it. The tests with leases,
// many workers and failing stores are in dispatcher_lease_test.cpp; those with a real mail server in
// dispatcher_smtp_test.cpp.

#include <array>
#include <cmath>
#include <iomanip>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <boost/json/parse.hpp>

#include "hirenow/dispatcher.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;

namespace {

/// The claims of a token, read with nothing of ours: base64 by OpenSSL, JSON by Boost.
boost::json::object claims_in(const std::string& token) {
  const auto first = token.find('.');
  std::string payload = token.substr(first + 1, token.rfind('.') - first - 1);
  for (char& c : payload) c = c == '-' ? '+' : c == '_' ? '/' : c;
  const auto padding = (4 - payload.size() % 4) % 4;
  payload.append(padding, '=');
  std::vector<unsigned char> bytes(payload.size());
  const int size = EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(payload.data()),
                                   static_cast<int>(payload.size()));
  REQUIRE(size > 0);
  const std::string text(bytes.begin(), bytes.begin() + size - static_cast<int>(padding));
  return boost::json::parse(text).as_object();
}

struct post {
  explicit post(world& w, dispatcher_options options = dispatch_options())
      : w_(w), sender(w.bench, box, std::move(options)) {}
  /// Sends what is due.
  dispatch_report run() { return sender.dispatch_due().value(); }

  world& w_;
  recording_mailer box{};
  dispatcher sender;
};

message only_message(const world& w, const interview_id& id) {
  const auto all = w.messages(id);
  REQUIRE(all.size() == 1);
  return all.front();
}

/// An interview that was started, submitted and decided, with no mail waiting.
interview_id decided(world& w, outcome what, const notify& n) {
  const auto invited = w.bench.schedule(w.terms(), w.recruiter).value();
  const auto open = w.bench.start(token_in(invited.link), key_one).value();
  w.bench.submit(open.session).value();
  w.bench.decide(invited.interview.id, w.reviewer, {.outcome = what, .notify = n}).value();
  return invited.interview.id;
}

}  // namespace

TEST_CASE("every kind is mailed in the applicant's language with the link it is about", "[dispatcher]") {
  struct expectation {
    message_kind kind;
    std::string english, german;  // of the subject
  };
  const std::vector<expectation> all{
      {message_kind::invitation, "Your interview for backend/technical", "Ihr Interview für backend/technical"},
      {message_kind::retake_invitation, "Your new attempt: interview for backend/technical",
       "Ihr neuer Versuch: Interview für backend/technical"},
      {message_kind::reissued_link, "Your link to the interview for backend/technical",
       "Ihr Link zum Interview für backend/technical"},
      {message_kind::reminder, "Reminder: your interview for backend/technical",
       "Erinnerung: Ihr Interview für backend/technical"},
      {message_kind::decision_passed, "You passed: interview for backend/technical",
       "Bestanden: Interview für backend/technical"},
      {message_kind::decision_failed, "The result of your interview for backend/technical",
       "Das Ergebnis Ihres Interviews für backend/technical"},
      {message_kind::decision_on_hold, "Your interview for backend/technical: not decided yet",
       "Ihr Interview für backend/technical: noch nicht entschieden"},
      {message_kind::cancelled, "Cancelled: your interview for backend/technical",
       "Abgesagt: Ihr Interview für backend/technical"},
  };
  REQUIRE(all.size() == message_kind_count);
  HIRENOW_IN_EVERY_STORE(w);
  const bool german = GENERATE(false, true);
  post p(w);
  auto person = w.ada;
  person.locale = german ? "de-AT" : "en-GB";
  auto terms = w.terms();
  terms.applicant = person;
  interview wanted;
  std::uint32_t generation = 1;
  const auto& e = all[GENERATE(range(std::size_t{0}, message_kind_count))];
  INFO(to_string(e.kind) << (german ? " in German" : " in English"));
  const auto decide_as = [&](outcome what) {
    const auto id = decided(w, what, notify::now());
    w.bench.update_applicant(person, w.recruiter).value();
    wanted = w.stored(id);
  };
  switch (e.kind) {
    case message_kind::invitation: wanted = w.bench.schedule(terms, w.recruiter)->interview; break;
    case message_kind::retake_invitation: {
      const auto old = bring_to(w, situation_of("failed"), terms);
      p.run();
      wanted = w.bench.retake(old.id, w.recruiter)->interview;
      break;
    }
    case message_kind::reissued_link: {
      const auto first = w.bench.schedule(terms, w.recruiter).value();
      wanted = w.bench.reissue(first.interview.id, w.recruiter)->interview;
      generation = 2;
      break;
    }
    case message_kind::reminder:
      terms.reminders = {24h};
      wanted = w.bench.schedule(terms, w.recruiter)->interview;
      p.run();
      w.clock.advance(48h);
      break;
    case message_kind::decision_passed: decide_as(outcome::passed); break;
    case message_kind::decision_failed: decide_as(outcome::failed); break;
    case message_kind::decision_on_hold: decide_as(outcome::on_hold); break;
    case message_kind::cancelled: {
      const auto id = w.bench.schedule(terms, w.recruiter)->interview.id;
      wanted = w.bench.cancel(id, w.recruiter, {.notify = notify::now()})->interview;
      break;
    }
  }
  p.box.forget();
  CHECK(p.run().accepted == 1);
  REQUIRE(p.box.count() == 1);
  const auto mail = p.box.last();
  CHECK(mail.subject == (german ? e.german : e.english));
  CHECK(mail.language == (german ? "de" : "en"));
  CHECK(mail.to_address == "ada@example.org");
  CHECK(mail.to_name == "Ada Lovelace");
  CHECK(mail.from_address == "jobs@acme.example");
  CHECK(mail.from_name == "Acme Jobs");
  CHECK(mail.text.find("Ada Lovelace") != std::string::npos);
  CHECK_FALSE(mail.html.empty());
  CHECK((link_in(mail.text) != "") == carries_link(e.kind));
  CHECK(link_in(mail.html) == link_in(mail.text));
  if (!carries_link(e.kind)) return;
  const auto token = token_in(link_in(mail.text));
  CHECK(link_in(mail.text) == "https://jobs.example.com/interview#" + token);
  const auto claims = claims_in(token);
  CHECK(claims.at("interview_id").as_string() == to_string(wanted.id));
  CHECK(claims.at("generation").as_int64() == generation);
  CHECK(w.bench.inspect(token)->verdict == verdict::valid);
}

TEST_CASE("the address and the language are read when the message is rendered", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  post p(w);
  w.schedule();
  w.bench.update_applicant({w.ada.id, "ada@new.example", "Ada King", "de", {}}, w.recruiter).value();
  p.run();
  CHECK(p.box.count() == 1);
  CHECK(p.box.last().to_address == "ada@new.example");
  CHECK(p.box.last().to_name == "Ada King");
  CHECK(p.box.last().language == "de");
}

TEST_CASE("a Message-ID is made of interview, kind and occasion", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  post p(w);
  const auto invited = w.schedule();
  const auto promised = only_message(w, invited.interview.id).key;
  p.box.answer = [](const outgoing_mail&) { return delivery{delivery_outcome::ambiguous, 0, "cut"}; };
  p.run();
  p.box.answer = {};
  w.clock.advance(1min);
  p.run();
  const auto mails = p.box.mails();
  REQUIRE(mails.size() == 2);
  // The same for both copies, so that the reader's program can see that they are one.
  CHECK(mails[0].message_id ==
        to_string(invited.interview.id) + ".invitation." + std::to_string(promised.occasion) + "@acme.example");
  CHECK(mails[1].message_id == mails[0].message_id);
  w.bench.reissue(invited.interview.id, w.recruiter).value();
  p.run();
  CHECK(p.box.last().message_id != mails[0].message_id);
}

TEST_CASE("messages go out when they are due and not before", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  post p(w);
  auto terms = w.terms();
  terms.notify = notify::not_before(monday + 1h);
  terms.reminders = {48h, 24h, 1h};
  const auto id = w.bench.schedule(terms, w.recruiter)->interview.id;
  const auto sent_at = [&](sys_seconds instant) {
    w.clock.set(instant);
    p.box.forget();
    p.run();
    std::string kinds;
    for (const auto& m : p.box.mails()) kinds += m.subject.substr(0, m.subject.find(' ')) + ";";
    return kinds;
  };
  CHECK(sent_at(monday + 1h - 1s) == "");
  CHECK(sent_at(monday + 1h) == "Your;");
  CHECK(sent_at(monday + 24h - 1s) == "");
  CHECK(sent_at(monday + 24h) == "Reminder:;");
  CHECK(sent_at(monday + 48h) == "Reminder:;");
  CHECK(sent_at(monday + 71h - 1s) == "");
  CHECK(sent_at(monday + 71h) == "Reminder:;");
  CHECK(sent_at(monday + 100 * 24h) == "");
  CHECK(w.unsent(id).empty());
}

TEST_CASE("reminders disappear when they make no sense any more", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  post p(w);
  auto terms = w.terms();
  terms.reminders = {48h, 24h};
  const auto invited = w.bench.schedule(terms, w.recruiter).value();
  const auto id = invited.interview.id;
  p.run();
  p.box.forget();
  std::size_t expected = 0;
  SECTION("after a start") { w.bench.start(token_in(invited.link), key_one).value(); }
  SECTION("after a cancellation") { w.bench.cancel(id, w.recruiter, {.notify = notify::none()}).value(); }
  SECTION("after a withdrawal") { w.bench.withdraw(token_in(invited.link)).value(); }
  SECTION("after an erasure") { w.bench.erase_applicant(w.ada.id, w.admin).value(); }
  SECTION("after a reissue, which brings its own") {
    w.bench.reissue(id, w.recruiter, {.reminders = {1h}}).value();
    expected = 2;  // the new link and its one reminder
  }
  SECTION("when nobody looked until the link had expired") { w.clock.advance(72h); }
  SECTION("after a retake") {
    const auto open = w.bench.start(token_in(invited.link), key_one).value();
    w.bench.submit(open.session).value();
    w.bench.decide(id, w.reviewer, {.outcome = outcome::failed, .notify = notify::none()}).value();
    w.clock.advance(days{14});
    w.bench.retake(id, w.recruiter, {.notify = notify::none()}).value();
  }
  for (int hour = 0; hour < 80; ++hour) {
    w.clock.advance(1h);
    p.run();
  }
  CHECK(p.box.count() == expected);
  CHECK(w.unsent(id).empty());
}

TEST_CASE("the last check stops what died after it was claimed", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  // Claiming and then sending has no gap that a test could step into: the store makes one.
  struct late_store : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<claimed_message>> claim(const claim_request& r) override {
      auto out = next_.claim(r);
      if (out && !out->empty() && after_claim) std::exchange(after_claim, {})();
      return out;
    }
    std::function<void()> after_claim{};
  } between(*w.data);
  auto bench = w.another(between);
  recording_mailer box;
  dispatcher sender(bench, box, dispatch_options());
  auto terms = w.terms();
  terms.reminders = {1h};
  const auto invited = bench.schedule(terms, w.recruiter).value();
  const auto id = invited.interview.id;

  SECTION("its interview was cancelled") {
    between.after_claim = [&] { bench.cancel(id, w.recruiter, {.notify = notify::none()}).value(); };
    CHECK(sender.dispatch_due()->accepted == 0);
    CHECK(box.count() == 0);
  }
  SECTION("the person was erased") {
    between.after_claim = [&] { bench.erase_applicant(w.ada.id, w.admin).value(); };
    CHECK(sender.dispatch_due()->accepted == 0);
    CHECK(box.count() == 0);
  }
  SECTION("its link was superseded") {
    between.after_claim = [&] { bench.reissue(id, w.recruiter).value(); };
    sender.dispatch_due().value();
    REQUIRE(box.count() <= 1);
    sender.dispatch_due().value();
    REQUIRE(box.count() == 1);
    CHECK(claims_in(token_in(link_in(box.last().text))).at("generation").as_int64() == 2);
  }
  SECTION("its link expired, and nobody has swept") {
    between.after_claim = [&] { w.clock.advance(72h); };
    const auto report = sender.dispatch_due().value();
    CHECK(report.withdrawn >= 1);
    CHECK(report.accepted == 0);
    CHECK(box.count() == 0);
    for (const auto& m : w.messages(id))
      if (m.key.kind == message_kind::invitation) CHECK(m.state == message_state::withdrawn);
  }
  SECTION("a reminder, and the interview was started") {
    sender.dispatch_due().value();
    box.forget();
    w.clock.advance(71h);
    between.after_claim = [&] { bench.start(token_in(invited.link), key_one).value(); };
    CHECK(sender.dispatch_due()->accepted == 0);
    CHECK(box.count() == 0);
  }
  for (const auto& m : w.messages(id)) CHECK(m.state != message_state::leased);
}

TEST_CASE("each answer of the server has its consequence", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  std::vector<dispatch_event> told;
  auto options = dispatch_options();
  options.on_event = [&](const dispatch_event& e) { told.push_back(e); };
  post p(w, options);
  const auto id = w.schedule().interview.id;
  const auto answer = [&](delivery_outcome what, std::string words) {
    p.box.answer = [what, words](const outgoing_mail&) { return delivery{what, 0, words}; };
    const auto report = p.run();
    REQUIRE(told.size() == 1);
    CHECK(told.front().tenant == acme);
    CHECK(told.front().applicant_id == w.ada.id);
    CHECK(told.front().key == only_message(w, id).key);
    CHECK(told.front().answer == words);
    CHECK(told.front().state == only_message(w, id).state);
    CHECK(told.front().outcome == (report.accepted ? "accepted" : report.dead ? "dead" : "retried"));
    CHECK(only_message(w, id).last_answer == words);
    CHECK(only_message(w, id).tries == 1);
    return report;
  };
  SECTION("accepted") {
    CHECK(answer(delivery_outcome::accepted, "250 2.0.0 kept").accepted == 1);
    CHECK(only_message(w, id).state == message_state::accepted);
    CHECK_FALSE(told.front().next_try);
  }
  SECTION("permanent") {
    CHECK(answer(delivery_outcome::permanent, "550 5.1.1 nobody").dead == 1);
    CHECK(only_message(w, id).state == message_state::dead);
    w.clock.advance(days{1});
    CHECK(p.run().accepted == 0);
  }
  SECTION("temporary or ambiguous") {
    const auto what = GENERATE(delivery_outcome::temporary, delivery_outcome::ambiguous);
    CHECK(answer(what, "451 4.3.0 later").retried == 1);
    const auto m = only_message(w, id);
    CHECK(m.state == message_state::queued);
    CHECK(m.due_at >= monday + 15s);
    CHECK(m.due_at <= monday + 30s);
    CHECK(told.front().next_try == m.due_at);
    p.box.answer = {};
    w.clock.set(m.due_at - 1s);
    CHECK(p.run().accepted == 0);
    w.clock.set(m.due_at);
    CHECK(p.run().accepted == 1);
    CHECK(only_message(w, id).tries == 2);
  }
}

TEST_CASE("backoff doubles, keeps its bounds, and is spread", "[dispatcher]") {
  auto options = dispatch_options();
  for (const seconds first : {1s, 7s, 30s, 3600s})
    for (const seconds longest : {1s, 45s, 21600s})
      for (std::uint32_t tries = 1; tries < 2000; tries += tries < 70 ? 1 : 311) {
        options.first_backoff = first;
        options.longest_backoff = longest;
        const double whole = std::min(static_cast<double>(first.count()) * std::pow(2.0, tries - 1),
                                      static_cast<double>(longest.count()));
        seconds before{0};
        for (const double chance : {0.0, 0.25, 0.5, 0.75, 0.999999999}) {
          const auto wait = backoff_after(tries, chance, options);
          const bool within = static_cast<double>(wait.count()) >= whole / 2 &&
                              static_cast<double>(wait.count()) <= whole && wait >= 1s && wait >= before;
          if (!within) FAIL_CHECK("after " << tries << " tries, chance " << chance << ": " << wait.count());
          before = wait;
        }
      }
  options = dispatch_options();
  CHECK(backoff_after(1, 0.0, options) == 15s);
  CHECK(backoff_after(2, 0.0, options) == 30s);
  CHECK(backoff_after(4, 0.999999, options) == 240s);
  CHECK(backoff_after(4'000'000'000, 0.999999, options) == 6h);
}

TEST_CASE("messages that failed together do not come back together", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto options = dispatch_options();
  options.first_backoff = 3600s;
  post p(w, options);
  p.box.answer = [](const outgoing_mail&) { return delivery{delivery_outcome::temporary, 421, "421 closing"}; };
  for (int n = 0; n < 40; ++n) {
    auto terms = w.terms();
    terms.applicant.id = "app" + std::to_string(n);
    w.bench.schedule(terms, w.recruiter).value();
  }
  CHECK(p.run().retried == 40);
  std::set<sys_seconds> due;
  for (const auto& m : w.data->messages({.tenant = acme, .limit = 100}).value()) due.insert(m.due_at);
  CHECK(due.size() > 20);
}

TEST_CASE("a message tried too often is dead, and a redrive begins anew", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto options = dispatch_options();
  options.most_tries = 3;
  post p(w, options);
  auto terms = w.terms();
  terms.link_lifetime = days{30};
  const auto id = w.bench.schedule(terms, w.recruiter)->interview.id;
  p.box.answer = [](const outgoing_mail&) { return delivery{delivery_outcome::temporary, 451, "451 no"}; };
  dispatch_report sum;
  for (int n = 0; n < 10; ++n) {
    const auto r = p.run();
    sum.retried += r.retried;
    sum.dead += r.dead;
    w.clock.advance(6h);
  }
  CHECK(sum.retried == 2);
  CHECK(sum.dead == 1);
  CHECK(p.box.count() == 3);
  const auto m = only_message(w, id);
  CHECK(m.state == message_state::dead);
  CHECK(m.tries == 3);
  CHECK(m.last_answer == "451 no");

  p.box.answer = {};
  w.bench.redrive(m.key, w.admin).value();
  CHECK(p.run().accepted == 1);
  CHECK(only_message(w, id).state == message_state::accepted);
  CHECK(only_message(w, id).tries == 1);
}

TEST_CASE("events are logged as the guide has it", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  std::ostringstream log;
  auto options = dispatch_options();
  options.on_event = [&](const hirenow::dispatch_event& e) {
    log << "outcome=" << e.outcome << " tenant=" << e.tenant << " answer=" << std::quoted(e.answer) << "\n";
  };
  post p(w, options);
  w.schedule();
  CHECK(p.run().accepted == 1);
  CHECK(log.str() == "outcome=accepted tenant=acme answer=\"250 taken\"\n");
}

TEST_CASE("what a host's code throws, and what a server says, does no harm", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto options = dispatch_options();
  const auto what = GENERATE(0, 1, 2, 3);
  if (what == 0) options.on_event = [](const dispatch_event&) { throw std::runtime_error("the log is full"); };
  bool title_fails = what == 1;
  options.track_title = [&](std::string_view, std::string_view track, std::string_view) {
    if (title_fails) throw 7;
    return "The " + std::string(track);
  };
  post p(w, options);
  const auto id = w.schedule().interview.id;
  if (what == 2) p.box.answer = [](const outgoing_mail&) -> delivery { throw std::runtime_error("socket"); };
  if (what == 3)
    p.box.answer = [](const outgoing_mail&) {
      return delivery{delivery_outcome::temporary, 0, std::string("4\xff\0 caf\xc3\xa9", 8) + std::string(600, 'x')};
    };
  const auto report = p.run();
  CHECK(report.accepted == (what == 0 ? 1 : 0));
  CHECK(report.retried == (what == 0 ? 0 : 1));
  const auto kept = only_message(w, id).last_answer;
  CHECK(limits::is_text(kept));
  CHECK(kept.size() <= 500);
  if (what == 1) CHECK(kept == "cannot be rendered: something unknown was thrown");
  if (what == 2) CHECK(kept == "the mailer threw: socket");
  if (what == 3) CHECK(kept.starts_with("4?? caf"));
  title_fails = false;
  p.box.answer = {};
  w.clock.advance(1min);
  p.run();
  CHECK(p.box.last().subject == "Your interview for The backend/technical");
  CHECK(only_message(w, id).state == message_state::accepted);
}

TEST_CASE("a track's title is asked for in the language of its message", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto options = dispatch_options();
  options.track_title = [](std::string_view, std::string_view, std::string_view locale) {
    return locale == "de" ? std::string("Fachrunde") : "technical round (" + std::string(locale) + ")";
  };
  // What there are templates for: English and German.
  const auto [locale, subject] =
      GENERATE(table<const char*, const char*>({{"de-AT", "Ihr Interview für Fachrunde"},
                                                {"en-GB", "Your interview for technical round (en)"},
                                                {"fr", "Your interview for technical round (en)"}}));
  auto terms = w.terms();
  terms.applicant.locale = locale;
  SECTION("of the template that renders it") {
    post p(w, options);
    w.bench.schedule(terms, w.recruiter).value();
    CHECK(p.run().accepted == 1);
    CHECK(p.box.last().subject == subject);
  }
  SECTION("the applicant's, where the host renders") {
    options.renderer = [](message_kind, std::string_view, const message_view& view) -> result<rendered_message> {
      return rendered_message{view.track_title, "text", "", ""};
    };
    post p(w, options);
    w.bench.schedule(terms, w.recruiter).value();
    CHECK(p.run().accepted == 1);
    CHECK(p.box.last().subject == "technical round (" + std::string(locale) + ")");
  }
}

TEST_CASE("a host's own renderer takes the place of the templates", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto options = dispatch_options();
  result<rendered_message> made{};
  options.renderer = [&](message_kind kind, std::string_view locale,
                         const message_view& view) -> result<rendered_message> {
    if (!made) return made;
    return rendered_message{made->subject, std::string(to_string(kind)) + " " + std::string(locale) + " " + view.link,
                            "", "x-own"};
  };
  post p(w, options);
  const auto invited = w.schedule();

  made = detail::fail(errc::template_invalid, "no such text");
  CHECK(p.run().retried == 1);
  CHECK(only_message(w, invited.interview.id).last_answer == "cannot be rendered: no such text");
  made = rendered_message{.subject = "not UTF-8: \xff", .text = "", .language = ""};
  w.clock.advance(1min);
  CHECK(p.run().retried == 1);
  CHECK(p.box.count() == 0);

  made = rendered_message{.subject = "one\r\nBcc: two", .text = "", .language = ""};
  w.clock.advance(2min);
  CHECK(p.run().accepted == 1);
  CHECK(p.box.last().subject == "one Bcc: two");
  CHECK(p.box.last().text == "invitation en " + invited.link);
  CHECK(p.box.last().language == "x-own");
}

TEST_CASE("a link that cannot be made yet is tried again", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto id = w.schedule().interview.id;
  // A second node whose key ring does not know the key yet, which signs on the first already.
  engine elsewhere(*w.data, key_ring::from_json(new_key_document(key_algorithm::hs256, "k2")).value(),
                   retake_policy::standard(), w.with_defaults({}));
  recording_mailer box;
  dispatcher behind(elsewhere, box, dispatch_options());
  CHECK(behind.dispatch_due()->retried == 1);
  CHECK(box.count() == 0);
  CHECK(only_message(w, id).last_answer.find("cannot be rendered") == 0);
  w.clock.advance(1min);
  post p(w);
  CHECK(p.run().accepted == 1);
}

TEST_CASE("tenants have their own senders and links", "[dispatcher]") {
  const auto kind = stores().at(1);
  world w(kind, retake_policy::standard(), {.link_bases = {{globex, "https://careers.globex.example/start"}}});
  auto options = dispatch_options();
  options.senders = {{globex, {"hr@globex.example", "Globex HR"}}};
  options.track_title = [](std::string_view tenant, std::string_view, std::string_view) {
    return "work at " + std::string(tenant);
  };
  post p(w, options);
  w.schedule();
  w.bench.schedule(w.terms(), w.stranger).value();
  CHECK(p.run().accepted == 2);
  std::set<std::string> seen;
  for (const auto& mail : p.box.mails()) {
    const auto link = link_in(mail.text);
    const auto tenant = std::string(claims_in(token_in(link)).at("tenant").as_string());
    seen.insert(tenant);
    const bool other = tenant == globex;
    CHECK(mail.from_address == (other ? "hr@globex.example" : "jobs@acme.example"));
    CHECK(mail.from_name == (other ? "Globex HR" : "Acme Jobs"));
    CHECK(mail.message_id.ends_with(other ? "@globex.example" : "@acme.example"));
    CHECK(link.starts_with(other ? "https://careers.globex.example/start#" : "https://jobs.example.com/interview#"));
    CHECK(mail.subject == "Your interview for work at " + tenant);
    CHECK((mail.text.find("Globex HR invites you") != std::string::npos) == other);
  }
  CHECK(seen == std::set<std::string>{acme, globex});
}

TEST_CASE("a run ends at its limit, and with the outbox", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  post p(w);
  for (int n = 0; n < 100; ++n) {
    auto terms = w.terms();
    terms.applicant.id = "app" + std::to_string(n);
    w.bench.schedule(terms, w.recruiter).value();
  }
  CHECK(code_of(p.sender.dispatch_due(0)) == errc::invalid_argument);
  CHECK(p.sender.dispatch_due(1)->accepted == 1);
  CHECK(p.sender.dispatch_due(40)->accepted == 40);
  CHECK(p.box.count() == 41);
  // What is beyond the limit is not even held.
  CHECK(w.data->messages({.tenant = acme, .state = message_state::leased, .limit = 200})->empty());
  CHECK(p.sender.dispatch_due()->accepted == 59);
  CHECK(p.sender.dispatch_due()->accepted == 0);
  CHECK(p.box.copies().size() == 100);
}

TEST_CASE("a stop ends a single run with the mail at work, and gives the rest back", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  struct stopping_mailer final : mailer {
    delivery send(const outgoing_mail&) override {
      stop.request_stop();
      ++sent;
      return {delivery_outcome::accepted, 250, "kept"};
    }
    std::stop_source stop{};
    int sent = 0;
  } box;
  dispatcher sender(w.bench, box, dispatch_options());
  for (int n = 0; n < 10; ++n) {
    auto terms = w.terms();
    terms.applicant.id = "app" + std::to_string(n);
    w.bench.schedule(terms, w.recruiter).value();
  }
  const auto report = sender.dispatch_due(1000, box.stop.get_token()).value();
  CHECK(report.accepted == 1);
  CHECK(report.released == 9);
  CHECK(box.sent == 1);
  CHECK(w.data->messages({.tenant = acme, .state = message_state::queued, .limit = 200})->size() == 9);
  CHECK(sender.dispatch_due(1000, box.stop.get_token())->accepted == 0);
  CHECK(sender.dispatch_due()->accepted == 9);
}

TEST_CASE("unusable options are refused", "[dispatcher]") {
  world w(stores().front());
  recording_mailer box;
  const auto refused = [&](const std::function<void(dispatcher_options&)>& spoil) {
    auto options = dispatch_options();
    spoil(options);
    try {
      const dispatcher d(w.bench, box, options);
      return false;
    } catch (const exception& e) {
      return e.details().code == errc::invalid_argument || e.details().code == errc::too_large;
    }
  };
  CHECK_FALSE(refused([](dispatcher_options&) {}));
  CHECK(refused([](dispatcher_options& o) { o.sender = {}; }));
  CHECK(refused([](dispatcher_options& o) { o.sender.address = "jobs"; }));
  CHECK(refused([](dispatcher_options& o) { o.sender.address = "jobs@acme.example\r\nBcc: all@acme.example"; }));
  CHECK(refused([](dispatcher_options& o) { o.sender.name = "Acme\r\nBcc: all@acme.example"; }));
  CHECK(refused([](dispatcher_options& o) { o.sender.name = std::string(256, 'a'); }));
  CHECK(refused([](dispatcher_options& o) { o.senders[globex] = {"nobody"}; }));
  CHECK(refused([](dispatcher_options& o) { o.lease = 0s; }));
  CHECK(refused([](dispatcher_options& o) { o.renew_every = 0s; }));
  CHECK(refused([](dispatcher_options& o) { o.renew_every = o.lease; }));
  CHECK(refused([](dispatcher_options& o) { o.first_backoff = 0s; }));
  CHECK(refused([](dispatcher_options& o) { o.longest_backoff = seconds::max(); }));
  CHECK(refused([](dispatcher_options& o) { o.most_tries = 0; }));
  CHECK(refused([](dispatcher_options& o) { o.poll_every = std::chrono::milliseconds{0}; }));
}
