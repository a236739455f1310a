#pragma once
/// One SQLite connection: opening it as the store needs it, running statements.
///
/// Failures are thrown as `hirenow::exception`.
/// Threads: one at a time.

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

#include <sqlite3.h>

#include "sql_connection.hpp"

namespace hirenow::detail {

/// How a connection is to be set up. Everything here concerns this connection alone, never the file.
struct connection_settings {
  bool full_sync = true;
  std::chrono::milliseconds busy_timeout{0};
  std::size_t cache_kib = 0;
};

/// A connection of the store's own to a SQLite file, whatever carries it.
class sqlite_connection : public sql_connection {
 public:
  /// Rolls back whatever is open; never throws.
  virtual void roll_back() noexcept = 0;
  /// True while a transaction is open: SQLite ends it by itself after some failures.
  virtual bool in_transaction() = 0;
  virtual bool is_read_only() = 0;

  /// True where a checkpoint by another connection can corrupt the log: in WAL mode before SQLite 3.51.3.
  virtual bool may_corrupt_the_log() = 0;

  /// How long the write-ahead log was after the last commit of this connection, in bytes.
  virtual std::size_t log_bytes() = 0;
  /// Copies the log into the file, holding the writer lock; waits at most this long for readers of older pages.
  /// Returns false where a reader kept it from copying everything.
  virtual bool checkpoint(std::chrono::milliseconds wait) = 0;
};

/// A connection through the SQLite that this library is linked to.
class own_sqlite_connection final : public sqlite_connection {
 public:
  /// Opens the file, and makes it where `may_create`.
  own_sqlite_connection(const std::string& path, bool may_create, const connection_settings& settings);
  ~own_sqlite_connection() override;
  own_sqlite_connection(const own_sqlite_connection&) = delete;
  own_sqlite_connection& operator=(const own_sqlite_connection&) = delete;

  using sql_connection::execute;
  std::int64_t execute(const char* sql, std::span<const sql_value> parameters, row_taker take) override;
  void run(const std::string& sql) override;

  void roll_back() noexcept override;
  bool in_transaction() override { return sqlite3_get_autocommit(db_) == 0; }
  bool is_read_only() override { return sqlite3_db_readonly(db_, "main") == 1; }
  bool may_corrupt_the_log() override { return log_pages_ > 0 && sqlite3_libversion_number() < 3051003; }
  std::size_t log_bytes() override { return log_pages_ * page_size_; }
  bool checkpoint(std::chrono::milliseconds wait) override;

 private:
  sqlite3_stmt* prepared(const char* sql);
  [[noreturn]] void raise(int code) const;
  void require(int code) const {
    if (code != SQLITE_OK) raise(code);
  }

  sqlite3* db_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
  std::chrono::milliseconds busy_timeout_;
  std::size_t log_pages_ = 0;
  std::size_t page_size_ = 4096;
};

}  // namespace hirenow::detail
