#pragma once
/// The host's own connection: what a host implements so that hirenow runs its SQL through it, and what is made of that.
///
/// `join_transaction` is for transactions of the host's, in which hirenow's rows and the host's commit or roll back
/// together: hirenow neither begins nor ends them. `open_sqlite_store_through` is for a whole store, in a process where
/// only the host's copy of SQLite may touch the file: two copies lose each other's locks
/// (https://sqlite.org/howtocorrupt.html §2.2.1).
///
/// Link `hirenow::sqlite` or `hirenow::postgres`. The SQL is SQLite's or PostgreSQL's, as the connection says.
/// Threads: a connection is used by one call at a time.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/error.hpp"
#include "hirenow/store.hpp"

struct sqlite3;
struct pg_conn;  // libpq's PGconn

namespace hirenow {

/// A parameter of a statement: NULL, an integer, a real, text in UTF-8, or bytes. Borrowed for the call.
using host_parameter = std::variant<std::monostate, std::int64_t, double, std::string_view, std::span<const std::byte>>;

/// A value of a row: NULL, an integer, a real; text in UTF-8 and bytes are both a string.
using host_value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// All that a statement answers.
struct host_answer {
  std::vector<std::vector<host_value>> rows{};
  std::int64_t count = 0;  ///< rows that an INSERT, UPDATE or DELETE changed; else anything
};

/// How a connection stands to transactions.
enum class host_transaction : std::uint8_t {
  none,           ///< none is open, and a statement would commit by itself
  begins_lazily,  ///< none is open yet: what the host runs next would open one, which only the host ends
  open,
};

/// Whose SQL a connection speaks.
enum class host_dialect : std::uint8_t { sqlite, postgresql };

/// A connection, as a driver of two functions. It tells of a failure by returning an error, best one that
/// `sqlite_error` or `postgres_error` made, or by throwing. A thrown exception that is not hirenow's own passes through
/// the engine's call and reaches its caller as it was thrown, once what the call had written is undone.
/// Threads: Must be usable on whichever thread calls the store.
class host_connection {
 public:
  virtual ~host_connection() = default;

  /// Runs one statement to its end. Each `?` in it takes the next parameter; there is no other `?`. Must bring all
  /// rows, with values as they lie in the table, whatever factories and converters the host has set. Must not begin or
  /// end a transaction beside what the statement says. May keep prepared statements by their text: they are few.
  virtual result<host_answer> execute(std::string_view sql, std::span<const host_parameter> parameters) = 0;

  /// Must say how the connection stands now, without changing it.
  virtual result<host_transaction> in_transaction() = 0;

  /// Must say the same every time. With PostgreSQL parameters are of the types bigint, double precision, text and
  /// bytea, and so are the values of rows, but for counts and flags that may be any integer or a boolean; each `?`
  /// stands inside a cast to its type, and no other `?` nor any `%` stands in a statement.
  virtual host_dialect dialect() const { return host_dialect::sqlite; }
};

/// What a failure means to hirenow: an error for a driver to return.
/// `code` is SQLite's extended result code (https://sqlite.org/rescode.html), `text` its message; where a driver does
/// not know the code it says 0, and the message decides.
/// Returns store_busy, retry_transaction, store_full, constraint_violated and the like; never fails.
error sqlite_error(int code, std::string_view text);

/// The same for a PostgreSQL driver: `sqlstate` has five characters, or is empty where there was no answer;
/// `constraint` names the constraint that was violated, where the driver knows.
error postgres_error(std::string_view sqlstate, std::string_view text, std::string_view constraint = {});

/// Makes a connection of a SQLite handle. It never begins lazily. Keep it beside the handle: it keeps what it prepared.
/// Returns the connection, never null. Where there is no handle, its calls answer store_unavailable.
/// Owns: borrows the handle, and keeps statements on it; it must go before the handle is closed.
std::unique_ptr<host_connection> host_connection_of(sqlite3* handle);

/// Makes a connection of a PostgreSQL handle of libpq's, which must not be in pipeline mode. It never begins lazily.
/// Link `hirenow::postgres`.
/// Returns the connection, never null. Where there is no handle, its calls answer store_unavailable.
/// Owns: borrows the handle; the connection must go before the handle is closed.
std::unique_ptr<host_connection> host_connection_of(pg_conn* handle);

/// How a transaction is joined.
struct join_options {
  std::string schema = "hirenow";  ///< PostgreSQL: where hirenow's tables stand
  bool create_tables = false;      ///< make hirenow's tables where there are none, in the host's transaction
};

/// Makes a store for transactions of the host's: give it to `engine::on`. Nothing is run yet.
///
/// Every call needs an open transaction; one that begins lazily is made to begin (in SQLite with BEGIN IMMEDIATE), by
/// reading too: what was read is about to be decided on. A call runs under a savepoint, so that a failure of ours
/// leaves the host's transaction as it was, and usable. The store may be kept as long as its connection; it remembers
/// nothing of the database but that its tables are right, which the first call checks.
///
/// Errors of every call, beside a store's: no_transaction; schema_damaged where hirenow's tables are missing;
/// retry_transaction where somebody else committed or holds the lock, so that only the host can repeat its transaction
/// from the start; invalid_argument with the reason "concurrent_use" where another call is at work, and with the reason
/// "host_transaction" from `claim` and `settle`, since a lease must be committed before anything is sent.
/// Owns: the caller owns the store, which borrows the connection.
/// Threads: one call at a time.
result<std::unique_ptr<store>> join_transaction(host_connection& connection, const join_options& options = {});

/// Opens a connection to the file that the store is of, with which no statement begins a transaction by itself. Called
/// when the store is opened, and for each of its readers when one is first needed.
using host_connection_opener = std::function<result<std::unique_ptr<host_connection>>()>;

/// Opens the store of a SQLite file as `open_sqlite_store` does, but touches the file through the host's connections
/// alone. `path` must be the file they open; the lock file lies beside it.
/// Returns the store. What a driver throws becomes an error of the call.
/// Errors: those of `open_sqlite_store`, and the opener's.
/// Owns: the caller owns the store, which owns the connections.
/// Threads: the store serves any thread; a connection serves several, one at a time.
result<std::unique_ptr<store>> open_sqlite_store_through(const std::string& path, host_connection_opener open,
                                                         const sqlite_options& options = {});

}  // namespace hirenow
