// Processes that die and servers that stop, under load: what was told stands, what nobody was told is found by its
// idempotency key, and every promised mail comes.

#include <sys/mman.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <optional>
#include <thread>

#include "campaigns/campaign.hpp"

namespace campaign {
namespace {

using hirenow::errc;
using hirenow::interview_state;

constexpr int callers = 4, dispatchers = 4;
/// Fewer answered calls than these prove nothing: a slow machine goes on until it has them.
constexpr int least_answered = 40;

/// What all processes of a campaign see.
struct shared_memory {
  std::atomic<int> first;                                     ///< the first person who is not through yet
  std::atomic<int> answered;                                  ///< calls that were answered
  std::array<std::atomic<int>, callers + dispatchers> works;  ///< 1 once the process has opened its store
};
shared_memory& make_shared_memory() {
  void* const at = mmap(nullptr, sizeof(shared_memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw std::runtime_error("no shared memory");
  return *new (at) shared_memory{};
}

std::string key_of(const std::string& who, std::uint32_t attempt) { return who + "/" + std::to_string(attempt); }

hirenow::schedule_request first_invitation(const std::string& who) {
  auto request = invitation(who);
  request.idempotency_key = key_of(who, 1);
  return request;
}

/// Refusals that callers of one record earn by being many.
bool is_a_race_lost(errc code) {
  switch (code) {
    case errc::conflict:
    case errc::invalid_transition:
    case errc::active_interview:
    case errc::superseded:
    case errc::archived:
    case errc::already_started:
    case errc::stale_session:
    case errc::token_completed:
    case errc::token_superseded_interview: return true;
    default: return false;
  }
}

/// A recruiter, an applicant and a reviewer at once: takes somebody one step further, and writes down what it was told.
class host {
 public:
  host(hirenow::engine& e, const journal& told, shared_memory& shared, std::uint64_t seed)
      : e_(e), told_(told), shared_(shared), random_(seed) {}

  void one_step() {
    const int n = shared_.first + static_cast<int>(random_() % 5);
    const std::string who = "p" + std::to_string(n);
    const auto page = e_.list({.applicant_id = who, .limit = 10, .with_counts = false}, recruiter);
    if (!page) return odd(page.error());
    const hirenow::interview* newest = nullptr;
    for (const auto& row : page->rows)
      if (!newest || row.interview.attempt > newest->attempt) newest = &row.interview;
    if (!newest) {
      ask(key_of(who, 1), "-", [&] { return e_.schedule(first_invitation(who), recruiter); });
    } else if (newest->state == interview_state::scheduled || newest->state == interview_state::in_progress) {
      // Mostly not at once, so that the mail may leave before the link is used.
      if (newest->state == interview_state::in_progress || random_() % 4 == 0) sit(*newest, who);
    } else if (newest->state == interview_state::submitted) {
      const auto done = e_.decide(newest->id, reviewer, {.outcome = outcome::failed});
      if (!done) odd(done.error());
    } else if (newest->attempt < most_attempts) {
      const std::string key = key_of(who, newest->attempt + 1);
      ask(key, to_string(newest->id), [&] { return e_.retake(newest->id, recruiter, {.idempotency_key = key}); });
    } else {
      int through = n;
      shared_.first.compare_exchange_strong(through, n + 1);
    }
  }

 private:
  template <class Call>
  void ask(const std::string& key, const std::string& of, Call call) {
    told_.write("try " + key + " " + of);
    const auto answer = call();
    if (!answer) return odd(answer.error());
    told_.write("done " + key + " " + to_string(answer->interview.id));
    ++shared_.answered;
  }
  void sit(const hirenow::interview& i, const std::string& who) {
    const auto link = e_.link_of(i.id, recruiter);
    if (!link) return odd(link.error());
    const std::string token = token_of(*link), key = "session-key-" + std::to_string(random_());
    const auto open = i.state == interview_state::scheduled ? e_.start(token, key) : e_.resume(token, key);
    if (!open) return odd(open.error());
    if (const auto saved = e_.checkpoint(open->session, "progress of " + who); !saved) odd(saved.error());
    if (const auto done = e_.submit(open->session); !done) odd(done.error());
  }
  void odd(const hirenow::error& e) {
    if (is_a_race_lost(e.code)) return;
    told_.write("odd " + std::string(to_string(e.code)));
    std::this_thread::sleep_for(2ms);  // as a host would that meets no database
  }

  hirenow::engine& e_;
  const journal& told_;
  shared_memory& shared_;
  std::mt19937_64 random_;
};

/// Writes down each mail before and after it is sent.
class watched_mailer final : public hirenow::mailer {
 public:
  watched_mailer(std::unique_ptr<hirenow::mailer> next, const journal& told) : next_(std::move(next)), told_(told) {}
  hirenow::delivery send(const hirenow::outgoing_mail& mail) override {
    told_.write("send " + mail.message_id + " " + std::to_string(::getpid()));
    return next_->send(mail);
  }

 private:
  std::unique_ptr<hirenow::mailer> next_;
  const journal& told_;
};

void dispatch_for_ever(node& n, const mail_sink& sink, const journal& told, std::stop_token stop) {
  watched_mailer mailer(sink.mailer(), told);
  hirenow::dispatcher_options options{.sender = {"jobs@acme.example", "Acme"}};
  options.lease = 2s;
  options.renew_every = 1s;
  options.first_backoff = 1s;
  options.poll_every = 5ms;
  options.most_tries = 1000;
  options.on_event = [&](const hirenow::dispatch_event& e) {
    told.write("kept " + message_id(e.key, "acme.example") + " " + std::to_string(::getpid()) + " " +
               std::string(to_string(e.state)));
  };
  hirenow::dispatcher d(n.w.engine, mailer, options);
  d.run(2, std::move(stop));
}

/// Where a campaign happens.
struct place {
  std::string url, schema;
  const journal& told;
  const mail_sink& sink;
};

/// Every call that was under way is made again with its key. Returns how many had been done and not been told.
int make_again(const place& p, verdicts& v) {
  node n(p.url, p.schema);
  std::map<std::string, std::string> done;
  std::map<std::string, std::string> tried;  // with the interview it was about
  for (const auto& line : p.told.lines()) {
    if (line[0] == "done") {
      const auto [at, first] = done.try_emplace(line[1], line[2]);
      v.check(at->second == line[2], line[1], "one key, two answers: " + at->second + " and " + line[2]);
    } else if (line[0] == "try") {
      tried.try_emplace(line[1], line[2]);
    }
  }
  int found = 0;
  for (const auto& [key, of] : tried) {
    const std::string who = key.substr(0, key.find('/'));
    std::string answer, why;
    bool replayed = false;
    const auto take = [&](const auto& r) {
      if (!r) {
        why = r.error().message;
        return;
      }
      answer = to_string(r->interview.id);
      replayed = r->replayed;
    };
    if (of == "-")
      take(n.w.engine.schedule(first_invitation(who), recruiter));
    else
      take(n.w.engine.retake(must(hirenow::parse_interview_id(of)), recruiter, {.idempotency_key = key}));
    v.check(!answer.empty(), key, "made again with its key, the call is refused: " + why);
    const auto told = done.find(key);
    if (told != done.end()) v.check(answer == told->second, key, "made again, it answers with another interview");
    if (told == done.end() && replayed) ++found;
  }
  const oracle::schema sql(p.url, p.schema);
  std::map<std::string, std::string> stored;
  for (const auto& row : sql.rows("SELECT a.applicant || '/' || i.attempt, encode(i.interview, 'hex') FROM "
                                  "hirenow_interview AS i JOIN hirenow_applicant AS a USING (applicant_no)"))
    stored[row[0]] = row[1];
  for (const auto& [key, id] : done)
    v.check(stored[key] == without_dashes(id), key, "I1: what the caller was told is not there: " + id);
  v.check(sql.number("SELECT count(*) FROM hirenow_interview") == static_cast<long long>(tried.size()), "all of it",
          "not one interview for each key");
  return found;
}

/// Sends what is left, and looks at what came.
void judge_mail(const place& p, verdicts& v, bool one_at_a_time) {
  const oracle::schema sql(p.url, p.schema);
  {
    node n(p.url, p.schema);
    std::jthread rest([&](std::stop_token stop) { dispatch_for_ever(n, p.sink, p.told, std::move(stop)); });
    for (const auto end = steady::now() + 60s; steady::now() < end; std::this_thread::sleep_for(20ms))
      if (sql.number("SELECT count(*) FROM hirenow_outbox WHERE state IN (0, 1)") == 0) break;
  }
  v.check(sql.number("SELECT count(*) FROM hirenow_outbox WHERE state NOT IN (2, 3)") == 0, "mail",
          "I8: with all faults off, a message is neither accepted nor withdrawn");
  mail_folder arrived(p.sink.folder());
  const auto copies = arrived.take();
  const auto accepted = message_ids(sql, "2"), promised = message_ids(sql, "0, 1, 2, 3, 4");
  std::map<std::string, std::set<std::string>> senders, keepers;
  std::map<std::string, std::string> sender_now;
  std::set<std::string> dead;
  std::map<std::string, int> kept;
  for (const auto& line : p.told.lines()) {
    if (line[0] == "killed") dead.insert(line[1]);
    if (line[0] == "send") {
      auto& now = sender_now[line[1]];
      if (one_at_a_time && !now.empty() && now != line[2])
        v.check(dead.contains(now), line[1], "I3: two workers at once, " + now + " and " + line[2]);
      now = line[2];
      senders[line[1]].insert(line[2]);
    } else if (line[0] == "kept") {
      sender_now[line[1]].clear();
      keepers[line[1]].insert(line[2]);
      if (line[3] == "accepted") v.check(++kept[line[1]] == 1, line[1], "I3: written down as accepted twice");
    }
  }
  int doubles = 0;
  for (const auto& id : accepted) {
    const auto found = copies.find(id);
    v.check(found != copies.end(), id, "I1: accepted, and never mailed");
    if (found == copies.end()) continue;
    // Of each worker who was stopped between the mail and its being written down there may be one copy more.
    const auto unsure = std::ranges::count_if(senders[id], [&](const auto& s) { return !keepers[id].contains(s); });
    v.check(found->second <= 1 + unsure, id, "I3: " + std::to_string(found->second) + " copies");
    doubles += found->second - 1;
  }
  for (const auto& [id, count] : copies) v.check(promised.contains(id), id, "I2: mailed, and never promised");
  std::cout << "  " << accepted.size() << " messages accepted, " << doubles << " copies too many, "
            << sql.number("SELECT count(*) FROM hirenow_outbox WHERE state = 3") << " withdrawn" << std::endl;
}

void judge(const place& p, verdicts& v, bool one_at_a_time) {
  const int found = make_again(p, v);
  judge_mail(p, v, one_at_a_time);
  const oracle::schema sql(p.url, p.schema);
  for (const auto& broken : sql.broken_promises()) v.check(false, "all of it", broken);
  node n(p.url, p.schema);
  for (const auto& row : sql.rows("SELECT applicant FROM hirenow_applicant"))
    v.check(n.w.engine.verify_audit(row[0], recruiter).has_value(), row[0], "I7: the audit does not verify");
  std::map<std::string, int> words;
  for (const auto& line : p.told.lines()) ++words[line[0] == "odd" ? "odd " + line[1] : line[0]];
  std::cout << "  " << words["done"] << " calls answered, " << words["try"] - words["done"]
            << " not answered, of which " << found << " had been done; "
            << sql.number("SELECT count(*) FROM hirenow_audit") << " audit entries" << std::endl;
  for (const auto& [word, count] : words)
    if (word.starts_with("odd ")) std::cout << "  " << word.substr(4) << ": " << count << std::endl;
  if (words["done"] < least_answered) throw std::runtime_error("hardly anything was done");
}

}  // namespace

void kills(const plan& how, verdicts& v) {
  const int most = how.planted ? 150 : how.full ? 5000 : 300;
  fresh_schema schema;
  const temporary_folder folder;
  const journal told(folder.path() / "journal");
  const mail_sink sink(folder.path() / "mail");
  const place here{schema.url, schema.name, told, sink};
  {
    const node first(schema.url, schema.name);
  }
  auto& shared = make_shared_memory();
  std::mt19937_64 random(how.seed);
  struct life {
    pid_t pid = 0;
    steady::time_point born{};
    std::optional<steady::time_point> ends{};
  };
  std::array<life, callers + dispatchers> lives{};
  int killed = 0;
  // On a machine where that is too short for a call, longer.
  const auto lifetime = [&] {
    return std::chrono::microseconds(random() % (50'000 * (1 + static_cast<unsigned>(killed / most))));
  };
  const auto bear = [&](std::size_t n) {
    shared.works[n] = 0;
    const auto seed = random();
    const pid_t pid = fork_and([&] {
      node own(schema.url, schema.name);
      shared.works[n] = 1;
      if (n >= callers) dispatch_for_ever(own, sink, told, {});
      for (host h(own.w.engine, told, shared, seed);;) h.one_step();
    });
    lives[n] = {pid, steady::now(), {}};
    // A tenth of them die while they still connect.
    if (random() % 10 == 0) lives[n].ends = steady::now() + lifetime();
  };
  for (std::size_t n = 0; n < lives.size(); ++n) bear(n);
  const auto begun = steady::now();
  while (killed < most || shared.answered < least_answered) {
    std::this_thread::sleep_for(500us);
    for (std::size_t n = 0; n < lives.size(); ++n) {
      life& l = lives[n];
      if (!l.ends && shared.works[n] == 1) l.ends = steady::now() + lifetime();
      if (steady::now() - l.born > 30s) throw std::runtime_error("a process does not begin its work");
      if (!l.ends || steady::now() < *l.ends) continue;
      ::kill(l.pid, SIGKILL);
      v.check(await(l.pid) == 128 + SIGKILL, "a process", "it ended by itself");
      told.write("killed " + std::to_string(l.pid));
      ++killed;
      bear(n);
    }
  }
  for (const life& l : lives) {
    ::kill(l.pid, SIGKILL);
    await(l.pid);
    told.write("killed " + std::to_string(l.pid));
  }
  std::cout << "  " << killed << " kills in " << std::chrono::duration<double>(steady::now() - begun).count() << " s"
            << std::endl;
  judge(here, v, true);
}

void stops(const plan& how, verdicts& v) {
  const int most = how.planted ? 2 : how.full ? 20 : 3;
  const temporary_folder folder;
  const std::string file = (folder.path() / "url").string(), script = HIRENOW_SOURCE_DIR "/tests/support/postgres.sh";
  const auto shell = [](const std::string& command) {
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  };
  shell(script + " start " + file + " " + std::to_string(::getpid()) + " >/dev/null");
  struct at_end {
    std::string command;
    ~at_end() { static_cast<void>(std::system(command.c_str())); }
  } const stop{script + " stop " + file};
  std::string url;
  std::getline(std::ifstream(file), url);
  const std::string plain_url = url;
  if (how.planted) url += "&options=-csynchronous_commit%3Doff";  // the safeguard that is taken out
  const journal told(folder.path() / "journal");
  const mail_sink sink(folder.path() / "mail");
  {
    const node first(url, "hirenow");
  }
  auto& shared = make_shared_memory();
  std::mt19937_64 random(how.seed);
  std::vector<pid_t> children;
  for (int n = 0; n < callers + 2; ++n)
    children.push_back(fork_and([&, seed = random()] {
      std::unique_ptr<node> own;
      while (!own) try {
          own = std::make_unique<node>(url, "hirenow", 3, 2s);
        } catch (const std::exception&) {
          std::this_thread::sleep_for(5ms);  // its session was ended before it began
        }
      if (n >= callers) dispatch_for_ever(*own, sink, told, {});
      std::vector<std::jthread> threads;
      for (std::uint64_t t = 0; t < 2; ++t)
        threads.emplace_back([&, t] {
          for (host h(own->w.engine, told, shared, seed + t);;) h.one_step();
        });
    }));
  int terminated = 0;
  for (int stopped = 0; stopped < most; ++stopped) {
    const auto lasts = how.full ? std::chrono::milliseconds(5000 + random() % 15'000)
                                : std::chrono::milliseconds(1000 + random() % 1000);
    for (const auto end = steady::now() + lasts; steady::now() < end;
         std::this_thread::sleep_for(std::chrono::milliseconds(random() % 40))) {
      plain_postgres enemy(plain_url);
      terminated += static_cast<int>(
          enemy.number("SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE "
                       "application_name = 'hirenow' ORDER BY random() LIMIT 1) AS one"));
    }
    shell(file + ".ctl stop --mode=immediate >/dev/null 2>&1");
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 300));
    shell(file + ".ctl start >/dev/null 2>&1");
  }
  for (const auto end = steady::now() + 60s; shared.answered < least_answered && steady::now() < end;)
    std::this_thread::sleep_for(10ms);
  std::this_thread::sleep_for(500ms);
  for (const pid_t child : children) {
    ::kill(child, SIGKILL);
    v.check(await(child) == 128 + SIGKILL, "a process", "it ended by itself");
    told.write("killed " + std::to_string(child));
  }
  std::cout << "  " << most << " stops, " << terminated << " sessions ended" << std::endl;
  v.check(terminated > most, "the campaign", "hardly any session was ended");
  judge({plain_url, "hirenow", told, sink}, v, false);
}

}  // namespace campaign
