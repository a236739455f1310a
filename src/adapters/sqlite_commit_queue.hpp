#pragma once
/// Where callers queue to be committed together. Whoever finds nobody leading leads: takes all that wait, commits them,
/// tells them, and hands the lead to the first that came meanwhile. A lone caller waits for nobody; no thread is kept.
///
/// Threads: serves any thread.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "hirenow/error.hpp"

namespace hirenow::detail {

/// One caller's work. Lives on the caller's stack until it is told.
template <class Session>
struct commit_job {
  std::function<void(Session&)> run;
  std::optional<error> failure{};

  enum : int { waiting, leading, told };
  std::atomic<int> state{waiting};
};

template <class Session>
class commit_queue {
 public:
  using job = commit_job<Session>;
  using group = std::vector<job*>;

  /// Queues the job, and returns when it was committed or has failed. `lead` is called where this caller is to lead; it
  /// must take the group with `take()` and give it to `tell()`.
  template <class Lead>
  void submit(job& mine, Lead lead) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(&mine);
      if (!led_) {
        led_ = true;
        mine.state.store(job::leading, std::memory_order_relaxed);
      }
    }
    mine.state.wait(job::waiting, std::memory_order_acquire);
    if (mine.state.load(std::memory_order_acquire) == job::told) return;
    leader_ = &mine;
    lead();
    pass_on();
  }

  /// Does `work` as the leader where nobody leads, without a job; otherwise returns false at once. Whoever queues
  /// meanwhile waits until it is done.
  template <class Work>
  bool try_lead(Work work) {
    {
      const std::lock_guard lock(mutex_);
      if (led_) return false;
      led_ = true;
    }
    struct at_end {
      commit_queue& queue;
      ~at_end() { queue.pass_on(); }
    } const then{*this};
    work();
    return true;
  }

  /// All that wait now, the leader among them. For the leader.
  group take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }

  /// Adds to the group who came meanwhile, the first first, until it has so many. For the leader.
  void take_more(group& to, std::size_t most) {
    const std::lock_guard lock(mutex_);
    if (to.size() >= most) return;
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), most - to.size()));
    to.insert(to.end(), waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
  }

  /// Tells all but the leader, who knows. Their jobs are gone as soon as they know. For the leader.
  void tell(const group& done) {
    for (job* one : done)
      if (one != leader_) wake(*one, job::told);
  }

 private:
  /// Hands the lead to the first that waits.
  void pass_on() {
    job* next = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty())
        led_ = false;
      else
        next = waiting_.front();
    }
    if (next) wake(*next, job::leading);
  }

  static void wake(job& one, int state) {
    one.state.store(state, std::memory_order_release);
    one.state.notify_one();
  }

  std::mutex mutex_;
  group waiting_;
  bool led_ = false;
  job* leader_ = nullptr;  // the leader's alone
};

}  // namespace hirenow::detail
