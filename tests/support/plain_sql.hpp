#pragma once
/// Plain SQL on a SQLite file, as somebody has it who knows nothing of hirenow.
///
/// Threads: one at a time.

#include <filesystem>
#include <stdexcept>
#include <string>

#include <sqlite3.h>

namespace hirenow::test {

class plain_sql {
 public:
  explicit plain_sql(const std::filesystem::path& path) {
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK)
      throw std::runtime_error("cannot open " + path.string());
    sqlite3_busy_timeout(db_, 10'000);
  }
  ~plain_sql() { sqlite3_close(db_); }
  plain_sql(const plain_sql&) = delete;
  plain_sql& operator=(const plain_sql&) = delete;

  /// Runs statements. Returns SQLite's complaint; empty where there is none.
  std::string refusal(const std::string& sql) {
    char* text = nullptr;
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &text) == SQLITE_OK) return {};
    std::string complaint = text ? text : "error";
    sqlite3_free(text);
    return complaint;
  }
  /// Runs statements that have to succeed.
  void run(const std::string& sql) {
    if (const auto complaint = refusal(sql); !complaint.empty()) throw std::runtime_error(complaint + ": " + sql);
  }
  /// The first value of the first row, as text; empty where there is none.
  std::string value(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
      throw std::runtime_error(std::string(sqlite3_errmsg(db_)) + ": " + sql);
    std::string found;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0))
      found = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return found;
  }
  sqlite3* handle() { return db_; }
  long long number(const std::string& sql) { return std::stoll("0" + value(sql)); }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace hirenow::test
