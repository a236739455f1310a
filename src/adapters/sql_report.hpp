#pragma once
/// The views for reports: what stands in outbox and audit, in words, ids and instants that a report can use. They are
/// documented in docs/operations.md and only ever grow at the end; the tables behind them are nobody's business.
///
/// Threads: pure functions.

#include <string>
#include <string_view>

#include "sql_connection.hpp"

namespace hirenow::detail {

/// The SELECT of view hirenow_message_report. `schema` stands before the names of tables, with its dot, or is empty.
std::string message_report(sql_dialect dialect, std::string_view schema);
/// The SELECT of view hirenow_audit_report.
std::string audit_report(sql_dialect dialect, std::string_view schema);

}  // namespace hirenow::detail
