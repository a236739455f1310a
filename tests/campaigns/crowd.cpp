// Very many at once: clients with the same idempotency keys, and messages that wait.

#include <sys/mman.h>
#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

#include "campaigns/campaign.hpp"
#include "support/postgres_bulk.hpp"
#include "support/store_in_between.hpp"

namespace campaign {

void crowd(const plan& how, verdicts& v) {
  constexpr int processes = 8;
  const int threads = how.full ? 25 : 4, keys = how.full ? 1000 : 25, clients = processes * threads;
  const fresh_schema schema;
  {
    const node first(schema.url, schema.name);
  }
  // What each client was told for each key.
  const std::size_t places = static_cast<std::size_t>(clients * keys);
  void* const memory =
      mmap(nullptr, places * sizeof(interview_id), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
  auto* const answers = static_cast<interview_id*>(memory);
  int gate[2];
  if (::pipe(gate) != 0) throw std::runtime_error("no pipe");
  const auto begun = steady::now();
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p)
    children.push_back(fork_and([&, p] {
      ::close(gate[1]);
      node own(schema.url, schema.name, 8, 300s);
      char unused = 0;
      if (::read(gate[0], &unused, 1) < 0) ::_exit(1);  // ends when all may begin
      std::vector<std::jthread> all;
      for (int t = 0; t < threads; ++t)
        all.emplace_back([&, client = p * threads + t] {
          std::vector<int> order(static_cast<std::size_t>(keys));
          std::iota(order.begin(), order.end(), 0);
          // Some meet at every key, some go their own way.
          if (client % 2)
            std::shuffle(order.begin(), order.end(), std::mt19937_64(how.seed + static_cast<std::uint64_t>(client)));
          for (const int key : order) {
            auto request = invitation("person-" + std::to_string(key));
            request.idempotency_key = "key-" + std::to_string(key);
            const auto done = own.w.engine.schedule(request, recruiter);
            if (done)
              answers[client * keys + key] = done->interview.id;
            else
              std::cerr << "  " << to_string(done.error().code) << ": " << done.error().message << std::endl;
          }
        });
    }));
  ::close(gate[0]);
  std::this_thread::sleep_for(200ms);
  ::close(gate[1]);
  for (const pid_t child : children) v.check(await(child) == 0, "a process", "it failed");
  std::cout << "  " << clients << " clients, " << keys << " keys: " << clients * keys << " calls in "
            << std::chrono::duration<double>(steady::now() - begun).count() << " s" << std::endl;
  for (int key = 0; key < keys; ++key)
    for (int client = 0; client < clients; ++client) {
      const std::string where = "key " + std::to_string(key) + ", client " + std::to_string(client);
      v.check(answers[client * keys + key] != interview_id{}, where, "refused");
      v.check(answers[client * keys + key] == answers[key], where, "another answer than the first client's");
    }
  const oracle::schema sql(schema.url, schema.name);
  for (const char* table : {"interview", "outbox", "applicant", "answer"})
    v.check(sql.number(std::string("SELECT count(*) FROM hirenow_") + table) == keys, "all of it",
            std::string("not one row for each key in ") + table);
  for (const auto& broken : sql.broken_promises()) v.check(false, "all of it", broken);
  munmap(memory, places * sizeof(interview_id));
}

namespace {

/// Takes the time of each claim, as if it had been of 1,024. A dispatcher that is behind claims 32 or more at a time.
class timed_store final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<std::vector<hirenow::claimed_message>> claim(const hirenow::claim_request& r) override {
    const auto begun = steady::now();
    auto claimed = next_.claim(r);
    const std::chrono::duration<double, std::milli> took = steady::now() - begun;
    if (!claimed) return claimed;
    const std::size_t size = claimed->size();
    if (size >= 32) times_.push_back({taken_, took.count() * 1024 / static_cast<double>(size)});
    taken_ += size;
    return claimed;
  }
  /// Those of the claims before which so many messages had been taken. When nothing is claimed any more.
  std::vector<double> times(std::size_t from, std::size_t to) const {
    std::vector<double> some;
    for (const auto& one : times_)
      if (from <= one.taken_before && one.taken_before < to) some.push_back(one.milliseconds);
    return some;
  }

 private:
  struct claim_time {
    std::size_t taken_before;
    double milliseconds;
  };
  std::vector<claim_time> times_{};  // the dispatcher claims from one thread
  std::size_t taken_ = 0;
};

/// Takes every mail but that to poisoned addresses, and counts.
class counting_mailer final : public hirenow::mailer {
 public:
  struct sending {
    std::size_t number = 0;
    steady::time_point at{};
  };

  hirenow::delivery send(const hirenow::outgoing_mail& mail) override {
    const std::lock_guard lock(mutex_);
    ++sent_;
    if (mail.to_address.starts_with("poison")) {
      ++tries_[mail.to_address];
      return {hirenow::delivery_outcome::temporary, 451, "451 4.3.0 not today"};
    }
    const auto now = steady::now();
    if (mail.to_address.starts_with("fresh"))
      fresh_[mail.to_address] = {sent_, now};
    else
      backlog_left_ = now;
    ++copies_[mail.message_id];
    return {hirenow::delivery_outcome::accepted, 250, "250 taken"};
  }
  std::size_t sent() {
    const std::lock_guard lock(mutex_);
    return sent_;
  }
  // When nothing is sent any more.
  const std::map<std::string, int>& tries() const { return tries_; }
  const std::map<std::string, int>& copies() const { return copies_; }
  const std::map<std::string, sending>& fresh() const { return fresh_; }
  steady::time_point backlog_left() const { return backlog_left_; }

 private:
  std::mutex mutex_{};
  std::size_t sent_ = 0;
  std::map<std::string, int> tries_{}, copies_{};
  std::map<std::string, sending> fresh_{};
  steady::time_point backlog_left_{};
};

/// The first that is not among the least n-th: of 2 the median. 0 where there is none.
double quantile(std::vector<double> all, std::size_t n) {
  if (all.empty()) return 0;
  std::sort(all.begin(), all.end());
  return all[all.size() / n];
}

}  // namespace

void backlog(const plan& how, verdicts& v) {
  const long long many = how.full ? 1'000'000 : 10'000;
  constexpr std::size_t workers = 4;
  constexpr std::uint32_t most_tries = 3;
  const fresh_schema schema;
  {
    const node first(schema.url, schema.name);
  }
  plain_postgres outside(schema.url);
  hirenow::test::bulk{.applicants = many, .is_waiting = true, .poison_every = 100}.write(outside, schema.name);
  node own(schema.url, schema.name, 8);
  timed_store timed(*own.w.store);
  hirenow::engine e(timed, must(hirenow::key_ring::from_json(key_document())), hirenow::retake_policy::standard(),
                    {.link_base = "https://jobs.example/go", .clock = &real_clock()});
  counting_mailer mailer;
  hirenow::dispatcher_options options{.sender = {"jobs@acme.example", "Acme"}};
  options.most_tries = most_tries;
  options.first_backoff = options.longest_backoff = 1s;
  options.poll_every = 20ms;
  hirenow::dispatcher d(e, mailer, options);
  const auto begun = steady::now();
  struct promised_mail {
    bool has_backlog = false;
    counting_mailer::sending before{};  // what was sent when it was promised, and when that was
  };
  std::map<std::string, promised_mail> promised;
  constexpr int fresh_of_each = 20;
  {
    std::jthread running([&](std::stop_token stop) { d.run(workers, std::move(stop)); });
    // While the backlog leaves, another tenant invites, and so does the tenant with the poison.
    const hirenow::actor other{"olga", "other", hirenow::role::recruiter};
    for (int n = 0; n < fresh_of_each; ++n) {
      while (mailer.sent() < static_cast<std::size_t>(many) * static_cast<std::size_t>(n) / (2 * fresh_of_each))
        std::this_thread::sleep_for(1ms);
      for (const hirenow::actor* who : {&other, &recruiter}) {
        const auto request = invitation("fresh-" + std::to_string(n) + "-of-" + who->tenant);
        must(e.schedule(request, *who));
        promised[request.applicant.email] = {who == &recruiter, {mailer.sent(), steady::now()}};
      }
    }
    for (const auto end = steady::now() + 3600s; steady::now() < end; std::this_thread::sleep_for(50ms))
      if (outside.number("SELECT count(*) FROM (SELECT 1 FROM hirenow_outbox WHERE state IN (0, 1) LIMIT 1) AS one") ==
          0)
        break;
  }
  const std::chrono::duration<double> took = steady::now() - begun;
  // A claim, what waits for its turn in the dispatcher, and what is being sent: no more goes before.
  constexpr std::size_t most_before = 2 * 1024 + 1024 + workers * 32;
  std::size_t longest_wait = 0;
  std::chrono::duration<double> longest_delay{0};
  for (const auto& [address, mail] : promised) {
    const auto found = mailer.fresh().find(address);
    v.check(found != mailer.fresh().end(), address, "I1: it was never sent");
    if (found == mailer.fresh().end()) continue;
    const counting_mailer::sending& sent = found->second;
    // After the backlog of its own tenant, but not after the poison.
    const auto due = mail.has_backlog ? std::max(mail.before.at, mailer.backlog_left()) : mail.before.at;
    longest_delay = std::max<std::chrono::duration<double>>(longest_delay, sent.at - due);
    if (!mail.has_backlog)
      longest_wait = std::max(longest_wait, sent.number - std::min(mail.before.number, sent.number));
  }
  v.check(longest_wait <= most_before, "healthy mail",
          std::to_string(longest_wait) + " mails of another tenant's backlog went before");
  // Less than a lease, which would have to run out if its worker forgot it; a busy machine takes nowhere near as long.
  v.check(longest_delay < 15s, "healthy mail", std::to_string(longest_delay.count()) + " s from due to sent");
  const long long poison = many / 100, healthy = many - poison + 2 * fresh_of_each;
  v.check(static_cast<long long>(mailer.copies().size()) == healthy, "healthy mail", "not every one was sent");
  v.check(std::ranges::all_of(mailer.copies(), [](const auto& c) { return c.second == 1; }), "healthy mail",
          "sent twice");
  v.check(static_cast<long long>(mailer.tries().size()) == poison, "poison", "not all of it was tried");
  v.check(std::ranges::all_of(mailer.tries(), [](const auto& t) { return t.second == most_tries; }), "poison",
          "not exactly as many attempts as configured");
  v.check(outside.number("SELECT count(*) FROM hirenow_outbox WHERE state = 4 AND tries = " +
                         std::to_string(most_tries)) == poison,
          "poison", "it is not all among the dead letters");
  v.check(outside.number("SELECT count(*) FROM hirenow_outbox WHERE state = 2 AND tries = 1") == healthy,
          "healthy mail", "it was not all accepted at the first attempt");
  // Of the ten claims in a quarter of the short form those count that the machine's other work lengthened least.
  const auto all = static_cast<std::size_t>(many);
  const std::size_t part = how.full ? 2 : 4;
  const double early = quantile(timed.times(0, all / 4), part), late = quantile(timed.times(all / 4 * 3, all), part),
               most_growth = how.full ? 2 : 6;
  std::cout << "  " << many << " messages in " << took.count() << " s; claims for 1,024 messages: " << early
            << " ms at the beginning, " << late << " ms at the end; " << longest_wait
            << " mails at most before one of another tenant; " << longest_delay.count() << " s at most from due to sent"
            << std::endl;
  const bool is_timed = early > 0 && late > 0;
  v.check(is_timed, "claims", "too few to compare");
  v.check(!is_timed || (late <= most_growth * early && early <= most_growth * late), "claims",
          "their time is not flat");
}

}  // namespace campaign
