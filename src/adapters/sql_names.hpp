#pragma once
/// Tenants, tracks and applicants have short numbers inside the database. This remembers them: all tenants and tracks,
/// and of the applicants those that were loaded last, because most of these are about to be written.
///
/// Only what a reader has seen is remembered: it was committed, and the names in these tables never change.
/// Threads: serves any thread.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

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

  std::optional<std::int64_t> applicant(std::int64_t tenant_no, std::string_view id) const {
    const std::shared_lock lock(mutex_);
    const auto of = applicants_.find(tenant_no);
    if (of == applicants_.end()) return std::nullopt;
    const auto at = of->second.find(id);
    return at == of->second.end() ? std::nullopt : std::optional(at->second);
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
  void remember_applicant(std::int64_t tenant_no, std::string_view id, std::int64_t applicant_no) {
    const std::unique_lock lock(mutex_);
    if (applicant_count_ == most_applicants) {
      applicants_.clear();
      applicant_count_ = 0;
    }
    if (applicants_[tenant_no].emplace(id, applicant_no).second) ++applicant_count_;
  }

 private:
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using numbers = std::unordered_map<std::string, std::int64_t, text_hash, std::equal_to<>>;
  static constexpr std::size_t most = 100'000;  // beyond that the database is asked each time

  static constexpr std::size_t most_applicants = 1000;  // then all are forgotten
  mutable std::shared_mutex mutex_;
  numbers tenants_;
  std::unordered_map<std::int64_t, numbers> tracks_;  // by tenant
  std::unordered_map<std::int64_t, std::string> track_names_;
  std::unordered_map<std::int64_t, numbers> applicants_;  // by tenant
  std::size_t applicant_count_ = 0;
};

}  // namespace hirenow::detail
