#include "sql_report.hpp"

#include "hirenow/interview.hpp"
#include "hirenow/message.hpp"

namespace hirenow::detail {
namespace {

struct report_writer {
  sql_dialect dialect;
  std::string_view schema;

  bool is_postgresql() const { return dialect == sql_dialect::postgresql; }
  std::string table(std::string_view name) const { return std::string(schema) + std::string(name); }
  static std::string text(std::string_view column) { return std::string(column); }
  std::string id(std::string_view column) const {
    const std::string c(column);
    if (is_postgresql()) return "CAST(pg_catalog.encode(" + c + ", 'hex') AS uuid)";
    std::string out = "CASE WHEN " + c + " IS NOT NULL THEN lower(";
    const char* const parts[] = {"1, 8", "9, 4", "13, 4", "17, 4", "21"};
    for (std::size_t n = 0; n < 5; ++n)
      out.append(n ? " || '-' || " : "").append("substr(hex(").append(c).append("), ").append(parts[n]).append(")");
    return out + ") END";
  }
  std::string instant(std::string_view column) const {
    const std::string c(column);
    if (is_postgresql()) return "pg_catalog.to_timestamp(" + c + ")";
    return "strftime('%Y-%m-%dT%H:%M:%SZ', " + c + ", 'unixepoch')";
  }
  std::string hex(std::string_view column) const {
    const std::string c(column);
    return is_postgresql() ? "pg_catalog.encode(" + c + ", 'hex')" : "lower(hex(" + c + "))";
  }
  /// The word for a number that an enumeration gives.
  template <class Enum>
  static std::string word(std::string_view column, std::size_t count) {
    std::string out = "CASE " + std::string(column);
    for (std::size_t n = 0; n < count; ++n)
      out.append(" WHEN ")
          .append(std::to_string(n))
          .append(" THEN '")
          .append(to_string(static_cast<Enum>(n)))
          .append("'");
    return out + " END";
  }
};

}  // namespace

std::string message_report(sql_dialect dialect, std::string_view schema) {
  const report_writer w{dialect, schema};
  return "SELECT t.tenant, a.applicant, " + w.id("o.interview") + " AS interview, " +
         w.word<message_kind>("o.kind", message_kind_count) + " AS kind, o.occasion, o.generation, " +
         w.word<message_state>("o.state", message_state_count) + " AS state, o.tries, " + w.instant("o.created_at") +
         " AS created_at, " + w.instant("o.due_at") + " AS due_at, o.last_answer FROM " + w.table("hirenow_outbox") +
         " AS o JOIN " + w.table("hirenow_tenant") + " AS t ON t.tenant_no = o.tenant_no JOIN " +
         w.table("hirenow_applicant") + " AS a ON a.tenant_no = o.tenant_no AND a.applicant_no = o.applicant_no";
}

std::string audit_report(sql_dialect dialect, std::string_view schema) {
  const report_writer w{dialect, schema};
  return "SELECT t.tenant, a.applicant, e.sequence, " + w.instant("e.at") + " AS at, e.actor, e.event, " +
         w.id("e.interview") + " AS interview, " + w.word<interview_state>("e.from_state", interview_state_count) +
         " AS from_state, " + w.word<interview_state>("e.to_state", interview_state_count) +
         " AS to_state, e.details, " + w.hex("e.hash") + " AS hash FROM " + w.table("hirenow_audit") + " AS e JOIN " +
         w.table("hirenow_applicant") + " AS a ON " +
         (dialect == sql_dialect::postgresql ? "a.tenant_no = e.tenant_no AND " : "") +
         "a.applicant_no = e.applicant_no JOIN " + w.table("hirenow_tenant") + " AS t ON t.tenant_no = a.tenant_no";
}

}  // namespace hirenow::detail
