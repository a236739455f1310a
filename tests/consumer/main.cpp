// What a host does first, with the installed headers and adapters: opens a store of each kind, makes a mailer, and
// schedules an interview. And what the writer of a store of its own does: checks it.

#include <cstdio>
#include <filesystem>
#include <string>

#include <hirenow/adapters/memory.hpp>
#include <hirenow/adapters/postgres.hpp>
#include <hirenow/adapters/smtp.hpp>
#include <hirenow/adapters/sqlite.hpp>
#include <hirenow/hirenow.hpp>
#include <hirenow/testing/check_store.hpp>

namespace {

constexpr auto keys = R"({"keys": [{"kid": "consumer", "kty": "oct", "alg": "HS256", "status": "signing",
    "k": "dGhpcyBrZXkgaXMgZm9yIHRoZSBjb25zdW1lciB0ZXN0Lg"}]})";

constexpr auto policy = R"({"hirenow_policy": 1, "version": "consumer",
    "rules": [{"rule": "wait", "id": "cooldown", "after": ["P14D"]}]})";

std::string schedule_one(hirenow::store& store) {
  hirenow::engine engine(store, hirenow::key_ring::from_json(keys).value(),
                         hirenow::retake_policy::parse(policy).value(), {.link_base = "https://example.com/i"});
  const hirenow::actor recruiter{.id = "r1", .tenant = "acme", .roles = hirenow::role::recruiter};
  const auto invited =
      engine.schedule({.applicant = {.id = "ada", .email = "ada@example.com"}, .track = "backend/technical"}, recruiter)
          .value();
  return std::string(to_string(invited.interview.state));
}

}  // namespace

int main() {
  const auto mailer = hirenow::open_smtp_mailer({.host = "mail.example.com"}).value();
  const auto memory = hirenow::open_memory_store();
  const std::string file = "consumer.db";
  std::filesystem::remove(file);
  const auto sqlite = hirenow::open_sqlite_store(file).value();
  const auto postgres = hirenow::open_postgres_store("postgresql://nobody@/none?host=/missing");
  if (postgres || postgres.error().code != hirenow::errc::store_unavailable) return 1;
  std::printf("memory: %s, sqlite: %s\n", schedule_one(*memory).c_str(), schedule_one(*sqlite).c_str());
  const auto report = hirenow::testing::check_store([] { return hirenow::open_memory_store(); }, {.histories = 1});
  std::printf("%s\n", report.to_string().c_str());
  return report.passed() ? 0 : 2;
}
