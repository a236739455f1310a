#pragma once
/// A lock on a file that processes take in turn (flock(2)): whoever had the last turn lets those who wait go first.
/// SQLite's own busy handler starves whoever sleeps in it, and so does flock alone, depending on the kernel.
///
/// The lock belongs to the open file, which the child of a fork would share and keep alive after its parent's death; so
/// a child closes it at once.
/// Threads: one at a time.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace hirenow::detail {

class turn_lock {
 public:
  /// Opens the file, and makes it where there is none. Throws store_read_only, store_full, store_unavailable.
  turn_lock(const std::string& path, std::chrono::milliseconds longest_wait);
  turn_lock(const turn_lock&) = delete;
  turn_lock& operator=(const turn_lock&) = delete;

  /// Waits for its turn, but no longer than was said: whoever has it may have been stopped. Throws store_busy,
  /// store_unavailable.
  void lock();
  void unlock() noexcept;

  /// Leaves our mark, in our turn. Throws store_full, store_unavailable.
  void mark();
  /// True where nobody has left a mark since ours. Throws store_unavailable.
  bool is_marked_by_us() const;

 private:
  void let_others_go_first() const;
  void note_whose_turn_it_was();

  struct seat;
  std::shared_ptr<seat> seat_;
  std::chrono::milliseconds longest_wait_;
  std::uint64_t own_mark_ = 0;
  std::chrono::steady_clock::time_point ours_since_{};  ///< when a turn was taken after another's
};

}  // namespace hirenow::detail
