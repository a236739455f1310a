#pragma once
/// The engine's constructor, the one shape of every change, and what all use cases share.

#include "hirenow/detail/step.hpp"
#include "hirenow/engine.hpp"

namespace hirenow {

namespace detail {

/// An interview as a caller sees it: whether somebody sits at it now, and nothing by which that one could be
/// recognised.
inline interview shown(interview i) {
  if (i.state != interview_state::in_progress) i.sitting = {};
  i.sitting.key_hash = {};
  return i;
}

}  // namespace detail

template <class Answer>
void engine::show(Answer& answer) {
  if constexpr (requires { answer.archived; }) answer.archived = detail::shown(std::move(answer.archived));
  if constexpr (requires { answer.interview.sitting; }) answer.interview = detail::shown(std::move(answer.interview));
}

inline engine::engine(hirenow::store& store, std::shared_ptr<shared_state> shared)
    : store_(store),
      shared_(std::move(shared)),
      keys_(shared_->keys),
      policy_(shared_->policy),
      options_(shared_->options),
      clock_(options_.clock ? options_.clock : &shared_->machine_clock) {}

inline engine::engine(hirenow::store& store, key_ring keys, retake_policy policy, engine_options options)
    : engine(store, std::make_shared<shared_state>(std::move(keys), std::move(policy), std::move(options))) {
  const auto need = [](const result<void>& ok) {
    if (!ok) throw exception(ok.error());
  };
  if (!options_.link_base.empty()) need(detail::check_link_base(options_.link_base));
  for (const auto& [tenant, base] : options_.link_bases) need(detail::check_link_base(base));
  need(limits::check_id("issuer", options_.issuer));
  need(limits::check_id("audience", options_.audience));
  need(limits::check_span("link_lifetime", options_.link_lifetime, seconds{1}));
  need(limits::check_span("time_limit", options_.time_limit, seconds{1}));
  need(limits::check_span("answer_retention", options_.answer_retention, seconds{1}));
  need(limits::check_span("link_request_interval", options_.link_request_interval, seconds{0}));
  if (!detail::rows_stand_at_their_number(options_.permissions))
    throw exception(detail::fail(errc::invalid_argument, "a permission table has its rows in the order of use_case"));
  if (!options_.permissions[static_cast<std::size_t>(use_case::submit)].system)
    throw exception(detail::fail(errc::invalid_argument, "nobody can forbid the clock to submit what overtime ends"));
}

template <class Answer, class Decide>
result<Answer> engine::change(use_case what, load_request request, std::string_view idempotency_key,
                              const digest& payload, Decide&& decide) {
  const bool keyed = !idempotency_key.empty();
  if (keyed) {
    if (auto ok = limits::check_id("idempotency key", idempotency_key); !ok) return ok.error();
    request.answer = detail::answer_key_of(what, idempotency_key);
  }
  for (int round = 0; round < most_rounds; ++round) {
    request.at = now();
    auto data = store_.load(request);
    if (!data) return data.error();
    draft d(std::move(data->record), clock_->now());
    if (auto ok = d.apply_clock(); !ok) return ok.error();
    if constexpr (!std::is_same_v<Answer, sitting>) {
      // An answer that has expired is forgotten, pruned or not.
      if (data->answer && d.now() < data->answer->expires_at) {
        if (data->answer->payload != payload)
          return detail::fail(errc::idempotency_mismatch, "this idempotency key was used for another request");
        const auto ids = detail::read_answer(data->answer->answer);
        if (!ids) return ids.error();
        Answer answer;
        answer.replayed = true;
        if (auto ok = rebuild(answer, d.record(), *ids); !ok) return ok.error();
        show(answer);
        return answer;
      }
    }
    if (d.record().interviews.size() > limits::attempts)
      return detail::fail(errc::limit_reached, "the record holds more interviews than are decided on");
    const std::uint64_t by_clock = d.record().sequence;
    auto answer = decide(d, *data);
    // A refusal, and an answer that needed no change of its own, commit nothing: not even what the clock did.
    if (answer) show(*answer);
    if (!answer || d.record().sequence == by_clock) return answer;
    if constexpr (!std::is_same_v<Answer, sitting>) {
      if (keyed)
        d.store_answer(
            {*request.answer, payload, detail::write_answer(ids_of(*answer)), d.now() + options_.answer_retention});
    }
    HIRENOW_STEP("engine: before commit");
    const auto done = store_.commit(d.take());
    HIRENOW_STEP("engine: after commit");
    if (done) return answer;
    if (done.error().code != errc::conflict) return done.error();
  }
  return detail::fail(errc::conflict, "the record kept changing");
}

template <class Answer, class Decide>
result<Answer> engine::change_interview(use_case what, const interview_id& id, const actor& who,
                                        std::string_view idempotency_key, const payload_writer& payload,
                                        Decide&& decide) {
  if (auto ok = check_actor(what, who); !ok) return ok.error();
  const author by = detail::staff_author(who.id);
  return change<Answer>(what, {.tenant = who.tenant, .who = id}, idempotency_key,
                        idempotency_key.empty() ? digest{} : payload.hash(),
                        [&](draft& d, const loaded& data) -> result<Answer> {
                          const interview* i = find_interview(d.record(), id);
                          if (d.record().version == 0 || !i) return detail::fail(errc::not_found, "no such interview");
                          // Mail to somebody who was erased can only be given up.
                          if (d.record().erased && what != use_case::drop)
                            return detail::fail(errc::erased, "the person was erased");
                          return decide(d, data, interview(*i), by);
                        });
}

template <class Answer, class Decide>
result<Answer> engine::change_person(use_case what, std::string_view applicant_id, const actor& who,
                                     std::string_view idempotency_key, const payload_writer& payload, Decide&& decide) {
  if (auto ok = check_actor(what, who); !ok) return ok.error();
  if (auto ok = limits::check_id("applicant id", applicant_id); !ok) return ok.error();
  const author by = detail::staff_author(who.id);
  return change<Answer>(what, {.tenant = who.tenant, .who = applicant_id}, idempotency_key,
                        idempotency_key.empty() ? digest{} : payload.hash(),
                        [&](draft& d, const loaded&) -> result<Answer> {
                          if (d.record().version == 0) return detail::fail(errc::not_found, "no such applicant");
                          if (d.record().erased) return detail::fail(errc::erased, "the person was erased");
                          return decide(d, by);
                        });
}

inline result<void> engine::check_actor(use_case what, const actor& who) const {
  if (auto ok = limits::check_id("actor id", who.id); !ok) return ok;
  if (auto ok = limits::check_id("tenant", who.tenant); !ok) return ok;
  return check_permission(options_.permissions, what, who);
}

inline result<void> engine::check_token_may(use_case what) const {
  if (options_.permissions[static_cast<std::size_t>(what)].token) return {};
  return detail::fail(errc::permission_denied, "a link does not allow " + std::string(to_string(what)));
}

inline result<retake_policy> engine::policy_of(const std::optional<stored_policy>& stored) const {
  if (!stored) return policy_;
  const std::lock_guard lock(shared_->policies_mutex);
  auto& policies = shared_->policies;
  // The hash is a look-up key and comes from a row: it is believed only where the document is the very same.
  if (const auto known = policies.find(stored->hash);
      known != policies.end() && known->second.document() == stored->document)
    return known->second;
  auto parsed = retake_policy::parse(stored->document);
  if (!parsed) return parsed.error();
  if (parsed->hash() != stored->hash)
    return detail::fail(errc::store_corrupt, "a stored policy is not the one that was set: its hash is another");
  // Far more than a host has; a bound all the same, since the documents come from a table.
  if (policies.size() >= 1024) policies.clear();
  policies.emplace(stored->hash, *parsed);
  return *parsed;
}

inline result<token_claims> engine::claims_behind(std::string_view token) const {
  return verify_token(keys_, token, {options_.issuer, options_.audience});
}

inline std::string engine::link_base_of(std::string_view tenant) const {
  const auto own = options_.link_bases.find(std::string(tenant));
  return own == options_.link_bases.end() ? options_.link_base : own->second;
}

inline result<std::string> engine::link_of(std::string_view tenant, std::string_view applicant_id,
                                           const interview& i) const {
  const std::string base = link_base_of(tenant);
  if (base.empty()) return detail::fail(errc::invalid_argument, "no link base is configured for this tenant");
  auto token =
      mint_token(keys_, i.link.kid, detail::claims_of(options_.issuer, options_.audience, tenant, applicant_id, i));
  if (!token) return token.error();
  return base + "#" + *token;
}

inline result<void> engine::check_person(const applicant& person, bool with_email) {
  if (auto ok = limits::check_id("applicant id", person.id); !ok) return ok;
  if (with_email || !person.email.empty())
    if (auto ok = limits::check_email(person.email); !ok) return ok;
  if (auto ok = limits::check_text("applicant name", person.name, limits::name); !ok) return ok;
  if (limits::has_control(person.name))
    return detail::fail(errc::invalid_argument, "applicant name holds a control character");
  if (!person.locale.empty())
    if (auto ok = limits::check_id("locale", person.locale); !ok) return ok;
  if (!person.time_zone.empty())
    if (auto ok = limits::check_id("time zone", person.time_zone); !ok) return ok;
  return {};
}

// What a replayed answer is made of: the ids that were kept, and the record as it stands now.

inline result<void> engine::rebuild(changed& a, const applicant_record& record, const detail::answer_ids& ids) const {
  const interview* i = ids.interview ? find_interview(record, *ids.interview) : nullptr;
  if (!i) return detail::fail(errc::not_found, "the interview of this answer is gone");
  a.interview = *i;
  return {};
}

inline result<void> engine::rebuild(invited& a, const applicant_record& record, const detail::answer_ids& ids) const {
  const interview* i = ids.interview ? find_interview(record, *ids.interview) : nullptr;
  if (!i) return detail::fail(errc::not_found, "the interview of this answer is gone");
  a.interview = *i;
  if (is_active(i->state) && i->link.generation == ids.generation) {
    // A link whose key was retired meanwhile is as dead as a superseded one.
    auto link = link_of(record.tenant, record.person.id, *i);
    if (!link && link.error().code != errc::key_invalid) return link.error();
    if (link) a.link = *link;
  }
  return {};
}

inline result<void> engine::rebuild(retaken& a, const applicant_record& record, const detail::answer_ids& ids) const {
  invited fresh;
  if (auto ok = rebuild(fresh, record, ids); !ok) return ok;
  const interview* old = ids.archived ? find_interview(record, *ids.archived) : nullptr;
  if (!old) return detail::fail(errc::not_found, "the interview of this answer is gone");
  a.interview = std::move(fresh.interview);
  a.link = std::move(fresh.link);
  a.archived = *old;
  return {};
}

inline result<void> engine::rebuild(person_changed& a, const applicant_record& record,
                                    const detail::answer_ids&) const {
  a.person = record.person;
  return {};
}

inline result<void> engine::rebuild(waiver_changed& a, const applicant_record& record,
                                    const detail::answer_ids& ids) const {
  const waiver* found = find_waiver(record, ids.waiver);
  if (!found) return detail::fail(errc::not_found, "the waiver of this answer is gone");
  a.waiver = *found;
  return {};
}

inline result<void> engine::rebuild(link_requested& a, const applicant_record&, const detail::answer_ids& ids) const {
  a.interview = ids.interview;
  a.queued = ids.queued;
  a.noted = true;
  return {};
}

}  // namespace hirenow
