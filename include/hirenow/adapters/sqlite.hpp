#pragma once
/// The SQLite store: one file, many threads, several processes.
///
/// Commits of many callers share one transaction and one fsync; each keeps its own result. The tables are named
/// `hirenow_…` and may live in a file of the host's; the host's journal mode is then left as it is, a file of our own
/// is switched to WAL (https://sqlite.org/wal.html). Automatic checkpoints are off on our connections: SQLite before
/// 3.51.3 can corrupt a log that two connections check-point while a third commits, so the store does it itself, under
/// the lock that its commits take.
///
/// Beside the file lies `<path>-hirenow-lock`. The store holds an flock on it while it commits, so that processes take
/// turns; a process that is stopped in the middle of a commit makes the others wait.
/// Threads: the store serves any thread. After a fork the child must open its own: the parent's answers `forked`.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hirenow/store.hpp"

namespace hirenow {

/// How much of the machine's failing a commit survives.
enum class sqlite_durability : std::uint8_t {
  full,    ///< a commit that returned survives the loss of power (`synchronous=FULL`)
  normal,  ///< it survives the death of the process; a loss of power may undo the last ones (`synchronous=NORMAL`)
};

/// How a SQLite store is to work.
struct sqlite_options {
  sqlite_durability durability = sqlite_durability::full;
  std::chrono::milliseconds busy_timeout{10'000};      ///< how long a foreign lock is waited for
  std::size_t readers = 4;                             ///< connections that read at the same time, at least 1
  std::size_t checkpoint_bytes = 64U * 1024U * 1024U;  ///< the log is copied into the file when it is this long
  /// Page cache of each connection. As long as the file is below 1 GiB, SQLite walks through all of the writing one's
  /// after many splits of a page, so that a larger one makes commits slower there.
  std::size_t cache_kib = 4U * 1024U;
  std::function<void(std::string_view)> warn{};  ///< told, once each, of what endangers the file; may be empty
};

/// Opens the file, makes it where there is none, and brings its tables to this version. Several processes may do so at
/// once.
/// Returns the store.
/// Errors: store_not_a_database, schema_too_new, schema_damaged, store_read_only, store_full, store_corrupt,
/// store_unavailable, store_busy, invalid_argument for a path that names no file.
/// Owns: the caller owns the store and must end every call on it before destroying it.
result<std::unique_ptr<store>> open_sqlite_store(const std::string& path, const sqlite_options& options = {});

}  // namespace hirenow
