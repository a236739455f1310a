#pragma once
/// Deciding and keeping: decide, reopen, void, accommodate, cancel, the person, facts, redrive, drop, erase, sweep.

#include <cmath>

#include "hirenow/detail/audit_replay.hpp"
#include "hirenow/engine.hpp"

namespace hirenow {

inline result<changed> engine::decide(const interview_id& id, const actor& who, const decision& what) {
  if (what.outcome != outcome::passed && what.outcome != outcome::failed && what.outcome != outcome::on_hold)
    return detail::fail(errc::invalid_argument, "a decision is passed, failed or on_hold");
  if (what.score && !std::isfinite(*what.score))
    return detail::fail(errc::invalid_argument, "a score is a finite number");
  if (auto ok = limits::check_text("reason", what.reason, limits::reason); !ok) return ok.error();
  if (auto ok = check_terms({}, seconds{0}, {}, what.notify); !ok) return ok.error();
  payload_writer payload;
  payload.id(id).number(static_cast<int>(what.outcome)).text(what.reason).real(what.score).when(what.notify);
  return change_interview<changed>(
      use_case::decide, id, who, what.idempotency_key, payload,
      [&](draft& d, const loaded&, const interview& before, const author& by) -> result<changed> {
        const bool pass = what.outcome == outcome::passed, failed = what.outcome == outcome::failed;
        const event on = pass ? event::pass : failed ? event::fail : event::hold;
        auto after = apply(before, on, by.by, d.now());
        if (!after) return after.error();
        boost::json::object details;
        if (what.score) {
          after->score = what.score;
          details["score"] = *what.score;
        }
        const auto occasion = d.step(before, *after, on, by, std::move(details), what.reason);
        d.withdraw_messages(id, detail::decision_kinds);
        promise_link(d, *after,
                     pass     ? message_kind::decision_passed
                     : failed ? message_kind::decision_failed
                              : message_kind::decision_on_hold,
                     occasion, what.notify, {}, by);
        return changed{*after};
      });
}

inline result<changed> engine::reopen(const interview_id& id, const actor& who, const reopen_options& options) {
  if (options.reason.empty()) return detail::fail(errc::invalid_argument, "a decision is reopened with a reason");
  if (auto ok = limits::check_text("reason", options.reason, limits::reason); !ok) return ok.error();
  return change_interview<changed>(
      use_case::reopen, id, who, options.idempotency_key, payload_writer().id(id).text(options.reason),
      [&](draft& d, const loaded&, const interview& before, const author& by) -> result<changed> {
        auto after = apply(before, event::reopen, by.by, d.now());
        if (!after) return after.error();
        d.step(before, *after, event::reopen, by, {}, options.reason);
        d.withdraw_messages(id, detail::decision_kinds);
        return changed{*after};
      });
}

inline result<changed> engine::void_attempt(const interview_id& id, const actor& who, const void_options& options) {
  if (auto ok = limits::check_id("reason code", options.reason_code); !ok) return ok.error();
  if (auto ok = limits::check_text("reason", options.reason, limits::reason); !ok) return ok.error();
  return change_interview<changed>(
      use_case::void_attempt, id, who, options.idempotency_key,
      payload_writer().id(id).text(options.reason_code).text(options.reason),
      [&](draft& d, const loaded&, const interview& before, const author& by) -> result<changed> {
        auto after = apply(before, event::void_attempt, by.by, d.now());
        if (!after) return after.error();
        d.step(before, *after, event::void_attempt, by, {{"reason_code", options.reason_code}}, options.reason);
        d.withdraw_messages(id, detail::all_kinds);
        return changed{*after};
      });
}

inline result<changed> engine::accommodate(const interview_id& id, const actor& who,
                                           const accommodate_options& options) {
  if (auto ok = limits::check_id("reason code", options.reason_code); !ok) return ok.error();
  if (auto ok = limits::check_text("reason", options.reason, limits::reason); !ok) return ok.error();
  if (!options.percent && !options.extra && !options.pause && !options.grace)
    return detail::fail(errc::invalid_argument, "an accommodation of nothing");
  if (options.percent && (*options.percent < 100 || *options.percent > limits::accommodation_percent))
    return detail::fail(errc::invalid_argument,
                        "percent must lie between 100 and " + std::to_string(limits::accommodation_percent));
  for (const auto& [what, span] :
       {std::pair("extra", options.extra), std::pair("pause", options.pause), std::pair("grace", options.grace)})
    if (span)
      if (auto ok = limits::check_span(what, *span, seconds{0}); !ok) return ok.error();
  return change_interview<changed>(
      use_case::accommodate, id, who, options.idempotency_key,
      payload_writer()
          .id(id)
          .number(options.percent ? *options.percent : 0)
          .span(options.extra)
          .span(options.pause)
          .span(options.grace)
          .text(options.reason_code)
          .text(options.reason),
      [&](draft& d, const loaded&, const interview& before, const author& by) -> result<changed> {
        auto after = apply(before, event::accommodate, by.by, d.now());
        if (!after) return after.error();
        after->accommodation = {options.percent.value_or(before.accommodation.percent),
                                options.extra.value_or(before.accommodation.extra),
                                options.pause.value_or(before.accommodation.pause)};
        after->grace = options.grace.value_or(before.grace);
        const deadline_terms terms = deadline_breakdown(*after, after->started_at.value_or(d.now()));
        if (auto ok = limits::check_span("the time limit with what is added to it",
                                         terms.time_limit + terms.by_percent + terms.extra + terms.pause, seconds{1});
            !ok)
          return ok.error();
        boost::json::object details{{"reason_code", options.reason_code},
                                    {"percent", after->accommodation.percent},
                                    {"extra", after->accommodation.extra.count()},
                                    {"pause", after->accommodation.pause.count()},
                                    {"grace", after->grace.count()}};
        if (after->started_at) {
          if (terms.deadline <= d.now())
            return detail::fail(errc::invalid_argument, "the deadline would be over already");
          after->deadline = terms.deadline;
          details["deadline"] = to_string(terms.deadline);
          details["cut"] = terms.cut;
        }
        d.step(before, *after, event::accommodate, by, std::move(details), options.reason);
        return changed{*after};
      });
}

inline result<changed> engine::cancel(const interview_id& id, const actor& who, const cancel_options& options) {
  if (auto ok = limits::check_text("reason", options.reason, limits::reason); !ok) return ok.error();
  if (auto ok = check_terms({}, seconds{0}, {}, options.notify); !ok) return ok.error();
  return change_interview<changed>(
      use_case::cancel, id, who, options.idempotency_key,
      payload_writer().id(id).text(options.reason).when(options.notify),
      [&](draft& d, const loaded&, const interview& before, const author& by) -> result<changed> {
        auto after = apply(before, event::cancel, by.by, d.now());
        if (!after) return after.error();
        const auto occasion = d.step(before, *after, event::cancel, by, {}, options.reason);
        d.withdraw_messages(id, detail::all_kinds);
        promise_link(d, *after, message_kind::cancelled, occasion, options.notify, {}, by);
        return changed{*after};
      });
}

inline result<person_changed> engine::update_applicant(const applicant& person, const actor& who,
                                                       std::string_view idempotency_key) {
  if (auto ok = check_person(person, true); !ok) return ok.error();
  return change_person<person_changed>(use_case::update_applicant, person.id, who, idempotency_key,
                                       payload_writer().person(person),
                                       [&](draft& d, const author& by) -> result<person_changed> {
                                         if (d.record().person == person) return person_changed{person};
                                         d.set_person(person);
                                         d.write_entry("update_applicant", by);
                                         return person_changed{person};
                                       });
}

inline result<person_changed> engine::record_fact(std::string_view applicant_id, const fact& what, const actor& who,
                                                  std::string_view idempotency_key) {
  if (static_cast<std::size_t>(what.kind) >= fact_kind_count)
    return detail::fail(errc::invalid_argument, "there is no such kind of fact");
  if (auto ok = limits::check_id("fact name", what.name); !ok) return ok.error();
  if (!what.track.empty())
    if (auto ok = limits::check_id("track", what.track); !ok) return ok.error();
  if (auto ok = limits::check_text("fact value", what.value, limits::fact_value); !ok) return ok.error();
  if (auto ok = limits::check_instant("fact instant", what.at); !ok) return ok.error();
  if (what.until) {
    if (auto ok = limits::check_instant("fact end", *what.until); !ok) return ok.error();
    if (*what.until < what.at) return detail::fail(errc::invalid_argument, "a fact ends before it begins");
  }
  payload_writer payload;
  payload.text(applicant_id).number(static_cast<int>(what.kind)).text(what.name).text(what.track);
  payload.instant(what.at).instant(what.until).text(what.value);
  return change_person<person_changed>(
      use_case::record_fact, applicant_id, who, idempotency_key, payload,
      [&](draft& d, const author& by) -> result<person_changed> {
        fact f = what;
        // The fact is personal: the audit commits to it without holding it.
        f.sequence =
            d.write_entry("record_fact", by, {}, {}, {},
                          {{"kind", to_string(f.kind)}, {"fact", detail::fact_commitment(d.record().salt, f)}});
        d.add_fact(std::move(f));
        return person_changed{d.record().person};
      });
}

inline result<void> engine::change_dead_message(use_case what, const message_key& key, const actor& who,
                                                std::string_view idempotency_key,
                                                void (draft::*mark)(const message_key&)) {
  const auto done = change_interview<changed>(
      what, key.interview, who, idempotency_key,
      payload_writer()
          .id(key.interview)
          .number(static_cast<int>(key.kind))
          .number(static_cast<std::int64_t>(key.occasion)),
      [&](draft& d, const loaded&, const interview& i, const author& by) -> result<changed> {
        message_query query{.tenant = who.tenant, .interview = key.interview, .limit = limits::page};
        for (;;) {
          const auto page = store_.messages(query);
          if (!page) return page.error();
          for (const auto& m : *page) {
            if (m.key != key) continue;
            if (m.state != message_state::dead)
              return detail::fail(errc::invalid_transition, std::string(to_string(what)) +
                                                                " is not possible for a message that is " +
                                                                std::string(to_string(m.state)));
            d.write_entry(to_string(what), by, i.id, {}, {},
                          {{"kind", to_string(key.kind)}, {"occasion", static_cast<std::int64_t>(key.occasion)}});
            (d.*mark)(key);
            return changed{i};
          }
          if (page->size() < query.limit) return detail::fail(errc::not_found, "no such message");
          query.after = page->back().key;
        }
      });
  if (!done) return done.error();
  return {};
}

inline result<void> engine::redrive(const message_key& key, const actor& who, std::string_view idempotency_key) {
  return change_dead_message(use_case::redrive, key, who, idempotency_key, &draft::redrive);
}

inline result<void> engine::drop(const message_key& key, const actor& who, std::string_view idempotency_key) {
  return change_dead_message(use_case::drop, key, who, idempotency_key, &draft::drop);
}

inline result<void> engine::erase_applicant(std::string_view applicant_id, const actor& who,
                                            std::string_view idempotency_key) {
  if (auto ok = check_actor(use_case::erase_applicant, who); !ok) return ok;
  if (auto ok = limits::check_id("applicant id", applicant_id); !ok) return ok;
  const author by = detail::staff_author(who.id);
  const auto done = change<person_changed>(use_case::erase_applicant, {.tenant = who.tenant, .who = applicant_id},
                                           idempotency_key, payload_writer().text(applicant_id).hash(),
                                           [&](draft& d, const loaded&) -> result<person_changed> {
                                             if (d.record().version == 0)
                                               return detail::fail(errc::not_found, "no such applicant");
                                             if (d.record().erased) return person_changed{d.record().person};
                                             const auto interviews = d.record().interviews;
                                             for (const auto& i : interviews) {
                                               if (is_active(i.state)) {
                                                 auto after = apply(i, event::cancel, authority::staff, d.now());
                                                 if (!after) return after.error();
                                                 d.step(i, *after, event::cancel, by);
                                               }
                                               d.withdraw_messages(i.id, detail::all_kinds);
                                             }
                                             const auto waivers = d.record().waivers;
                                             for (const auto& w : waivers)
                                               if (is_open(w.state)) d.close_waiver(w, waiver_state::revoked, by);
                                             d.write_entry("erase", by);
                                             d.erase_person();
                                             return person_changed{d.record().person};
                                           });
  if (!done) return done.error();
  return {};
}

inline result<sweep_report> engine::sweep(std::size_t limit) {
  if (limit == 0) return detail::fail(errc::invalid_argument, "a sweep of nothing");
  if (!options_.permissions[static_cast<std::size_t>(use_case::sweep)].system)
    return detail::fail(errc::permission_denied, "the permission table does not let the engine sweep");
  sweep_report report;
  const auto done = sweep_into(report, limit);
  // What was committed stands. Where memory ran out behind it, whoever sweeps again finds the rest.
  if (!done && (done.error().code != errc::out_of_memory || report.records == 0)) return done.error();
  if (!done) report.more = true;
  return report;
}

inline result<void> engine::sweep_into(sweep_report& report, std::size_t limit) try {
  std::string cursor;
  const sys_seconds now = this->now();
  // First, so that what a sweep set aside is reported even where this fails.
  if (const auto last = shared_->pruned_at.load(); last == min_instant || now < last || now >= last + seconds{3600}) {
    const auto pruned = store_.prune(now, limit);  // reads them all, so not at every sweep
    if (!pruned) return pruned.error();
    if (*pruned < limit) shared_->pruned_at = now;
  }
  // What fails is not counted, or as many bad records as the limit would hold up all the others for ever.
  std::size_t seen = 0;
  do {
    auto page = store_.due(now, std::min<std::size_t>(limit - seen, limits::page), cursor);
    if (!page) return page.error();
    for (auto& row : page->rows) {
      // Deciding nothing of its own, a sweep of a record is what the clock does to it.
      for (int round = 0;; ++round) {
        const auto done = [&]() -> result<std::size_t> {
          auto data =
              store_.load({.tenant = row.tenant, .who = std::string_view(row.applicant_id), .with_rules = false});
          if (!data) return data.error();
          draft d(std::move(data->record), clock_->now());
          const auto events = d.apply_clock();
          if (!events || *events == 0) return events;
          if (const auto ok = store_.commit(d.take()); !ok) return ok.error();
          return events;
        };
        const auto events = done();
        if (events) {
          ++seen;
          report.records += *events > 0 ? 1U : 0U;
          report.events += *events;
        } else if (events.error().code == errc::conflict && round < most_rounds) {
          continue;
        } else if (events.error().code == errc::retry_transaction) {
          return events.error();  // the transaction is at fault, not the record
        } else {
          report.failed.push_back({row, events.error()});
        }
        break;
      }
    }
    cursor = page->next;
  } while (!cursor.empty() && seen < limit);
  report.more = !cursor.empty();
  return {};
} catch (const std::bad_alloc&) {
  return error{.code = errc::out_of_memory, .message = {}};
}

}  // namespace hirenow
