#pragma once
/// What every store over this SQL answers by reading alone.
///
/// `Store` derives from this and has `read(call)`, which hands the call a session in a transaction and returns its
/// answer as a result. The calls keep the contracts of `store`.
/// Threads: those of `Store::read`.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sql_store.hpp"

namespace hirenow::detail {

template <class Store>
class sql_reader : public store {
 public:
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    return self().read([&](sql_session& s) { return sql_load_each(s, wanted); });
  }
  result<list_page> list(const list_request& request) override {
    return self().read([&](sql_session& s) { return sql_list(s, request); });
  }
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    return self().read([&](sql_session& s) { return sql_due(s, at, limit, cursor); });
  }
  result<std::optional<sys_seconds>> next_due() override {
    return self().read([&](sql_session& s) { return sql_next_due(s); });
  }
  result<std::optional<outbox_figures>> outbox(sys_seconds now) override {
    return self().read([&](sql_session& s) { return std::optional(sql_outbox(s, now)); });
  }
  result<std::vector<message>> messages(const message_query& query) override {
    return self().read([&](sql_session& s) { return sql_messages(s, query); });
  }
  result<std::vector<stored_policy>> policies(const policy_query& query) override {
    return self().read([&](sql_session& s) { return sql_policies(s, query); });
  }
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    return self().read([&](sql_session& s) { return sql_read_audit(s, tenant, applicant_id, after, limit); });
  }
  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    return self().read([&](sql_session& s) { return sql_audit_heads(s, tenant, after, limit); });
  }

 private:
  Store& self() { return static_cast<Store&>(*this); }
};

}  // namespace hirenow::detail
