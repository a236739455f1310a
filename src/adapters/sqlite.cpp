/// The SQLite store: several connections that read, one that writes for everybody, and what keeps the file in order.

#include "hirenow/adapters/sqlite.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>

#include "hirenow/crypto.hpp"
#include "hirenow/detail/step.hpp"
#include "left_to_parent.hpp"
#include "sql_reader.hpp"
#include "sqlite_commit_queue.hpp"
#include "sqlite_connection.hpp"
#include "sqlite_driver_connection.hpp"
#include "sqlite_lock.hpp"
#include "sqlite_schema.hpp"

namespace hirenow {
namespace {

using detail::sql_session;
using detail::sqlite_connection;

/// The failure that is being handled, as an error.
error current_failure() noexcept {
  try {
    throw;
  } catch (const exception& e) {
    return e.details();
  } catch (const std::bad_alloc&) {
    return error{.code = errc::out_of_memory, .message = {}};
  } catch (const std::exception& e) {
    return error{.code = errc::internal, .message = e.what()};
  } catch (...) {
    return error{.code = errc::internal, .message = "something unknown was thrown"};
  }
}

/// True where a failure is the change set's own and says nothing about the transaction it was part of.
bool concerns_one_caller(errc code) {
  return code == errc::conflict || code == errc::constraint_violated || code == errc::too_large ||
         code == errc::invalid_argument || code == errc::internal;
}

/// How long a checkpoint waits for those who still read older pages: it holds the lock meanwhile.
constexpr std::chrono::milliseconds checkpoint_patience{50};
/// A group that has so many takes no more while it is written down.
constexpr std::size_t most_together = 64;

class sqlite_store final : public detail::sql_reader<sqlite_store> {
 public:
  /// Makes a connection to the file, and the file itself where `may_create`.
  using connector =
      std::function<std::unique_ptr<sqlite_connection>(bool may_create, const detail::connection_settings&)>;

  sqlite_store(const std::string& path, connector connect, const sqlite_options& options)
      : path_(path),
        options_(options),
        connect_(std::move(connect)),
        own_writer_(connect_(true, settings())),
        writer_(*own_writer_),
        turn_(own_lock_path(), options_.busy_timeout) {
    const std::lock_guard turn(turn_);
    set_up_file();
  }

  bool is_forked() const { return detail::fork_count().load(std::memory_order_relaxed) != forks_; }
  /// In a child: its files are closed when it ends.
  void abandon() noexcept {}

  result<loaded> load(const load_request& request) override {
    return read_for_a_commit([&](sql_session& s) { return detail::sql_load(s, request); });
  }
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    return read_for_a_commit([&](sql_session& s) { return detail::sql_load_each(s, wanted); });
  }
  result<void> commit(const change_set& changes) override {
    return write([&](sql_session& s) { detail::sql_commit(s, changes); });
  }
  result<bool> save_progress(const checkpoint_request& request) override {
    return write([&](sql_session& s) { return detail::sql_save_progress(s, request); });
  }
  result<std::vector<claimed_message>> claim(const claim_request& request) override {
    // Whoever polls an outbox in which nothing is due need not wait for the lock.
    const auto next = next_due();
    if (!next) return next.error();
    if (!*next || **next > request.now) return std::vector<claimed_message>{};
    return write([&](sql_session& s) {
      bool unused = false;
      return detail::sql_claim(s, request, unused);
    });
  }
  result<std::vector<bool>> settle(std::span<const settlement> settlements) override {
    if (settlements.empty()) return std::vector<bool>{};
    return write([&](sql_session& s) { return detail::sql_settle(s, settlements); });
  }
  result<std::vector<allowance>> allow(std::span<const allowance_request> requests) override {
    return write([&](sql_session& s) { return detail::sql_allow(s, requests); });
  }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override {
    const auto expired = read([&](sql_session& s) { return detail::sql_find_expired(s, now, limit); });
    if (!expired) return expired.error();
    if (expired->empty()) return std::size_t{0};
    return write([&](sql_session& s) { return detail::sql_prune(s, now, *expired); });
  }

 private:
  friend class detail::sql_reader<sqlite_store>;

  using queue = detail::commit_queue<sql_session>;

  detail::connection_settings settings() const {
    return {options_.durability == sqlite_durability::full, options_.busy_timeout, options_.cache_kib};
  }

  /// The lock file's name. A file that is no database gets none beside it.
  std::string own_lock_path() {
    writer_.execute("SELECT count(*) FROM main.sqlite_master", {});
    if (writer_.is_read_only()) throw exception(detail::fail(errc::store_read_only, path_ + " cannot be written"));
    return path_ + "-hirenow-lock";
  }

  /// Brings journal mode and tables to where they must be. In our turn.
  void set_up_file() {
    bool is_ours = true;
    writer_.execute(
        "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'hirenow\\_%' ESCAPE '\\' "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' LIMIT 1",
        {}, [&](const detail::sql_row&) { is_ours = false; });
    if (!detail::schema_is_complete(writer_)) {
      if (is_ours) writer_.run("PRAGMA main.journal_mode = WAL");
      HIRENOW_STEP("sqlite: before the schema is written");
      writer_.run("BEGIN IMMEDIATE");
      try {
        turn_.mark();
        detail::prepare_schema(writer_);
        writer_.run("COMMIT");
      } catch (...) {
        writer_.roll_back();
        throw;
      }
      HIRENOW_STEP("sqlite: after the schema is written");
    } else if (is_ours) {
      writer_.run("PRAGMA main.journal_mode = WAL");
    }
  }

  static error forked() {
    return detail::fail(errc::forked, "the store was opened before a fork; the child must open its own");
  }

  // ---- Reading ------------------------------------------------------------------------------------------------------

  /// A connection that reads, for as long as one call needs it.
  class reader {
   public:
    explicit reader(sqlite_store& owner) : owner_(owner) {
      std::unique_lock lock(owner.readers_mutex_);
      owner.reader_returned_.wait(lock, [&] { return !owner.idle_.empty() || owner.opened_ < owner.most_readers(); });
      if (!owner.idle_.empty()) {
        connection_ = std::move(owner.idle_.back());
        owner.idle_.pop_back();
        return;
      }
      owner.idle_.reserve(owner.most_readers());  // so that giving one back cannot fail
      ++owner.opened_;
      lock.unlock();
      try {
        connection_ = owner.connect_(false, owner.settings());
      } catch (...) {
        lock.lock();
        --owner.opened_;
        owner.reader_returned_.notify_one();
        throw;
      }
    }
    ~reader() {
      const std::lock_guard lock(owner_.readers_mutex_);
      owner_.idle_.push_back(std::move(connection_));
      owner_.reader_returned_.notify_one();
    }
    reader(const reader&) = delete;
    reader& operator=(const reader&) = delete;
    sqlite_connection& operator*() { return *connection_; }

   private:
    sqlite_store& owner_;
    std::unique_ptr<sqlite_connection> connection_;
  };

  std::size_t most_readers() const { return std::max<std::size_t>(options_.readers, 1); }

  /// Runs one call in a snapshot of its own.
  template <class Call>
  auto read(Call call) -> result<decltype(call(std::declval<sql_session&>()))> {
    if (is_forked()) return forked();
    try {
      reader from(*this);
      return read_on(*from, call);
    } catch (...) {
      return current_failure();
    }
  }

  /// As above. A commit makes SQLite forget the pages that other connections hold, and what is read here is mostly
  /// followed by a commit to the same pages: where the writer is idle, it reads for its own commit.
  template <class Call>
  auto read_for_a_commit(Call call) -> result<decltype(call(std::declval<sql_session&>()))> {
    std::optional<result<decltype(call(std::declval<sql_session&>()))>> answer;
    if (!is_forked() && queue_.try_lead([&] { answer = read_on(writer_, call); })) return *std::move(answer);
    return read(call);
  }

  /// In a snapshot, on this connection.
  template <class Call>
  auto read_on(sqlite_connection& connection, Call call) noexcept
      -> result<decltype(call(std::declval<sql_session&>()))> {
    try {
      sql_session session{connection, names_};
      connection.execute("BEGIN", {});
      auto answer = call(session);
      connection.execute("COMMIT", {});
      return answer;
    } catch (...) {
      connection.roll_back();
      return current_failure();
    }
  }

  // ---- Writing ------------------------------------------------------------------------------------------------------

  /// Runs one call in the next group and waits until that is durable. Then it tells what there is to warn of.
  template <class Call>
  auto write(Call call) -> result<decltype(call(std::declval<sql_session&>()))> {
    using answer_type = decltype(call(std::declval<sql_session&>()));
    if (is_forked()) return forked();
    try {
      queue::job mine;
      if constexpr (std::is_void_v<answer_type>) {
        mine.run = [&](sql_session& s) { call(s); };
        queue_.submit(mine, [this] { lead(); });
        tell_warnings();
        if (mine.failure) return *std::move(mine.failure);
        return {};
      } else {
        std::optional<answer_type> answer;
        mine.run = [&](sql_session& s) { answer = call(s); };
        queue_.submit(mine, [this] { lead(); });
        tell_warnings();
        if (mine.failure) return *std::move(mine.failure);
        return *std::move(answer);
      }
    } catch (...) {
      return current_failure();
    }
  }

  /// Commits all that wait, as one group. Never throws: a leader that did would leave the others waiting.
  void lead() noexcept {
    std::optional<error> refused;
    bool in_turn = false;
    try {
      turn_.lock();
      in_turn = true;
      HIRENOW_STEP("sqlite: before begin");
      writer_.execute("BEGIN IMMEDIATE", {});
      HIRENOW_STEP("sqlite: after begin");
      look_for_strangers();
    } catch (...) {
      refused = current_failure();
    }
    // Taken only now: whoever came while the lock was waited for travels along.
    queue::group group = queue_.take();
    if (!refused) refused = run(group);
    if (refused) {
      mark_stands_ = false;  // a mark without a commit would make strangers of others
      writer_.roll_back();
      for (auto* one : group) fail_job(*one, *refused);
    }
    queue_.tell(group);
    if (!refused) checkpoint_if_long();
    if (in_turn) turn_.unlock();
  }

  /// Where there is no memory for the whole error, its code is enough.
  static void fail_job(queue::job& one, const error& why) noexcept {
    try {
      one.failure = why;
    } catch (const std::bad_alloc&) {
      one.failure = error{.code = why.code, .message = {}};
    }
  }

  /// Runs each job under its own savepoint and commits. Whoever comes while they are run travels along, up to a number
  /// that keeps the first from waiting long. Returns why nobody's was committed.
  std::optional<error> run(queue::group& group) {
    bool any = false;
    try {
      for (std::size_t n = 0; n < group.size(); ++n) {
        auto* const one = group[n];
        const bool alone = group.size() == 1;
        if (!alone) writer_.execute("SAVEPOINT hirenow_job", {});
        try {
          sql_session session{writer_, names_, true};
          one->run(session);
          any = true;
        } catch (...) {
          one->failure = current_failure();
          if (!concerns_one_caller(one->failure->code) || !writer_.in_transaction()) return one->failure;
          if (!alone) writer_.execute("ROLLBACK TO hirenow_job", {});
        }
        if (!alone) writer_.execute("RELEASE hirenow_job", {});
        if (any && n + 1 == group.size()) queue_.take_more(group, most_together);
      }
      if (any) {
        HIRENOW_STEP("sqlite: before commit");
        writer_.execute("COMMIT", {});
        HIRENOW_STEP("sqlite: after commit");
      } else {
        mark_stands_ = false;
        writer_.roll_back();
      }
      return std::nullopt;
    } catch (...) {
      return current_failure();
    }
  }

  /// Warns, once, where somebody who does not take turns commits to the file. With the write transaction open: whoever
  /// takes turns and commits leaves a mark, so another's commit under our own mark is a stranger's.
  void look_for_strangers() {
    std::int64_t version = 0;  // moves with every commit of another connection
    writer_.execute("PRAGMA main.data_version", {}, [&](const detail::sql_row& row) { version = row.integer(0); });
    if (mark_stands_ && version == seen_version_) return;
    const bool is_stranger = mark_stands_ && turn_.is_marked_by_us();
    turn_.mark();
    mark_stands_ = true;
    seen_version_ = version;
    if (warned_ || !is_stranger || !writer_.may_corrupt_the_log()) return;
    warned_ = true;
    warn("another program commits to " + path_ + ": this SQLite can corrupt the log (https://sqlite.org/wal.html) " +
         "unless every such program sets PRAGMA wal_autocheckpoint = 0 and leaves checkpoints to the store");
  }

  /// Copies the log into the file when it has grown long. In our turn, and right after a commit of ours.
  void checkpoint_if_long() noexcept {
    const std::size_t length = writer_.log_bytes();
    if (length < options_.checkpoint_bytes) checkpoint_at_ = options_.checkpoint_bytes;
    if (length < checkpoint_at_) return;
    // Should a reader hold the log back, the next attempt is not made at the next commit.
    checkpoint_at_ = length + options_.checkpoint_bytes / 4;
    try {
      HIRENOW_STEP("sqlite: before checkpoint");
      writer_.checkpoint(checkpoint_patience);
      HIRENOW_STEP("sqlite: after checkpoint");
    } catch (...) {
      // What was committed stands in the log and is durable there; the next attempt may fare better.
      warn("the log could not be copied into the file: " + current_failure().message);
    }
  }

  /// Keeps a warning until no lock is held: whoever is told may ask the store, and would wait for its own turn.
  void warn(const std::string& what) noexcept {
    if (!options_.warn) return;
    try {
      const std::lock_guard lock(warnings_mutex_);
      warnings_.push_back(what);
      must_warn_.store(true, std::memory_order_release);
    } catch (const std::bad_alloc&) {
      // What was committed is none the worse.
    }
  }
  void tell_warnings() noexcept {
    if (!must_warn_.load(std::memory_order_relaxed) || !must_warn_.exchange(false, std::memory_order_acquire)) return;
    std::vector<std::string> all;
    {
      const std::lock_guard lock(warnings_mutex_);
      all.swap(warnings_);
    }
    for (const auto& one : all) {
      try {
        options_.warn(one);
      } catch (...) {
        // The host's own callback: its failure is not the commit's.
      }
    }
  }

  const std::string path_;
  const sqlite_options options_;
  const connector connect_;
  const unsigned forks_ = detail::fork_count().load(std::memory_order_relaxed);
  detail::sql_names names_;

  std::mutex readers_mutex_;
  std::condition_variable reader_returned_;
  std::vector<std::unique_ptr<sqlite_connection>> idle_;
  std::size_t opened_ = 0;

  std::mutex warnings_mutex_;
  std::vector<std::string> warnings_;
  std::atomic<bool> must_warn_{false};

  // The leader's alone.
  queue queue_;
  const std::unique_ptr<sqlite_connection> own_writer_;
  sqlite_connection& writer_;
  detail::turn_lock turn_;
  std::size_t checkpoint_at_ = 0;
  bool mark_stands_ = false;  // ours, and nobody has committed since, as far as was seen
  std::int64_t seen_version_ = 0;
  bool warned_ = false;
};

bool names_a_file(const std::string& path) {
  return !path.empty() && path != ":memory:" && path.find('\0') == std::string::npos;
}

result<std::unique_ptr<store>> open_with(const std::string& path, sqlite_store::connector connect,
                                         const sqlite_options& options) {
  if (!names_a_file(path)) return detail::fail(errc::invalid_argument, "the path of a SQLite store names a file");
  try {
    return std::unique_ptr<store>(std::make_unique<detail::left_to_parent<sqlite_store>>(
        std::make_unique<sqlite_store>(path, std::move(connect), options)));
  } catch (...) {
    return current_failure();
  }
}

}  // namespace

result<std::unique_ptr<store>> open_sqlite_store(const std::string& path, const sqlite_options& options) {
  return open_with(
      path,
      [path](bool may_create, const detail::connection_settings& settings) {
        return std::make_unique<detail::own_sqlite_connection>(path, may_create, settings);
      },
      options);
}

result<std::unique_ptr<store>> open_sqlite_store_through(const std::string& path, host_connection_opener open,
                                                         const sqlite_options& options) {
  if (!open) return detail::fail(errc::invalid_argument, "a store needs somebody to open its connections");
  return open_with(
      path,
      [path, open = std::move(open)](bool, const detail::connection_settings& settings) {
        auto opened = open();
        if (!opened) throw exception(opened.error());
        if (!*opened) throw exception(detail::fail(errc::invalid_argument, "no connection was opened"));
        return std::make_unique<detail::driven_sqlite_connection>(*std::move(opened), path, settings);
      },
      options);
}

}  // namespace hirenow
