#pragma once
/// A store that hands every call on to another one. Tests override what they want to see, to hold up or to break.
///
/// Threads: as the other store.

#include "hirenow/store.hpp"

namespace hirenow::support {

class forwarding_store : public store {
 public:
  /// Owns: borrows the other store.
  explicit forwarding_store(store& behind) : behind_(behind) {}

  result<loaded> load(const load_request& request) override { return behind_.load(request); }
  result<void> commit(const change_set& changes) override { return behind_.commit(changes); }
  result<bool> save_progress(const checkpoint_request& request) override { return behind_.save_progress(request); }
  result<list_page> list(const list_request& request) override { return behind_.list(request); }
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    return behind_.due(at, limit, cursor);
  }
  result<std::vector<claimed_message>> claim(const claim_request& request) override { return behind_.claim(request); }
  result<std::vector<bool>> settle(std::span<const settlement> settlements) override {
    return behind_.settle(settlements);
  }
  result<std::optional<sys_seconds>> next_due() override { return behind_.next_due(); }
  result<std::vector<message>> messages(const message_query& query) override { return behind_.messages(query); }
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    return behind_.read_audit(tenant, applicant_id, after, limit);
  }
  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    return behind_.audit_heads(tenant, after, limit);
  }
  result<void> set_policy(std::string_view tenant, const stored_policy& policy) override {
    return behind_.set_policy(tenant, policy);
  }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override { return behind_.prune(now, limit); }

 private:
  store& behind_;
};

}  // namespace hirenow::support
