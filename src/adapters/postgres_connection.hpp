#pragma once
/// One PostgreSQL connection: statements are sent ahead in libpq's pipeline mode, and their answers waited for
/// together.
///
/// Failures are thrown as `hirenow::exception`. After one the connection has to be brought to rest with `roll_back()`.
/// Threads: one at a time.

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <libpq-fe.h>

#include "sql_connection.hpp"

namespace hirenow::detail {

struct postgres_settings {
  std::string conninfo;
  std::string schema;
  bool prepared_statements = true;
};

class postgres_connection final : public sql_connection {
 public:
  using clock = std::chrono::steady_clock;

  /// Connects until then.
  postgres_connection(const postgres_settings& settings, clock::time_point deadline);
  ~postgres_connection() override;
  postgres_connection(const postgres_connection&) = delete;
  postgres_connection& operator=(const postgres_connection&) = delete;

  sql_dialect dialect() const override { return sql_dialect::postgresql; }
  using sql_connection::execute;
  using sql_connection::post;
  using sql_connection::post_one;
  std::int64_t execute(const char* sql, std::span<const sql_value> parameters, row_taker take) override;
  void post(const char* sql, std::span<const sql_value> parameters, row_taker take, std::int64_t* changed) override;
  void post_one(const char* sql, std::span<const sql_value> parameters, errc otherwise, const char* why) override;
  void finish() override { commit(); }
  void run(const std::string& sql) override;
  std::int64_t new_applicant_no() override;

  /// What follows has to be done by then.
  void set_deadline(clock::time_point deadline) { deadline_ = deadline; }
  /// Begins a transaction, with the first statement. `how` is a BEGIN.
  void begin(const char* how);
  /// Ends the transaction that was begun, if that was not done yet, and waits for all that was posted.
  void commit();
  /// Brings the connection to rest; never throws.
  void roll_back() noexcept;

  /// False once the connection has broken.
  bool is_usable() const { return usable_; }
  /// True where the connection broke, or time ran out, after a COMMIT was sent and before its answer came.
  bool outcome_is_unknown() const { return outcome_is_unknown_; }
  /// True where the last failure was one that goes away when the transaction is tried again.
  bool may_be_repeated() const { return may_be_repeated_; }
  /// Looks whether the other side has gone while nobody waited for it.
  bool has_gone();
  /// How often an answer was waited for.
  std::uint64_t round_trips() const { return round_trips_; }

  /// Forgets the connection without a word to the server: the only safe thing in the child of a fork.
  void abandon() noexcept;

 private:
  struct statement {
    std::string text;
    std::string name;
    bool is_prepared = false;
    bool is_being_prepared = false;
  };
  enum class purpose : std::uint8_t { prepare, query, commit };
  struct pending {
    purpose what;
    statement* of;
    row_taker take;
    std::int64_t* changed;
    errc otherwise;
    const char* why;  ///< nothing where the statement need not change one row
  };

  statement& known(const char* sql, bool wrapped);
  void send(statement& s, std::span<const sql_value> parameters, pending answer);
  void send_text(const char* sql, purpose what);
  /// Waits until there is something to read, or room to write where that is wanted.
  void wait(bool to_write);
  void require_sent(int sent);
  void wait_for_answers();
  void read_answers();
  [[noreturn]] void broken(std::string_view what);
  PGresult* next_result();

  PGconn* connection_ = nullptr;
  const postgres_settings& settings_;
  clock::time_point deadline_{};
  std::unordered_map<const char*, statement> statements_{};
  std::unordered_map<const char*, statement> wrapped_{};
  std::vector<pending> pending_{};
  std::int64_t next_applicant_no_ = 0, last_applicant_no_ = -1;
  std::uint64_t round_trips_ = 0;
  unsigned names_given_ = 0;
  bool usable_ = false;
  bool is_begun_ = false;
  bool commit_is_under_way_ = false;
  bool outcome_is_unknown_ = false;
  bool may_be_repeated_ = false;
};

}  // namespace hirenow::detail
