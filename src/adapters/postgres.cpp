/// The PostgreSQL store: a pool of connections, and what is done when one of them breaks.

#include "hirenow/adapters/postgres.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <optional>
#include <stop_token>
#include <thread>

#include "hirenow/crypto.hpp"
#include "hirenow/detail/guarded.hpp"
#include "left_to_parent.hpp"
#include "postgres_connection.hpp"
#include "postgres_rollup.hpp"
#include "postgres_schema.hpp"
#include "sql_reader.hpp"

namespace hirenow {
namespace {

using detail::postgres_connection;
using detail::sql_session;
using steady = postgres_connection::clock;

constexpr const char* begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr const char* begin_writing = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// How often a call is made again on another connection, or after a deadlock.
constexpr int most_tries = 5;
/// Every so many commits the appended counts are summed up.
constexpr unsigned commits_between_sums = 512;

class postgres_store final : public detail::sql_reader<postgres_store> {
 public:
  postgres_store(const std::string& conninfo, const postgres_options& options)
      : options_(options), settings_{conninfo, options.schema, options.prepared_statements} {
    detail::check_schema_name(options.schema);
    lease first(*this, steady::now() + options_.call_timeout);
    bool complete = false;
    in_transaction(*first, begin_reading, [&] {
      complete = detail::postgres_schema_is_complete(*first, options_.schema);
      limits_rows_ = complete && detail::postgres_rows_are_protected(*first, options_.schema);
    });
    if (complete && (limits_rows_ || !options_.row_security)) return;
    if (!complete && !options_.create_tables)
      throw exception(detail::fail(errc::schema_damaged, "the database has no tables of hirenow's of this version"));
    in_transaction(*first, begin_writing, [&] {
      detail::prepare_postgres_schema(*first, options_.schema);
      if (options_.row_security) detail::protect_postgres_rows(*first, options_.schema);
      limits_rows_ = detail::postgres_rows_are_protected(*first, options_.schema);
    });
  }

  ~postgres_store() override { announcer_.end(); }

  bool is_forked() const { return detail::fork_count().load(std::memory_order_relaxed) != forks_; }
  /// In a child: the server is to see the parent's end even while the child lives on.
  void abandon() noexcept {
    for (auto& connection : idle_)
      if (connection) connection->abandon();
  }

  result<loaded> load(const load_request& request) override {
    return read([&](sql_session& s) { return detail::sql_load(s, request); });
  }
  result<void> commit(const change_set& changes) override {
    // A commit whose outcome is not known is looked for and made again: it can be done once only, because it moves the
    // version.
    const auto deadline = steady::now() + options_.call_timeout;
    result<void> done = try_commit(changes, deadline);
    for (int tries = 1; !done && done.error().code == errc::store_outcome_unknown && tries < most_tries; ++tries) {
      const auto found = was_committed(changes, deadline);
      if (!found) return done;
      if (*found) return {};
      done = try_commit(changes, deadline);
      if (!done && done.error().code == errc::conflict) {
        const auto late = was_committed(changes, deadline);
        if (late && *late) return {};
      }
    }
    if (done && ++commits_ % commits_between_sums == 0) sum_up();
    if (done && options_.announces_mail && !(changes.messages.empty() && changes.redrives.empty())) announcer_.say();
    return done;
  }
  result<bool> save_progress(const checkpoint_request& request) override {
    return write([&](sql_session& s) { return detail::sql_save_progress(s, request); });
  }
  result<std::vector<claimed_message>> claim(const claim_request& request) override {
    bool is_crowded = false;
    auto claimed = write([&](sql_session& s) {
      auto all = detail::sql_claim(s, request, is_crowded);
      clock_skew_.store(s.clock_skew.count(), std::memory_order_relaxed);
      return all;
    });
    if (!claimed || !claimed->empty() || !is_crowded) return claimed;
    return write([&](sql_session& s) { return detail::sql_claim_shares(s, request); });
  }
  result<std::vector<bool>> settle(std::span<const settlement> settlements) override {
    if (settlements.empty()) return std::vector<bool>{};
    if (auto known = learn_tenants(settlements); !known) return known.error();
    return write([&](sql_session& s) { return detail::sql_settle(s, settlements); });
  }
  result<std::vector<allowance>> allow(std::span<const allowance_request> requests) override {
    for (const auto& r : requests)
      if (auto known = r.tenant.empty() ? result<void>() : make_names(r.tenant, {}); !known) return known.error();
    return write([&](sql_session& s) { return detail::sql_allow(s, requests); });
  }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override {
    sum_up();
    const auto expired = read([&](sql_session& s) { return detail::sql_find_expired(s, now, limit); });
    if (!expired) return expired.error();
    if (expired->empty()) return std::size_t{0};
    return write([&](sql_session& s) { return detail::sql_prune(s, now, *expired); });
  }

 private:
  friend class detail::sql_reader<postgres_store>;

  // ---- The pool -----------------------------------------------------------------------------------------------------

  /// A connection for as long as one call needs it. One that broke does not come back.
  class lease {
   public:
    lease(postgres_store& owner, steady::time_point deadline) : owner_(owner) {
      std::unique_lock lock(owner.mutex_);
      if (!owner.returned_.wait_until(lock, deadline,
                                      [&] { return !owner.idle_.empty() || owner.opened_ < owner.most(); }))
        throw exception(detail::fail(errc::store_busy, "every connection was at work for too long"));
      while (!owner.idle_.empty() && !connection_) {
        connection_ = std::move(owner.idle_.back());
        owner.idle_.pop_back();
        if (!connection_->has_gone()) break;
        connection_.reset();
        --owner.opened_;
      }
      if (!connection_) {
        owner.idle_.reserve(owner.most());  // so that giving one back cannot fail
        ++owner.opened_;
        lock.unlock();
        try {
          connection_ = std::make_unique<postgres_connection>(
              owner.settings_, std::min(deadline, steady::now() + owner.options_.connect_timeout));
        } catch (...) {
          lock.lock();
          --owner.opened_;
          owner.returned_.notify_one();
          throw;
        }
      }
      connection_->set_deadline(deadline);
    }
    ~lease() {
      if (!connection_->is_usable()) connection_.reset();
      const std::lock_guard lock(owner_.mutex_);
      if (connection_)
        owner_.idle_.push_back(std::move(connection_));
      else
        --owner_.opened_;
      owner_.returned_.notify_one();
    }
    lease(const lease&) = delete;
    lease& operator=(const lease&) = delete;
    postgres_connection& operator*() { return *connection_; }

   private:
    postgres_store& owner_;
    std::unique_ptr<postgres_connection> connection_;
  };

  std::size_t most() const { return std::max<std::size_t>(options_.connections, 1); }

  template <class Work>
  static void in_transaction(postgres_connection& c, const char* begin, Work work) {
    try {
      c.begin(begin);
      work();
      c.commit();
    } catch (...) {
      c.roll_back();
      throw;
    }
  }

  /// Runs a call in a transaction of its own; again where it only met others, and where the connection broke before
  /// anything can have been done.
  template <class Call>
  auto transact(const char* begin, bool writing, Call call, std::optional<steady::time_point> until = std::nullopt)
      -> result<decltype(call(std::declval<sql_session&>()))> {
    using answer_type = decltype(call(std::declval<sql_session&>()));
    if (is_forked())
      return detail::fail(errc::forked, "the store was opened before a fork; the child must open its own");
    const auto deadline = until.value_or(steady::now() + options_.call_timeout);
    for (int tries = 1;; ++tries) {
      bool again = false;
      auto done = detail::guarded([&]() -> result<answer_type> {
        lease mine(*this, deadline);
        try {
          sql_session session{.connection = *mine,
                              .names = names_,
                              .writing = writing,
                              .database_clock = options_.clock == postgres_clock::database,
                              .limits_rows = limits_rows_,
                              .clock_skew = seconds{clock_skew_.load(std::memory_order_relaxed)}};
          if constexpr (std::is_void_v<answer_type>) {
            in_transaction(*mine, begin, [&] { call(session); });
            return {};
          } else {
            std::optional<answer_type> answer;
            in_transaction(*mine, begin, [&] { answer = call(session); });
            return *std::move(answer);
          }
        } catch (const exception& e) {
          again = (*mine).may_be_repeated() || (!(*mine).is_usable() && e.details().code != errc::store_busy &&
                                                (!writing || !(*mine).outcome_is_unknown()));
          throw;
        }
      });
      if (done || !again || tries == most_tries) {
        if (!done && !writing && done.error().code == errc::store_outcome_unknown)
          return detail::fail(errc::store_unavailable, done.error().message);
        if (done || done.error().code != errc::retry_transaction) return done;
        // Nobody can do more about it than the store has done.
        return detail::fail(errc::store_busy, done.error().message);
      }
    }
  }

  template <class Call>
  auto read(Call call) -> result<decltype(call(std::declval<sql_session&>()))> {
    return transact(begin_reading, false, call);
  }
  template <class Call>
  auto write(Call call) -> result<decltype(call(std::declval<sql_session&>()))> {
    return transact(begin_writing, true, call);
  }

  // ---- Commits ------------------------------------------------------------------------------------------------------

  result<void> try_commit(const change_set& changes, steady::time_point deadline) {
    std::vector<std::string> tracks;
    for (const auto& change : changes.interviews) tracks.push_back(change.after.track);
    for (const auto& change : changes.waivers) tracks.push_back(change.after.track);
    if (auto known = make_names(changes.tenant, tracks); !known) return known;
    return transact(begin_writing, true, [&](sql_session& s) { detail::sql_commit(s, changes); }, deadline);
  }

  /// Tenants and tracks are made before the transaction that needs them: two that make the same one would wait for each
  /// other as long as they last. Almost always all are known already.
  result<void> make_names(std::string_view tenant, std::span<const std::string> tracks) {
    const auto tenant_no = names_.tenant(tenant);
    if (tenant_no && std::ranges::all_of(tracks, [&](const std::string& track) {
          return track.empty() || names_.track(*tenant_no, track);
        }))
      return {};
    const auto make_tenant = transact(begin_writing, true, [&](sql_session& s) { return s.tenant(tenant); });
    if (!make_tenant) return make_tenant.error();
    names_.remember_tenant(tenant, *make_tenant);
    for (const auto& track : tracks) {
      if (track.empty() || names_.track(*make_tenant, track)) continue;
      const auto made = transact(begin_writing, true, [&](sql_session& s) { return s.track(*make_tenant, track); });
      if (!made) return made.error();
      names_.remember_track(*make_tenant, track, *made);
    }
    return {};
  }

  /// So that a batch of answers needs no look-up on its way.
  result<void> learn_tenants(std::span<const settlement> settlements) {
    for (const auto& one : settlements)
      if (!names_.tenant(one.tenant)) {
        const auto found = read([&](sql_session& s) { return s.find_tenant(one.tenant).has_value(); });
        if (!found) return found.error();
      }
    return {};
  }

  /// Whether the change set's last audit entry stands in the database: its hash is like no other's.
  result<bool> was_committed(const change_set& changes, steady::time_point deadline) {
    if (changes.audit.empty())
      return detail::fail(errc::store_outcome_unknown, "nothing tells one commit from another");
    const auto look = [&](sql_session& s) {
      bool found = false;
      s.rows_of(changes.tenant);
      s.connection.execute(
          "SELECT 1 FROM main.hirenow_tenant AS t CROSS JOIN main.hirenow_applicant AS a ON a.tenant_no = t.tenant_no "
          "CROSS JOIN main.hirenow_audit AS e ON e.tenant_no = a.tenant_no AND e.applicant_no = a.applicant_no WHERE "
          "t.tenant = $1 AND a.applicant = $2 AND e.sequence = $3 AND e.hash = $4",
          {changes.tenant, changes.applicant_id, changes.audit.back().sequence, changes.audit.back().hash},
          [&](const detail::sql_row&) { found = true; });
      return found;
    };
    return transact(begin_reading, false, look, deadline);
  }

  /// Adds the appended counts to the rows they belong to. A failure leaves them appended, which is as good.
  void sum_up() {
    static_cast<void>(write([](sql_session& s) { detail::postgres_sum_up(s); }));
  }

  // ---- Announcements ------------------------------------------------------------------------------------------------

  /// Tells listeners, on a thread of its own that is made when there is something to tell.
  class announcer {
   public:
    explicit announcer(postgres_store& owner) : owner_(owner) {}
    void say() noexcept {
      const std::lock_guard lock(mutex_);
      wanted_ = true;
      changed_.notify_one();
      try {
        if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
      } catch (...) {
        // Then the dispatchers' next poll finds it.
      }
    }
    /// The child of a fork has no such thread.
    void end() noexcept {
      if (!thread_.joinable()) return;
      thread_.request_stop();
      thread_.join();
    }

   private:
    void work(const std::stop_token& stop) {
      std::unique_lock lock(mutex_);
      while (!stop.stop_requested()) {
        if (!changed_.wait(lock, stop, [&] { return wanted_; })) return;
        wanted_ = false;
        lock.unlock();
        static_cast<void>(owner_.write([&](sql_session& s) {
          s.connection.execute("SELECT pg_catalog.pg_notify($1, $2)", {detail::mail_channel, owner_.options_.schema});
        }));
        lock.lock();
        changed_.wait_for(lock, stop, owner_.options_.announce_every, [] { return false; });
      }
    }

    postgres_store& owner_;
    std::mutex mutex_{};
    std::condition_variable_any changed_{};
    bool wanted_ = false;
    std::jthread thread_{};
  };

  const postgres_options options_;
  const detail::postgres_settings settings_;
  const unsigned forks_ = detail::fork_count().load(std::memory_order_relaxed);
  bool limits_rows_ = false;
  detail::sql_names names_{};
  std::atomic<unsigned> commits_{0};
  std::atomic<seconds::rep> clock_skew_{0};

  std::mutex mutex_{};
  std::condition_variable returned_{};
  std::vector<std::unique_ptr<postgres_connection>> idle_{};
  std::size_t opened_ = 0;
  announcer announcer_{*this};
};

}  // namespace

result<std::unique_ptr<store>> open_postgres_store(const std::string& conninfo, const postgres_options& options) {
  if (conninfo.find('\0') != std::string::npos)
    return detail::fail(errc::invalid_argument, "a connection string holds no NUL");
  return detail::guarded([&]() -> result<std::unique_ptr<store>> {
    return std::unique_ptr<store>(
        std::make_unique<detail::left_to_parent<postgres_store>>(std::make_unique<postgres_store>(conninfo, options)));
  });
}

}  // namespace hirenow
