/// Stores, mailers, clocks and loggers of the host's own: the core's interfaces over tables of callbacks.

#include "callbacks.hpp"
#include "rows.hpp"

namespace hirenow::c {
namespace {

class callback_clock final : public clock {
 public:
  explicit callback_clock(const hirenow_clock_callbacks& c) noexcept : table_(c) {}
  sys_seconds now() const override {
    const sys_seconds told{seconds{table_->now(table_->ctx)}};
    return std::clamp(told, min_instant, max_instant);
  }

 private:
  table<hirenow_clock_callbacks> table_;
};

class callback_logger final : public logger {
 public:
  explicit callback_logger(const hirenow_logger_callbacks& c) noexcept : table_(c) {}
  void warn(const char* message) const noexcept override { table_->warn(table_->ctx, message); }

 private:
  table<hirenow_logger_callbacks> table_;
};

class callback_mailer final : public mailer {
 public:
  explicit callback_mailer(const hirenow_mailer_callbacks& c) noexcept : table_(c) {}
  delivery send(const outgoing_mail& m) override {
    const hirenow_mail mail{sizeof mail,          m.message_id.c_str(), m.from_address.c_str(), m.from_name.c_str(),
                            m.to_address.c_str(), m.to_name.c_str(),    m.subject.c_str(),      m.text.c_str(),
                            m.html.c_str(),       m.language.c_str()};
    delivery said;
    hirenow_reply reply;
    reply.said = &said;
    std::int32_t outcome = HIRENOW_DELIVERY_TEMPORARY;
    if (const auto status = table_->send(table_->ctx, &mail, &outcome, &reply); status != HIRENOW_OK || reply.failed) {
      const auto e = reply.error_for(status);
      return {delivery_outcome::temporary, said.code, e.message.empty() ? std::string(to_string(e.code)) : e.message};
    }
    if (outcome < 0 || outcome > HIRENOW_DELIVERY_AMBIGUOUS) return {};
    said.outcome = static_cast<delivery_outcome>(outcome);
    return said;
  }

 private:
  table<hirenow_mailer_callbacks> table_;
};

class callback_store final : public store {
 public:
  explicit callback_store(const hirenow_store_callbacks& c) noexcept : table_(c) {}

  result<loaded> load(const load_request& request) override {
    const std::string tenant(request.tenant), track(request.track);
    const auto* by_interview = std::get_if<interview_id>(&request.who);
    const std::string applicant(by_interview ? std::string_view() : std::get<std::string_view>(request.who));
    id_text interview{};
    if (by_interview) write_id(interview, *by_interview);
    const hirenow_load_request r{sizeof r,
                                 tenant.c_str(),
                                 by_interview ? nullptr : applicant.c_str(),
                                 by_interview ? interview : nullptr,
                                 track.c_str(),
                                 request.answer ? request.answer->data() : nullptr,
                                 request.with_rules,
                                 request.with_sitting,
                                 request.with_progress,
                                 request.with_others,
                                 instant(request.at)};
    auto out = ask<loaded>(&hirenow_reply::data, {}, [&](auto* reply) { return table_->load(table_->ctx, &r, reply); });
    if (out && out->record.version != 0) out->record.tenant = tenant;
    return out;
  }

  result<void> commit(const change_set& changes) override {
    const change_rows rows(changes);
    hirenow_reply reply;
    return done(table_->commit(table_->ctx, &rows.set(), &reply), reply);
  }

  result<bool> save_progress(const checkpoint_request& request) override {
    const std::string tenant(request.tenant);
    id_text interview{};
    write_id(interview, request.interview);
    hirenow_checkpoint_request r{sizeof r,
                                 tenant.c_str(),
                                 interview,
                                 request.fence,
                                 {},
                                 instant(request.at),
                                 request.bytes.data(),
                                 request.bytes.size()};
    put_bytes(r.key_hash, request.key_hash);
    std::int32_t saved = 0;
    hirenow_reply reply;
    if (auto ok = done(table_->save_progress(table_->ctx, &r, &saved, &reply), reply); !ok) return ok.error();
    return saved != 0;
  }

  result<list_page> list(const list_request& request) override {
    if (is_no_text(request.cursor)) return no_cursor();
    const std::string tenant(request.tenant), track(request.track), applicant(request.applicant_id),
        cursor(request.cursor);
    const hirenow_list_request r{sizeof r,
                                 tenant.c_str(),
                                 instant(request.at),
                                 number_of(request.state),
                                 request.with_counts,
                                 track.c_str(),
                                 applicant.c_str(),
                                 cursor.c_str(),
                                 request.limit};
    return ask<list_page>(&hirenow_reply::page, {}, [&](auto* reply) { return table_->list(table_->ctx, &r, reply); });
  }

  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    if (is_no_text(cursor)) return no_cursor();
    const std::string from(cursor);
    return ask<due_page>(&hirenow_reply::due, {}, [&](auto* reply) {
      return table_->due(table_->ctx, instant(at), limit, from.c_str(), reply);
    });
  }

  result<std::vector<claimed_message>> claim(const claim_request& request) override {
    hirenow_claim_request r{sizeof r, instant(request.now), request.lease.count(), request.limit, {}};
    put_bytes(r.token, request.token);
    return ask<std::vector<claimed_message>>(&hirenow_reply::claimed, {},
                                             [&](auto* reply) { return table_->claim(table_->ctx, &r, reply); });
  }

  result<std::vector<bool>> settle(std::span<const settlement> settlements) override {
    std::vector<std::string> texts;
    texts.reserve(settlements.size() * 2);
    std::vector<hirenow_settlement> rows;
    std::vector<const hirenow_settlement*> places;
    rows.reserve(settlements.size());
    for (const auto& s : settlements) {
      const auto& tenant = texts.emplace_back(s.tenant);
      const auto& answer = texts.emplace_back(kept_answer(s.answer));
      rows.push_back({sizeof(hirenow_settlement),
                      key_of(s.key),
                      tenant.c_str(),
                      {},
                      static_cast<std::int32_t>(s.what),
                      instant(s.at),
                      answer.c_str()});
      put_bytes(rows.back().token, s.token);
    }
    for (const auto& row : rows) places.push_back(&row);
    std::vector<std::int32_t> ours(settlements.size());
    hirenow_reply reply;
    if (auto ok = done(table_->settle(table_->ctx, places.data(), places.size(), ours.data(), &reply), reply); !ok)
      return ok.error();
    return std::vector<bool>(ours.begin(), ours.end());
  }

  result<std::vector<allowance>> allow(std::span<const allowance_request> requests) override {
    if (!table_->allow) return store::allow(requests);
    std::vector<std::string> tenants;
    tenants.reserve(requests.size());
    std::vector<hirenow_allowance_request> rows;
    rows.reserve(requests.size());
    std::vector<const hirenow_allowance_request*> places;
    for (const auto& r : requests) {
      const auto& tenant = tenants.emplace_back(r.tenant);
      rows.push_back(
          {sizeof(hirenow_allowance_request), instant(r.now), tenant.c_str(), r.per_minute, r.wanted, r.returned});
    }
    for (const auto& row : rows) places.push_back(&row);
    std::vector<std::size_t> granted(requests.size());
    std::vector<std::int64_t> wait(requests.size());
    hirenow_reply reply;
    const auto status = table_->allow(table_->ctx, places.data(), places.size(), granted.data(), wait.data(), &reply);
    if (auto ok = done(status, reply); !ok) return ok.error();
    std::vector<allowance> out;
    for (std::size_t n = 0; n < requests.size(); ++n)
      out.push_back(
          {std::min(granted[n], requests[n].wanted), std::clamp(seconds{wait[n]}, seconds{0}, limits::longest_span)});
    return out;
  }

  result<std::optional<sys_seconds>> next_due() override {
    std::int64_t next = HIRENOW_NONE;
    hirenow_reply reply;
    if (auto ok = done(table_->next_due(table_->ctx, &next, &reply), reply); !ok) return ok.error();
    return at_or_none(next, "next_due", HIRENOW_NONE);
  }

  result<std::vector<message>> messages(const message_query& query) override {
    const std::string tenant(query.tenant);
    id_text interview{};
    if (query.interview) write_id(interview, *query.interview);
    const auto after = query.after ? key_of(*query.after) : hirenow_message_key{};
    const hirenow_message_request r{sizeof r,
                                    tenant.c_str(),
                                    query.interview ? interview : nullptr,
                                    query.state ? static_cast<std::int32_t>(*query.state) : -1,
                                    query.after ? &after : nullptr,
                                    query.limit};
    return ask<std::vector<message>>(&hirenow_reply::mails, {},
                                     [&](auto* reply) { return table_->messages(table_->ctx, &r, reply); });
  }

  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    const std::string t(tenant), a(applicant_id);
    return ask<std::vector<audit_entry>>(&hirenow_reply::entries, {}, [&](auto* reply) {
      return table_->read_audit(table_->ctx, t.c_str(), a.c_str(), after, limit, reply);
    });
  }

  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    const std::string t(tenant), a(after);
    return ask<std::vector<audit_head>>(&hirenow_reply::heads, {}, [&](auto* reply) {
      return table_->audit_heads(table_->ctx, t.c_str(), a.c_str(), limit, reply);
    });
  }

  result<std::vector<stored_policy>> policies(const policy_query& query) override {
    if (!table_->policies) return std::vector<stored_policy>{};
    const std::string tenant(query.tenant), track(query.track);
    const hirenow_policy_request r{sizeof r,
                                   tenant.c_str(),
                                   track.c_str(),
                                   query.before ? instant(query.before->active_from) : HIRENOW_NONE,
                                   query.before ? query.before->number : 0,
                                   query.limit};
    return ask<std::vector<stored_policy>>(&hirenow_reply::policies, {},
                                           [&](auto* reply) { return table_->policies(table_->ctx, &r, reply); });
  }

  result<std::optional<outbox_figures>> outbox(sys_seconds now) override {
    if (!table_->outbox) return store::outbox(now);
    hirenow_outbox_figures f = HIRENOW_OUTBOX_FIGURES_INIT;
    hirenow_reply reply;
    if (auto ok = done(table_->outbox(table_->ctx, instant(now), &f, &reply), reply); !ok) return ok.error();
    return std::optional(outbox_figures{f.queued, f.due, f.leased, f.lapsed, f.dead,
                                        at_or_none(f.oldest_due, "oldest_due", HIRENOW_NONE)});
  }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override {
    std::size_t pruned = 0;
    hirenow_reply reply;
    if (auto ok = done(table_->prune(table_->ctx, instant(now), limit, &pruned, &reply), reply); !ok) return ok.error();
    return pruned;
  }

 private:
  // A cursor comes from the caller as it is; cut at a NUL it would be another.
  static bool is_no_text(std::string_view cursor) { return cursor.find('\0') != std::string_view::npos; }
  static error no_cursor() { return detail::fail(errc::invalid_argument, "not a cursor of this list"); }
  static result<void> done(hirenow_status status, const hirenow_reply& reply) {
    if (status != HIRENOW_OK || reply.failed) return reply.error_for(status);
    return {};
  }
  /// Calls a callback that answers through this part of the reply.
  template <class Answer, class Call>
  static result<Answer> ask(Answer* hirenow_reply::* part, Answer start, Call&& call) {
    hirenow_reply reply;
    reply.*part = &start;
    if (auto ok = done(call(&reply), reply); !ok) return ok.error();
    return start;
  }

  table<hirenow_store_callbacks> table_;
};

/// A store whose calls are known as one engine's callbacks.
class marked_store final : public store {
 public:
  marked_store(store& base, callback_threads& callbacks) : base_(base), callbacks_(callbacks) {}
  result<loaded> load(const load_request& r) override { return inside(), base_.load(r); }
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    return inside(), base_.load_each(wanted);
  }
  result<void> commit(const change_set& c) override { return inside(), base_.commit(c); }
  result<bool> save_progress(const checkpoint_request& r) override { return inside(), base_.save_progress(r); }
  result<list_page> list(const list_request& r) override { return inside(), base_.list(r); }
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    return inside(), base_.due(at, limit, cursor);
  }
  result<std::vector<claimed_message>> claim(const claim_request& r) override { return inside(), base_.claim(r); }
  result<std::vector<bool>> settle(std::span<const settlement> all) override { return inside(), base_.settle(all); }
  result<std::vector<allowance>> allow(std::span<const allowance_request> r) override {
    return inside(), base_.allow(r);
  }
  result<std::optional<sys_seconds>> next_due() override { return inside(), base_.next_due(); }
  result<std::vector<message>> messages(const message_query& q) override { return inside(), base_.messages(q); }
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    return inside(), base_.read_audit(tenant, applicant_id, after, limit);
  }
  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    return inside(), base_.audit_heads(tenant, after, limit);
  }
  result<std::vector<stored_policy>> policies(const policy_query& q) override { return inside(), base_.policies(q); }
  result<std::optional<outbox_figures>> outbox(sys_seconds now) override { return inside(), base_.outbox(now); }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override { return inside(), base_.prune(now, limit); }

 private:
  /// Lives to the end of the full expression, and so as long as the call.
  callback_threads::visit inside() { return callback_threads::visit(callbacks_); }

  store& base_;
  callback_threads& callbacks_;
};

class marked_clock final : public clock {
 public:
  marked_clock(const clock& base, callback_threads& callbacks) : base_(base), callbacks_(callbacks) {}
  sys_seconds now() const override {
    const callback_threads::visit inside(callbacks_);
    return base_.now();
  }

 private:
  const clock& base_;
  callback_threads& callbacks_;
};

/// Registers callbacks: everything that can fail comes before `destroy` becomes ours to call.
template <class Object, class Handle, class Callbacks, class... Needed>
result<void> enter(Handle& handle, const Callbacks* given, Needed Callbacks::*... needed) {
  const auto callbacks = read(given, "callbacks");
  if (((callbacks.*needed == nullptr) || ...)) refuse("a callback is missing");
  // The object is made in a place that exists already, so that a failure runs no destructor.
  struct place {
    alignas(Object) std::byte bytes[sizeof(Object)];
    bool made = false;
    ~place() {
      if (made) reinterpret_cast<Object*>(bytes)->~Object();
    }
  };
  const auto where = std::make_shared<place>();
  auto* object = new (where->bytes) Object(callbacks);
  where->made = true;
  handle.value = {where, object};
  return {};
}

}  // namespace

std::unique_ptr<store> mark_callbacks(store& base, callback_threads& callbacks) {
  return std::make_unique<marked_store>(base, callbacks);
}
std::unique_ptr<clock> mark_callbacks(const clock& base, callback_threads& callbacks) {
  return std::make_unique<marked_clock>(base, callbacks);
}

}  // namespace hirenow::c

using namespace hirenow::c;

extern "C" {

hirenow_status hirenow_clock_new(const hirenow_clock_callbacks* callbacks, hirenow_clock** out, hirenow_error** error) {
  return make(error, out,
              [&](hirenow_clock& c) { return enter<callback_clock>(c, callbacks, &hirenow_clock_callbacks::now); });
}
void hirenow_clock_free(hirenow_clock* clock) { release(clock); }

hirenow_status hirenow_logger_new(const hirenow_logger_callbacks* callbacks, hirenow_logger** out,
                                  hirenow_error** error) {
  return make(error, out,
              [&](hirenow_logger& l) { return enter<callback_logger>(l, callbacks, &hirenow_logger_callbacks::warn); });
}
void hirenow_logger_free(hirenow_logger* logger) { release(logger); }

hirenow_status hirenow_mailer_new(const hirenow_mailer_callbacks* callbacks, hirenow_mailer** out,
                                  hirenow_error** error) {
  return make(error, out,
              [&](hirenow_mailer& m) { return enter<callback_mailer>(m, callbacks, &hirenow_mailer_callbacks::send); });
}

hirenow_status hirenow_store_new(const hirenow_store_callbacks* callbacks, hirenow_store** out, hirenow_error** error) {
  using t = hirenow_store_callbacks;
  return make(error, out, [&](hirenow_store& s) {
    s.calls_back = true;
    return enter<callback_store>(s, callbacks, &t::load, &t::commit, &t::save_progress, &t::list, &t::due, &t::claim,
                                 &t::settle, &t::next_due, &t::messages, &t::read_audit, &t::audit_heads, &t::prune);
  });
}

}  // extern "C"
