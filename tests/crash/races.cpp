// Eight processes with eight threads each fire the same call at one SQLite file, or at one PostgreSQL, at the same
// moment: exactly one wins, one message is promised, and the calls really overlapped. Judged by what the callers were
// told and by plain SQL.
//
//   races [--postgres] [--planted DEFECT] [RACE]
//
// For PostgreSQL run it through tests/support/postgres.sh run. With a planted defect (planted.hpp) the program must fail.

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "crash/oracle.hpp"
#include "crash/planted.hpp"
#include "crash/postgres_oracle.hpp"
#include "crash/world.hpp"
#include "hirenow/adapters/postgres.hpp"
#include "support/postgres.hpp"

namespace fs = std::filesystem;
using namespace crash;
using hirenow::interview_id;
using hirenow::outcome;

namespace {

constexpr int processes = 8, threads = 8, callers = processes * threads;

int failures = 0, checks = 0;
std::string only;  // the race that is run; empty: all
void check(bool good, const std::string& race, const std::string& what) {
  ++checks;
  if (good) return;
  ++failures;
  std::cout << "  BROKEN in " << race << ": " << what << std::endl;
}

// What one caller was told, in memory that all processes share.
struct report {
  std::int64_t began, ended;  // steady clock, which all processes share
  hirenow::errc code;         // 0: it was done
  char answer[64];            // what names the answer, for example the new interview
  char superseded_by[40];
};
struct shared_memory {
  std::atomic<int> ready;
  std::atomic<std::int64_t> start;  // steady clock; 0: not yet known
  report reports[callers];
};

std::int64_t now_ns();
// Half a minute from the first call on: far more than any caller needs.
std::int64_t deadline_ns() {
  static const std::int64_t at = now_ns() + 30'000'000'000;
  return at;
}
std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// A database of its own for each round.
class place {
 public:
  explicit place(std::string file) : file_(std::move(file)) {}
  explicit place(std::unique_ptr<hirenow::test::fresh_schema> schema) : schema_(std::move(schema)) {}

  world enter(sys_seconds now) const {
    if (!schema_) return world(file_, now);
    return world(must(schema_->open({.call_timeout = 60s})), now);
  }
  std::unique_ptr<oracle::database> look() const {
    if (!schema_) return std::make_unique<oracle::file>(file_);
    return std::make_unique<oracle::schema>(schema_->url, schema_->name);
  }

 private:
  std::string file_{};
  std::unique_ptr<hirenow::test::fresh_schema> schema_{};
};

bool on_postgres = false, planted = false;

using call = std::function<hirenow::result<std::string>(world&, int caller)>;

// Fires the call from every thread of every process at once. Returns what they were told.
std::vector<report> fire(const place& where, const call& act) {
  auto* shared = static_cast<shared_memory*>(
      mmap(nullptr, sizeof(shared_memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (shared == MAP_FAILED) throw std::runtime_error("no shared memory");
  new (shared) shared_memory{};
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p) {
    const pid_t child = fork();
    if (child == 0) {
      world w = where.enter(day_one + 1h);
      std::vector<std::thread> all;
      for (int t = 0; t < threads; ++t)
        all.emplace_back([&, caller = p * threads + t] {
          report& r = shared->reports[caller];
          ++shared->ready;
          while (shared->start == 0) std::this_thread::sleep_for(1ms);
          // The kernel's timer wakes all of them: nobody waits for a turn on a core before it may begin.
          const timespec at{shared->start / 1'000'000'000, shared->start % 1'000'000'000};
          clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
          r.began = now_ns();
          const auto done = act(w, caller);
          r.ended = now_ns();
          r.code = done ? hirenow::errc{} : done.error().code;
          std::strncpy(r.answer, done ? done->c_str() : "", sizeof r.answer - 1);
          std::strncpy(r.superseded_by, done ? "" : done.error().superseded_by.c_str(), sizeof r.superseded_by - 1);
        });
      for (auto& t : all) t.join();
      _exit(0);
    }
    children.push_back(child);
  }
  const auto one_died = [&] {
    siginfo_t died{};
    return waitid(P_ALL, 0, &died, WEXITED | WNOHANG | WNOWAIT) == 0 && died.si_pid != 0;
  };
  while (shared->ready < callers && !one_died()) std::this_thread::sleep_for(1ms);
  shared->start = now_ns() + 50'000'000;
  bool all_lived = true;
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    all_lived = all_lived && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  if (!all_lived) throw std::runtime_error("a process of the race died");
  std::vector<report> reports(shared->reports, shared->reports + callers);
  munmap(shared, sizeof(shared_memory));
  return reports;
}

// Whether many calls of several processes were under way at the same time; else nothing was raced.
bool overlapped(const std::vector<report>& reports, const std::string& race) {
  std::size_t most = 0, most_processes = 0;
  for (const auto& at : reports) {
    std::size_t under_way = 0;
    std::set<std::size_t> of;
    for (std::size_t n = 0; n < reports.size(); ++n)
      if (reports[n].began <= at.began && at.began < reports[n].ended) {
        ++under_way;
        of.insert(n / threads);
      }
    most = std::max(most, under_way);
    most_processes = std::max(most_processes, of.size());
  }
  std::cout << race << ": at most " << most << " calls of " << most_processes << " processes under way at once\n";
  return most >= callers / 4 && most_processes >= processes / 2;
}

std::map<hirenow::errc, int> codes(const std::vector<report>& reports) {
  std::map<hirenow::errc, int> found;
  for (const auto& r : reports) ++found[r.code];
  return found;
}
std::string in_words(const std::map<hirenow::errc, int>& found) {
  std::string text;
  for (const auto& [code, n] : found)
    text += std::to_string(n) + " × " + (code == hirenow::errc{} ? "done" : std::string(to_string(code))) + "  ";
  return text;
}

struct stage {
  interview_id interview;
  std::string token;
  hirenow::session session;
};

stage set(const place& where, int how_far) {
  world w = where.enter(day_one);
  stage s;
  const auto invited = must(w.engine.schedule(invitation("ada"), recruiter));
  s.interview = invited.interview.id;
  s.token = token_of(invited.link);
  if (how_far >= 1) s.session = must(w.engine.start(s.token, "session-key-of-ada-0")).session;
  if (how_far >= 2) must(w.engine.submit(s.session));
  if (how_far >= 3)
    must(w.engine.decide(s.interview, reviewer, {.outcome = outcome::failed, .notify = hirenow::notify::none()}));
  return s;
}

// A race is run until its calls overlapped, and judged every time. On few cores the first caller may be done before the
// others are awake. A planted defect gets every round to show itself.
void race(const fs::path& folder, const std::string& name, int how_far, const std::function<call(const stage&)>& make,
          const std::function<void(const std::vector<report>&, const oracle::database&)>& judge) {
  if (!only.empty() && only != name) return;
  bool ever_raced = false;
  for (int round = 1; round <= 5; ++round) {
    const place where = on_postgres ? place(std::make_unique<hirenow::test::fresh_schema>())
                                    : place((folder / (name + std::to_string(round) + ".db")).string());
    const stage s = set(where, how_far);
    const auto reports = fire(where, make(s));
    const bool raced = overlapped(reports, name);
    std::cout << "  " << in_words(codes(reports)) << std::endl;
    const auto sql = where.look();
    for (const auto& broken : sql->broken_promises()) check(false, name, broken);
    world w = where.enter(day_one + 1h);
    check(w.engine.verify_audit("ada", recruiter).has_value(), name, "the audit does not verify");
    judge(reports, *sql);
    ever_raced = ever_raced || raced;
    if (raced && (!planted || failures > 0)) return;
  }
  check(ever_raced, name, "the calls never overlapped");
}

void all_races(const fs::path& folder) {
  const auto messages_of_kind = [](const oracle::database& sql, hirenow::message_kind kind) {
    return sql.one("SELECT count(*) FROM hirenow_outbox WHERE kind = " + std::to_string(static_cast<int>(kind)));
  };
  const auto one_wins = [](const std::vector<report>& reports, hirenow::errc others, const std::string& name) {
    const auto found = codes(reports);
    check(found.contains(hirenow::errc{}) && found.at(hirenow::errc{}) == 1, name,
          "not one winner: " + in_words(found));
    check(found.contains(others) && found.at(others) == callers - 1, name, "the losers: " + in_words(found));
  };

  race(
      folder, "retake", 3,
      [](const stage& s) -> call {
        return [s](world& w, int) -> hirenow::result<std::string> {
          const auto r = w.engine.retake(s.interview, recruiter);
          if (!r) return r.error();
          return to_string(r->interview.id);
        };
      },
      [&](const std::vector<report>& reports, const oracle::database& sql) {
        one_wins(reports, hirenow::errc::superseded, "retake");
        std::string winner;
        for (const auto& r : reports)
          if (r.code == hirenow::errc{}) winner = r.answer;
        for (const auto& r : reports)
          if (r.code != hirenow::errc{}) check(winner == r.superseded_by, "retake", "a loser is not told who won");
        check(sql.one("SELECT count(*) FROM hirenow_interview") == "2", "retake", "not two interviews");
        check(messages_of_kind(sql, hirenow::message_kind::retake_invitation) == "1", "retake", "not one message");
      });

  race(
      folder, "retake with one idempotency key", 3,
      [](const stage& s) -> call {
        return [s](world& w, int) -> hirenow::result<std::string> {
          const auto r = w.engine.retake(s.interview, recruiter, {.idempotency_key = "the click"});
          if (!r) return r.error();
          return to_string(r->interview.id);
        };
      },
      [&](const std::vector<report>& reports, const oracle::database& sql) {
        std::set<std::string> answers;
        for (const auto& r : reports) answers.insert(r.answer);
        check(codes(reports).size() == 1 && answers.size() == 1 && !answers.contains(""),
              "retake with one idempotency key", "the same key got different answers: " + in_words(codes(reports)));
        check(sql.one("SELECT count(*) FROM hirenow_interview") == "2", "retake with one idempotency key",
              "not two interviews");
        check(messages_of_kind(sql, hirenow::message_kind::retake_invitation) == "1", "retake with one idempotency key",
              "not one message");
      });

  race(
      folder, "start", 0,
      [](const stage& s) -> call {
        return [s](world& w, int caller) -> hirenow::result<std::string> {
          const auto r = w.engine.start(s.token, "session-key-number-" + std::to_string(caller));
          if (!r) return r.error();
          return std::to_string(r->session.fence);
        };
      },
      [&](const std::vector<report>& reports, const oracle::database& sql) {
        one_wins(reports, hirenow::errc::already_started, "start");
        check(sql.one("SELECT fence FROM hirenow_session") == "1", "start", "not one session");
        check(sql.one("SELECT count(*) FROM hirenow_audit WHERE event = 'start'") == "1", "start", "not one start");
      });

  race(
      folder, "decide", 2,
      [](const stage& s) -> call {
        return [s](world& w, int caller) -> hirenow::result<std::string> {
          const hirenow::actor one{"reviewer-" + std::to_string(caller), "acme", hirenow::role::reviewer};
          const auto r = w.engine.decide(s.interview, one, {.outcome = caller % 2 ? outcome::failed : outcome::passed});
          if (!r) return r.error();
          return std::string(to_string(r->interview.state));
        };
      },
      [&](const std::vector<report>& reports, const oracle::database& sql) {
        one_wins(reports, hirenow::errc::invalid_transition, "decide");
        check(sql.one("SELECT count(*) FROM hirenow_outbox WHERE kind IN (4, 5, 6)") == "1", "decide",
              "not one message");
      });

  // Whole attempts one after the other, from every thread, until the policy's cap is reached: the oracle counts them.
  race(
      folder, "retakes to the cap", 3,
      [](const stage& s) -> call {
        return [s](world& w, int caller) -> hirenow::result<std::string> {
          interview_id id = s.interview;
          for (int n = 0; n < 2 * most_attempts; ++n) {
            const auto again = w.engine.retake(id, recruiter);
            if (again) {
              id = again->interview.id;
              const auto open = w.engine.start(token_of(again->link), "session-key-number-" + std::to_string(caller));
              if (!open) return open.error();
              if (auto ok = w.engine.submit(open->session); !ok) return ok.error();
              if (auto ok = w.engine.decide(id, reviewer, {.outcome = outcome::failed}); !ok) return ok.error();
              continue;
            }
            if (again.error().code == hirenow::errc::not_eligible) return std::string("the cap");
            if (again.error().code == hirenow::errc::invalid_transition) {  // another caller is in the middle of it
              std::this_thread::sleep_for(1ms);
              --n;
              if (now_ns() > deadline_ns()) return again.error();
            } else if (again.error().code == hirenow::errc::superseded) {
              id = must(hirenow::parse_interview_id(again.error().superseded_by));
            } else {
              return again.error();
            }
          }
          return std::string("no cap");
        };
      },
      [&](const std::vector<report>& reports, const oracle::database& sql) {
        check(codes(reports) == std::map<hirenow::errc, int>{{hirenow::errc{}, callers}}, "retakes to the cap",
              "somebody was refused for something else: " + in_words(codes(reports)));
        check(sql.one("SELECT count(*) FROM hirenow_interview") == std::to_string(most_attempts), "retakes to the cap",
              "I6: not as many attempts as the policy allows");
      });
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> told(arguments + 1, arguments + count);
  if (!told.empty() && told[0] == "--postgres") {
    on_postgres = true;
    told.erase(told.begin());
  }
  if (told.size() >= 2 && told[0] == "--planted") {
    if (!plant(told[1])) {
      std::cerr << "there is no defect " << told[1] << "\n";
      return 2;
    }
    planted = true;
    std::cout << "planted: " << told[1] << ", which must be found" << std::endl;
    told.erase(told.begin(), told.begin() + 2);
  }
  if (!told.empty()) only = told[0];
  char pattern[] = "/tmp/hirenow-races-XXXXXX";
  const fs::path folder = mkdtemp(pattern);
  try {
    key_document();
    all_races(folder);
  } catch (const std::exception& e) {
    check(false, "the test itself", e.what());
  }
  fs::remove_all(folder);
  std::cout << checks - failures << " passed, " << failures << " failed" << std::endl;
  return failures == 0 ? 0 : 1;
}
