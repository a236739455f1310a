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

namespace bench {

/// An outbox in a minimal schema. One thread claims and settles; senders look, each over a connection of its own.
/// All throw std::runtime_error where something is not as it has to be.
class bare_database {
 public:
  virtual ~bare_database() = default;
  /// Takes at most 1,000 messages under a lease. Returns their numbers.
  virtual std::vector<std::int64_t> claim() = 0;
  /// Looks whether a link still stands.
  virtual void look(std::size_t sender, std::int64_t message) = 0;
  virtual void settle(const std::vector<std::int64_t>& messages) = 0;
  virtual std::size_t unsettled() = 0;
};

/// In a new file, at FULL durability.
std::unique_ptr<bare_database> bare_sqlite(const std::string& file, std::size_t senders, std::size_t mails);
/// In a schema `bare`, which takes the place of an older one. A claim and a settlement are one statement each.
std::unique_ptr<bare_database> bare_server(const std::string& url, std::size_t senders, std::size_t mails);

/// The dispatcher over it, without its mail.
class bare_outbox {
 public:
  /// Begins to claim. `settle_at`: answers to a commit.
  bare_outbox(std::unique_ptr<bare_database> in, std::size_t senders, std::size_t mails, std::size_t settle_at);
  /// Returns when all is settled. Throws std::runtime_error where a message was not settled.
  void finish();
  ~bare_outbox();

  /// Takes the next message, and looks whether its link still stands. On a sender's thread.
  void before(std::size_t sender);
  /// Hands in the answer.
  void after(std::size_t sender);

 private:
  void clerk();

  const std::size_t mails_;
  const std::size_t settle_at_;
  const std::unique_ptr<bare_database> in_;
  std::vector<std::int64_t> at_;  ///< by sender: the message in its hands
  std::mutex mutex_;
  std::condition_variable claimed_, answered_;
  std::vector<std::int64_t> queue_, answers_;
  std::size_t settled_ = 0;
  std::thread clerk_;
};

}  // namespace bench
