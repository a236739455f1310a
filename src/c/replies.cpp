/// What a callback answers through its reply, and check_store for C.

#include "rows.hpp"

#include "hirenow/testing/check_store.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::c;

class borrowed_from_handle final : public store {
 public:
  explicit borrowed_from_handle(hirenow_store* handle) : handle_(handle), store_(handle->value) {}
  ~borrowed_from_handle() override {
    store_.reset();
    hirenow_store_free(handle_);
  }
  result<loaded> load(const load_request& r) override { return store_->load(r); }
  result<void> commit(const change_set& c) override { return store_->commit(c); }
  result<bool> save_progress(const checkpoint_request& r) override { return store_->save_progress(r); }
  result<list_page> list(const list_request& r) override { return store_->list(r); }
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    return store_->due(at, limit, cursor);
  }
  result<std::vector<claimed_message>> claim(const claim_request& r) override { return store_->claim(r); }
  result<std::vector<bool>> settle(std::span<const settlement> all) override { return store_->settle(all); }
  result<std::optional<sys_seconds>> next_due() override { return store_->next_due(); }
  result<std::vector<message>> messages(const message_query& q) override { return store_->messages(q); }
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    return store_->read_audit(tenant, applicant_id, after, limit);
  }
  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    return store_->audit_heads(tenant, after, limit);
  }
  result<std::vector<stored_policy>> policies(const policy_query& q) override { return store_->policies(q); }
  result<std::optional<outbox_figures>> outbox(sys_seconds now) override { return store_->outbox(now); }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override { return store_->prune(now, limit); }

 private:
  hirenow_store* handle_;
  std::shared_ptr<store> store_;
};

testing::check_options read_options(const hirenow_check_options* given) {
  const auto o = read_or_standard(given, "options");
  testing::check_options out;
  if (o.seed) out.seed = o.seed;
  if (o.histories) out.histories = o.histories;
  if (o.steps) out.steps = o.steps;
  if (o.threads) out.threads = std::min(o.threads, 256U);
  return out;
}

}  // namespace

extern "C" {

hirenow_status hirenow_reply_fail(hirenow_reply* reply, hirenow_status status, const char* message,
                                  const char* reason) {
  const auto code = status == HIRENOW_OK ? errc::internal : static_cast<errc>(status_of(static_cast<errc>(status)));
  if (reply)
    (void)guard(nullptr, [&]() -> result<void> {
      reply->failed.emplace(error{.code = code});
      *reply->failed = {.code = code, .message = string(message), .reason = string(reason)};
      return {};
    });
  return static_cast<hirenow_status>(code);
}
hirenow_status hirenow_reply_set_delivery(hirenow_reply* reply, int32_t code, const char* answer) {
  return fill(reply, &hirenow_reply::said, [&](delivery& d) {
    d.answer = string(answer);
    d.code = code;
  });
}
hirenow_status hirenow_reply_set_rendered(hirenow_reply* reply, const char* subject, const char* body, const char* html,
                                          const char* language) {
  return fill(reply, &hirenow_reply::texts,
              [&](rendered_message& m) { m = {string(subject), string(body), string(html), string(language)}; });
}
hirenow_status hirenow_reply_set_record(hirenow_reply* reply, const hirenow_record_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { read_head(out.record, row); });
}
hirenow_status hirenow_reply_add_interview(hirenow_reply* reply, const hirenow_interview_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.record.interviews.push_back(interview_of(row)); });
}
hirenow_status hirenow_reply_add_fact(hirenow_reply* reply, const hirenow_fact_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.record.facts.push_back(fact_of(row)); });
}
hirenow_status hirenow_reply_add_waiver(hirenow_reply* reply, const hirenow_waiver_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.record.waivers.push_back(waiver_of(row)); });
}
hirenow_status hirenow_reply_add_policy(hirenow_reply* reply, const hirenow_policy_row* row) {
  return fill(reply, &hirenow_reply::policies, [&](auto& out) { out.push_back(policy_of(row)); });
}
hirenow_status hirenow_reply_set_policy(hirenow_reply* reply, const hirenow_policy_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.policy = policy_of(row); });
}
hirenow_status hirenow_reply_set_answer(hirenow_reply* reply, const hirenow_answer_row* row) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) { out.answer = answer_of(row); });
}
hirenow_status hirenow_reply_set_progress(hirenow_reply* reply, const void* bytes, size_t size, int64_t saved_at) {
  return fill(reply, &hirenow_reply::data, [&](loaded& out) {
    if (size) need(bytes, "progress");
    out.progress =
        progress{size ? std::string(static_cast<const char*>(bytes), size) : std::string(), at(saved_at, "saved_at")};
  });
}
hirenow_status hirenow_reply_add_list_row(hirenow_reply* reply, const char* applicant_id, const char* name,
                                          const char* email, const hirenow_interview_row* row) {
  return fill(reply, &hirenow_reply::page, [&](list_page& out) {
    out.rows.push_back({string(applicant_id), string(name), string(email), interview_of(row)});
    out.rows.back().interview.sitting = {};
  });
}
hirenow_status hirenow_reply_set_counts(hirenow_reply* reply, const uint64_t* counts) {
  return fill(reply, &hirenow_reply::page, [&](list_page& out) {
    need(counts, "counts");
    out.counts.emplace();
    std::copy(counts, counts + interview_state_count, out.counts->begin());
  });
}
hirenow_status hirenow_reply_set_next(hirenow_reply* reply, const char* cursor) {
  if (reply && reply->due) return fill(reply, &hirenow_reply::due, [&](due_page& out) { out.next = string(cursor); });
  return fill(reply, &hirenow_reply::page, [&](list_page& out) { out.next = string(cursor); });
}
hirenow_status hirenow_reply_add_due(hirenow_reply* reply, const char* tenant, const char* applicant_id,
                                     int64_t limit) {
  return fill(reply, &hirenow_reply::due,
              [&](due_page& out) { out.rows.push_back({string(tenant), string(applicant_id), at(limit, "limit")}); });
}
hirenow_status hirenow_reply_add_claimed(hirenow_reply* reply, const char* tenant, const char* applicant_id,
                                         const hirenow_message_row* row) {
  return fill(reply, &hirenow_reply::claimed,
              [&](auto& out) { out.push_back({string(tenant), string(applicant_id), message_of(row)}); });
}
hirenow_status hirenow_reply_add_message(hirenow_reply* reply, const hirenow_message_row* row) {
  return fill(reply, &hirenow_reply::mails, [&](auto& out) { out.push_back(message_of(row)); });
}
hirenow_status hirenow_reply_add_audit(hirenow_reply* reply, const hirenow_audit_row* row) {
  return fill(reply, &hirenow_reply::entries, [&](auto& out) { out.push_back(entry_of(row)); });
}
hirenow_status hirenow_reply_add_head(hirenow_reply* reply, const char* applicant_id, uint64_t sequence,
                                      const uint8_t* hash) {
  return fill(reply, &hirenow_reply::heads, [&](auto& out) {
    need(hash, "hash");
    digest d;
    std::copy(hash, hash + d.size(), d.begin());
    out.push_back({string(applicant_id), sequence, d});
  });
}

hirenow_status hirenow_check_store(hirenow_status (*make_one)(void* ctx, hirenow_store** out), void* ctx,
                                   const hirenow_check_options* options, size_t* checks, size_t* failures,
                                   hirenow_text** report, hirenow_error** error) {
  put<size_t>(checks, 0);
  put<size_t>(failures, 0);
  return make(error, report, [&](hirenow_text& out) -> result<void> {
    if (!make_one) refuse("make is NULL");
    const auto done = testing::check_store(
        [&]() -> std::unique_ptr<store> {
          hirenow_store* handle = nullptr;
          if (const auto status = make_one(ctx, &handle); status != HIRENOW_OK) refuse("make failed", errc(status));
          return std::make_unique<borrowed_from_handle>(&alive(handle, "the store that was made"));
        },
        read_options(options));
    put(checks, done.checks);
    put(failures, done.failures.size());
    out.value = done.to_string();
    return {};
  });
}

}  // extern "C"
