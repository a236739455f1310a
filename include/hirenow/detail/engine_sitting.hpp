#pragma once
/// The applicant's sitting: inspect, start, resume, checkpoint, submit, withdraw.

#include "hirenow/engine.hpp"

namespace hirenow {

namespace detail {

inline result<void> check_session_key(std::string_view key) {
  if (key.size() < limits::session_key_min)
    return fail(errc::invalid_argument, "a session key has at least 16 random bytes");
  if (key.size() > limits::id) return fail(errc::too_large, "a session key has at most 255 bytes");
  return {};
}

/// True where the session is the newest one of this interview, open or closed.
inline bool is_newest_session(const interview& i, const session& open) {
  return i.sitting.fence == open.fence &&
         equal_in_constant_time(bytes_of(i.sitting.key_hash), bytes_of(sha256(open.key)));
}
inline bool holds_sitting(const interview& i, const session& open) {
  return i.sitting.open && is_newest_session(i, open);
}

inline seconds seconds_left(const interview& i, sys_seconds now) {
  return i.deadline && *i.deadline > now ? *i.deadline - now : seconds{0};
}

/// Opens a newer sitting; every older one is fenced off.
inline void open_sitting(interview& i, std::string_view session_key) {
  i.sitting = {i.sitting.fence + 1, true, sha256(session_key)};
}

}  // namespace detail

inline result<inspection> engine::inspect(std::string_view token) {
  if (auto ok = check_token_may(use_case::inspect); !ok) return ok.error();
  inspection answer;
  const auto claims = claims_behind(token);
  if (!claims) {
    answer.reason = claims.error().reason;
    return answer;
  }
  auto data = store_.load({.tenant = claims->tenant, .who = claims->interview, .with_rules = false});
  if (!data) return data.error();
  draft d(std::move(data->record), clock_->now());
  if (auto ok = d.apply_clock(); !ok) return ok.error();
  answer.verdict = judge_link(*claims, &d.record(), d.now());
  if (answer.verdict == verdict::invalid) {
    answer.reason = "unknown";
    return answer;
  }
  interview i = *find_interview(d.record(), claims->interview);
  i.sitting = {};
  answer.applicant_name = d.record().person.name;
  answer.locale = d.record().person.locale;
  answer.time_zone = d.record().person.time_zone;
  if (i.state == interview_state::scheduled) answer.left = std::max(i.start_by - d.now(), seconds{0});
  if (i.state == interview_state::in_progress) answer.left = detail::seconds_left(i, d.now());
  answer.interview = std::move(i);
  return answer;
}

inline result<sitting> engine::start(std::string_view token, std::string_view session_key) {
  return sit_down(use_case::start, event::start, token, session_key);
}

inline result<sitting> engine::resume(std::string_view token, std::string_view session_key) {
  return sit_down(use_case::resume, event::resume, token, session_key);
}

inline result<sitting> engine::sit_down(use_case what, event on, std::string_view token, std::string_view session_key) {
  if (auto ok = check_token_may(what); !ok) return ok.error();
  if (auto ok = detail::check_session_key(session_key); !ok) return ok.error();
  const auto claims = claims_behind(token);
  if (!claims) return claims.error();
  return change<sitting>(
      what,
      {.tenant = claims->tenant,
       .who = claims->interview,
       .with_rules = false,
       .with_sitting = true,
       .with_progress = true},
      {}, {}, [&](draft& d, const loaded& data) -> result<sitting> {
        if (auto ok = to_error(judge_link(*claims, &d.record(), d.now())); !ok) return ok.error();
        const interview before = *find_interview(d.record(), claims->interview);
        const auto session_of = [&](const interview& i) {
          return session{claims->tenant, i.id, i.sitting.fence, std::string(session_key)};
        };
        const auto answer = [&](const interview& i) {
          return sitting{session_of(i), i, detail::seconds_left(i, d.now()), data.progress};
        };
        if (before.state == interview_state::in_progress) {
          // The key of the open session gets that session again.
          if (detail::holds_sitting(before, session_of(before))) return answer(before);
          if (on == event::start)
            return detail::fail(errc::already_started, "the interview was started in another session: resume it");
        }
        const author by = detail::applicant_author();
        auto after = apply(before, on, by.by, d.now());
        if (!after) return after.error();
        detail::open_sitting(*after, session_key);
        d.step(before, *after, on, by, {{"session", after->sitting.fence}, {"deadline", to_string(*after->deadline)}});
        if (on == event::start) d.withdraw_messages(before.id, detail::link_kinds);
        return answer(*after);
      });
}

inline result<saved> engine::checkpoint(const session& open, std::string_view progress) {
  if (auto ok = check_token_may(use_case::checkpoint); !ok) return ok.error();
  if (auto ok = limits::check_id("tenant", open.tenant); !ok) return ok.error();
  if (auto ok = detail::check_session_key(open.key); !ok) return ok.error();
  if (progress.size() > limits::progress)
    return detail::fail(errc::too_large, "progress has at most " + std::to_string(limits::progress) + " bytes");
  const sys_seconds now = this->now();
  const auto written = store_.save_progress({open.tenant, open.interview, open.fence, sha256(open.key), now, progress});
  if (!written) return written.error();
  if (*written) return saved{now};

  // Nothing was written: say why.
  auto data = store_.load({.tenant = open.tenant, .who = open.interview, .with_rules = false, .with_sitting = true});
  if (!data) return data.error();
  draft d(std::move(data->record), now);
  if (auto ok = d.apply_clock(); !ok) return ok.error();
  const interview* i = find_interview(d.record(), open.interview);
  if (d.record().erased || !i) return detail::fail(errc::not_found, "no such interview");
  // Whoever holds no session of this interview learns nothing about it.
  if (!detail::is_newest_session(*i, open)) return detail::fail(errc::stale_session, "another session took over");
  if (i->deadline && d.now() >= *i->deadline &&
      (i->state == interview_state::in_progress || i->state == interview_state::expired))
    return detail::fail(errc::deadline_passed, "the deadline has passed");
  if (i->state != interview_state::in_progress)
    return detail::fail(errc::invalid_transition,
                        "progress cannot be saved in state " + std::string(to_string(i->state)));
  return detail::fail(errc::stale_session, "this session was closed");
}

inline result<changed> engine::submit(const session& open, const submit_options& options) {
  if (auto ok = check_token_may(use_case::submit); !ok) return ok.error();
  if (auto ok = limits::check_id("tenant", open.tenant); !ok) return ok.error();
  if (auto ok = detail::check_session_key(open.key); !ok) return ok.error();
  if (options.progress && options.progress->size() > limits::progress)
    return detail::fail(errc::too_large, "progress has at most " + std::to_string(limits::progress) + " bytes");
  payload_writer payload;
  payload.id(open.interview).number(open.fence).text(open.key);
  payload.number(options.progress ? 1 : 0).text(options.progress.value_or(std::string()));
  return change<changed>(
      use_case::submit, {.tenant = open.tenant, .who = open.interview, .with_rules = false, .with_sitting = true},
      options.idempotency_key, payload.hash(), [&](draft& d, const loaded&) -> result<changed> {
        const interview* found = find_interview(d.record(), open.interview);
        if (d.record().erased || !found) return detail::fail(errc::not_found, "no such interview");
        const interview before = *found;
        // Whoever holds no session of this interview learns nothing about it.
        if (!detail::is_newest_session(before, open) ||
            (before.state == interview_state::in_progress && !before.sitting.open))
          return detail::fail(errc::stale_session, "another session took over, or this one was closed");
        const author by = detail::applicant_author();
        // An attempt that ran out of time says so, rather than that it is in the wrong state.
        if (before.state == interview_state::expired && before.started_at)
          return detail::fail(errc::deadline_passed, "the deadline and its grace have passed");
        auto after = apply(before, event::submit, by.by, d.now());
        if (!after) return after.error();
        boost::json::object details;
        if (options.progress) {
          d.save_final_progress(before.id, *options.progress);
          details["progress"] = detail::hex(commitment(d.record().salt, *options.progress));
        }
        d.step(before, *after, event::submit, by, std::move(details));
        d.withdraw_messages(before.id, detail::link_kinds);
        return changed{*after};
      });
}

inline result<changed> engine::withdraw(std::string_view token, const withdraw_options& options) {
  if (auto ok = check_token_may(use_case::withdraw); !ok) return ok.error();
  if (auto ok = limits::check_text("reason", options.reason, limits::reason); !ok) return ok.error();
  if (auto ok = check_terms({}, seconds{0}, {}, options.notify); !ok) return ok.error();
  const auto claims = claims_behind(token);
  if (!claims) return claims.error();
  const author by = detail::applicant_author();
  return change<changed>(use_case::withdraw, {.tenant = claims->tenant, .who = claims->interview, .with_rules = false},
                         options.idempotency_key,
                         payload_writer().id(claims->interview).text(options.reason).when(options.notify).hash(),
                         [&](draft& d, const loaded&) -> result<changed> {
                           if (auto ok = to_error(judge_link(*claims, &d.record(), d.now())); !ok) return ok.error();
                           const interview before = *find_interview(d.record(), claims->interview);
                           auto after = apply(before, event::withdraw, by.by, d.now());
                           if (!after) return after.error();
                           const auto occasion = d.step(before, *after, event::withdraw, by, {}, options.reason);
                           d.withdraw_messages(before.id, detail::all_kinds);
                           promise_link(d, *after, message_kind::cancelled, occasion, options.notify, {}, by);
                           return changed{*after};
                         });
}

}  // namespace hirenow
