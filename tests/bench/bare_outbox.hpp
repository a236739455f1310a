#pragma once
/// The least that a dispatcher must do with a database, by prepared statements in a minimal schema: claim, look once
/// more before sending, settle. Beside libcurl with a finished mail it shows how near to libcurl alone one can come at
/// all.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sqlite3.h>

namespace bench {

/// An outbox in a file of its own, at FULL durability. One thread claims and settles; senders look.
class bare_outbox {
 public:
  /// Fills the outbox, and begins to claim. `settle_at`: answers to a commit.
  bare_outbox(const std::string& file, std::size_t senders, std::size_t mails, std::size_t settle_at);
  /// Returns when all is settled. Throws std::runtime_error where a message was not settled.
  void finish();
  ~bare_outbox();

  /// Takes the next message, and looks whether its link still stands. On a sender's thread.
  void before(std::size_t sender);
  /// Hands in the answer.
  void after(std::size_t sender);

 private:
  class connection;
  void clerk();

  const std::size_t mails_;
  const std::size_t settle_at_;
  std::unique_ptr<connection> writer_;
  std::vector<std::unique_ptr<connection>> readers_;
  std::vector<std::int64_t> at_;  ///< by sender: the message in its hands
  std::mutex mutex_;
  std::condition_variable claimed_, answered_;
  std::vector<std::int64_t> queue_, answers_;
  std::size_t settled_ = 0;
  std::thread clerk_;
};

}  // namespace bench
