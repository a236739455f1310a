#include "sqlite_error.hpp"

#include <cerrno>
#include <string>

#include <sqlite3.h>

#include "hirenow/adapters/host_connection.hpp"

namespace hirenow {
namespace detail {
namespace {

/// What a failure of the operating system means; `otherwise` where it says nothing special.
errc system_failure(int number, errc otherwise) {
  switch (number) {
    case ENOSPC:
    case EDQUOT: return errc::store_full;
    case EROFS:
    case EACCES:
    case EPERM: return errc::store_read_only;
    case ENOMEM: return errc::out_of_memory;
    default: return otherwise;
  }
}

errc meaning(int code, int system_number) {
  switch (code & 0xff) {
    case SQLITE_FULL: return errc::store_full;
    case SQLITE_READONLY: return errc::store_read_only;
    case SQLITE_CORRUPT: return errc::store_corrupt;
    case SQLITE_NOTADB: return errc::store_not_a_database;
    case SQLITE_CONSTRAINT: return errc::constraint_violated;
    case SQLITE_BUSY:
      if (code == SQLITE_BUSY_SNAPSHOT) return errc::retry_transaction;
      return errc::store_busy;
    case SQLITE_LOCKED: return errc::store_busy;
    case SQLITE_NOMEM: return errc::out_of_memory;
    case SQLITE_IOERR:
      if (code == SQLITE_IOERR_NOMEM) return errc::out_of_memory;
      if (code == SQLITE_IOERR_CORRUPTFS || code == SQLITE_IOERR_SHORT_READ) return errc::store_corrupt;
      return system_failure(system_number, errc::store_unavailable);
    case SQLITE_CANTOPEN: return system_failure(system_number, errc::store_unavailable);
    case SQLITE_PERM:
    case SQLITE_AUTH: return errc::store_read_only;
    case SQLITE_TOOBIG: return errc::too_large;
    default: return errc::internal;
  }
}

/// The code behind a message, for drivers that hand on nothing else; SQLITE_ERROR where the message is unknown.
int code_behind(std::string_view text) {
  struct known {
    std::string_view words;
    int code;
  };
  static constexpr known messages[] = {
      {"hirenow: ", SQLITE_CONSTRAINT},  // of our triggers
      {"constraint failed", SQLITE_CONSTRAINT}, {"is locked", SQLITE_BUSY},
      {"readonly database", SQLITE_READONLY},   {"is malformed", SQLITE_CORRUPT},
      {"is not a database", SQLITE_NOTADB},     {"disk is full", SQLITE_FULL},
      {"disk I/O error", SQLITE_IOERR},         {"unable to open database file", SQLITE_CANTOPEN},
      {"out of memory", SQLITE_NOMEM},          {"too big", SQLITE_TOOBIG},
  };
  for (const auto& one : messages)
    if (text.find(one.words) != std::string_view::npos) return one.code;
  return SQLITE_ERROR;
}

}  // namespace

error sqlite_failure(int code, int system_number, std::string_view text) {
  // Tables of ours that went away while the store was open.
  if ((code & 0xff) == SQLITE_ERROR && text.starts_with("no such "))
    return fail(errc::schema_damaged, std::string(text));
  return fail(meaning(code, system_number), "SQLite: " + std::string(text));
}

}  // namespace detail

error sqlite_error(int code, std::string_view text) {
  return detail::sqlite_failure(code != SQLITE_OK ? code : detail::code_behind(text), 0, text);
}

}  // namespace hirenow
