// The shortest whole retake: schedule, start, submit, decide, ask, retake. The README shows a part of it.

#include <chrono>
#include <filesystem>
#include <iostream>

#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/hirenow.hpp"

using namespace std::chrono_literals;

int main() {
  const auto file = std::filesystem::temp_directory_path() / "hirenow-first-retake.db";
  for (const auto* part : {"", "-wal", "-shm", "-hirenow-lock"}) std::filesystem::remove(file.string() + part);
  const std::string keys = hirenow::new_key_document(hirenow::key_algorithm::ed25519, "2026-03");
  hirenow::manual_clock clock{std::chrono::sys_days{std::chrono::March / 2 / 2026} + 9h};
  const std::string request_id = "click-4711";

  // [README]
  auto store = hirenow::open_sqlite_store(file.string()).value();
  auto ring = hirenow::key_ring::from_json(keys).value();
  hirenow::engine engine{*store, ring, hirenow::retake_policy::standard(),
                         {.link_base = "https://interviews.acme.example/go", .clock = &clock}};
  const hirenow::actor recruiter{"rosa", "acme", hirenow::role::recruiter};
  const hirenow::actor reviewer{"viktor", "acme", hirenow::role::reviewer};
  const hirenow::applicant ada{.id = "ada", .email = "ada@applicants.example", .name = "Ada", .locale = "en"};

  auto invited = engine.schedule({.applicant = ada, .track = "backend/technical", .link_lifetime = 72h}, recruiter).value();

  // The applicant's page posts the token once, keeps the session in a cookie, and saves as it goes.
  const std::string token = invited.link.substr(invited.link.find('#') + 1);
  auto sitting = engine.start(token, "a random secret of 16 bytes or more").value();
  engine.checkpoint(sitting.session, "the first answer").value();
  engine.submit(sitting.session).value();
  engine.decide(invited.interview.id, reviewer, {.outcome = hirenow::outcome::failed, .reason = "too early"}).value();

  auto may = engine.retake_eligibility(invited.interview.id, recruiter).value();
  std::cout << describe(may) << "\n";
  clock.set(*may.eligible_at);
  auto again = engine.retake(invited.interview.id, recruiter, {.idempotency_key = request_id}).value();
  std::cout << "old link: " << to_string(engine.inspect(token).value().verdict) << "\n";  // dead at once
  // [/README]
  std::cout << "attempt " << again.interview.attempt << ": " << to_string(again.interview.state) << "\n";
  return again.interview.retake_of == invited.interview.id ? 0 : 1;
}
