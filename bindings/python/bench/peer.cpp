// What speed.py measures, in C++: a token check, and retakes on SQLite at synchronous=FULL. Prints microseconds as
// JSON.
//
//   hirenow_python_peer             token checks
//   hirenow_python_peer FOLDER retake
//   hirenow_python_peer URL SCHEMA door   retakes in the host's own transactions on PostgreSQL

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "hirenow/adapters/host_connection.hpp"
#include "hirenow/adapters/postgres.hpp"
#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/engine.hpp"

namespace {

using namespace hirenow;
using namespace std::chrono_literals;
using stopwatch = std::chrono::steady_clock;

double microseconds(stopwatch::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

double token_check(key_algorithm algorithm) {
  const auto ring = key_ring::from_json(new_key_document(algorithm, "k")).value();
  const sys_seconds now = system_clock().now();
  const token_claims claims{.issuer = "hirenow",
                            .audience = "interview",
                            .subject = "applicant-4711",
                            .tenant = "acme",
                            .interview = parse_interview_id("0190f5fe-7c00-7a3b-8d41-5e6f708192a3").value(),
                            .generation = 2,
                            .attempt = 3,
                            .issued_at = now,
                            .not_before = now,
                            .expires_at = now + 72h};
  const auto token = mint_token(ring, "k", claims).value();
  const token_expectation expected{"hirenow", "interview"};
  std::vector<double> rounds;
  for (int round = 0; round < 7; ++round) {
    constexpr int count = 5000;
    const auto start = stopwatch::now();
    for (int n = 0; n < count; ++n)
      if (verify_token(ring, token, expected).value().generation != 2) return 0;
    rounds.push_back(microseconds(stopwatch::now() - start) / count);
  }
  return median(rounds);
}

constexpr int people = 200;
const actor recruiter{"r", "acme", role::recruiter}, reviewer{"v", "acme", role::reviewer};

/// Interviews that may be retaken at once.
std::vector<interview_id> failed_interviews(engine& e, manual_clock& clock) {
  std::vector<interview_id> failed;
  for (int n = 0; n < people; ++n) {
    const auto invited = e.schedule({.applicant = {.id = "a-" + std::to_string(n), .email = "a@b.example"},
                                     .track = "t",
                                     .notify = notify::none()},
                                    recruiter)
                             .value();
    const auto sitting = e.start(invited.link.substr(invited.link.find('#') + 1), "0123456789abcdef").value();
    e.submit(sitting.session).value();
    failed.push_back(e.decide(invited.interview.id, reviewer, {.outcome = outcome::failed, .notify = notify::none()})
                         .value()
                         .interview.id);
  }
  clock.advance(14 * 24h);
  return failed;
}

template <class Work>
double median_of(const std::vector<interview_id>& failed, Work work) {
  std::vector<double> all;
  for (const auto& id : failed) {
    const auto start = stopwatch::now();
    work(id);
    all.push_back(microseconds(stopwatch::now() - start));
  }
  return median(all);
}

engine engine_over(store& s, const manual_clock& clock) {
  return engine{s,
                key_ring::from_json(new_key_document(key_algorithm::hs256, "k")).value(),
                retake_policy::standard(),
                {.link_base = "https://x.example/go", .clock = &clock}};
}

double retake(const std::string& path) {
  const auto store = open_sqlite_store(path).value();
  manual_clock clock{sys_seconds{seconds{1772442000}}};
  engine e = engine_over(*store, clock);
  return median_of(failed_interviews(e, clock), [&](const interview_id& id) { e.retake(id, recruiter).value(); });
}

/// Retakes in transactions of the host's, on libpq's own handle.
double door(const std::string& url, const std::string& schema) {
  const auto store = open_postgres_store(url, {.schema = schema, .clock = postgres_clock::caller}).value();
  manual_clock clock{sys_seconds{seconds{1772442000}}};
  engine e = engine_over(*store, clock);
  const auto failed = failed_interviews(e, clock);
  PGconn* const handle = PQconnectdb(url.c_str());
  const auto run = [&](const char* sql) { PQclear(PQexec(handle, sql)); };
  const double found = median_of(failed, [&](const interview_id& id) {
    run("BEGIN");
    const auto connection = host_connection_of(handle);
    const auto joined = join_transaction(*connection, {.schema = schema}).value();
    e.on(*joined).retake(id, recruiter).value();
    run("COMMIT");
  });
  PQfinish(handle);
  return found;
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 3)
    std::printf("{\"door\": %.1f}\n", door(arguments[1], arguments[2]));
  else if (count > 2)
    std::printf("{\"retake\": %.1f}\n", retake(std::string(arguments[1]) + "/peer.db"));
  else
    std::printf("{\"HS256\": %.3f, \"EdDSA\": %.3f}\n", token_check(key_algorithm::hs256),
                token_check(key_algorithm::ed25519));
}
