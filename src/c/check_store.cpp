/// check_store for C; in a release it is compiled by itself, and for size.

#include "hirenow/testing/check_store.hpp"
#include "handles.hpp"

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
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    return store_->load_each(wanted);
  }
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
