/// Writing policies, and exceptions to them.

#include "sql_store.hpp"

namespace hirenow::detail {

void sql_write_waivers(sql_session& s, std::span<const waiver_change> changes, std::int64_t tenant_no,
                       std::int64_t applicant_no) {
  for (const auto& [w, before] : changes) {
    const std::int64_t track_no = s.track(tenant_no, w.track);
    if (!before)
      s.connection.post(
          "INSERT INTO main.hirenow_waiver (tenant_no, applicant_no, number, track_no, rule, reason_code, floor, "
          "state, "
          "granted_by, approved_by, granted_at, expires_at, used_for) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
          "$11, $12, $13)",
          {tenant_no, applicant_no, w.number, track_no, w.rule_id, w.reason_code, w.floor, w.state, w.granted_by,
           w.approved_by, w.granted_at, w.expires_at, w.used_for});
    else
      s.connection.post_one(
          "UPDATE main.hirenow_waiver SET state = $1, approved_by = $2, used_for = $3 WHERE applicant_no = $4 AND "
          "number "
          "= $5 AND state = $6 AND track_no = $7 AND rule = $8 AND reason_code = $9 AND floor = $10 AND granted_by = "
          "$11 AND granted_at = $12 AND expires_at = $13 AND tenant_no = $14",
          {w.state, w.approved_by, w.used_for, applicant_no, w.number, *before, track_no, w.rule_id, w.reason_code,
           w.floor, w.granted_by, w.granted_at, w.expires_at, tenant_no},
          errc::constraint_violated, "the record has no such waiver in the state that it was decided on in");
  }
}

void sql_write_policy(sql_session& s, std::int64_t tenant_no, const stored_policy& policy) {
  const std::int64_t track_no = policy.track.empty() ? 0 : s.track(tenant_no, policy.track);
  s.connection.post_one(
      "INSERT INTO main.hirenow_policy (tenant_no, track_no, number, active_from, running_waits, document, hash, "
      "set_by, "
      "set_at) VALUES ($1, $2, (SELECT coalesce(max(p.number), 0) + 1 FROM main.hirenow_policy AS p WHERE p.tenant_no "
      "= "
      "$1 AND p.track_no = $2), $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant_no, track_no, number) DO NOTHING",
      {tenant_no, track_no, policy.active_from, policy.running_waits, policy.document, policy.hash, policy.set_by,
       policy.set_at},
      errc::conflict, "somebody else was setting a policy at the same time");
}

}  // namespace hirenow::detail
