#pragma once
/// What a store does, as SQL: each function works on a connection inside an open transaction, and neither begins nor
/// ends one. The contracts are those of `store`.
///
/// One text serves SQLite and PostgreSQL: parameters as $1, $2, …, tables in schema `main`, whose place a PostgreSQL
/// connection gives to its own. Where the tables differ (see postgres_schema.hpp), or where SQLite is cheapest one
/// statement after the other and PostgreSQL all at once, a function asks `is_postgresql()`.
/// Failures are thrown as `hirenow::exception`; the caller rolls back to where the function began.
/// Threads: one at a time on a connection; the names may be shared.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "hirenow/store.hpp"
#include "sql_connection.hpp"
#include "sql_names.hpp"

namespace hirenow::detail {

/// A connection and what is known about its database. Within a write transaction nothing new is remembered, because it
/// may be rolled back.
struct sql_session {
  sql_connection& connection;
  sql_names& names;
  bool writing = false;
  bool database_clock = false;  ///< PostgreSQL: the server's clock says when messages wake and leases end
  bool limits_rows = false;     ///< PostgreSQL: row security is on, and shows what a call says it is about
  bool is_hosts = false;        ///< inside a transaction of the host's, whose settings stay as they are
  seconds clock_skew{0};        ///< by how much that clock is ahead of the caller's, as the last claim saw it

  bool is_postgresql() const { return connection.dialect() == sql_dialect::postgresql; }
  /// What follows is about this tenant's rows, or about those of all.
  void rows_of(std::string_view tenant);
  void rows_of_all();
  /// PostgreSQL: what follows in this transaction goes along the indexes, row by row, and joins in the order in which
  /// it is written, by a plan that is made once. With a choice a dispatcher's statements would read and sort all that
  /// waits, or whole tables, where these were analysed, or the plan was made, while there was little; and to choose
  /// takes longer than what they do. In a host's transaction nothing changes.
  void go_along_indexes();
  std::optional<std::int64_t> find_tenant(std::string_view name);
  std::optional<std::int64_t> find_track(std::int64_t tenant_no, std::string_view name);
  std::string track_name(std::int64_t track_no);
  /// As `find_…`, but makes what is missing.
  std::int64_t tenant(std::string_view name);
  std::int64_t track(std::int64_t tenant_no, std::string_view name);
};

/// An answer's place.
struct tenant_answer {
  std::int64_t tenant_no;
  answer_key key;
};

loaded sql_load(sql_session& s, const load_request& request);
std::vector<applicant_record> sql_load_each(sql_session& s, std::span<const interview_reference> wanted);
list_page sql_list(sql_session& s, const list_request& request);
due_page sql_due(sql_session& s, sys_seconds at, std::size_t limit, std::string_view cursor);
std::optional<sys_seconds> sql_next_due(sql_session& s);
outbox_figures sql_outbox(sql_session& s, sys_seconds now);
std::vector<message> sql_messages(sql_session& s, const message_query& query);
std::vector<stored_policy> sql_policies(sql_session& s, const policy_query& query);
std::vector<audit_entry> sql_read_audit(sql_session& s, std::string_view tenant, std::string_view applicant_id,
                                        std::uint64_t after, std::size_t limit);
std::vector<audit_head> sql_audit_heads(sql_session& s, std::string_view tenant, std::string_view after,
                                        std::size_t limit);

std::vector<tenant_answer> sql_find_expired(sql_session& s, sys_seconds now, std::size_t limit);

void sql_commit(sql_session& s, const change_set& changes);
bool sql_save_progress(sql_session& s, const checkpoint_request& request);
/// `is_crowded`: more is due than was asked for, so nothing was taken, and what there is has to be shared. SQLite shares
/// at once.
std::vector<claimed_message> sql_claim(sql_session& s, const claim_request& request, bool& is_crowded);
/// PostgreSQL, in three round trips: each tenant's share, and the earliest of the rest.
std::vector<claimed_message> sql_claim_shares(sql_session& s, const claim_request& request);
std::vector<bool> sql_settle(sql_session& s, std::span<const settlement> settlements);
std::vector<allowance> sql_allow(sql_session& s, std::span<const allowance_request> requests);
/// A part of `sql_commit`.
void sql_write_waivers(sql_session& s, std::span<const waiver_change> changes, std::int64_t tenant_no,
                       std::int64_t applicant_no);
void sql_write_policy(sql_session& s, std::int64_t tenant_no, const stored_policy& policy);
/// Deletes those of the answers that have expired. `sql_find_expired` finds them; it reads the whole table, so it is
/// called outside the write transaction.
std::size_t sql_prune(sql_session& s, sys_seconds now, const std::vector<tenant_answer>& some);

/// The columns of an interview, as `read_interview` expects them from column `first` on, out of table `i`.
#define HIRENOW_INTERVIEW_COLUMNS                                                                           \
  "i.track_no, i.attempt, i.interview, i.state, i.outcome, i.overtime, i.score, i.time_limit, i.grace, "    \
  "i.extra_percent, i.extra_time, i.pause_credit, i.ends_by, i.created_at, "                                \
  "i.start_by, i.started_at, i.deadline, i.submitted_at, i.decided_at, i.link_requested_at, i.changed_at, " \
  "i.generation, i.kid, i.issued_at, i.not_before, i.expires_at, i.retake_of, i.superseded_by"
inline constexpr int interview_column_count = 28;
/// The interview in a row, without its track and its sitting.
interview read_interview(const sql_row& row, int first);

/// PostgreSQL's clock in whole seconds, the same all through a transaction.
#define HIRENOW_DATABASE_NOW "CAST(pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.now())) AS bigint)"

/// The columns of a message, as `read_message` expects them from column `first` on, out of table `o`.
#define HIRENOW_MESSAGE_COLUMNS \
  "o.interview, o.kind, o.occasion, o.generation, o.created_at, o.due_at, o.state, o.tries, o.last_answer"
message read_message(const sql_row& row, int first);

}  // namespace hirenow::detail
