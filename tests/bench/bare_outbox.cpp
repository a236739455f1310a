#include "bare_outbox.hpp"

#include <map>
#include <stdexcept>
#include <utility>

namespace bench {

class bare_outbox::connection {
 public:
  explicit connection(const std::string& file) {
    if (sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        nullptr) != SQLITE_OK)
      throw std::runtime_error("bare: cannot open");
    sqlite3_busy_timeout(db_, 10'000);
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    sqlite3_wal_autocheckpoint(db_, 0);
  }
  ~connection() {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  void run(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(db_));
  }
  /// Runs a statement with whole numbers; hands the first column of each row to `take`.
  template <class Take>
  int step(const char* sql, std::initializer_list<std::int64_t> values, Take take) {
    sqlite3_stmt*& statement = statements_[sql];
    if (!statement && sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(db_));
    int at = 0;
    for (const auto value : values) sqlite3_bind_int64(statement, ++at, value);
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) take(sqlite3_column_int64(statement, 0));
    if (code != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(db_));
    sqlite3_reset(statement);
    return sqlite3_changes(db_);
  }
  int step(const char* sql, std::initializer_list<std::int64_t> values) {
    return step(sql, values, [](std::int64_t) {});
  }

 private:
  sqlite3* db_ = nullptr;
  std::map<const char*, sqlite3_stmt*> statements_;
};

bare_outbox::bare_outbox(const std::string& file, std::size_t senders, std::size_t mails, std::size_t settle_at)
    : mails_(mails), settle_at_(settle_at), writer_(std::make_unique<connection>(file)), at_(senders) {
  writer_->run("CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT, name TEXT)");
  writer_->run(
      "CREATE TABLE interview (id INTEGER PRIMARY KEY, person INTEGER, state INTEGER, generation INTEGER, start_by "
      "INTEGER, track TEXT)");
  writer_->run(
      "CREATE TABLE outbox (id INTEGER PRIMARY KEY, interview INTEGER, state INTEGER, wake_at INTEGER, lease INTEGER, "
      "answer TEXT)");
  writer_->run("CREATE INDEX unsent ON outbox (wake_at) WHERE state < 2");
  writer_->run("BEGIN");
  for (std::size_t n = 1; n <= mails; ++n) {
    const auto id = static_cast<std::int64_t>(n);
    writer_->step("INSERT INTO person VALUES (?, 'ada@example.org', 'Ada Lovelace')", {id});
    writer_->step("INSERT INTO interview VALUES (?1, ?1, 0, 1, 1000, 'backend-2026/technical')", {id});
    writer_->step("INSERT INTO outbox VALUES (?1, ?1, 0, 100, NULL, '')", {id});
  }
  writer_->run("COMMIT");
  for (std::size_t n = 0; n < senders; ++n) readers_.push_back(std::make_unique<connection>(file));
  clerk_ = std::thread([this] { clerk(); });
}

bare_outbox::~bare_outbox() {
  if (clerk_.joinable()) clerk_.join();
}

void bare_outbox::finish() {
  clerk_.join();
  std::int64_t left = -1;
  writer_->step("SELECT count(*) FROM outbox WHERE state <> 2", {}, [&](std::int64_t n) { left = n; });
  if (left != 0) throw std::runtime_error("bare: not everything was settled");
}

void bare_outbox::before(std::size_t sender) {
  {
    std::unique_lock lock(mutex_);
    claimed_.wait(lock, [&] { return !queue_.empty(); });
    at_[sender] = queue_.back();
    queue_.pop_back();
    if (queue_.size() == 500) answered_.notify_one();
  }
  std::int64_t generation = 0;
  readers_[sender]->step(
      "SELECT i.generation, i.start_by, i.track, p.email, p.name FROM interview AS i JOIN person AS p ON p.id = "
      "i.person WHERE i.id = ? AND i.state = 0",
      {at_[sender]}, [&](std::int64_t g) { generation = g; });
  if (generation != 1) throw std::runtime_error("bare: the link is gone");
}

void bare_outbox::after(std::size_t sender) {
  const std::lock_guard lock(mutex_);
  answers_.push_back(at_[sender]);
  if (answers_.size() == settle_at_ || settled_ + answers_.size() == mails_) answered_.notify_one();
}

void bare_outbox::clerk() {
  bool more = true;
  for (std::unique_lock lock(mutex_); settled_ < mails_;) {
    if (more && queue_.size() <= 500) {
      lock.unlock();
      std::vector<std::int64_t> fresh;
      writer_->run("BEGIN IMMEDIATE");
      writer_->step("SELECT id FROM outbox WHERE state < 2 AND wake_at <= 100 ORDER BY wake_at, id LIMIT 1000", {},
                    [&](std::int64_t id) { fresh.push_back(id); });
      for (const auto id : fresh)
        writer_->step("UPDATE outbox SET state = 1, lease = 7, wake_at = 130 WHERE id = ?", {id});
      writer_->run("COMMIT");
      lock.lock();
      more = !fresh.empty();
      queue_.insert(queue_.begin(), fresh.rbegin(), fresh.rend());
      claimed_.notify_all();
      continue;
    }
    if (answers_.size() >= settle_at_ || (!answers_.empty() && settled_ + answers_.size() == mails_)) {
      const auto done = std::exchange(answers_, {});
      lock.unlock();
      writer_->run("BEGIN IMMEDIATE");
      for (const auto id : done)
        if (writer_->step("UPDATE outbox SET state = 2, answer = '250 thrown away' WHERE id = ? AND state = 1 AND "
                          "lease = 7",
                          {id}) != 1)
          throw std::runtime_error("bare: the lease is gone");
      writer_->run("COMMIT");
      lock.lock();
      settled_ += done.size();
      continue;
    }
    answered_.wait(lock);
  }
}

}  // namespace bench
