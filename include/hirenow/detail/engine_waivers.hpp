#pragma once
/// Exceptions to a policy's rules: grant, approve, revoke, list. They are used by `schedule` and `retake`, and lapse by
/// the clock.

#include "hirenow/engine.hpp"

namespace hirenow {

inline result<waiver_changed> engine::grant_waiver(const waiver_request& request, const actor& who) {
  if (auto ok = check_actor(use_case::grant_waiver, who); !ok) return ok.error();
  for (const auto& [what, text] : {std::pair("applicant id", &request.applicant_id), std::pair("track", &request.track),
                                   std::pair("rule", &request.rule_id), std::pair("reason code", &request.reason_code)})
    if (auto ok = limits::check_id(what, *text); !ok) return ok.error();
  if (auto ok = limits::check_text("reason", request.reason, limits::reason); !ok) return ok.error();
  if (auto ok = limits::check_instant("expires_at", request.expires_at); !ok) return ok.error();
  if (!request.floor.empty()) {
    if (auto ok = limits::check_id("floor", request.floor); !ok) return ok.error();
    if (const auto floor = parse_span(request.floor); !floor)
      return detail::fail(floor.error().code, "floor " + floor.error().message);
  }
  digest payload{};
  if (!request.idempotency_key.empty())
    payload = payload_writer()
                  .text(request.applicant_id)
                  .text(request.track)
                  .text(request.rule_id)
                  .text(request.reason_code)
                  .instant(request.expires_at)
                  .text(request.floor)
                  .text(request.reason)
                  .hash();
  const author by = detail::staff_author(who.id);
  const load_request wanted{
      .tenant = who.tenant, .who = std::string_view(request.applicant_id), .track = request.track};
  return change<waiver_changed>(
      use_case::grant_waiver, wanted, request.idempotency_key, payload,
      [&](draft& d, const loaded& data) -> result<waiver_changed> {
        if (d.record().version == 0) return detail::fail(errc::not_found, "no such applicant");
        if (d.record().erased) return detail::fail(errc::erased, "the person was erased");
        if (request.expires_at <= d.now() || request.expires_at > d.now() + limits::longest_span)
          return detail::fail(errc::invalid_argument, "a waiver expires after now, and within ten years");
        const auto policy = policy_for(data, d.record(), request.track, attempts_of(d.record()));
        if (!policy) return policy.error();
        const auto rules = policy->rules();
        const auto rule = std::find_if(rules.begin(), rules.end(), [&](const retake_rule& r) {
          return r.id == request.rule_id && r.advice.empty();
        });
        if (rule == rules.end())
          return detail::fail(errc::invalid_argument, "the policy in force has no rule of this name that forbids");
        if (!rule->waivable) return detail::fail(errc::invalid_argument, "the policy does not let this rule be waived");
        if (!request.floor.empty() && !std::holds_alternative<wait_rule>(rule->is) &&
            !std::holds_alternative<lockout_rule>(rule->is))
          return detail::fail(errc::invalid_argument, "only a wait and a lock-out have a floor");
        for (const waiver& w : d.record().waivers)
          if (is_open(w.state) && w.track == request.track && w.rule_id == request.rule_id)
            return detail::fail(errc::invalid_transition,
                                "waiver " + std::to_string(w.number) + " of this rule and track is open");
        if (d.record().waivers.size() >= limits::waivers)
          return detail::fail(errc::limit_reached, "the record holds as many waivers as it can");
        return waiver_changed{
            d.add_waiver({.track = request.track,
                          .rule_id = request.rule_id,
                          .reason_code = request.reason_code,
                          .floor = request.floor,
                          .state = rule->second_approver ? waiver_state::proposed : waiver_state::granted,
                          .granted_by = who.id,
                          .granted_at = d.now(),
                          .expires_at = request.expires_at},
                         by, request.reason)};
      });
}

inline result<waiver_changed> engine::step_waiver(use_case what, std::string_view applicant_id, std::uint64_t number,
                                                  const actor& who, const waiver_step_options& options) {
  if (auto ok = limits::check_text("reason", options.reason, limits::reason); !ok) return ok.error();
  return change_person<waiver_changed>(
      what, applicant_id, who, options.idempotency_key,
      payload_writer().text(applicant_id).number(static_cast<std::int64_t>(number)).text(options.reason),
      [&](draft& d, const author& by) -> result<waiver_changed> {
        const waiver* const found = find_waiver(d.record(), number);
        if (!found) return detail::fail(errc::not_found, "no such waiver");
        const bool approves = what == use_case::approve_waiver;
        if (approves ? found->state != waiver_state::proposed : !is_open(found->state))
          return detail::fail(errc::invalid_transition, std::string(to_string(what)) +
                                                            " is not possible for a waiver that is " +
                                                            std::string(to_string(found->state)));
        if (approves && found->granted_by == who.id)
          return detail::fail(errc::permission_denied, "a waiver is approved by somebody else than who proposed it");
        if (approves)
          d.approve_waiver(*found, by, who.id, options.reason);
        else
          d.close_waiver(*found, waiver_state::revoked, by, options.reason);
        return waiver_changed{*find_waiver(d.record(), number)};
      });
}

inline result<waiver_changed> engine::approve_waiver(std::string_view applicant_id, std::uint64_t number,
                                                     const actor& who, const waiver_step_options& options) {
  return step_waiver(use_case::approve_waiver, applicant_id, number, who, options);
}

inline result<waiver_changed> engine::revoke_waiver(std::string_view applicant_id, std::uint64_t number,
                                                    const actor& who, const waiver_step_options& options) {
  return step_waiver(use_case::revoke_waiver, applicant_id, number, who, options);
}

inline result<std::vector<waiver>> engine::waivers(std::string_view applicant_id, const actor& who) {
  auto data = load_for(use_case::read_waivers, who, applicant_id);
  if (!data) return data.error();
  draft d(std::move(data->record), clock_->now());
  if (auto ok = d.apply_clock(); !ok) return ok.error();
  return d.record().waivers;
}

}  // namespace hirenow
