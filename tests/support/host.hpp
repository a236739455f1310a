#pragma once
/// A host that has a database file of its own: a raw SQLite handle with a table of its own, and a driver over the
/// handle that a test can disturb.
///
/// Threads: one at a time.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sqlite3.h>

#include "hirenow/adapters/host_connection.hpp"
#include "hirenow/testing/check_store.hpp"
#include "support/plain_sql.hpp"

namespace hirenow::test {

/// Somebody who is invited, with the message.
inline change_set next_person(int number) {
  using testing::detail::instant;
  testing::detail::record_writer w("person-" + std::to_string(number), "acme");
  const auto id = w.schedule("backend", instant(number));
  w.promise(id, message_kind::invitation, instant(number));
  return w.take();
}

/// Hands every call on; a test disturbs it, and sees what was run.
class host_driver final : public host_connection {
 public:
  explicit host_driver(sqlite3* db) : next_(host_connection_of(db)) {}

  result<host_answer> execute(std::string_view sql, std::span<const host_parameter> parameters) override {
    seen.emplace_back(sql);
    if (before)
      if (auto ok = before(sql); !ok) return ok.error();
    auto answer = next_->execute(sql, parameters);
    if (after && answer) after(sql, *answer);
    return answer;
  }
  result<host_transaction> in_transaction() override {
    if (closed) return detail::fail(errc::store_unavailable, "the connection is closed");
    const auto now = next_->in_transaction();
    return now && *now == host_transaction::none && lazy ? host_transaction::begins_lazily : now;
  }

  /// How many of the statements that were run begin with this.
  std::size_t count(std::string_view beginning) const {
    std::size_t n = 0;
    for (const auto& sql : seen) n += sql.starts_with(beginning) ? 1U : 0U;
    return n;
  }

  bool lazy = false;  ///< as drivers are that open a transaction with the first statement
  bool closed = false;
  std::function<result<void>(std::string_view sql)> before{};
  std::function<void(std::string_view sql, host_answer&)> after{};
  std::vector<std::string> seen{};

 private:
  std::unique_ptr<host_connection> next_;
};

/// The host's handle, and a table of applications.
class host {
 public:
  explicit host(const std::filesystem::path& path) : sql(path), driver_(std::make_unique<host_driver>(sql.handle())) {
    sql.run("CREATE TABLE IF NOT EXISTS application (id INTEGER PRIMARY KEY, stage TEXT NOT NULL UNIQUE)");
  }

  plain_sql sql;  ///< statements of the host's own

  host_driver& driver() { return *driver_; }
  void begin(const char* how = "BEGIN") { sql.run(how); }
  void commit() { sql.run("COMMIT"); }
  void roll_back() { sql.run("ROLLBACK"); }
  void put(const std::string& stage) { sql.run("INSERT INTO application (stage) VALUES ('" + stage + "')"); }

 private:
  std::unique_ptr<host_driver> driver_;  // its statements go before the handle
};

}  // namespace hirenow::test
