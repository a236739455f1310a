// From the first invitation to a retake, with a clock and a mailer of the host's own. quickstart.c and quickstart.py
// tell the same story, and the tests hold all of them to the same lines.

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/hirenow.hpp"

using namespace std::chrono_literals;

namespace {

// Where the mails of this story go.
class kept_mail final : public hirenow::mailer {
 public:
  hirenow::delivery send(const hirenow::outgoing_mail& mail) override {
    mails.push_back(mail);
    return {hirenow::delivery_outcome::accepted, 250, "kept"};
  }
  std::vector<hirenow::outgoing_mail> mails{};
};

const char* yes_or_no(bool value) { return value ? "yes" : "no"; }
const char* word(std::string_view view) { return view.data(); }  // of to_string(): ends in NUL
std::string token_of(const std::string& link) { return link.substr(link.find('#') + 1); }

}  // namespace

int main() {
  const auto file = std::filesystem::temp_directory_path() / "hirenow-quickstart-cpp.db";
  for (const auto* part : {"", "-wal", "-shm", "-hirenow-lock"}) std::filesystem::remove(file.string() + part);
  hirenow::manual_clock clock{std::chrono::sys_days{std::chrono::March / 2 / 2026} + 9h};
  kept_mail mailbox;

  // A store, keys, the standard policy, a clock: the engine.
  auto store = hirenow::open_sqlite_store(file.string()).value();
  const auto keys = hirenow::new_key_document(hirenow::key_algorithm::ed25519, "2026-03");
  hirenow::engine engine{*store,
                         hirenow::key_ring::from_json(keys).value(),
                         hirenow::retake_policy::standard(),
                         {.link_base = "https://interviews.acme.example/go", .clock = &clock}};
  hirenow::dispatcher dispatcher{engine, mailbox, {.sender = {"jobs@acme.example", "Acme"}}};
  const hirenow::actor recruiter{"rosa", "acme", hirenow::role::recruiter};
  const hirenow::actor reviewer{"viktor", "acme", hirenow::role::reviewer};

  // Schedule. The invitation is promised in the same commit, and sent by the dispatcher.
  const auto invited = engine
                           .schedule({.applicant = {.id = "ada", .email = "ada@applicants.example", .name = "Ada"},
                                      .track = "backend/technical",
                                      .link_lifetime = 72h,
                                      .time_limit = 1h},
                                     recruiter)
                           .value();
  const auto id = invited.interview.id;
  std::printf("scheduled: attempt %u, %s, start by %s\n", invited.interview.attempt,
              word(to_string(invited.interview.state)), hirenow::to_string(invited.interview.start_by).c_str());
  std::printf("dispatched: %zu accepted\n", dispatcher.dispatch_due().value().accepted);
  std::printf("mail to %s, holds the link: %s\n", mailbox.mails.back().to_address.c_str(),
              yes_or_no(mailbox.mails.back().text.find(invited.link) != std::string::npos));

  // The applicant opens the link, answers, and goes on in a second window.
  const std::string token = token_of(invited.link);
  std::printf("link: %s\n", word(to_string(engine.inspect(token).value().verdict)));
  const auto first = engine.start(token, "the first window's secret").value();
  std::printf("started: %lld seconds left\n", static_cast<long long>(first.left.count()));
  clock.advance(10min);
  std::printf("saved at %s\n",
              hirenow::to_string(engine.checkpoint(first.session, "the first answer").value().at).c_str());
  const auto second = engine.resume(token, "the second window's secret").value();
  std::printf("resumed: \"%s\", %lld seconds left\n", second.progress.value().bytes.c_str(),
              static_cast<long long>(second.left.count()));
  std::printf("first window: %s\n", word(to_string(engine.checkpoint(first.session, "too late").error().code)));
  engine.submit(second.session).value();

  // A reviewer decides. When is a retake possible?
  const auto decided =
      engine.decide(id, reviewer, {.outcome = hirenow::outcome::failed, .reason = "too early"}).value();
  std::printf("decided: %s\n", word(to_string(decided.interview.state)));
  std::printf("dispatched: %zu accepted\n", dispatcher.dispatch_due().value().accepted);
  const auto may = engine.retake_eligibility(id, recruiter).value();
  std::printf("retake allowed: %s, %s, from %s\n", yes_or_no(may.allowed), std::string(may.reason).c_str(),
              hirenow::to_string(may.eligible_at.value()).c_str());
  std::printf("%s\n", describe(may).c_str());
  const auto refused = engine.retake(id, recruiter, {.idempotency_key = "click-4711"}).error();
  std::printf("retake now: %s, %s, from %s\n", word(to_string(refused.code)), refused.reason.c_str(),
              hirenow::to_string(refused.eligible_at.value()).c_str());

  // The day comes. Two clicks make one retake, and the old link is dead at once.
  clock.set(may.eligible_at.value());
  const auto again = engine.retake(id, recruiter, {.idempotency_key = "click-4711"}).value();
  std::printf("retake: attempt %u, %s\n", again.interview.attempt, word(to_string(again.interview.state)));
  const auto twice = engine.retake(id, recruiter, {.idempotency_key = "click-4711"}).value();
  std::printf("same click: replayed %s, same interview %s, same link %s\n", yes_or_no(twice.replayed),
              yes_or_no(twice.interview.id == again.interview.id), yes_or_no(twice.link == again.link));
  std::printf("old link: %s\n", word(to_string(engine.inspect(token).value().verdict)));
  std::printf("old interview: %s\n", word(to_string(engine.find(id, recruiter).value().state)));
  std::printf("dispatched: %zu accepted\n", dispatcher.dispatch_due().value().accepted);
  std::printf("mail to %s, holds the new link: %s, the old one: %s\n", mailbox.mails.back().to_address.c_str(),
              yes_or_no(mailbox.mails.back().text.find(again.link) != std::string::npos),
              yes_or_no(mailbox.mails.back().text.find(invited.link) != std::string::npos));
  std::printf("new link: %s\n", word(to_string(engine.inspect(token_of(again.link)).value().verdict)));

  // Whatever happened stands in the audit, and the audit verifies.
  std::printf("audit: %llu entries, verified\n",
              static_cast<unsigned long long>(engine.verify_audit("ada", recruiter).value().entries));
}
