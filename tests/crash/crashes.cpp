// A process dies at every labelled step of every changing call, of the sweep and of the dispatcher. After a restart the
// promises hold, judged by plain SQL and by the mail server's files; and the same call, made again, leaves what a call
// without a crash would have left.
//
//   crashes [--planted DEFECT] [SCENARIO]
//
// With a planted defect (planted.hpp) the program must fail. HIRENOW_CRASH_STRIDE: die at every k-th step only (for the
// sanitizer builds).

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "crash/mail_folder.hpp"
#include "crash/oracle.hpp"
#include "crash/planted.hpp"
#include "crash/world.hpp"
#include "hirenow/adapters/smtp.hpp"
#include "support/child_process.hpp"

namespace fs = std::filesystem;
using namespace crash;
using hirenow::interview_id;
using hirenow::outcome;

// ---- Dying at the n-th step -----------------------------------------------------------------------------------------

namespace {
std::atomic<long> steps_left{0};  // 0: not armed
int label_pipe = -1;

void die_when_it_is_time(const char* label) {
  if (steps_left.load() == 0 || steps_left.fetch_sub(1) != 1) return;
  if (label_pipe >= 0 && write(label_pipe, label, std::strlen(label)) < 0) _exit(3);
  kill(getpid(), SIGKILL);
}

int failures = 0;
int checks = 0;
std::set<std::string> died_at;  // labels
void check(bool good, const std::string& scenario, const std::string& what) {
  ++checks;
  if (good) return;
  ++failures;
  std::cout << "  BROKEN in " << scenario << ": " << what << std::endl;
}

// What a scenario's setup leaves for its call.
struct context {
  interview_id interview{};
  std::string token{};
  hirenow::session session{};
  hirenow::message_key message{};
  std::uint64_t number = 0;  // a waiver's
};

struct scenario {
  std::string name;
  std::function<context(world&)> setup;
  // Made again after the crash, it must end as if nothing had happened.
  std::function<void(world&, const context&)> act;
  bool one_commit = true;         // all of it or none of it
  std::chrono::seconds later{0};  // how much time passes between setup and call
  hirenow::sqlite_options store{};
};

// Where the interviews of the scenarios come from.
context scheduled(world& w, const std::string& who = "ada") {
  auto request = invitation(who);
  request.reminders = {24h};
  const auto invited = must(w.engine.schedule(request, recruiter));
  return {.interview = invited.interview.id, .token = token_of(invited.link)};
}
context started(world& w) {
  auto c = scheduled(w);
  c.session = must(w.engine.start(c.token, "session-key-of-ada-1")).session;
  must(w.engine.checkpoint(c.session, "first words"));
  return c;
}
context submitted(world& w) {
  auto c = started(w);
  must(w.engine.submit(c.session));
  return c;
}
context failed(world& w) {
  auto c = submitted(w);
  must(w.engine.decide(c.interview, reviewer, {.outcome = outcome::failed, .reason = "not yet"}));
  return c;
}
context several_due(world& w) {
  for (const auto* who : {"ada", "bruno", "chiyo"}) scheduled(w, who);
  return {};
}
context with_dead_letter(world& w) {
  auto c = scheduled(w);
  hirenow::lease_token token{7};
  const auto claimed = must(w.store->claim({w.clock.now(), 30s, 1, token}));
  const hirenow::settlement dead{
      claimed.at(0).mail.key, "acme", token, hirenow::settlement::verdict::dead, w.clock.now(), "550 no such person"};
  if (!must(w.store->settle({&dead, 1})).at(0)) throw std::runtime_error("no dead letter");
  c.message = claimed.at(0).mail.key;
  return c;
}

// A failure under a policy with one rule that may be waived, and one that two people waive.
context under_waivable_rules(world& w) {
  auto c = failed(w);
  must(w.engine.set_policy("", R"({"hirenow_policy": 1, "version": "w", "rules": [
      {"rule": "wait", "id": "wait", "after": ["P30D"]},
      {"rule": "most", "id": "cap", "attempts": 3, "second_approver": true}]})",
                           admin));
  return c;
}
hirenow::waiver_request waiver_of(const char* rule) {
  return {.applicant_id = "ada",
          .track = "backend/technical",
          .rule_id = rule,
          .reason_code = "visa_delay",
          .expires_at = day_one + 48h,
          .reason = "it came late",
          .idempotency_key = std::string("w") + rule};
}

std::vector<scenario> scenarios() {
  const auto nothing = [](world&) { return context{}; };
  return {
      {"schedule a new person", nothing,
       [](world& w, const context&) {
         auto r = invitation("ada");
         r.reminders = {24h, 1h};
         r.idempotency_key = "k";
         must(w.engine.schedule(r, recruiter));
       }},
      {"start", [](world& w) { return scheduled(w); },
       [](world& w, const context& c) { must(w.engine.start(c.token, "session-key-of-ada-1")); }},
      {"start, and the log is copied into the file",
       [](world& w) { return scheduled(w); },
       [](world& w, const context& c) { must(w.engine.start(c.token, "session-key-of-ada-1")); },
       true,
       0s,
       {.checkpoint_bytes = 1}},
      {"resume", started, [](world& w, const context& c) { must(w.engine.resume(c.token, "session-key-of-ada-2")); }},
      {"checkpoint", started, [](world& w, const context& c) { must(w.engine.checkpoint(c.session, "second words")); }},
      {"submit", started,
       [](world& w, const context& c) {
         must(w.engine.submit(c.session, {.progress = "last words", .idempotency_key = "k"}));
       }},
      {"decide", submitted,
       [](world& w, const context& c) {
         must(
             w.engine.decide(c.interview, reviewer,
                             {.outcome = outcome::failed, .reason = "not yet", .score = 0.25, .idempotency_key = "k"}));
       }},
      {"reopen", failed,
       [](world& w, const context& c) {
         must(w.engine.reopen(c.interview, admin, {.reason = "misread", .idempotency_key = "k"}));
       }},
      {"void", submitted,
       [](world& w, const context& c) {
         must(w.engine.void_attempt(c.interview, reviewer, {.reason_code = "outage", .idempotency_key = "k"}));
       }},
      {"retake", failed,
       [](world& w, const context& c) {
         must(w.engine.retake(c.interview, recruiter,
                              {.reminders = {24h}, .reason = "why not", .idempotency_key = "k"}));
       }},
      {"schedule on a track with a past",
       [](world& w) {
         auto c = started(w);
         must(w.engine.cancel(c.interview, recruiter));
         return c;
       },
       [](world& w, const context&) {
         auto r = invitation("ada");
         r.idempotency_key = "k";
         must(w.engine.schedule(r, recruiter));
       }},
      {"reissue", started,
       [](world& w, const context& c) { must(w.engine.reissue(c.interview, recruiter, {.idempotency_key = "k"})); }},
      {"reissue after the clock's expiry", [](world& w) { return scheduled(w); },
       [](world& w, const context& c) {
         must(w.engine.reissue(c.interview, recruiter, {.reminders = {1h}, .idempotency_key = "k"}));
       },
       true, 100h},
      {"request_link",
       [](world& w) {
         auto c = scheduled(w);
         must(w.engine.reissue(c.interview, recruiter));
         return c;
       },
       [](world& w, const context& c) { must(w.engine.request_link(c.token, "k")); }},
      {"cancel", [](world& w) { return scheduled(w); },
       [](world& w, const context& c) {
         must(w.engine.cancel(c.interview, recruiter, {.reason = "position closed", .idempotency_key = "k"}));
       }},
      {"withdraw", started,
       [](world& w, const context& c) {
         must(w.engine.withdraw(c.token, {.reason = "found another", .idempotency_key = "k"}));
       }},
      {"update_applicant", [](world& w) { return scheduled(w); },
       [](world& w, const context&) {
         must(w.engine.update_applicant({.id = "ada", .email = "new@applicants.example"}, recruiter, "k"));
       }},
      {"record_fact", [](world& w) { return scheduled(w); },
       [](world& w, const context&) {
         must(w.engine.record_fact("ada", {.name = "training", .at = day_one}, recruiter, "k"));
       }},
      {"set_policy", [](world& w) { return scheduled(w); },
       [](world& w, const context&) {
         must(w.engine.set_policy("", R"({"hirenow_policy": 1, "version": "2", "rules": []})", admin));
       }},
      {"grant_waiver", under_waivable_rules,
       [](world& w, const context&) { must(w.engine.grant_waiver(waiver_of("wait"), admin)); }},
      {"approve_waiver",
       [](world& w) {
         auto c = under_waivable_rules(w);
         c.number = must(w.engine.grant_waiver(waiver_of("cap"), admin)).waiver.number;
         return c;
       },
       [](world& w, const context& c) {
         const hirenow::actor second{"bert", "acme", hirenow::role::admin};
         must(w.engine.approve_waiver("ada", c.number, second, {.idempotency_key = "k"}));
       }},
      {"revoke_waiver",
       [](world& w) {
         auto c = under_waivable_rules(w);
         c.number = must(w.engine.grant_waiver(waiver_of("wait"), admin)).waiver.number;
         return c;
       },
       [](world& w, const context& c) {
         must(w.engine.revoke_waiver("ada", c.number, admin, {.reason = "not needed", .idempotency_key = "k"}));
       }},
      {"retake by a waiver",
       [](world& w) {
         auto c = under_waivable_rules(w);
         must(w.engine.grant_waiver(waiver_of("wait"), admin));
         return c;
       },
       [](world& w, const context& c) { must(w.engine.retake(c.interview, recruiter, {.idempotency_key = "k"})); }},
      {"sweep a waiver",
       [](world& w) {
         auto c = under_waivable_rules(w);
         must(w.engine.grant_waiver(waiver_of("wait"), admin));
         return c;
       },
       [](world& w, const context&) { must(w.engine.sweep()); }, true, 100h},
      {"set_policy from an instant on", [](world& w) { return scheduled(w); },
       [](world& w, const context&) {
         must(w.engine.set_policy("", R"({"hirenow_policy": 1, "version": "2", "rules": []})", admin,
                                  {.from = day_one + 24h, .running_waits = hirenow::running_waits::keep}));
       }},
      {"redrive", with_dead_letter, [](world& w, const context& c) { must(w.engine.redrive(c.message, admin, "k")); }},
      {"drop", with_dead_letter, [](world& w, const context& c) { must(w.engine.drop(c.message, admin, "k")); }},
      {"erase", failed, [](world& w, const context&) { must(w.engine.erase_applicant("ada", admin, "k")); }},
      {"sweep", several_due, [](world& w, const context&) { must(w.engine.sweep()); }, false, 100h},
      {"sweep what overtime submits",
       [](world& w) {
         auto r = invitation("ada");
         r.overtime = hirenow::overtime::submit;
         const auto invited = must(w.engine.schedule(r, recruiter));
         const auto open = must(w.engine.start(token_of(invited.link), "session-key-of-ada-1")).session;
         must(w.engine.checkpoint(open, "all that there is"));
         return context{};
       },
       [](world& w, const context&) { must(w.engine.sweep()); }, true, 100h},
      {"sweep answers that nobody asks for any more",
       [](world& w) {
         auto r = invitation("ada");
         r.idempotency_key = "k";
         r.link_lifetime = 100 * 24h;
         must(w.engine.schedule(r, recruiter));
         return context{};
       },
       [](world& w, const context&) { must(w.engine.sweep()); }, true, 40 * 24h},
      {"accommodate", started,
       [](world& w, const context& c) {
         must(w.engine.accommodate(c.interview, recruiter,
                                   {.extra = 30min, .reason_code = "fire_alarm", .idempotency_key = "k"}));
       }},
  };
}

// Runs the call in a process of its own that dies at the n-th step (0: never).
// Returns the label at which it died; nothing where it lived to the end.
std::optional<std::string> in_a_process(long n, const std::function<void()>& act, const std::string& name) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    label_pipe = ends[1];
    try {
      steps_left = n;
      act();
    } catch (const std::exception& e) {
      std::cout << "  " << name << ": " << e.what() << std::endl;
      _exit(1);
    }
    std::cout.flush();
    _exit(0);
  }
  close(ends[1]);
  std::string label;
  char piece[256];
  for (ssize_t got = 0; (got = read(ends[0], piece, sizeof piece)) > 0;)
    label.append(piece, static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    died_at.insert(label);
    return label;
  }
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0, name, "the call failed, or its process ended by itself");
  return std::nullopt;
}

void copy_database(const fs::path& from, const fs::path& to) {
  for (const char* part : {"", "-wal", "-shm", "-hirenow-lock"}) fs::remove(to.string() + part);
  fs::copy_file(from, to);
  if (fs::exists(from.string() + "-wal")) fs::copy_file(from.string() + "-wal", to.string() + "-wal");
}

void check_promises(const fs::path& db, sys_seconds now, const std::string& where) {
  for (const auto& broken : oracle::file(db.string()).broken_promises()) check(false, where, broken);
  world w(db.string(), now);
  for (const auto& row : oracle::file(db.string()).rows("SELECT applicant FROM hirenow_applicant")) {
    const auto report = w.engine.verify_audit(row[0], recruiter);
    check(report.has_value(), where,
          "I7: the audit of " + row[0] + " does not verify: " + (report ? "" : report.error().message));
  }
}

void crash_everywhere(const scenario& s, const fs::path& folder, long stride) {
  const fs::path start = folder / "start.db", db = folder / "run.db";
  for (const char* part : {"", "-wal", "-shm", "-hirenow-lock"}) fs::remove(start.string() + part);
  const context c = [&] {
    world w(start.string(), day_one);
    return s.setup(w);
  }();
  const sys_seconds now = day_one + s.later;
  const auto call = [&] {
    world w(db.string(), now, s.store);
    s.act(w, c);
  };

  copy_database(start, db);
  const auto before = oracle::file(db.string()).shape();
  in_a_process(0, call, s.name);
  const auto after = oracle::file(db.string()).shape();
  check(before != after, s.name, "the call changes nothing that the oracle could see");

  long n = 1, died = 0;
  for (;; n += stride) {
    copy_database(start, db);
    const auto label = in_a_process(n, call, s.name);
    if (!label) break;
    ++died;
    const std::string where = s.name + ", step " + std::to_string(n) + " (" + *label + ")";
    check_promises(db, now, where);
    const auto found = oracle::file(db.string()).shape();
    if (s.one_commit && found != before && found != after) {
      check(false, where, "neither all of it nor none of it:");
      for (const auto& [what, value] : found)
        if (value != before.at(what) || value != after.at(what))
          std::cout << "    " << what << ": before " << before.at(what) << ", after " << after.at(what) << ", found "
                    << value << "\n";
    }
    in_a_process(0, call, where + ", made again");
    check(oracle::file(db.string()).shape() == after, where, "made again, it does not end as without a crash");
    check_promises(db, now, where + ", made again");
  }
  std::cout << s.name << ": died at " << died << " steps" << std::endl;
  check(died >= 2 || stride > 1, s.name, "there are hardly any steps to die at");
}

// ---- A file that is not there yet ------------------------------------------------------------------------------------

void crash_the_opening(const fs::path& folder, long stride) {
  const std::string name = "a new file";
  const fs::path db = folder / "new.db";
  const auto call = [&] {
    world w(db.string(), day_one);
    scheduled(w);
  };
  const auto begin_anew = [&] {
    for (const char* part : {"", "-wal", "-shm", "-hirenow-lock"}) fs::remove(db.string() + part);
  };
  begin_anew();
  in_a_process(0, call, name);
  const auto after = oracle::file(db.string()).shape();
  long died = 0;
  for (long n = 1;; n += stride, ++died) {
    begin_anew();
    const auto label = in_a_process(n, call, name);
    if (!label) break;
    const std::string where = name + ", step " + std::to_string(n) + " (" + *label + ")";
    // Whoever opens it next finds a whole file, or makes it one; with the invitation or without.
    must(hirenow::open_sqlite_store(db.string()));
    check_promises(db, day_one, where);
    if (oracle::file(db.string()).one("SELECT count(*) FROM hirenow_interview") == "0")
      in_a_process(0, call, where + ", made again");
    check(oracle::file(db.string()).shape() == after, where, "it does not end as without a crash");
    check_promises(db, day_one, where + ", made again");
  }
  std::cout << name << ": died at " << died << " steps" << std::endl;
}

// ---- The dispatcher -------------------------------------------------------------------------------------------------

// Dies in dispatch_due, or in a run of several workers that is stopped when nothing is due any more.
void crash_the_dispatcher(const fs::path& folder, long stride, std::size_t workers) {
  const std::string name = workers == 0 ? "dispatcher" : "dispatcher of " + std::to_string(workers) + " workers";
  const fs::path start = folder / "start.db", db = folder / "run.db",
                 mails = folder / ("mail" + std::to_string(workers));
  for (const char* part : {"", "-wal", "-shm", "-hirenow-lock"}) fs::remove(start.string() + part);
  {
    world w(start.string(), day_one);
    for (const auto* who : {"ada", "bruno", "chiyo", "dora"}) scheduled(w, who);
    const auto c = scheduled(w, "emil");
    must(w.engine.cancel(c.interview, recruiter));
    must(w.engine.reissue(scheduled(w, "fatima").interview, recruiter));  // the first link is dead
  }
  hirenow::testing::child_process server(
      {"/usr/bin/python3", HIRENOW_SOURCE_DIR "/tests/smtp_server.py", mails.string(), "--until-eof"});
  const auto line = server.read_line();
  if (!line || !line->starts_with("port ")) throw std::runtime_error("the mail server did not start");
  const auto port = static_cast<std::uint16_t>(std::stoi(line->substr(5)));
  mail_folder arrived(mails);

  const auto dispatch = [&](std::chrono::seconds later) {
    world w(db.string(), day_one + later);
    hirenow::smtp_options options;
    options.host = "127.0.0.1";
    options.port = port;
    options.security = hirenow::smtp_security::plaintext;
    const auto mailer = must(hirenow::open_smtp_mailer(std::move(options)));
    hirenow::dispatcher d(w.engine, *mailer, {.sender = {"jobs@acme.example", "Acme"}});
    if (workers == 0) {
      must(d.dispatch_due());
      return;
    }
    std::jthread worker([&](std::stop_token stop) { d.run(workers, stop); });
    const std::string due = "SELECT count(*) FROM hirenow_outbox WHERE state IN (0, 1) AND due_at <= " +
                            std::to_string(w.clock.now().time_since_epoch().count());
    const oracle::file sql(db.string());
    while (sql.one(due) != "0") std::this_thread::sleep_for(5ms);
  };
  std::map<std::string, int> labels;
  long n = 1, died = 0, doubles = 0;
  for (;; n += stride) {
    copy_database(start, db);
    const auto label = in_a_process(n, [&] { dispatch(0s); }, name);
    if (label) ++labels[*label];
    const std::string where = name + ", step " + std::to_string(n) + (label ? " (" + *label + ")" : "");
    if (label) {
      ++died;
      check_promises(db, day_one, where);
      in_a_process(0, [&] { dispatch(35s); }, where + ", 35 s later");
    }
    const oracle::file sql(db.string());
    check(sql.one("SELECT count(*) FROM hirenow_outbox WHERE due_at <= " +
                  std::to_string(day_one.time_since_epoch().count()) + " AND state IN (0, 1, 4)") == "0",
          where, "I1, I8: a due message is neither accepted nor withdrawn");
    std::set<std::string> promised;
    for (const auto& row :
         sql.rows("SELECT lower(hex(interview)), kind, occasion FROM hirenow_outbox WHERE state = 2")) {
      const auto& h = row[0];
      const std::string id =
          h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) + "-" + h.substr(20);
      promised.insert(id + "." + std::string(to_string(static_cast<hirenow::message_kind>(std::stoi(row[1])))) + "." +
                      row[2] + "@acme.example");
    }
    const auto copies = arrived.take();
    check(promised.size() == 6, where, "six messages are accepted, not " + std::to_string(promised.size()));
    check(!arrived.links.empty(), where, "no mail holds a link");
    for (const auto& link : arrived.links)
      check(sql.one("SELECT state IN (0, 1) AND generation = " + link.generation +
                    " FROM hirenow_interview WHERE lower(hex(interview)) = '" + without_dashes(link.interview) + "'") ==
                "1",
            where, "I5: a dead link of interview " + link.interview + " was mailed");
    for (const auto& id : promised) {
      const auto found = copies.find(id);
      check(found != copies.end(), where, "I1: " + id + " is accepted but was never mailed");
      if (found == copies.end()) continue;
      check(found->second <= (label ? 2 : 1), where, "I3: " + std::to_string(found->second) + " copies of " + id);
      doubles += found->second - 1;
    }
    for (const auto& [id, count] : copies)
      check(promised.contains(id), where, "I2: " + id + " was mailed, but never promised");
    if (!label) break;
  }
  std::cout << name << ": died at " << died << " steps, " << doubles << " mails came twice" << std::endl;
  for (const auto& [label, count] : labels) std::cout << "  " << label << ": " << count << std::endl;
  check(stride > 1 || labels.contains("dispatcher: after send"), name, "it never died between sending and recording");
}

// ---- Every step -------------------------------------------------------------------------------------------------------

// All labels in the library's sources.
std::set<std::string> labels_of_all() {
  std::set<std::string> all;
  const std::regex step(R"re(HIRENOW_STEP\("([^"]+)"\))re");
  for (const char* part : {"/include", "/src"})
    for (const auto& entry : fs::recursive_directory_iterator(HIRENOW_SOURCE_DIR + std::string(part))) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path());
      const std::string text(std::istreambuf_iterator<char>(in), {});
      for (std::sregex_iterator at(text.begin(), text.end(), step), end; at != end; ++at) all.insert((*at)[1]);
    }
  return all;
}

void check_that_all_were_reached() {
  const auto all = labels_of_all();
  check(all.size() > 20, "the test itself", "the sources hold hardly any steps");
  for (const auto& label : all) check(died_at.contains(label), "all scenarios", "nobody died at: " + label);
}

}  // namespace

int main(int count, char** arguments) {
  hirenow::detail::on_step = die_when_it_is_time;
  const long stride = HIRENOW_CRASH_STRIDE;
  std::cout << "dying at every step, in turn" << (stride > 1 ? ", but only every " + std::to_string(stride) + "th" : "")
            << std::endl;
  char pattern[] = "/tmp/hirenow-crash-XXXXXX";
  const fs::path folder = mkdtemp(pattern);
  std::vector<std::string> told(arguments + 1, arguments + count);
  if (told.size() >= 2 && told[0] == "--planted") {
    if (!plant(told[1])) {
      std::cerr << "there is no defect " << told[1] << "\n";
      return 2;
    }
    std::cout << "planted: " << told[1] << ", which must be found" << std::endl;
    told.erase(told.begin(), told.begin() + 2);
  }
  const std::string only = told.empty() ? "" : told[0];
  try {
    key_document();
    for (const auto& s : scenarios())
      if (only.empty() || only == s.name) crash_everywhere(s, folder, stride);
    if (only.empty() || only == "opening") crash_the_opening(folder, stride);
    if (only.empty() || only == "dispatcher") crash_the_dispatcher(folder, stride, 0);
    if (only.empty() || only == "workers") crash_the_dispatcher(folder, stride, 2);
    if (only.empty() && stride == 1) check_that_all_were_reached();
  } catch (const std::exception& e) {
    check(false, "the test itself", e.what());
  }
  fs::remove_all(folder);
  std::cout << checks - failures << " passed, " << failures << " failed" << std::endl;
  return failures == 0 ? 0 : 1;
}
