#pragma once
/// A connection of the store's own that the host's driver carries, so that only the host's SQLite touches the file.
///
/// Threads: one at a time.

#include <filesystem>
#include <memory>
#include <string>

#include "sql_host_connection.hpp"
#include "sqlite_connection.hpp"

namespace hirenow::detail {

class driven_sqlite_connection final : public sqlite_connection {
 public:
  /// Takes a connection that the host has opened to the file, and sets it up.
  driven_sqlite_connection(std::unique_ptr<host_connection> driver, const std::string& path,
                           const connection_settings& settings);

  using sql_connection::execute;
  std::int64_t execute(const char* sql, std::span<const sql_value> parameters, row_taker take) override {
    return sql_.execute(sql, parameters, take);
  }
  void run(const std::string& sql) override { sql_.run(sql); }

  void roll_back() noexcept override;
  bool in_transaction() override { return sql_.transaction() == host_transaction::open; }
  bool is_read_only() override;
  bool may_corrupt_the_log() override { return is_old_ && log_bytes() > 0; }
  /// The log's file is as long as the log, because each connection cuts it when it begins anew.
  std::size_t log_bytes() override;
  bool checkpoint(std::chrono::milliseconds wait) override;

 private:
  void set_busy_timeout(std::chrono::milliseconds wait);

  std::unique_ptr<host_connection> driver_;
  sql_host_connection sql_;
  const std::string path_;
  const std::filesystem::path log_path_ = path_ + "-wal";
  const std::chrono::milliseconds busy_timeout_;
  bool is_old_ = false;
};

}  // namespace hirenow::detail
