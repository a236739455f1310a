#pragma once
/// A lock on a file that processes take in turn (flock(2)). SQLite's own busy handler starves whoever sleeps in it.
///
/// The lock belongs to the open file, which the child of a fork would share and keep alive after its parent's death; so
/// a child closes it at once.
/// Threads: one at a time.

#include <cstdint>
#include <string>

namespace hirenow::detail {

class turn_lock {
 public:
  /// Opens the file, and makes it where there is none. Throws store_read_only, store_full, store_unavailable.
  explicit turn_lock(const std::string& path);
  ~turn_lock();
  turn_lock(const turn_lock&) = delete;
  turn_lock& operator=(const turn_lock&) = delete;

  /// Waits for its turn. Throws store_unavailable.
  void lock();
  void unlock() noexcept;

  /// Leaves our mark, in our turn. Throws store_full, store_unavailable.
  void mark();
  /// True where nobody has left a mark since ours. Throws store_unavailable.
  bool is_marked_by_us() const;

 private:
  int file_ = -1;
  std::uint64_t own_mark_ = 0;
};

}  // namespace hirenow::detail
