/// A SQLite handle of the host's, as a host connection.

#include <limits>
#include <memory>
#include <unordered_map>

#include <sqlite3.h>

#include "hirenow/adapters/host_connection.hpp"

namespace hirenow {
namespace {

int bind(sqlite3_stmt* statement, int at, const host_parameter& value) {
  struct binder {
    sqlite3_stmt* statement;
    int at;
    int operator()(std::monostate) const { return sqlite3_bind_null(statement, at); }
    int operator()(std::int64_t n) const { return sqlite3_bind_int64(statement, at, n); }
    int operator()(double r) const { return sqlite3_bind_double(statement, at, r); }
    int operator()(std::string_view text) const {
      return sqlite3_bind_text64(statement, at, text.data() ? text.data() : "", text.size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    }
    int operator()(std::span<const std::byte> bytes) const {
      const void* const data = bytes.data() ? static_cast<const void*>(bytes.data()) : "";
      return sqlite3_bind_blob64(statement, at, data, bytes.size(), SQLITE_STATIC);
    }
  };
  return std::visit(binder{statement, at}, value);
}

host_value value_at(sqlite3_stmt* statement, int column) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(statement, column)); };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT: return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      if (!text) throw std::bad_alloc();
      return std::string(text, size());
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      return bytes ? std::string(bytes, size()) : std::string();
    }
    default: return std::monostate{};
  }
}

class handle_connection final : public host_connection {
 public:
  explicit handle_connection(sqlite3* db) : db_(db) {}
  ~handle_connection() override {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  }
  handle_connection(const handle_connection&) = delete;
  handle_connection& operator=(const handle_connection&) = delete;

  result<host_answer> execute(std::string_view sql, std::span<const host_parameter> parameters) override {
    if (!db_) return no_handle();
    sqlite3_stmt* const statement = prepared(sql);
    if (!statement) return failure();
    struct reset_at_end {
      sqlite3_stmt* statement;
      ~reset_at_end() {
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
      }
    } const guard{statement};
    int at = 0;
    for (const auto& value : parameters)
      if (bind(statement, ++at, value) != SQLITE_OK) return failure();
    host_answer answer;
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) {
      const int columns = sqlite3_column_count(statement);
      auto& row = answer.rows.emplace_back();
      row.reserve(static_cast<std::size_t>(columns));
      for (int column = 0; column < columns; ++column) row.push_back(value_at(statement, column));
    }
    if (code != SQLITE_DONE) return failure();
    answer.count = sqlite3_changes64(db_);
    return answer;
  }

  result<host_transaction> in_transaction() override {
    if (!db_) return no_handle();
    return sqlite3_get_autocommit(db_) ? host_transaction::none : host_transaction::open;
  }

 private:
  static error no_handle() { return detail::fail(errc::store_unavailable, "there is no SQLite handle"); }
  error failure() const { return sqlite_error(sqlite3_extended_errcode(db_), sqlite3_errmsg(db_)); }

  /// The statement; nothing where SQLite refuses it.
  sqlite3_stmt* prepared(std::string_view sql) {
    const auto known = statements_.find(std::string(sql));
    if (known != statements_.end()) return known->second;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK)
      return nullptr;
    std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> made(statement, &sqlite3_finalize);
    statements_.emplace(sql, statement);
    made.release();
    return statement;
  }

  sqlite3* const db_;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

}  // namespace

std::unique_ptr<host_connection> host_connection_of(sqlite3* handle) {
  return std::make_unique<handle_connection>(handle);
}

}  // namespace hirenow
