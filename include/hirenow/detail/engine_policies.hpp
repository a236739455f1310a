#pragma once
/// Which policy judges, setting one, listing what was set, and trying one out.

#include <charconv>
#include <limits>
#include <map>

#include "hirenow/engine.hpp"

namespace hirenow {
namespace detail {

/// Where a page of `what_if` begins: behind an applicant, at the instant of the first page.
struct what_if_place {
  sys_seconds at{};
  std::string after{};

  std::string text() const { return std::to_string(at.time_since_epoch().count()) + "@" + after; }
  static result<what_if_place> parse(std::string_view cursor, sys_seconds now) {
    if (cursor.empty()) return what_if_place{now, {}};
    const std::size_t mark = cursor.find('@');
    std::int64_t count = 0;
    const char* const end = cursor.data() + std::min(mark, cursor.size());
    const auto [read, fault] = std::from_chars(cursor.data(), end, count);
    if (mark == cursor.npos || fault != std::errc{} || read != end || sys_seconds{seconds{count}} < min_instant ||
        sys_seconds{seconds{count}} > max_instant)
      return fail(errc::invalid_argument, "the cursor is none that a page has given");
    what_if_place place{sys_seconds{seconds{count}}, std::string(cursor.substr(mark + 1))};
    if (auto ok = limits::check_id("cursor", place.after); !ok) return ok.error();
    return place;
  }
};

}  // namespace detail

inline result<std::optional<stored_policy>> engine::policy_before(std::string_view tenant,
                                                                  const stored_policy& of) const {
  auto found = store_.policies(
      {.tenant = tenant, .track = of.track, .before = policy_place{of.active_from, of.number}, .limit = 1});
  if (!found) return found.error();
  // A track that had no policy of its own then was under the tenant's.
  if ((found->empty() || found->front().document.empty()) && !of.track.empty()) {
    found = store_.policies({.tenant = tenant, .before = policy_place{of.active_from, 0}, .limit = 1});
    if (!found) return found.error();
  }
  if (found->empty() || found->front().document.empty()) return std::optional<stored_policy>();
  return std::optional(std::move(found->front()));
}

inline result<retake_policy> engine::policy_for(const loaded& data, const applicant_record& record,
                                                std::string_view track, std::span<const attempt> attempts) const {
  if (!data.policy || data.policy->running_waits == running_waits::replace) return policy_of(data.policy);
  const auto stored = judging(data.policy, record, track, attempts);
  if (!stored) return stored.error();
  return policy_of(*stored);
}

inline result<std::optional<stored_policy>> engine::judging(std::optional<stored_policy> stored,
                                                            const applicant_record& record, std::string_view track,
                                                            std::span<const attempt> attempts) const {
  std::optional<sys_seconds> newest;
  for (const attempt& a : attempts)  // oldest first
    if (a.track == track) newest = a.at;
  while (stored && newest && stored->running_waits == running_waits::keep && *newest < stored->active_from) {
    auto older = policy_before(record.tenant, *stored);
    if (!older) return older.error();
    stored = std::move(*older);
  }
  return stored;
}

inline result<void> engine::set_policy(std::string_view track, std::string_view document, const actor& who,
                                       const activation& when) {
  if (auto ok = check_actor(use_case::set_policy, who); !ok) return ok;
  if (!track.empty())
    if (auto ok = limits::check_id("track", track); !ok) return ok;
  if (when.running_waits != running_waits::replace && when.running_waits != running_waits::keep)
    return detail::fail(errc::invalid_argument, "running waits are replaced or kept");
  stored_policy policy;
  policy.track = track;
  policy.set_by = who.id;
  policy.running_waits = when.running_waits;
  if (when.from)
    if (auto ok = limits::check_instant("active_from", *when.from); !ok) return ok;
  std::string version;
  if (!document.empty()) {
    const auto parsed = retake_policy::parse(document);
    if (!parsed) return parsed.error();
    policy.document = document;
    policy.hash = sha256(document);
    version = parsed->version();
  }
  // One commit of the tenant's own record: so its audit has every policy, and two that are set at once meet.
  const load_request record{.tenant = who.tenant, .who = std::string_view(), .with_rules = false};
  const auto decide = [&](draft& d, const loaded&) -> result<person_changed> {
    policy.set_at = d.now();
    policy.active_from = when.from.value_or(policy.set_at);
    if (policy.active_from < policy.set_at)
      return detail::fail(errc::invalid_argument, "a policy is in force from now on, or later");
    const auto then = store_.policies(
        {.tenant = who.tenant, .track = track, .before = policy_place{policy.active_from + seconds{1}, 0}, .limit = 1});
    if (!then) return then.error();
    // A host may set its policy whenever it starts.
    if (then->empty() ? document.empty() : then->front().document == document) return person_changed{};
    if (d.record().version == 0) d.create(who.tenant, {});
    d.set_policy(policy, version, detail::staff_author(who.id));
    return person_changed{};
  };
  payload_writer payload;
  payload.text(track).text(document).instant(when.from).number(static_cast<int>(when.running_waits));
  if (const auto done =
          change<person_changed>(use_case::set_policy, record, when.idempotency_key, payload.hash(), decide);
      !done)
    return done.error();
  return {};
}

inline result<std::vector<stored_policy>> engine::policies(std::string_view track, const actor& who,
                                                           const std::optional<policy_place>& before,
                                                           std::size_t limit) {
  if (auto ok = check_actor(use_case::read_policies, who); !ok) return ok.error();
  if (!track.empty())
    if (auto ok = limits::check_id("track", track); !ok) return ok.error();
  if (limit == 0 || limit > limits::page)
    return detail::fail(errc::invalid_argument, "a page has 1 to " + std::to_string(limits::page) + " rows");
  return store_.policies({.tenant = who.tenant, .track = track, .before = before, .limit = limit});
}

inline result<what_if_page> engine::what_if(const what_if_query& query, const actor& who) {
  if (auto ok = check_actor(use_case::what_if, who); !ok) return ok.error();
  if (!query.track.empty())
    if (auto ok = limits::check_id("track", query.track); !ok) return ok.error();
  const auto place = detail::what_if_place::parse(query.cursor, now());
  if (!place) return place.error();
  if (query.limit == 0 || query.limit > limits::page)
    return detail::fail(errc::invalid_argument, "a page looks at 1 to " + std::to_string(limits::page) + " applicants");
  if (query.running_waits != running_waits::replace && query.running_waits != running_waits::keep)
    return detail::fail(errc::invalid_argument, "running waits are replaced or kept");
  const auto tried = retake_policy::parse(query.document);
  if (!tried) return tried.error();
  const auto heads = store_.audit_heads(who.tenant, place->after, query.limit);
  if (!heads) return heads.error();

  what_if_page page;
  // Loads bring one policy each; of a track's own it is asked once.
  std::map<std::string, std::optional<stored_policy>, std::less<>> in_force;
  const sys_seconds at = place->at;
  // As it would stand in the store, after everything else that is in force by now.
  stored_policy proposed;
  proposed.track = query.track;
  proposed.active_from = at;
  proposed.running_waits = query.running_waits;
  proposed.number = std::numeric_limits<std::int64_t>::max();
  const auto policy_at = [&](const std::string& track) -> result<std::optional<stored_policy>> {
    if (const auto known = in_force.find(track); known != in_force.end()) return known->second;
    auto found =
        store_.policies({.tenant = who.tenant, .track = track, .before = policy_place{at + seconds{1}, 0}, .limit = 1});
    if (!found) return found.error();
    if (!found->empty() && found->front().document.empty()) found->clear();
    auto policy = found->empty() ? std::nullopt : std::optional(std::move(found->front()));
    return in_force.emplace(track, std::move(policy)).first->second;
  };
  for (const auto& head : *heads) {
    auto data = store_.load({.tenant = who.tenant, .who = std::string_view(head.applicant_id), .at = at});
    if (!data) return data.error();
    draft d(std::move(data->record), at);
    if (auto ok = d.apply_clock(); !ok) return ok.error();
    const applicant_record& record = d.record();
    page.counts.applicants += 1;
    page.counts.interviews += record.interviews.size();
    if (record.erased) continue;
    const auto attempts = attempts_of(record);
    for (const interview& i : record.interviews) {
      if (!query.track.empty() && i.track != query.track) continue;
      if (is_active(i.state) || newest_interview(record, i.track)->id != i.id) continue;
      auto own = policy_at(i.track);
      if (!own) return own.error();
      if (query.track.empty() && *own) continue;  // the tenant's policy says nothing here
      if (!*own) own = policy_at({});
      if (!own) return own.error();
      data->policy = *own;
      const auto current = policy_for(*data, record, i.track, attempts);
      if (!current) return current.error();
      const auto judges = judging(proposed, record, i.track, attempts);
      if (!judges) return judges.error();
      const auto then = *judges == proposed ? tried : policy_of(*judges);
      if (!then) return then.error();
      // A track that has no current interview is scheduled, any other retaken.
      const bool retakes = is_current(i.state) || i.state == interview_state::voided;
      const retake_question question{.track = i.track,
                                     .attempts = attempts,
                                     .facts = record.facts,
                                     .time_zone = record.person.time_zone,
                                     .now = d.now(),
                                     .kind = retakes ? attempt_kind::retake : attempt_kind::schedule};
      const auto before = judge(*current, record, question).answer, after = judge(*then, record, question).answer;
      page.counts.tracks += 1;
      page.counts.eligible_now += before.allowed ? 1U : 0U;
      page.counts.eligible_then += after.allowed ? 1U : 0U;
      const bool become = !before.allowed && after.allowed, cease = before.allowed && !after.allowed;
      const bool waits = !before.allowed && !after.allowed;
      const bool sooner = waits && detail::ends_before(after.eligible_at, before.eligible_at);
      const bool later = waits && detail::ends_before(before.eligible_at, after.eligible_at);
      page.counts.become += become ? 1U : 0U;
      page.counts.cease += cease ? 1U : 0U;
      page.counts.sooner += sooner ? 1U : 0U;
      page.counts.later += later ? 1U : 0U;
      if (become || cease || sooner || later)
        page.rows.push_back({.applicant_id = head.applicant_id,
                             .track = i.track,
                             .newest = i.id,
                             .eligible_now = before.allowed,
                             .eligible_then = after.allowed,
                             .reason_now = std::string(before.reason),
                             .reason_then = std::string(after.reason),
                             .eligible_at_now = before.eligible_at,
                             .eligible_at_then = after.eligible_at});
    }
  }
  if (heads->size() == query.limit) page.next = detail::what_if_place{at, heads->back().applicant_id}.text();
  return page;
}

}  // namespace hirenow
