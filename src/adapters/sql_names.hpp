#pragma once
/// Tenants and tracks have short numbers inside the database. This remembers them.
///
/// Only what a reader has seen is remembered: it was committed, and rows of these two tables never change.
/// Threads: serves any thread.

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace hirenow::detail {

class sql_names {
 public:
  std::optional<std::int64_t> tenant(std::string_view name) const {
    const std::shared_lock lock(mutex_);
    const auto at = tenants_.find(name);
    return at == tenants_.end() ? std::nullopt : std::optional(at->second);
  }
  std::optional<std::int64_t> track(std::int64_t tenant_no, std::string_view name) const {
    const std::shared_lock lock(mutex_);
    const auto of = tracks_.find(tenant_no);
    if (of == tracks_.end()) return std::nullopt;
    const auto at = of->second.find(name);
    return at == of->second.end() ? std::nullopt : std::optional(at->second);
  }
  std::optional<std::string> track_name(std::int64_t track_no) const {
    const std::shared_lock lock(mutex_);
    const auto at = track_names_.find(track_no);
    return at == track_names_.end() ? std::nullopt : std::optional(at->second);
  }

  void remember_tenant(std::string_view name, std::int64_t tenant_no) {
    const std::unique_lock lock(mutex_);
    if (tenants_.size() < most) tenants_.emplace(name, tenant_no);
  }
  void remember_track(std::int64_t tenant_no, std::string_view name, std::int64_t track_no) {
    const std::unique_lock lock(mutex_);
    if (track_names_.size() >= most) return;
    tracks_[tenant_no].emplace(name, track_no);
    track_names_.emplace(track_no, name);
  }

 private:
  using numbers = std::map<std::string, std::int64_t, std::less<>>;
  static constexpr std::size_t most = 100'000;  // beyond that the database is asked each time

  mutable std::shared_mutex mutex_;
  numbers tenants_;
  std::map<std::int64_t, numbers> tracks_;  // by tenant
  std::map<std::int64_t, std::string> track_names_;
};

}  // namespace hirenow::detail
