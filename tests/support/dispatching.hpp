#pragma once
/// What tests of dispatchers share: time that passes when the test says so, many messages, and how they fared.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "hirenow/dispatcher.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

namespace hirenow::test {

/// Time for a dispatcher that passes when the test says so: what the clock on the wall shows is another matter.
class manual_steady {
 public:
  std::chrono::steady_clock::time_point now() const { return std::chrono::steady_clock::time_point(passed_.load()); }
  void advance(std::chrono::steady_clock::duration by) {
    for (auto before = passed_.load(); !passed_.compare_exchange_weak(before, before + by);) {
    }
  }
  dispatcher_options in(dispatcher_options options) const {
    options.steady_now = [this] { return now(); };
    return options;
  }

 private:
  std::atomic<std::chrono::steady_clock::duration> passed_{std::chrono::hours(1)};
};

/// Lets time fly for a dispatcher, a tenth of a second every other millisecond.
inline std::jthread let_time_fly(manual_steady& time, dispatcher& d) {
  return std::jthread([&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); std::this_thread::sleep_for(2ms)) {
      time.advance(100ms);
      d.wake();
    }
  });
}

/// Waits for what another thread is going to do. Long, because it is only as long as a failure takes.
inline bool in_the_end(const std::function<bool()>& it_holds, std::chrono::milliseconds patience = 60s) {
  for (const auto end = std::chrono::steady_clock::now() + patience; std::chrono::steady_clock::now() < end;) {
    if (it_holds()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return it_holds();
}

inline void schedule_many(engine& e, const world& w, int many) {
  for (int n = 0; n < many; ++n) {
    auto terms = w.terms();
    terms.applicant.id = "app" + std::to_string(n);
    terms.applicant.email = terms.applicant.id + "@example.org";
    e.schedule(terms, w.recruiter).value();
  }
}
inline void schedule_many(world& w, int many) { schedule_many(w.bench, w, many); }

inline std::size_t count_in(const world& w, message_state s) {
  std::size_t all = 0;
  std::optional<message_key> after;
  for (;;) {
    const auto page = w.data->messages({.tenant = acme, .state = s, .after = after, .limit = 500}).value();
    all += page.size();
    if (page.size() < 500) return all;
    after = page.back().key;
  }
}

/// Every mail came once.
inline bool each_once(const recording_mailer& box, std::size_t many) {
  const auto copies = box.copies();
  return copies.size() == many &&
         std::all_of(copies.begin(), copies.end(), [](const auto& c) { return c.second == 1; });
}

}  // namespace hirenow::test
