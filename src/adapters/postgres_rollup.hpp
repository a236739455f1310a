#pragma once
/// Summing up what was appended to the counts. Threads: as the connection.

#include "sql_store.hpp"

namespace hirenow::detail {

/// Takes up to 20,000 appended differences and adds them to the counts of their track and their tenant, in a
/// transaction that is open. Where somebody else is at it, nothing is done.
void postgres_sum_up(sql_session& s);

}  // namespace hirenow::detail
