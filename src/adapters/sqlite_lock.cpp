#include "sqlite_lock.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include "hirenow/crypto.hpp"
#include "hirenow/error.hpp"

namespace hirenow::detail {
namespace {

/// The lock files of this process that are open.
struct open_files {
  std::mutex mutex;
  std::vector<int> files;

  static open_files& all() {
    static open_files* const one = [] {
      auto* made = new open_files;  // outlives every store, whatever the order of destruction
      pthread_atfork([] { all().mutex.lock(); }, [] { all().mutex.unlock(); },
                     [] {
                       for (const int file : all().files) ::close(file);
                       all().files.clear();
                       all().mutex.unlock();
                     });
      return made;
    }();
    return *one;
  }
};

[[noreturn]] void raise(const std::string& what) {
  const int number = errno;
  const errc code = number == EROFS || number == EACCES || number == EPERM ? errc::store_read_only
                    : number == ENOSPC || number == EDQUOT                 ? errc::store_full
                                                                           : errc::store_unavailable;
  throw exception(fail(code, what + ": " + std::strerror(number)));
}

}  // namespace

/// The open file, and where its turn is waited for. flock(2) knows no time limit, so a thread of ours waits in it where
/// the turn is not free, and whoever wants it waits for that thread, as long as he cares to.
struct turn_lock::seat {
  explicit seat(const std::string& path) {
    auto& open = open_files::all();
    const std::lock_guard guard(open.mutex);  // no fork between opening and noting it
    open.files.reserve(open.files.size() + 1);
    file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) raise("cannot open " + path);
    open.files.push_back(file);
  }
  ~seat() {
    auto& open = open_files::all();
    const std::lock_guard guard(open.mutex);
    // In the child of a fork it is no longer there: the number may be another file's by now.
    if (std::erase(open.files, file) > 0) ::close(file);
  }

  void stand_in_line() noexcept {
    show(F_RDLCK);
    int locked;
    do locked = ::flock(file, LOCK_EX);
    while (locked != 0 && errno == EINTR);
    const int error = locked == 0 ? 0 : errno;
    show(F_UNLCK);
    const std::lock_guard guard(mutex);
    failed = error;
    in_line = false;
    if (wanted) {
      arrived = true;
      arrives.notify_one();
    } else {
      ::flock(file, LOCK_UN);
    }
  }

  /// Who stands in line holds a shared lock on a byte behind the mark, which says nothing but that.
  void show(short type) noexcept {
    struct flock standing = place(type);
    static_cast<void>(::fcntl(file, F_OFD_SETLK, &standing));  // unseen, he waits as long as it takes
  }
  bool others_stand_in_line() const noexcept {
    struct flock standing = place(F_WRLCK);
    return ::fcntl(file, F_OFD_GETLK, &standing) == 0 && standing.l_type != F_UNLCK;
  }
  static struct flock place(short type) noexcept {
    struct flock at{};
    at.l_type = type;
    at.l_whence = SEEK_SET;
    at.l_start = sizeof(std::uint64_t);
    at.l_len = 1;
    return at;
  }

  int file = -1;
  std::mutex mutex{};
  std::condition_variable arrives{};
  bool in_line = false;  // the thread waits
  bool wanted = false;   // and somebody for it
  bool arrived = false;
  int failed = 0;
};

namespace {

/// Starts a thread that takes no signal of the host's.
template <class Run>
void start_quietly(Run run) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread(std::move(run)).detach();
  } catch (const std::system_error& e) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw exception(fail(errc::store_unavailable, std::string("cannot wait for the lock: ") + e.what()));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

turn_lock::turn_lock(const std::string& path, std::chrono::milliseconds longest_wait)
    : seat_(std::make_shared<seat>(path)), longest_wait_(longest_wait) {
  std::array<std::uint8_t, sizeof own_mark_> random;
  random_bytes(random);
  std::memcpy(&own_mark_, random.data(), sizeof own_mark_);
}

/// Those who are woken need a moment until they run; whoever is running already would take the next turn before them, and
/// the one after it. One of them may have been stopped, so that moment ends.
void turn_lock::let_others_go_first() const {
  constexpr std::chrono::milliseconds some_turns{3};
  if (std::chrono::steady_clock::now() - ours_since_ < some_turns) return;
  constexpr std::chrono::microseconds moment{100};
  for (int n = 0; n < 20 && seat_->others_stand_in_line() && is_marked_by_us(); ++n)
    std::this_thread::sleep_for(moment);
}

void turn_lock::lock() {
  let_others_go_first();
  seat& s = *seat_;
  std::unique_lock guard(s.mutex);
  if (!s.in_line) {
    if (::flock(s.file, LOCK_EX | LOCK_NB) == 0) return note_whose_turn_it_was();
    if (errno != EWOULDBLOCK && errno != EINTR) raise("cannot lock");
    start_quietly([mine = seat_] { mine->stand_in_line(); });
    s.in_line = true;
  }
  s.wanted = true;
  const bool arrived = s.arrives.wait_for(guard, longest_wait_, [&] { return s.arrived; });
  s.wanted = s.arrived = false;
  if (!arrived) throw exception(fail(errc::store_busy, "another process kept its turn for too long"));
  if (s.failed != 0) {
    errno = std::exchange(s.failed, 0);
    raise("cannot lock");
  }
  note_whose_turn_it_was();
}

void turn_lock::note_whose_turn_it_was() {
  if (!is_marked_by_us()) ours_since_ = std::chrono::steady_clock::now();
}

void turn_lock::mark() {
  if (::pwrite(seat_->file, &own_mark_, sizeof own_mark_, 0) < 0) raise("cannot write the lock file");
}

bool turn_lock::is_marked_by_us() const {
  std::uint64_t found = 0;
  if (::pread(seat_->file, &found, sizeof found, 0) < 0) raise("cannot read the lock file");
  return found == own_mark_;
}

void turn_lock::unlock() noexcept { ::flock(seat_->file, LOCK_UN); }

}  // namespace hirenow::detail
