#pragma once
/// What PostgreSQL's failures mean. Threads: pure functions.

#include <string_view>

#include "hirenow/error.hpp"

namespace hirenow::detail {

/// The error for a SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) and its message.
/// `constraint` is the name of the constraint that was violated, where there was one.
error postgres_failure(std::string_view sqlstate, std::string_view text, std::string_view constraint = {});

/// True where the transaction could not be put in line with others', and may simply be tried again.
inline bool is_repeatable(std::string_view sqlstate) { return sqlstate == "40001" || sqlstate == "40P01"; }

}  // namespace hirenow::detail
