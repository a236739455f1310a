/// The store that works inside a transaction of the host's, on the host's connection.

#include <atomic>
#include <new>
#include <utility>

#include "hirenow/crypto.hpp"
#include "postgres_schema.hpp"
#include "sql_host_connection.hpp"
#include "sql_reader.hpp"
#include "sqlite_schema.hpp"

namespace hirenow {
namespace {

using detail::sql_session;

class joined_store final : public detail::sql_reader<joined_store> {
 public:
  joined_store(host_connection& connection, const join_options& options)
      : sql_(connection, options.schema), options_(options) {}

  result<loaded> load(const load_request& request) override {
    return call([&](sql_session& s) { return load_whole(s, request); });
  }
  result<void> commit(const change_set& changes) override {
    return call([&](sql_session& s) { detail::sql_commit(s, changes); });
  }
  result<bool> save_progress(const checkpoint_request& request) override {
    return call([&](sql_session& s) { return detail::sql_save_progress(s, request); });
  }
  result<std::vector<claimed_message>> claim(const claim_request&) override { return not_here(); }
  result<std::vector<bool>> settle(std::span<const settlement>) override { return not_here(); }
  result<std::vector<allowance>> allow(std::span<const allowance_request>) override { return not_here(); }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override {
    return call([&](sql_session& s) { return detail::sql_prune(s, now, detail::sql_find_expired(s, now, limit)); });
  }

 private:
  friend class detail::sql_reader<joined_store>;

  /// With READ COMMITTED every statement sees what was committed since the one before. A record that was changed between
  /// two of them is loaded again: an answer to a repeated request would speak of an interview that was not there yet.
  static loaded load_whole(sql_session& s, const load_request& request) {
    constexpr int most_tries = 5;
    for (int tries = 1;; ++tries) {
      loaded found = detail::sql_load(s, request);
      if (!s.is_postgresql() || found.record.version == version_now(s, request)) return found;
      if (tries == most_tries)
        throw exception(detail::fail(errc::conflict, "the record was changed again and again while it was loaded"));
    }
  }

  static std::uint64_t version_now(sql_session& s, const load_request& request) {
    const auto tenant_no = s.find_tenant(request.tenant);
    if (!tenant_no) return 0;
    std::uint64_t version = 0;
    const auto take = [&](const detail::sql_row& row) { version = static_cast<std::uint64_t>(row.integer(0)); };
    if (const auto* wanted = std::get_if<interview_id>(&request.who))
      s.connection.execute(
          "SELECT a.version FROM main.hirenow_interview_key AS k CROSS JOIN main.hirenow_applicant AS a ON "
          "a.tenant_no = k.tenant_no AND a.applicant_no = k.applicant_no WHERE k.interview = $1 AND k.tenant_no = $2",
          {*wanted, *tenant_no}, take);
    else
      s.connection.execute("SELECT version FROM main.hirenow_applicant WHERE tenant_no = $1 AND applicant = $2",
                           {*tenant_no, std::get<std::string_view>(request.who)}, take);
    return version;
  }

  static error not_here() {
    return detail::fail(errc::invalid_argument,
                        "a lease must be committed before anything is sent: messages are claimed and settled on a "
                        "store of hirenow's own, not in the host's transaction",
                        "host_transaction");
  }

  /// Marks the store as being at work, and not twice: calls that are mixed would end each other's savepoints.
  class turn {
   public:
    explicit turn(std::atomic<bool>& busy) : busy_(busy), is_ours_(!busy.exchange(true)) {}
    ~turn() {
      if (is_ours_) busy_ = false;
    }
    turn(const turn&) = delete;
    turn& operator=(const turn&) = delete;
    bool is_ours() const { return is_ours_; }

   private:
    std::atomic<bool>& busy_;
    const bool is_ours_;
  };

  template <class Call>
  auto read(Call work) {
    return call(std::move(work));
  }

  /// Runs one call in the host's transaction: all of it, or nothing.
  template <class Call>
  auto call(Call work) -> result<decltype(work(std::declval<sql_session&>()))> {
    if (detail::fork_count().load(std::memory_order_relaxed) != forks_)
      return detail::fail(errc::forked, "the connection was joined before a fork; the child must open its own");
    const turn mine(busy_);
    if (!mine.is_ours())
      return detail::fail(errc::invalid_argument, "another call is at work on this connection", "concurrent_use");
    bool under_savepoint = false;
    try {
      enter();
      under_savepoint = true;
      // What is read may be rolled back later, so it is known for the length of this call only.
      detail::sql_names names;
      sql_session session{.connection = sql_, .names = names, .is_hosts = true};
      check_schema();
      session.limits_rows = limits_rows_;
      if constexpr (std::is_void_v<decltype(work(session))>) {
        work(session);
        sql_.run("RELEASE hirenow_call");
        return {};
      } else {
        auto answer = work(session);
        sql_.run("RELEASE hirenow_call");
        return answer;
      }
    } catch (const exception& e) {
      return under_savepoint ? after_undoing(e.details()) : e.details();
    } catch (const std::bad_alloc&) {
      const error e{.code = errc::out_of_memory};
      return under_savepoint ? after_undoing(e) : e;
    } catch (...) {
      // The driver's own, and the caller's to handle.
      if (under_savepoint) undo();
      throw;
    }
  }

  enum class undone : std::uint8_t { whole, by_the_database, nothing };

  /// Takes back what the call wrote.
  undone undo() noexcept {
    try {
      if (sql_.transaction() != host_transaction::open) return undone::by_the_database;
      sql_.run("ROLLBACK TO hirenow_call");
      sql_.run("RELEASE hirenow_call");
      return undone::whole;
    } catch (...) {
      return undone::nothing;
    }
  }

  /// Undoes, and says what the failure means to the host, who alone can repeat its transaction.
  error after_undoing(error e) {
    // A snapshot does not move, and a lock that is wanted in the middle of a transaction is not waited for: the call
    // would fail again however often it is made.
    if (e.code == errc::conflict || e.code == errc::store_busy) e.code = errc::retry_transaction;
    switch (undo()) {
      case undone::whole: break;
      case undone::by_the_database: e.message += "; the database has ended the host's transaction"; break;
      case undone::nothing:
        e.code = errc::retry_transaction;
        e.message += "; what the call wrote could not be undone: the host must roll back";
        break;
    }
    return e;
  }

  /// Sees to it that a transaction is open, and sets the savepoint.
  void enter() {
    auto stands = sql_.transaction();
    if (stands == host_transaction::begins_lazily) {
      try {
        sql_.run(is_postgresql() ? "BEGIN" : "BEGIN IMMEDIATE");
      } catch (const exception& e) {
        if (e.details().code != errc::store_busy) throw;
        auto busy = e.details();
        busy.code = errc::retry_transaction;
        throw exception(std::move(busy));
      }
      stands = sql_.transaction();
    }
    if (stands != host_transaction::open)
      throw exception(
          detail::fail(errc::no_transaction, "the host's connection has no transaction open that could be joined"));
    sql_.run("SAVEPOINT hirenow_call");
  }

  void check_schema() {
    if (tables_are_right_) return;
    if (is_postgresql() ? detail::postgres_schema_is_there(sql_, sql_.schema(), limits_rows_)
                        : detail::schema_is_complete(sql_)) {
      // Tables that this store made go again if the host rolls back.
      tables_are_right_ = !made_tables_;
    } else if (options_.create_tables) {
      made_tables_ = true;
      if (is_postgresql())
        detail::prepare_postgres_schema(sql_, sql_.schema());
      else
        detail::prepare_schema(sql_);
    } else {
      throw exception(detail::fail(errc::schema_damaged, "the database has no tables of hirenow's"));
    }
  }

  bool is_postgresql() const { return sql_.dialect() == detail::sql_dialect::postgresql; }

  detail::sql_host_connection sql_;
  const join_options options_;
  const unsigned forks_ = detail::fork_count().load(std::memory_order_relaxed);
  std::atomic<bool> busy_ = false;
  bool tables_are_right_ = false;
  bool made_tables_ = false;
  bool limits_rows_ = false;
};

}  // namespace

result<std::unique_ptr<store>> join_transaction(host_connection& connection, const join_options& options) {
  try {
    if (connection.dialect() == host_dialect::postgresql) detail::check_schema_name(options.schema);
    return std::unique_ptr<store>(std::make_unique<joined_store>(connection, options));
  } catch (const exception& e) {
    return e.details();
  } catch (const std::bad_alloc&) {
    return error{.code = errc::out_of_memory};
  }
}

}  // namespace hirenow
