#include "sqlite_lock.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
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

turn_lock::turn_lock(const std::string& path) {
  std::array<std::uint8_t, sizeof own_mark_> random;
  random_bytes(random);
  std::memcpy(&own_mark_, random.data(), sizeof own_mark_);
  auto& open = open_files::all();
  const std::lock_guard guard(open.mutex);  // no fork between opening and noting it
  open.files.reserve(open.files.size() + 1);
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) raise("cannot open " + path);
  open.files.push_back(file_);
}

turn_lock::~turn_lock() {
  auto& open = open_files::all();
  const std::lock_guard guard(open.mutex);
  // In the child of a fork it is no longer there: the number may be another file's by now.
  if (std::erase(open.files, file_) > 0) ::close(file_);
}

void turn_lock::lock() {
  while (::flock(file_, LOCK_EX) != 0)
    if (errno != EINTR) raise("cannot lock");
}

void turn_lock::mark() {
  if (::pwrite(file_, &own_mark_, sizeof own_mark_, 0) < 0) raise("cannot write the lock file");
}

bool turn_lock::is_marked_by_us() const {
  std::uint64_t found = 0;
  if (::pread(file_, &found, sizeof found, 0) < 0) raise("cannot read the lock file");
  return found == own_mark_;
}

void turn_lock::unlock() noexcept { ::flock(file_, LOCK_UN); }

}  // namespace hirenow::detail
