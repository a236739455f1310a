#include "sqlite_connection.hpp"

#include <algorithm>
#include <memory>

#include "sqlite_error.hpp"

namespace hirenow::detail {
namespace {

class current_row final : public sql_row {
 public:
  explicit current_row(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const override { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const override { return sqlite3_column_int64(statement_, column); }
  double real(int column) const override { return sqlite3_column_double(statement_, column); }
  std::string_view text(int column) const override {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return data ? std::string_view(data, size(column)) : std::string_view("", 0);
  }
  std::string_view bytes(int column) const override {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return data ? std::string_view(data, size(column)) : std::string_view("", 0);
  }

 private:
  std::size_t size(int column) const { return static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)); }
  sqlite3_stmt* statement_;
};

int bind(sqlite3_stmt* statement, int at, const sql_value& value) {
  switch (value.what()) {
    case sql_value::kind::null: return sqlite3_bind_null(statement, at);
    case sql_value::kind::integer: return sqlite3_bind_int64(statement, at, value.integer());
    case sql_value::kind::real: return sqlite3_bind_double(statement, at, value.real());
    case sql_value::kind::text: {
      const auto text = value.view();
      return sqlite3_bind_text64(statement, at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    case sql_value::kind::bytes: {
      const auto bytes = value.view();
      return sqlite3_bind_blob64(statement, at, bytes.data(), bytes.size(), SQLITE_STATIC);
    }
  }
  return SQLITE_MISUSE;
}

/// Ends a run of a statement, however it ends: a statement that stays open holds its snapshot.
struct reset_at_end {
  sqlite3_stmt* statement;
  ~reset_at_end() { sqlite3_reset(statement); }
};

}  // namespace

own_sqlite_connection::own_sqlite_connection(const std::string& path, bool may_create,
                                             const connection_settings& settings)
    : busy_timeout_(settings.busy_timeout) {
  const int flags =
      SQLITE_OPEN_READWRITE | (may_create ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = sqlite3_open_v2(path.c_str(), &db_, flags, nullptr);
  try {
    if (!db_) throw std::bad_alloc();
    require(opened);
    require(sqlite3_busy_timeout(db_, static_cast<int>(settings.busy_timeout.count())));
    // Room for what triggers need at each row, which is more than SQLite keeps room for by itself.
    require(sqlite3_db_config(db_, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 8192, 32));
    // Takes the place of automatic checkpoints.
    sqlite3_wal_hook(
        db_,
        [](void* self, sqlite3*, const char*, int pages) {
          static_cast<own_sqlite_connection*>(self)->log_pages_ = static_cast<std::size_t>(pages);
          return SQLITE_OK;
        },
        this);
    require(sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr));
    run(settings.full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    run("PRAGMA temp_store = MEMORY");
    run("PRAGMA mmap_size = 0");
    if (settings.cache_kib > 0) run("PRAGMA main.cache_size = -" + std::to_string(settings.cache_kib));
    execute("PRAGMA main.page_size", {}, [&](const sql_row& row) { page_size_ = row.number<std::size_t>(0); });
  } catch (...) {
    sqlite3_close(db_);
    throw;
  }
}

own_sqlite_connection::~own_sqlite_connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

void own_sqlite_connection::raise(int code) const {
  throw exception(sqlite_failure(code, sqlite3_system_errno(db_), sqlite3_errmsg(db_)));
}

sqlite3_stmt* own_sqlite_connection::prepared(const char* sql) {
  if (const auto at = statements_.find(sql); at != statements_.end()) return at->second;
  // SQLite numbers $1 by the order of appearance, ?1 by its number.
  std::string text(sql);
  std::replace(text.begin(), text.end(), '$', '?');
  // Whoever's statement fails undoes his whole job. Unless it is told so, SQLite copies every page before its first
  // change, to be able to undo that statement alone.
  for (const std::string_view verb : {"INSERT", "UPDATE"})
    if (text.starts_with(verb)) text.insert(verb.size(), " OR FAIL");
  sqlite3_stmt* statement = nullptr;
  require(sqlite3_prepare_v3(db_, text.c_str(), static_cast<int>(text.size() + 1), SQLITE_PREPARE_PERSISTENT,
                             &statement, nullptr));
  std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> made(statement, &sqlite3_finalize);
  statements_.emplace(sql, statement);
  return made.release();
}

std::int64_t own_sqlite_connection::execute(const char* sql, std::span<const sql_value> parameters, row_taker take) {
  sqlite3_stmt* const statement = prepared(sql);
  const reset_at_end guard{statement};
  int at = 0;
  for (const auto& value : parameters) require(bind(statement, ++at, value));
  int code = sqlite3_step(statement);
  const current_row row(statement);
  for (; code == SQLITE_ROW; code = sqlite3_step(statement)) take(row);
  if (code != SQLITE_DONE) raise(code);
  return sqlite3_changes64(db_);
}

void own_sqlite_connection::run(const std::string& sql) {
  require(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr));
}

void own_sqlite_connection::roll_back() noexcept {
  if (in_transaction()) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
}

bool own_sqlite_connection::checkpoint(std::chrono::milliseconds wait) {
  sqlite3_busy_timeout(db_, static_cast<int>(wait.count()));
  const int code = sqlite3_wal_checkpoint_v2(db_, "main", SQLITE_CHECKPOINT_FULL, nullptr, nullptr);
  sqlite3_busy_timeout(db_, static_cast<int>(busy_timeout_.count()));
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) raise(code);
  return code == SQLITE_OK;
}

}  // namespace hirenow::detail
