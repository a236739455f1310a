// Mail: promised in the same commit as the change, sent later by a dispatcher. With a mailer and a text of our own.

#include <chrono>
#include <iostream>
#include <thread>

#include "hirenow/adapters/memory.hpp"
#include "hirenow/hirenow.hpp"

using namespace std::chrono_literals;

// [own mailer]
// Hands mails to whatever the host already has. It may block: no request waits for it.
class printing_mailer final : public hirenow::mailer {
 public:
  hirenow::delivery send(const hirenow::outgoing_mail& mail) override {
    std::cout << "to " << mail.to_address << ": " << mail.subject << "\n";
    return {hirenow::delivery_outcome::accepted, 250, "taken"};
  }
};
// [/own mailer]

int main() {
  auto store = hirenow::open_memory_store();
  auto ring = hirenow::key_ring::from_json(new_key_document(hirenow::key_algorithm::hs256, "2026-03")).value();
  hirenow::engine engine{*store, ring, hirenow::retake_policy::standard(),
                         {.link_base = "https://interviews.acme.example/go"}};
  const hirenow::actor recruiter{"rosa", "acme", hirenow::role::recruiter};
  printing_mailer mailer;

  // [own text]
  hirenow::dispatcher_options options;
  options.sender = {"interviews@acme.example", "Acme Hiring"};
  options.templates
      .set(hirenow::message_kind::invitation, "en",
           {.subject = "{{applicant_name}}, meet {{company_name}}",
            .text = "Start here: {{link}}\nThe link works until {{start_by}}.\n"})
      .value();
  // [/own text]

  // [dispatch]
  hirenow::dispatcher dispatcher{engine, mailer, options};
  std::jthread worker([&](std::stop_token stop) { dispatcher.run(2, stop); });  // or dispatch_due() in a cron job

  engine
      .schedule({.applicant = {.id = "ada", .email = "ada@applicants.example", .name = "Ada"},
                 .track = "backend/technical",
                 .reminders = {24h}},
                recruiter)
      .value();
  dispatcher.wake();  // optional: else it looks five times a second
  // [/dispatch]

  const auto unsent = [&] {
    return engine.read_messages({.state = hirenow::message_state::accepted}, recruiter).value().empty();
  };
  while (unsent()) std::this_thread::sleep_for(10ms);
  worker.request_stop();
  worker.join();
  for (const auto& m : engine.read_messages({}, recruiter).value())
    std::cout << to_string(m.key.kind) << ": " << to_string(m.state) << "\n";
}
