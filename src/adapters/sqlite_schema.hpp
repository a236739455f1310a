#pragma once
/// The tables of a SQLite file, and how a file comes to have them.
///
/// What the lifecycle forbids is forbidden here too, by constraints and triggers made from `transition_table`, for
/// whoever writes to the file. Nothing depends on the connection's settings: there are no foreign keys to be switched
/// off, and replacing a row (which fires no delete trigger by default) is refused where rows must stay.
/// Threads: pure functions, but for `prepare_schema`, which uses its connection alone.

#include <string>
#include <string_view>
#include <vector>

#include "sql_connection.hpp"

namespace hirenow::detail {

/// The schema that this code reads and writes.
inline constexpr int schema_version = 1;

/// A table, index or trigger.
struct schema_object {
  std::string_view type;  ///< "table", "index", "trigger", "view"
  std::string name;
  std::string body;  ///< what follows the name

  /// The statement as SQLite keeps it in sqlite_schema; `schema` is put before the name, with its dot.
  std::string statement(std::string_view schema = {}) const;
};

/// Everything of ours, in the order in which it can be made.
const std::vector<schema_object>& schema_objects();

/// Compares a file with `schema_objects()`. Returns true where it is exactly so, false where the file has nothing of
/// ours.
/// Throws schema_too_new, schema_damaged.
bool schema_is_complete(sql_connection& connection);

/// Brings the file to `schema_version`, inside the write transaction that is open.
/// Throws as `schema_is_complete`.
void prepare_schema(sql_connection& connection);

}  // namespace hirenow::detail
