#pragma once
/// The PostgreSQL store: one database, many processes on many machines. PostgreSQL 14 or later.
///
/// A use case costs two round trips: one to load, one that writes everything and fails by itself where somebody else
/// was faster. The tables are named `hirenow_…` and stand in a schema of their own; what the lifecycle forbids, the
/// database refuses to whoever writes to it. Nothing depends on search_path, time zone or date style. Transactions are
/// as durable as the server's `synchronous_commit` says.
///
/// Every call has a deadline. A connection that broke is replaced, a read is made again on the next one, and so is a
/// commit: by the hash of its audit entries the store knows whether the broken one was done.
/// Threads: the store serves any thread. After a fork the child must open its own: the parent's answers `forked`.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "hirenow/store.hpp"

namespace hirenow {

/// Whose clock says when a message is due and when a lease runs out.
enum class postgres_clock : std::uint8_t {
  database,  ///< the server's: machines whose clocks differ neither take a lease too early nor wait too long
  caller,    ///< the `now` of each call: for tests with a clock of their own
};

/// How a PostgreSQL store is to work.
struct postgres_options {
  std::string schema = "hirenow";                    ///< where the tables stand; made where it is missing
  std::size_t connections = 8;                       ///< at most so many at once, at least 1; made when first needed
  std::chrono::milliseconds connect_timeout{5'000};  ///< until a connection stands
  std::chrono::milliseconds call_timeout{30'000};    ///< for a whole call, waiting for a connection included
  bool prepared_statements = true;  ///< keep statements in the session; not behind a pooler that pools transactions
  bool create_tables = true;        ///< bring the tables to this version; else they have to be there
  postgres_clock clock = postgres_clock::database;
};

/// Connects, and brings the tables to this version under a lock that other processes wait for. `conninfo` is a URL
/// (postgresql://…) or a list of words, as libpq has it:
/// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
/// Returns the store.
/// Errors: invalid_argument, store_unavailable, store_busy, store_read_only where the role may not do what it has to,
/// schema_too_new, schema_damaged.
/// Owns: the caller owns the store and must end every call on it before destroying it.
result<std::unique_ptr<store>> open_postgres_store(const std::string& conninfo, const postgres_options& options = {});

}  // namespace hirenow
