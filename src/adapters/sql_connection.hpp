#pragma once
/// The seam below the SQL: whatever can run a statement with parameters. The statements are written once, over this;
/// a driver adapts its own connection to it, and so may one that belongs to the host.
///
/// Failures are thrown as `hirenow::exception`; the store's outermost calls turn them into results.
/// Threads: one at a time.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "hirenow/interview.hpp"

namespace hirenow::detail {

/// A parameter: nothing, an integer, a real, text or bytes. Borrows what it names.
class sql_value {
 public:
  enum class kind : std::uint8_t { null, integer, real, text, bytes };

  constexpr sql_value() = default;
  template <class Integer>
    requires std::is_integral_v<Integer>
  constexpr sql_value(Integer n) : kind_(kind::integer), integer_(saturated(n)) {}
  template <class Enum>
    requires std::is_enum_v<Enum>
  constexpr sql_value(Enum e) : kind_(kind::integer), integer_(static_cast<std::int64_t>(e)) {}
  constexpr sql_value(double r) : kind_(kind::real), real_(r) {}
  constexpr sql_value(std::string_view t) : kind_(kind::text), size_(t.size()), data_(t.data()) {}
  sql_value(const std::string& t) : sql_value(std::string_view(t)) {}
  constexpr sql_value(seconds s) : sql_value(s.count()) {}
  constexpr sql_value(sys_seconds t) : sql_value(t.time_since_epoch().count()) {}
  sql_value(const interview_id& id) : sql_value(bytes({reinterpret_cast<const char*>(id.data), sizeof id.data})) {}
  template <std::size_t Size>
  sql_value(const std::array<std::uint8_t, Size>& b)
      : sql_value(bytes({reinterpret_cast<const char*>(b.data()), Size})) {}
  template <class T>
  sql_value(const std::optional<T>& maybe) : sql_value(maybe ? sql_value(*maybe) : sql_value()) {}

  static sql_value bytes(std::string_view b) {
    sql_value v(b);
    v.kind_ = kind::bytes;
    return v;
  }

  kind what() const { return kind_; }
  std::int64_t integer() const { return integer_; }
  double real() const { return real_; }
  /// Text or bytes; the pointer is never null.
  std::string_view view() const { return data_ ? std::string_view(data_, size_) : std::string_view("", 0); }

 private:
  /// No column holds more: what is greater than all is so still.
  template <class Integer>
  static constexpr std::int64_t saturated(Integer n) {
    if constexpr (std::is_unsigned_v<Integer>)
      return static_cast<std::int64_t>(
          std::min<std::uint64_t>(n, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
    else
      return n;
  }

  kind kind_ = kind::null;
  std::size_t size_ = 0;
  union {
    std::int64_t integer_ = 0;
    double real_;
    const char* data_;
  };
};

/// A row of an answer. Borrows: good until the next row.
class sql_row {
 public:
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  virtual std::string_view bytes(int column) const = 0;

  template <class Integer = std::uint64_t>
  Integer number(int column) const {
    return static_cast<Integer>(integer(column));
  }
  sys_seconds instant(int column) const { return sys_seconds{seconds{integer(column)}}; }
  std::optional<sys_seconds> maybe_instant(int column) const {
    const sys_seconds at = instant(column);  // 0 where there is none, which is asked for less often
    return at == sys_seconds{} && is_null(column) ? std::nullopt : std::optional(at);
  }
  std::string string(int column) const { return std::string(text(column)); }
  /// Bytes of a known length; a shorter value is filled up with zeros.
  template <class Array>
  Array array(int column) const {
    Array out{};
    const auto from = bytes(column);
    std::memcpy(&out, from.data(), std::min(from.size(), sizeof out));
    return out;
  }
  interview_id id(int column) const { return array<interview_id>(column); }
  std::optional<interview_id> maybe_id(int column) const {
    return bytes(column).empty() ? std::nullopt : std::optional(id(column));
  }

 protected:
  ~sql_row() = default;
};

/// Something to be called for each row. Borrows the callable.
class row_taker {
 public:
  template <class Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, row_taker>)
  row_taker(Callable&& take)
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(take)))),
        call_([](void* object, const sql_row& row) {
          (*static_cast<std::remove_reference_t<Callable>*>(object))(row);
        }) {}
  void operator()(const sql_row& row) const { call_(object_, row); }

 private:
  void* object_;
  void (*call_)(void*, const sql_row&);
};

/// Whose SQL a connection speaks. The statements are one text for both, but for a few whose tables differ.
enum class sql_dialect : std::uint8_t { sqlite, postgresql };

/// A connection inside an open transaction.
class sql_connection {
 public:
  virtual ~sql_connection() = default;

  virtual sql_dialect dialect() const { return sql_dialect::sqlite; }

  /// Runs one statement and hands each row of its answer to `take`. `sql` must live as long as the program: prepared
  /// statements are kept by its address. Parameters are written $1, $2, …; no other $ may stand in it.
  /// Returns how many rows the statement changed.
  virtual std::int64_t execute(const char* sql, std::span<const sql_value> parameters, row_taker take) = 0;

  /// Runs one statement whose answer is not needed before `finish()`. Where the way to the database is long it is sent
  /// together with what follows; a failure comes then. `take` and `changed`, which is told how many rows the statement
  /// changed, must live until `finish()` or `execute()`.
  virtual void post(const char* sql, std::span<const sql_value> parameters, row_taker take,
                    std::int64_t* changed = nullptr) {
    const auto count = execute(sql, parameters, take);
    if (changed) *changed = count;
  }
  /// As above, for an INSERT, UPDATE or DELETE that has to change exactly one row: where it does not, nothing that
  /// comes after it is done, and it fails with `otherwise`.
  virtual void post_one(const char* sql, std::span<const sql_value> parameters, errc otherwise, const char* why) {
    if (execute(sql, parameters, [](const sql_row&) {}) != 1) throw exception(fail(otherwise, why));
  }
  /// A number for a new record; PostgreSQL's alone, where it is wanted before the row is sent.
  virtual std::int64_t new_applicant_no() {
    std::int64_t number = 0;
    execute("SELECT nextval('main.hirenow_applicant_no')", {}, [&](const sql_row& row) { number = row.integer(0); });
    return number;
  }
  /// Waits for all that was posted; nothing more comes in this transaction, so a connection that has begun it itself
  /// ends it along with that. Throws what the first that failed did.
  virtual void finish() {}

  /// Runs one statement that is needed once: it has no parameters, answers nothing and is not kept.
  virtual void run(const std::string& sql) = 0;

  std::int64_t execute(const char* sql, std::initializer_list<sql_value> parameters, row_taker take) {
    return execute(sql, std::span(parameters.begin(), parameters.size()), take);
  }
  std::int64_t execute(const char* sql, std::initializer_list<sql_value> parameters) {
    return execute(sql, parameters, [](const sql_row&) {});
  }
  void post(const char* sql, std::initializer_list<sql_value> parameters, row_taker take = nothing) {
    post(sql, std::span(parameters.begin(), parameters.size()), take);
  }
  void post(const char* sql, std::initializer_list<sql_value> parameters, std::int64_t& changed) {
    post(sql, std::span(parameters.begin(), parameters.size()), nothing, &changed);
  }
  void post_one(const char* sql, std::initializer_list<sql_value> parameters, errc otherwise, const char* why) {
    post_one(sql, std::span(parameters.begin(), parameters.size()), otherwise, why);
  }

 protected:
  static constexpr auto take_nothing = [](const sql_row&) {};
  static inline const row_taker nothing{take_nothing};
};

}  // namespace hirenow::detail
