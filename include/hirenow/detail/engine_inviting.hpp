#pragma once
/// Inviting: schedule, retake and its eligibility, reissue, request_link.

#include "hirenow/detail/audit_replay.hpp"
#include "hirenow/engine.hpp"

namespace hirenow {

namespace detail {

/// Has an audit entry name the policy that decided.
inline void name_policy(boost::json::object& details, const eligibility& decided) {
  details["policy"] = hex(decided.policy_hash);
  details["policy_version"] = decided.policy_version;
}

}  // namespace detail

inline result<void> engine::check_terms(const std::optional<sys_seconds>& opens_at, seconds lifetime,
                                        const std::vector<seconds>& reminders, const notify& n) {
  if (opens_at)
    if (auto ok = limits::check_instant("opens_at", *opens_at); !ok) return ok;
  if (lifetime != seconds{0})
    if (auto ok = limits::check_span("link_lifetime", lifetime, seconds{1}); !ok) return ok;
  if (reminders.size() > limits::reminders)
    return detail::fail(errc::too_large, "at most " + std::to_string(limits::reminders) + " reminders are allowed");
  for (const auto before : reminders)
    if (auto ok = limits::check_span("reminder", before, seconds{1}); !ok) return ok;
  if (n.at)
    if (auto ok = limits::check_instant("notify", *n.at); !ok) return ok;
  return {};
}

inline result<void> engine::check_sitting(seconds time_limit, seconds grace, overtime o,
                                          const std::optional<sys_seconds>& ends_by) {
  if (ends_by)
    if (auto ok = limits::check_instant("ends_by", *ends_by); !ok) return ok;
  if (time_limit != seconds{0})
    if (auto ok = limits::check_span("time_limit", time_limit, seconds{1}); !ok) return ok;
  if (auto ok = limits::check_span("grace", grace, seconds{0}); !ok) return ok;
  if (o != overtime::expire && o != overtime::submit)
    return detail::fail(errc::invalid_argument, "overtime is neither expire nor submit");
  return {};
}

inline result<engine::link_plan> engine::plan_link(sys_seconds now, const std::optional<sys_seconds>& opens_at,
                                                   seconds lifetime, const std::optional<sys_seconds>& ends_by) const {
  auto kid = keys_.signing_kid();
  if (!kid) return kid.error();
  link_plan plan{*kid, opens_at ? std::max(*opens_at, now) : now, {}};
  plan.start_by = plan.opens_at + (lifetime == seconds{0} ? options_.link_lifetime : lifetime);
  // The deadline may follow ten years later, and its grace ten more; all of it must stay within the calendar.
  if (plan.start_by + 2 * limits::longest_span > max_instant)
    return detail::fail(errc::invalid_argument, "the link would live beyond the year 9999");
  // Whoever starts at the last moment still has time: the outer limit itself opens nothing.
  if (ends_by && *ends_by <= plan.opens_at)
    return detail::fail(errc::invalid_argument, "the link would open when the outer limit is over");
  if (ends_by) plan.start_by = std::min(plan.start_by, *ends_by);
  return plan;
}

inline void engine::promise_link(draft& d, const interview& i, message_kind kind, std::uint64_t occasion,
                                 const notify& n, const std::vector<seconds>& reminders, const author& who) {
  if (!n.send) return;
  const sys_seconds sent = std::max(n.at.value_or(d.now()), d.now());
  d.promise(i, kind, occasion, sent);
  if (i.state != interview_state::scheduled) return;
  for (auto at = reminders.begin(); at != reminders.end(); ++at) {
    // Nobody is reminded twice at one instant, nor of what has not been said yet or does not open before.
    const sys_seconds due = i.start_by - *at;
    if (due <= std::max(sent, i.link.not_before) || std::find(reminders.begin(), at, *at) != at) continue;
    const auto entry = d.write_entry("promise_reminder", who, i.id, {}, {}, {{"due", to_string(due)}});
    d.promise(i, message_kind::reminder, entry, due);
  }
}

inline result<invited> engine::schedule(const schedule_request& request, const actor& who) {
  if (auto ok = check_actor(use_case::schedule, who); !ok) return ok.error();
  if (auto ok = check_person(request.applicant, false); !ok) return ok.error();
  if (auto ok = limits::check_id("track", request.track); !ok) return ok.error();
  if (auto ok = check_terms(request.opens_at, request.link_lifetime, request.reminders, request.notify); !ok)
    return ok.error();
  if (auto ok = check_sitting(request.time_limit, request.grace, request.overtime, request.ends_by); !ok)
    return ok.error();
  digest payload{};
  if (!request.idempotency_key.empty())
    payload = payload_writer()
                  .person(request.applicant)
                  .text(request.track)
                  .instant(request.opens_at)
                  .span(request.link_lifetime)
                  .spans(request.reminders)
                  .span(request.time_limit)
                  .span(request.grace)
                  .number(static_cast<int>(request.overtime))
                  .instant(request.ends_by)
                  .when(request.notify)
                  .hash();
  const author by = detail::staff_author(who.id);
  const load_request wanted{
      .tenant = who.tenant, .who = std::string_view(request.applicant.id), .track = request.track};
  return change<invited>(
      use_case::schedule, wanted, request.idempotency_key, payload,
      [&](draft& d, const loaded& data) -> result<invited> {
        if (d.record().erased) return detail::fail(errc::erased, "the person was erased");
        if (const interview* current = current_interview(d.record(), request.track)) {
          error e = detail::fail(errc::active_interview, "the track has a current interview in state " +
                                                             std::string(to_string(current->state)));
          e.superseded_by = to_string(current->id);
          return e;
        }
        if (d.record().interviews.size() >= limits::attempts)
          return detail::fail(errc::limit_reached, "the record holds as many interviews as can be decided on");
        const interview* newest = newest_interview(d.record(), request.track);
        const auto attempts = attempts_of(d.record());
        const auto policy = policy_for(data, d.record(), request.track, attempts);
        if (!policy) return policy.error();
        const auto judged =
            judge(*policy, d.record(),
                  {.track = request.track,
                   .attempts = attempts,
                   .facts = d.record().facts,
                   .time_zone = d.record().version ? d.record().person.time_zone : request.applicant.time_zone,
                   .now = d.now(),
                   .kind = attempt_kind::schedule});
        if (!judged.answer.allowed) return refusal_of(judged.answer, d.record(), nullptr);
        auto plan = plan_link(d.now(), request.opens_at, request.link_lifetime, request.ends_by);
        if (!plan) return plan.error();

        if (d.record().version == 0) {
          if (auto ok = limits::check_email(request.applicant.email); !ok) return ok.error();
          d.create(who.tenant, request.applicant);
        } else if (!request.applicant.email.empty() && request.applicant != d.record().person) {
          if (auto ok = check_permission(options_.permissions, use_case::update_applicant, who); !ok) return ok.error();
          d.set_person(request.applicant);
          d.write_entry("update_applicant", by);
        }
        interview i;
        i.id = new_interview_id(d.now());
        i.track = request.track;
        i.attempt = newest ? newest->attempt + 1 : 1;
        i.time_limit = request.time_limit == seconds{0} ? options_.time_limit : request.time_limit;
        i.grace = request.grace;
        i.overtime = request.overtime;
        i.ends_by = request.ends_by;
        i.created_at = i.changed_at = d.now();
        i.start_by = plan->start_by;
        i.link = {1, plan->kid, d.now(), plan->opens_at, plan->start_by};
        auto details = detail::audited_terms(i);
        detail::name_policy(details, judged.answer);
        const auto occasion = d.step(std::nullopt, i, event::schedule, by, std::move(details));
        use_waivers(d, judged.waivers, by, i.id);
        promise_link(d, i, message_kind::invitation, occasion, request.notify, request.reminders, by);
        auto link = link_of(who.tenant, d.record().person.id, i);
        if (!link) return link.error();
        return invited{i, *link};
      });
}

inline engine::judgement engine::judge(const retake_policy& policy, const applicant_record& record,
                                       retake_question question) {
  std::vector<granted_waiver> granted;
  std::vector<std::uint64_t> numbers;
  for (const waiver& w : record.waivers) {
    if (w.state != waiver_state::granted || w.track != question.track) continue;
    const auto floor = w.floor.empty() ? result<policy_span>(policy_span{}) : parse_span(w.floor);
    if (!floor) continue;  // no text that `grant_waiver` let in
    granted.push_back({w.rule_id, w.floor.empty() ? std::nullopt : std::optional(*floor)});
    numbers.push_back(w.number);
  }
  question.waivers = granted;
  eligibility answer = evaluate(policy, question);
  if (granted.empty() || !answer.allowed) return {std::move(answer), {}};
  // What the answer does without stays for another time.
  for (std::size_t n = granted.size(); n-- > 0;) {
    auto fewer = granted;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(n));
    question.waivers = fewer;
    eligibility without = evaluate(policy, question);
    if (!without.allowed) continue;
    answer = std::move(without);
    granted = std::move(fewer);
    numbers.erase(numbers.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return {std::move(answer), std::move(numbers)};
}

inline void engine::use_waivers(draft& d, const std::vector<std::uint64_t>& numbers, const author& who,
                                const interview_id& interview) {
  for (const auto number : numbers) d.use_waiver(*find_waiver(d.record(), number), who, interview);
}

inline result<engine::judgement> engine::judge_retake(const loaded& data, const applicant_record& record,
                                                      const interview& i, sys_seconds now) const {
  const auto attempts = attempts_of(record);
  const auto policy = policy_for(data, record, i.track, attempts);
  if (!policy) return policy.error();
  auto judged = judge(*policy, record,
                      {.track = i.track,
                       .attempts = attempts,
                       .facts = record.facts,
                       .time_zone = record.person.time_zone,
                       .now = now});
  judge_state(judged.answer, record, i);
  return judged;
}

inline void engine::judge_state(eligibility& e, const applicant_record& record, const interview& i) {
  // What no policy can allow comes before what it says.
  const auto refuse = [&](std::string_view reason) {
    rule_verdict verdict;
    verdict.rule_id = "state";
    verdict.rule = "state";
    verdict.allowed = false;
    verdict.reason = reason;
    e.rules.insert(e.rules.begin(), verdict);
    e.all_reasons.insert(e.all_reasons.begin(), reason);
    e.allowed = false;
    e.reason = reason;
    e.eligible_at.reset();
    e.eligible_until.reset();
    e.waivers.clear();
  };
  const interview* current = current_interview(record, i.track);
  if (record.erased)
    refuse("erased");
  else if (i.state == interview_state::archived)
    refuse("archived");
  else if (is_active(i.state) || (current && current->id != i.id))
    refuse("active_interview");
  else if (!find_transition(i.state, event::retake, authority::staff) || newest_interview(record, i.track)->id != i.id)
    refuse("status");
}

inline error engine::refusal_of(const eligibility& e, const applicant_record& record, const interview* i) {
  const auto with = [&](errc code, const interview* other) {
    error refusal = detail::fail(code, describe(e), std::string(e.reason));
    refusal.eligible_at = e.eligible_at;
    if (other) refusal.superseded_by = to_string(other->id);
    return refusal;
  };
  // What the engine itself forbids; a policy has reasons of the same name.
  const bool by_state = i && !e.rules.empty() && e.rules.front().rule == "state";
  if (!by_state) return with(errc::not_eligible, nullptr);
  if (e.reason == "archived") {
    if (!i->superseded_by) return with(errc::archived, nullptr);
    error refusal = with(errc::superseded, nullptr);
    refusal.superseded_by = to_string(*i->superseded_by);
    return refusal;
  }
  if (e.reason == "active_interview" && !is_active(i->state))
    return with(errc::active_interview, current_interview(record, i->track));
  if (e.reason == "active_interview" || e.reason == "status") {
    error refusal = with(errc::invalid_transition, nullptr);
    refusal.message = "retake is not possible in state " + std::string(to_string(i->state));
    if (find_transition(i->state, event::retake, authority::staff))
      refusal.message += ": a later interview of the track was planned";
    return refusal;
  }
  return with(errc::not_eligible, nullptr);
}

inline result<eligibility> engine::retake_eligibility(const interview_id& id, const actor& who) {
  auto data = load_for(use_case::retake_eligibility, who, id);
  if (!data) return data.error();
  draft d(std::move(data->record), clock_->now());
  if (auto ok = d.apply_clock(); !ok) return ok.error();
  auto judged = judge_retake(*data, d.record(), *find_interview(d.record(), id), d.now());
  if (!judged) return judged.error();
  return std::move(judged->answer);
}

inline result<retaken> engine::retake(const interview_id& id, const actor& who, const retake_options& options) {
  if (auto ok = check_terms(options.opens_at, options.link_lifetime, options.reminders, options.notify); !ok)
    return ok.error();
  if (auto ok = check_sitting(options.time_limit, options.grace.value_or(seconds{0}),
                              options.overtime.value_or(overtime::expire), options.ends_by);
      !ok)
    return ok.error();
  if (auto ok = limits::check_text("reason", options.reason, limits::reason); !ok) return ok.error();
  payload_writer payload;
  if (!options.idempotency_key.empty())
    payload.id(id)
        .instant(options.opens_at)
        .span(options.link_lifetime)
        .spans(options.reminders)
        .span(options.time_limit)
        .span(options.grace)
        .number(options.overtime ? static_cast<int>(*options.overtime) : -1)
        .instant(options.ends_by)
        .when(options.notify)
        .text(options.reason);
  return change_interview<retaken>(
      use_case::retake, id, who, options.idempotency_key, payload,
      [&](draft& d, const loaded& data, const interview& old, const author& by) -> result<retaken> {
        const auto judged = judge_retake(data, d.record(), old, d.now());
        if (!judged) return judged.error();
        const eligibility& e = judged->answer;
        if (!e.allowed) return refusal_of(e, d.record(), &old);
        if (d.record().interviews.size() >= limits::attempts)
          return detail::fail(errc::limit_reached, "the record holds as many interviews as can be decided on");
        auto plan = plan_link(d.now(), options.opens_at, options.link_lifetime, options.ends_by);
        if (!plan) return plan.error();
        auto archived = apply(old, event::retake, by.by, d.now());
        if (!archived) return archived.error();

        interview fresh;
        fresh.id = new_interview_id(d.now());
        fresh.track = old.track;
        fresh.attempt = old.attempt + 1;
        fresh.time_limit = options.time_limit == seconds{0} ? old.time_limit : options.time_limit;
        fresh.grace = options.grace.value_or(old.grace);
        fresh.overtime = options.overtime.value_or(old.overtime);
        fresh.accommodation = {old.accommodation.percent, old.accommodation.extra, seconds{0}};
        fresh.ends_by = options.ends_by;
        fresh.created_at = fresh.changed_at = d.now();
        fresh.start_by = plan->start_by;
        fresh.link = {1, plan->kid, d.now(), plan->opens_at, plan->start_by};
        fresh.retake_of = old.id;
        archived->superseded_by = fresh.id;

        boost::json::object details{{"superseded_by", to_string(fresh.id)}};
        detail::name_policy(details, e);
        d.step(old, *archived, event::retake, by, std::move(details), options.reason);
        d.withdraw_messages(old.id, detail::all_kinds);
        const auto occasion = d.step(std::nullopt, fresh, event::schedule, by, detail::audited_terms(fresh));
        use_waivers(d, judged->waivers, by, fresh.id);
        promise_link(d, fresh, message_kind::retake_invitation, occasion, options.notify, options.reminders, by);
        auto link = link_of(who.tenant, d.record().person.id, fresh);
        if (!link) return link.error();
        return retaken{fresh, *archived, *link};
      });
}

inline result<invited> engine::reissue(const interview_id& id, const actor& who, const reissue_options& options) {
  if (auto ok = check_terms(options.opens_at, options.link_lifetime, options.reminders, options.notify); !ok)
    return ok.error();
  if (auto ok = limits::check_text("reason", options.reason, limits::reason); !ok) return ok.error();
  if (options.extend_by != seconds{0}) {
    if (auto ok = limits::check_span("extend_by", options.extend_by, seconds{1}); !ok) return ok.error();
    if (options.opens_at || options.link_lifetime != seconds{0})
      return detail::fail(errc::invalid_argument, "a link is extended, or opens and lives anew; not both");
  }
  payload_writer payload;
  payload.id(id)
      .instant(options.opens_at)
      .span(options.link_lifetime)
      .span(options.extend_by)
      .spans(options.reminders)
      .when(options.notify)
      .text(options.reason);
  return change_interview<invited>(
      use_case::reissue, id, who, options.idempotency_key, payload,
      [&](draft& d, const loaded&, const interview& old, const author& by) -> result<invited> {
        auto fresh = apply(old, event::reissue, by.by, d.now());
        if (!fresh) return fresh.error();
        const bool extends = options.extend_by != seconds{0};
        if (extends && old.started_at)
          return detail::fail(errc::invalid_argument, "a started attempt is lengthened by accommodate");
        // An expired link is extended from now, a live one from its end.
        const sys_seconds opens_at =
            extends ? std::max(old.link.not_before, d.now()) : options.opens_at.value_or(d.now());
        const seconds lifetime =
            extends ? std::max(old.start_by, d.now()) + options.extend_by - opens_at : options.link_lifetime;
        auto plan = plan_link(d.now(), opens_at, lifetime, old.ends_by);
        if (!plan) return plan.error();
        fresh->link = {old.link.generation + 1, plan->kid, d.now(), plan->opens_at, plan->start_by};
        if (fresh->state == interview_state::in_progress) {
          fresh->link.not_before = d.now();
          fresh->link.expires_at = std::max(*fresh->deadline, d.now() + seconds{1});
        } else {
          fresh->start_by = plan->start_by;
        }
        const auto occasion =
            d.step(old, *fresh, event::reissue, by,
                   {{"generation", fresh->link.generation}, {"start_by", to_string(fresh->start_by)}}, options.reason);
        d.withdraw_messages(id, detail::link_kinds);
        promise_link(d, *fresh, message_kind::reissued_link, occasion, options.notify, options.reminders, by);
        auto link = link_of(who.tenant, d.record().person.id, *fresh);
        if (!link) return link.error();
        return invited{*fresh, *link};
      });
}

inline result<link_requested> engine::request_link(std::string_view token, std::string_view idempotency_key) {
  if (auto ok = check_token_may(use_case::request_link); !ok) return ok.error();
  const auto claims = claims_behind(token);
  if (!claims) return claims.error();
  const author by = detail::applicant_author();
  return change<link_requested>(
      use_case::request_link, {.tenant = claims->tenant, .who = claims->interview, .with_rules = false},
      idempotency_key, payload_writer().id(claims->interview).number(claims->generation).hash(),
      [&](draft& d, const loaded&) -> result<link_requested> {
        const verdict v = judge_link(*claims, &d.record(), d.now());
        if (v != verdict::superseded_interview && v != verdict::superseded_link && v != verdict::expired) {
          if (v != verdict::valid) return detail::fail(error_of(v), "this link cannot ask for another");
          return detail::fail(errc::invalid_transition, "request_link is not possible with a link that works");
        }
        const interview* found = current_interview(d.record(), find_interview(d.record(), claims->interview)->track);
        if (!found) return link_requested{};
        link_requested answer{found->id};
        // Whether the request is heeded or came too soon must not show: the page says the same.
        const auto last = found->link_requested_at;
        if (last && d.now() < *last + options_.link_request_interval) return answer;
        const interview current = *found;
        auto after = apply(current, event::request_link, by.by, d.now());
        if (!after) return answer;
        after->changed_at = current.changed_at;
        const auto occasion = d.step(current, *after, event::request_link, by);
        answer.noted = true;
        if (is_active(after->state)) {
          promise_link(d, *after, message_kind::reissued_link, occasion, notify::now(), {}, by);
          answer.queued = true;
        }
        return answer;
      });
}

}  // namespace hirenow
