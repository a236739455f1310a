#pragma once
/// A mail server that throws everything away, fast: what a mailer is measured against. One thread, epoll. It
/// offers PIPELINING, as the common servers do; libcurl makes no use of that.
///
/// Threads: the counters may be read from any.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace bench {

/// Listens on a free port of the loopback from its construction to its destruction.
class smtp_sink {
 public:
  /// It answers everything at once, but a whole mail only after so long, as a server does that stores it first. Throws
  /// std::system_error.
  explicit smtp_sink(std::chrono::milliseconds takes_a_mail = {});
  ~smtp_sink();
  smtp_sink(const smtp_sink&) = delete;
  smtp_sink& operator=(const smtp_sink&) = delete;

  std::uint16_t port() const { return port_; }
  /// Mails taken so far.
  std::uint64_t mails() const { return mails_; }
  /// Bytes of these mails, final dots left out.
  std::uint64_t bytes() const { return bytes_; }
  /// Connections taken so far.
  std::uint64_t connections() const { return connections_; }

 private:
  void serve();

  const std::chrono::milliseconds takes_a_mail_;
  int listener_ = -1;
  int epoll_ = -1;
  int stop_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> mails_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> connections_{0};
  std::thread thread_;
};

}  // namespace bench
