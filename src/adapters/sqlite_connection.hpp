#pragma once
/// One SQLite connection: opening it as the store needs it, running statements, and what SQLite's errors mean.
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

class sqlite_connection final : public sql_connection {
 public:
  /// Opens the file, and makes it where `may_create`.
  sqlite_connection(const std::string& path, bool may_create, const connection_settings& settings);
  ~sqlite_connection() override;
  sqlite_connection(const sqlite_connection&) = delete;
  sqlite_connection& operator=(const sqlite_connection&) = delete;

  using sql_connection::execute;
  std::int64_t execute(const char* sql, std::span<const sql_value> parameters, row_taker take) override;
  void run(const std::string& sql) override;

  /// Rolls back whatever is open; never throws.
  void roll_back() noexcept;
  /// True while a transaction is open: SQLite ends it by itself after some failures.
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
  bool is_read_only() const { return sqlite3_db_readonly(db_, "main") == 1; }

  /// True where a checkpoint by another connection can corrupt the log: in WAL mode before SQLite 3.51.3.
  bool may_corrupt_the_log() const { return log_pages_ > 0 && sqlite3_libversion_number() < 3051003; }

  /// How long the write-ahead log was after the last commit of this connection, in bytes.
  std::size_t log_bytes() const { return log_pages_ * page_size_; }
  /// Copies the log into the file, holding the writer lock; waits at most this long for readers of older pages.
  /// Returns false where a reader kept it from copying everything.
  bool checkpoint(std::chrono::milliseconds wait);

  /// Forgets the connection without touching the file: the only safe thing in the child of a fork.
  void abandon() noexcept;

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
