#include "bare_outbox.hpp"

#include <stdexcept>
#include <utility>

namespace bench {

bare_outbox::bare_outbox(std::unique_ptr<bare_database> in, std::size_t senders, std::size_t mails,
                         std::size_t settle_at)
    : mails_(mails), settle_at_(settle_at), in_(std::move(in)), at_(senders) {
  clerk_ = std::thread([this] { clerk(); });
}

bare_outbox::~bare_outbox() {
  if (clerk_.joinable()) clerk_.join();
}

void bare_outbox::finish() {
  clerk_.join();
  if (in_->unsettled() != 0) throw std::runtime_error("bare: not everything was settled");
}

void bare_outbox::before(std::size_t sender) {
  {
    std::unique_lock lock(mutex_);
    claimed_.wait(lock, [&] { return !queue_.empty(); });
    at_[sender] = queue_.back();
    queue_.pop_back();
    if (queue_.size() == 500) answered_.notify_one();
  }
  in_->look(sender, at_[sender]);
}

void bare_outbox::after(std::size_t sender) {
  const std::lock_guard lock(mutex_);
  answers_.push_back(at_[sender]);
  if (answers_.size() == settle_at_ || settled_ + answers_.size() == mails_) answered_.notify_one();
}

void bare_outbox::clerk() {
  bool more = true;
  for (std::unique_lock lock(mutex_); settled_ < mails_;) {
    if (more && queue_.size() <= 500) {
      lock.unlock();
      const auto fresh = in_->claim();
      lock.lock();
      more = !fresh.empty();
      queue_.insert(queue_.begin(), fresh.rbegin(), fresh.rend());
      claimed_.notify_all();
      continue;
    }
    if (answers_.size() >= settle_at_ || (!answers_.empty() && settled_ + answers_.size() == mails_)) {
      const auto done = std::exchange(answers_, {});
      lock.unlock();
      in_->settle(done);
      lock.lock();
      settled_ += done.size();
      continue;
    }
    answered_.wait(lock);
  }
}

}  // namespace bench
