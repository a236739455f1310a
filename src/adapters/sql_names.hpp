#pragma once
/// Tenants, tracks and applicants have short numbers inside the database. This remembers them: all tenants and tracks,
/// and of the applicants those that were loaded last, because most of these are about to be written.
///
/// Only what a reader has seen is remembered: it was committed, and the names in these tables never change.
/// Threads: serves any thread.

#include <array>
#include <cstdint>
#include <functional>
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

  std::optional<std::int64_t> applicant(std::int64_t tenant_no, std::string_view id) const {
    const std::shared_lock lock(mutex_);
    const auto& known = applicants_[place_of(tenant_no, id)];
    return known.tenant_no == tenant_no && known.id == id ? std::optional(known.applicant_no) : std::nullopt;
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
  /// Takes the place of whichever applicant stood there.
  void remember_applicant(std::int64_t tenant_no, std::string_view id, std::int64_t applicant_no) {
    const std::unique_lock lock(mutex_);
    auto& known = applicants_[place_of(tenant_no, id)];
    known.tenant_no = 0;  // nobody's, should there be no memory for the id
    known.id = id;
    known.applicant_no = applicant_no;
    known.tenant_no = tenant_no;
  }

 private:
  using numbers = std::map<std::string, std::int64_t, std::less<>>;
  static constexpr std::size_t most = 100'000;  // beyond that the database is asked each time

  struct numbered_applicant {
    std::int64_t tenant_no = 0;  // numbers begin at 1
    std::int64_t applicant_no = 0;
    std::string id{};
  };
  static constexpr std::size_t places = 1024;
  static std::size_t place_of(std::int64_t tenant_no, std::string_view id) {
    return (std::hash<std::string_view>()(id) + static_cast<std::size_t>(tenant_no)) % places;
  }

  mutable std::shared_mutex mutex_;
  numbers tenants_;
  std::map<std::int64_t, numbers> tracks_;  // by tenant
  std::map<std::int64_t, std::string> track_names_;
  std::array<numbered_applicant, places> applicants_{};
};

}  // namespace hirenow::detail
