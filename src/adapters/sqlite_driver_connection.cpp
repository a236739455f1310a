#include "sqlite_driver_connection.hpp"

#include <charconv>

#include <unistd.h>

namespace hirenow::detail {
namespace {

/// "3.40.1" as 3040001, the way SQLite numbers its versions.
int version_number(std::string_view text) {
  int parts[3] = {};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (int& part : parts) {
    at = std::from_chars(at, end, part).ptr;
    if (at != end) ++at;
  }
  return parts[0] * 1'000'000 + parts[1] * 1'000 + parts[2];
}

}  // namespace

driven_sqlite_connection::driven_sqlite_connection(std::unique_ptr<host_connection> driver, const std::string& path,
                                                   const connection_settings& settings)
    : driver_(std::move(driver)), sql_(*driver_), path_(path), busy_timeout_(settings.busy_timeout) {
  if (sql_.transaction() != host_transaction::none)
    throw exception(fail(errc::invalid_argument, "a store needs connections that begin no transaction by themselves"));
  set_busy_timeout(busy_timeout_);
  run("PRAGMA wal_autocheckpoint = 0");
  run("PRAGMA main.journal_size_limit = 0");
  run("PRAGMA trusted_schema = OFF");
  run(settings.full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  run("PRAGMA temp_store = MEMORY");
  run("PRAGMA mmap_size = 0");
  if (settings.cache_kib > 0) run("PRAGMA main.cache_size = -" + std::to_string(settings.cache_kib));
  execute("SELECT sqlite_version()", {}, [&](const sql_row& row) { is_old_ = version_number(row.text(0)) < 3051003; });
}

void driven_sqlite_connection::set_busy_timeout(std::chrono::milliseconds wait) {
  run("PRAGMA busy_timeout = " + std::to_string(wait.count()));
}

void driven_sqlite_connection::roll_back() noexcept {
  try {
    if (in_transaction()) run("ROLLBACK");
  } catch (...) {
    // The next BEGIN will say so.
  }
}

bool driven_sqlite_connection::is_read_only() { return ::access(path_.c_str(), W_OK) != 0; }

std::size_t driven_sqlite_connection::log_bytes() {
  std::error_code missing;
  const auto size = std::filesystem::file_size(log_path_, missing);
  return missing ? 0 : static_cast<std::size_t>(size);
}

bool driven_sqlite_connection::checkpoint(std::chrono::milliseconds wait) {
  bool whole = false;
  set_busy_timeout(wait);
  try {
    execute("PRAGMA main.wal_checkpoint(FULL)", {}, [&](const sql_row& row) { whole = row.integer(0) == 0; });
  } catch (...) {
    set_busy_timeout(busy_timeout_);
    throw;
  }
  set_busy_timeout(busy_timeout_);
  return whole;
}

}  // namespace hirenow::detail
