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
#include <cstdint>
#include <functional>
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
  std::string schema = "hirenow";  ///< where the tables stand; made where it is missing
  std::size_t connections = 8;     ///< at most, 1 or more, made when first needed; a dispatcher of N workers uses N + 2
  std::chrono::milliseconds connect_timeout{5'000};  ///< until a connection stands
  std::chrono::milliseconds call_timeout{30'000};    ///< for a whole call, waiting for a connection included
  bool prepared_statements = true;  ///< keep statements in the session; not behind a pooler that pools transactions
  bool create_tables = true;        ///< bring the tables to this version; else they have to be there
  postgres_clock clock = postgres_clock::database;
  /// Turn on row security for the tables, which takes their owner; no store turns it off again. The database then shows
  /// a call for one tenant that tenant's rows and no other, whatever the statement says; superusers are above it. Every
  /// store that is opened later, and every transaction that is joined, notices that it is on.
  bool row_security = false;
  /// After a commit that promised mail, say so to whoever listens: see `listen_for_mail`. It is said behind the commit,
  /// which it neither lengthens nor fails, by a thread of the store's, and not more often than every `announce_every`.
  bool announces_mail = false;
  std::chrono::milliseconds announce_every{5};
};

/// Connects, and brings the tables to this version under a lock that other processes wait for. `conninfo` is a URL
/// (postgresql://…) or a list of words, as libpq has it:
/// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
/// Returns the store.
/// Errors: invalid_argument, store_unavailable, store_busy, store_read_only where the role may not do what it has to,
/// schema_too_new, schema_damaged.
/// Owns: the caller owns the store and must end every call on it before destroying it.
result<std::unique_ptr<store>> open_postgres_store(const std::string& conninfo, const postgres_options& options = {});

/// Somebody who listens; destroying it ends that.
class mail_listener {
 public:
  virtual ~mail_listener() = default;
};

/// Calls `wake` when a store that announces mail has promised some, and once when it begins to listen, from then on at
/// every new beginning. Give it `dispatcher::wake`: then mail leaves within milliseconds. What is said while nobody
/// listens is lost, so a dispatcher polls all the same. It has a thread and a connection of its own, which is made anew
/// where it broke; a pooler that pools transactions cannot carry it.
/// Returns the listener, never null, before there is a connection.
/// Errors: invalid_argument.
/// Threads: `wake` is called on the listener's thread and must not throw or destroy the listener.
result<std::unique_ptr<mail_listener>> listen_for_mail(const std::string& conninfo, const std::string& schema,
                                                       std::function<void()> wake);

}  // namespace hirenow
