#pragma once
/// What SQLite's result codes mean. https://sqlite.org/rescode.html
///
/// Threads: pure functions.

#include <string_view>

#include "hirenow/error.hpp"

namespace hirenow::detail {

/// The error for an extended result code, SQLite's message, and the errno that SQLite met (0: none known).
error sqlite_failure(int code, int system_number, std::string_view text);

}  // namespace hirenow::detail
