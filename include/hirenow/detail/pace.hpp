#pragma once
/// How fast mail may leave: so many a minute, spread evenly, and after a rest no more than a second's worth at once. It
/// is the virtual scheduling form of the generic cell rate algorithm (ITU-T I.371).
///
/// Threads: a pace serves one at a time, a rate any.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace hirenow::detail {

class pace {
 public:
  using clock = std::chrono::steady_clock;

  /// `per_minute` is at least 1.
  explicit pace(std::uint32_t per_minute)
      : gap_(std::chrono::duration_cast<clock::duration>(std::chrono::minutes(1)) / per_minute),
        at_once_(std::max<clock::duration>(gap_, std::chrono::seconds(1))) {}

  /// Lets through as many as may go now, at most `wanted`. Returns how many.
  std::size_t take(clock::time_point now, std::size_t wanted) {
    const auto used = std::max(full_at_ - now, clock::duration::zero());
    if (used >= at_once_) return 0;
    const auto room = static_cast<std::size_t>((at_once_ - used) / gap_);
    const std::size_t taken = std::min(room, wanted);
    full_at_ = std::max(full_at_, now) + gap_ * static_cast<clock::rep>(taken);
    return taken;
  }
  /// Takes back what was let through and did not go.
  void give_back(std::size_t count) { full_at_ -= gap_ * static_cast<clock::rep>(count); }

  /// The instant from which one may go.
  clock::time_point next() const { return full_at_ - (at_once_ - gap_); }

  /// Gives out instants at which one each may go, to those who cannot go now.
  clock::time_point put_off() {
    put_off_until_ = std::max(put_off_until_ + gap_, next());
    return put_off_until_;
  }
  /// True where nothing is remembered that matters at `now`.
  bool is_at_rest(clock::time_point now) const { return full_at_ <= now && put_off_until_ <= now; }

 private:
  clock::duration gap_;
  clock::duration at_once_;
  clock::time_point full_at_{};  ///< when all that was let through has had its place
  clock::time_point put_off_until_{};
};

/// A dispatcher's limits: of all its mail, and of one tenant's. 0 is no limit.
class mail_rate {
 public:
  using clock = pace::clock;

  mail_rate(std::uint32_t per_minute, std::uint32_t per_minute_of_tenant) : of_tenant_(per_minute_of_tenant) {
    if (per_minute > 0) all_.emplace(per_minute);
  }

  /// Takes as many mails for sent as may go now, at most `wanted`. Returns how many.
  std::size_t take(clock::time_point now, std::size_t wanted) {
    const std::lock_guard lock(mutex_);
    return all_ ? all_->take(now, wanted) : wanted;
  }
  /// Of these so many were not sent.
  void give_back(std::size_t count) {
    const std::lock_guard lock(mutex_);
    if (all_) all_->give_back(count);
  }
  /// The instant from which one may go, where none may go now.
  clock::time_point next() {
    const std::lock_guard lock(mutex_);
    return all_ ? all_->next() : clock::time_point{};
  }
  /// For how long a mail of the tenant, which was taken for sent, has to wait; nothing where it may go.
  std::optional<std::chrono::seconds> put_off(const std::string& tenant, clock::time_point now) {
    if (of_tenant_ == 0) return std::nullopt;
    const std::lock_guard lock(mutex_);
    if (tenants_.size() >= most_tenants) std::erase_if(tenants_, [&](auto& p) { return p.second.is_at_rest(now); });
    auto& its = tenants_.try_emplace(tenant, of_tenant_).first->second;
    if (its.take(now, 1) == 1) return std::nullopt;
    if (all_) all_->give_back(1);
    return std::max(std::chrono::ceil<std::chrono::seconds>(its.put_off() - now), std::chrono::seconds(1));
  }

 private:
  static constexpr std::size_t most_tenants = 10'000;  // that are remembered although they are at rest

  const std::uint32_t of_tenant_;
  std::mutex mutex_{};
  std::optional<pace> all_{};
  std::map<std::string, pace, std::less<>> tenants_{};
};

}  // namespace hirenow::detail
