#pragma once
/// The tables of a PostgreSQL schema, and how a schema comes to have them.
///
/// What the lifecycle forbids is forbidden here too, by constraints and triggers made from `transition_table`. Every
/// name is qualified and every function has a search_path of its own, so nothing depends on a session's settings.
///
/// Every key begins with the tenant, but for the names of tenants and tracks and for an interview's id, which is unique
/// among all tenants too. The columns are those of SQLite (sqlite_schema.hpp) but for two tables: audit entries are found by (record,
/// sequence), because numbers that are given out in order make writers wait for each other; and counts are appended as
/// differences, which are summed up now and then, because all writers of a tenant would meet in one row.
/// Threads: pure functions, but for those that are given a connection, which they use alone.

#include <string>
#include <string_view>
#include <vector>

#include "sql_connection.hpp"

namespace hirenow::detail {

/// The schema that this code reads and writes.
inline constexpr int postgres_schema_version = 1;

/// How many numbers of records are taken at once.
inline constexpr int applicant_no_block = 64;

/// Where mail is announced; the payload is the schema.
inline constexpr std::string_view mail_channel = "hirenow_mail";

/// SQLSTATEs that our own triggers raise.
inline constexpr std::string_view sqlstate_stale = "HN001";    ///< the record is at another version
inline constexpr std::string_view sqlstate_not_one = "HN002";  ///< a statement did not change the row it had to
inline constexpr std::string_view sqlstate_refused = "HN003";  ///< a step that the lifecycle does not have

/// The name of a schema that `check_schema_name` lets pass as SQL has it, in quotes.
std::string quoted_identifier(std::string_view name);

/// A statement of ours as PostgreSQL takes it, with its tables in this schema.
std::string postgres_text(std::string_view sql, std::string_view schema);

/// Refuses a name that no schema can have.
/// Throws invalid_argument.
void check_schema_name(std::string_view name);

/// Compares a schema with what this program would make. Returns true where it can be used as it is, false where it has
/// nothing of ours or is older.
/// Throws schema_too_new, schema_damaged.
bool postgres_schema_is_complete(sql_connection& connection, std::string_view schema);

/// The same in one short statement, for a connection of the host's: whether there are tables of a version that can be
/// used.
/// Throws schema_too_new.
bool postgres_schema_is_there(sql_connection& connection, std::string_view schema, bool& rows_are_protected);

/// Turns row security on: each statement sees the rows of the tenant that `hirenow.rows` names, or of all, or none.
void protect_postgres_rows(sql_connection& connection, std::string_view schema);
bool postgres_rows_are_protected(sql_connection& connection, std::string_view schema);

/// Brings the schema to `postgres_schema_version`, inside the transaction that is open. Of several that do so at once
/// one does the work, and the others wait for it.
/// Throws as `postgres_schema_is_complete`.
void prepare_postgres_schema(sql_connection& connection, std::string_view schema);

}  // namespace hirenow::detail
