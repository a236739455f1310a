#pragma once
/// A store that hands every call on. `load_each` goes through `load`, so that whoever overrides that overrides both.
///
/// Owns: borrows the next store, which must outlive it. Threads: as the next store.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "hirenow/store.hpp"

namespace hirenow::detail {

class store_in_between : public store {
 public:
  explicit store_in_between(store& next) : next_(next) {}
  result<loaded> load(const load_request& r) override { return next_.load(r); }
  result<void> commit(const change_set& c) override { return next_.commit(c); }
  result<bool> save_progress(const checkpoint_request& r) override { return next_.save_progress(r); }
  result<list_page> list(const list_request& r) override { return next_.list(r); }
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    return next_.due(at, limit, cursor);
  }
  result<std::vector<claimed_message>> claim(const claim_request& r) override { return next_.claim(r); }
  result<std::vector<bool>> settle(std::span<const settlement> s) override { return next_.settle(s); }
  result<std::vector<allowance>> allow(std::span<const allowance_request> r) override { return next_.allow(r); }
  result<std::optional<sys_seconds>> next_due() override { return next_.next_due(); }
  result<std::optional<outbox_figures>> outbox(sys_seconds now) override { return next_.outbox(now); }
  result<std::vector<message>> messages(const message_query& q) override { return next_.messages(q); }
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    return next_.read_audit(tenant, applicant_id, after, limit);
  }
  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    return next_.audit_heads(tenant, after, limit);
  }
  result<std::vector<stored_policy>> policies(const policy_query& q) override { return next_.policies(q); }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override { return next_.prune(now, limit); }

 protected:
  store& next_;
};

}  // namespace hirenow::detail
