#include "postgres_error.hpp"

#include <string>

#include "hirenow/adapters/host_connection.hpp"
#include "postgres_schema.hpp"

namespace hirenow {
namespace detail {
namespace {

errc meaning(std::string_view state, std::string_view constraint) {
  struct known {
    std::string_view beginning;
    errc code;
  };
  // The first that fits; a class after its own members.
  static constexpr known states[] = {
      {sqlstate_stale, errc::conflict},
      {"HN", errc::constraint_violated},
      {"40001", errc::retry_transaction},  // serialization_failure
      {"40P01", errc::retry_transaction},  // deadlock_detected
      {"25P02", errc::retry_transaction},  // in_failed_sql_transaction
      {"25006", errc::store_read_only},    // read_only_sql_transaction
      {"25P03", errc::store_unavailable},  // idle_in_transaction_session_timeout
      {"42501", errc::store_read_only},    // insufficient_privilege
      {"42P01", errc::schema_damaged},     // undefined_table
      {"42703", errc::schema_damaged},     // undefined_column
      {"42883", errc::schema_damaged},     // undefined_function
      {"3F000", errc::schema_damaged},     // invalid_schema_name
      {"23", errc::constraint_violated},   // integrity_constraint_violation
      {"53100", errc::store_full},         // disk_full
      {"53300", errc::store_busy},         // too_many_connections
      {"53", errc::store_unavailable},     // insufficient_resources
      {"54", errc::too_large},             // program_limit_exceeded
      {"55P03", errc::store_busy},         // lock_not_available
      {"57014", errc::store_busy},         // query_canceled
      {"57", errc::store_unavailable},     // operator_intervention
      {"58", errc::store_unavailable},     // system_error
      {"08", errc::store_unavailable},     // connection_exception
      {"28", errc::store_unavailable},     // invalid_authorization_specification
      {"3D", errc::store_unavailable},     // invalid_catalog_name
      {"22", errc::invalid_argument},      // data_exception
      {"XX001", errc::store_corrupt},      // data_corrupted
      {"XX002", errc::store_corrupt},      // index_corrupted
  };
  // Two made the same record at once.
  if (state == "23505" && constraint == "hirenow_applicant_name") return errc::conflict;
  for (const auto& one : states)
    if (state.starts_with(one.beginning)) return one.code;
  return state.empty() ? errc::store_unavailable : errc::internal;
}

}  // namespace

error postgres_failure(std::string_view sqlstate, std::string_view text, std::string_view constraint) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return fail(meaning(sqlstate, constraint), "PostgreSQL: " + std::string(text));
}

}  // namespace detail

error postgres_error(std::string_view sqlstate, std::string_view text, std::string_view constraint) {
  return detail::postgres_failure(sqlstate, text, constraint);
}

}  // namespace hirenow
