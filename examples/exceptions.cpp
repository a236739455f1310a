// A rule, an exception to it, and another rule from tomorrow on. The guide shows parts of it.

#include <chrono>
#include <iostream>

#include "hirenow/adapters/memory.hpp"
#include "hirenow/hirenow.hpp"

using namespace std::chrono_literals;

int main() {
  const auto store = hirenow::open_memory_store();
  const auto keys =
      hirenow::key_ring::from_json(hirenow::new_key_document(hirenow::key_algorithm::ed25519, "2026-03")).value();
  hirenow::manual_clock clock{std::chrono::sys_days{std::chrono::March / 2 / 2026} + 9h};
  hirenow::engine engine{*store, keys, hirenow::retake_policy::standard(),
                         {.link_base = "https://interviews.acme.example/go", .clock = &clock}};
  const hirenow::actor recruiter{"rosa", "acme", hirenow::role::recruiter};
  const hirenow::actor reviewer{"viktor", "acme", hirenow::role::reviewer};
  const hirenow::actor admin{"alma", "acme", hirenow::role::admin};
  const hirenow::applicant ada{.id = "ada", .email = "ada@applicants.example", .name = "Ada", .locale = "en"};

  const auto invited = engine.schedule({.applicant = ada, .track = "backend/technical"}, recruiter).value();
  const std::string token = invited.link.substr(invited.link.find('#') + 1);
  const auto sitting = engine.start(token, "a random secret of 16 bytes or more").value();
  engine.submit(sitting.session).value();
  engine.decide(invited.interview.id, reviewer, {.outcome = hirenow::outcome::failed}).value();
  const auto tell = [&] {
    const auto may = engine.retake_eligibility(invited.interview.id, recruiter).value();
    std::cout << may.policy_version << ": " << describe(may) << "\n";
  };
  tell();

  // Whom would a stricter rule keep out?
  const std::string document = R"({"hirenow_policy": 1, "version": "60-days", "rules": [
    {"rule": "wait", "id": "wait-60-days", "after": ["P60D"], "second_approver": true}]})";
  const auto page = engine.what_if({.document = document}, admin).value();
  std::cout << page.counts.tracks << " asked, " << page.counts.later << " would wait longer\n";

  // From tomorrow on, and not for those who wait already.
  const auto planned = hirenow::activation{.from = clock.now() + 24h, .running_waits = hirenow::running_waits::keep};
  engine.set_policy("backend/technical", document, admin, planned).value();
  clock.advance(48h);
  tell();

  // And for Ada an exception.
  engine.grant_waiver({.applicant_id = "ada", .track = "backend/technical", .rule_id = "wait-14-days",
                       .reason_code = "visa_delay", .expires_at = clock.now() + 7 * 24h}, admin).value();
  tell();
  engine.retake(invited.interview.id, recruiter).value();
  for (const auto& waiver : engine.waivers("ada", recruiter).value())
    std::cout << "the waiver of " << waiver.rule_id << " is " << to_string(waiver.state) << "\n";
  std::cout << "the audit has " << engine.verify_audit("ada", admin).value().entries << " entries\n";
}
