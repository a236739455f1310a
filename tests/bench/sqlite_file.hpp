#pragma once
/// Large files for the SQLite benchmark, written in bulk: a store's own, and one with the same facts in a minimal
/// schema for bare statements.

#include <cstdint>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <sqlite3.h>

#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/crypto.hpp"

namespace bench {

using namespace hirenow;

/// "Now" in the files: what they hold lies in the two years before.
inline constexpr sys_seconds epoch{seconds{1'790'000'000}};
/// Until when the open links of the files live.
inline constexpr sys_seconds links_end = epoch + seconds{30 * 86400};

inline constexpr int tracks = 10;

inline std::string applicant_name(std::int64_t n) { return "applicant-" + std::to_string(n); }

/// A bare connection. Every failure ends the benchmark.
class bare_connection {
 public:
  explicit bare_connection(const std::string& path, bool full_sync = false) {
    check(
        sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr));
    sqlite3_busy_timeout(db_, 10'000);
    run("PRAGMA journal_mode = WAL");
    run(full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    // As the store does: a checkpoint under the lock for every 64 MiB of log.
    sqlite3_wal_hook(
        db_,
        [](void*, sqlite3* db, const char* name, int pages) {
          return pages < 16'384 ? SQLITE_OK
                                : sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_FULL, nullptr, nullptr);
        },
        nullptr);
    run("PRAGMA temp_store = MEMORY");
    run("PRAGMA cache_size = -4096");  // as the store's default
  }
  ~bare_connection() {
    for (auto* s : statements_) sqlite3_finalize(s);
    sqlite3_close(db_);
  }
  bare_connection(const bare_connection&) = delete;
  bare_connection& operator=(const bare_connection&) = delete;

  void run(const std::string& sql) { check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr)); }
  sqlite3_stmt* prepare(const std::string& sql) {
    sqlite3_stmt* s = nullptr;
    check(sqlite3_prepare_v3(db_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &s, nullptr));
    statements_.push_back(s);
    return s;
  }
  void check(int code) const {
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
      throw std::runtime_error(std::string("bare SQLite: ") + sqlite3_errmsg(db_));
  }
  /// Runs a prepared statement that answers nothing.
  void step(sqlite3_stmt* s) {
    const int code = sqlite3_step(s);
    sqlite3_reset(s);
    check(code);
  }
  sqlite3* handle() { return db_; }

 private:
  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

inline void put(sqlite3_stmt* s, int at, std::int64_t n) { sqlite3_bind_int64(s, at, n); }
inline void put(sqlite3_stmt* s, int at, sys_seconds t) { sqlite3_bind_int64(s, at, t.time_since_epoch().count()); }
inline void put(sqlite3_stmt* s, int at, const std::string& text) {
  sqlite3_bind_text(s, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}
inline void put(sqlite3_stmt* s, int at, const interview_id& id) {
  sqlite3_bind_blob(s, at, id.data, 16, SQLITE_STATIC);
}
template <std::size_t Size>
void put(sqlite3_stmt* s, int at, const std::array<std::uint8_t, Size>& bytes) {
  sqlite3_bind_blob(s, at, bytes.data(), Size, SQLITE_STATIC);
}

/// How large a file is to be. The last interview of each applicant is current: of the first `open` applicants it is
/// scheduled, of the others failed; all earlier ones are archived.
struct file_shape {
  std::int64_t applicants = 100'000;
  int interviews = 10;  ///< of each, all on one track
  std::int64_t open = 10'000;
};

/// Writes a store's file. Triggers and the index are put aside meanwhile; nothing else differs from a file that grew.
inline void build_store_file(const std::string& path, const file_shape& shape) {
  open_sqlite_store(path).value();
  bare_connection db(path);
  db.run("PRAGMA cache_size = -500000");
  std::vector<std::string> put_back, put_aside;
  sqlite3_stmt* const objects = db.prepare(
      "SELECT 'DROP ' || type || ' ' || name, sql FROM sqlite_schema WHERE type = 'trigger' OR (type = 'index' AND sql "
      "IS NOT NULL)");
  while (sqlite3_step(objects) == SQLITE_ROW) {
    put_aside.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(objects, 0)));
    put_back.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(objects, 1)));
  }
  sqlite3_reset(objects);
  db.run("BEGIN IMMEDIATE");
  for (const auto& sql : put_aside) db.run(sql);
  db.run("INSERT INTO hirenow_tenant VALUES (1, 'acme')");
  for (int t = 1; t <= tracks; ++t)
    db.run("INSERT INTO hirenow_track VALUES (" + std::to_string(t) + ", 1, 'track-" + std::to_string(t) + "')");

  // Lives begin at random instants; what is appended as time goes by is written in that order.
  struct life {
    sys_seconds at;
    std::int64_t applicant;
    int attempt;
    interview_id id;
  };
  std::mt19937_64 random(7);
  std::vector<life> lives;
  lives.reserve(static_cast<std::size_t>(shape.applicants * shape.interviews));
  for (std::int64_t a = 1; a <= shape.applicants; ++a) {
    std::vector<sys_seconds> begins;
    for (int n = 0; n < shape.interviews; ++n)
      begins.push_back(epoch - seconds{1 + static_cast<std::int64_t>(random() % (2 * 365 * 86400))});
    std::sort(begins.begin(), begins.end());
    for (int n = 0; n < shape.interviews; ++n)
      lives.push_back(
          {begins[static_cast<std::size_t>(n)], a, n + 1, new_interview_id(begins[static_cast<std::size_t>(n)])});
  }
  const auto track_of = [](const life& l) { return 1 + l.applicant % tracks; };
  const auto is_last = [&](const life& l) { return l.attempt == shape.interviews; };
  const auto is_open = [&](const life& l) { return is_last(l) && l.applicant <= shape.open; };

  const digest some{1, 2, 3};
  sqlite3_stmt* s = db.prepare(
      "INSERT INTO hirenow_interview VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?16, NULL, "
      "86400, 600, 0, 0, 0, NULL, ?9, ?10, ?11, ?12, ?13, ?14, NULL, ?15, 1, '2026-03', ?9, ?9, ?10, "
      "NULL, NULL)");
  sqlite3_stmt* const session = db.prepare("INSERT INTO hirenow_session VALUES (1, ?1, ?2, ?3, 1, 0, ?4, NULL, NULL)");
  for (const auto& l : lives) {
    const bool open = is_open(l);
    const sys_seconds ended = l.at + seconds{7200};
    const sys_seconds start_by = open ? links_end - seconds{l.applicant} : l.at + seconds{3 * 86400};
    put(s, 1, l.applicant), put(s, 2, track_of(l)), put(s, 3, is_last(l) ? 0 : l.attempt), put(s, 4, l.attempt);
    put(s, 5, l.id), put(s, 6, open ? 0 : is_last(l) ? 4 : 9), put(s, 7, open ? 0 : 2);
    put(s, 8, open ? start_by : ended), put(s, 9, l.at), put(s, 10, start_by), put(s, 15, open ? l.at : ended);
    if (open)
      put(s, 16, 0);
    else
      sqlite3_bind_null(s, 16);
    for (const int instant : {11, 12, 13, 14})
      if (open)
        sqlite3_bind_null(s, instant);
      else
        put(s, instant, l.at + seconds{instant == 12 ? 90000 : 3600});
    db.step(s);
    if (open) continue;
    put(session, 1, l.applicant), put(session, 2, track_of(l)), put(session, 3, l.attempt), put(session, 4, some);
    db.step(session);
  }
  std::sort(lives.begin(), lives.end(), [](const life& a, const life& b) { return a.id < b.id; });
  sqlite3_stmt* const key = db.prepare("INSERT INTO hirenow_interview_key VALUES (?1, 1, ?2, ?3, ?4)");
  sqlite3_stmt* const audit = db.prepare(
      "INSERT INTO hirenow_audit VALUES (?1, ?2, ?3, ?4, ?5, 'staff:rita', ?6, ?7, "
      "NULL, 0, '{\"reason\":\"benchmark\"}', ?8)");
  sqlite3_stmt* const outbox = db.prepare(
      "INSERT INTO hirenow_outbox VALUES (?1, 1, ?2, 1, ?3, 1, ?4, ?4, ?4, 2, 1, "
      "NULL, '250 2.0.0 OK')");
  std::vector<std::int64_t> newest(static_cast<std::size_t>(shape.applicants) + 1, 0);
  std::vector<std::int64_t> length(newest.size(), 0);
  std::int64_t audit_no = 0;
  for (const auto& l : lives) {
    put(key, 1, l.id), put(key, 2, l.applicant), put(key, 3, track_of(l)), put(key, 4, l.attempt);
    db.step(key);
    const auto a = static_cast<std::size_t>(l.applicant);
    for (const char* event : {"schedule", "fail"}) {
      const std::string word(event);
      put(audit, 1, ++audit_no), put(audit, 2, l.applicant), put(audit, 4, ++length[a]), put(audit, 5, l.at);
      if (newest[a] == 0)
        sqlite3_bind_null(audit, 3);
      else
        put(audit, 3, newest[a]);
      put(audit, 6, word), put(audit, 7, l.id), put(audit, 8, some);
      db.step(audit);
      newest[a] = audit_no;
    }
    put(outbox, 1, l.id), put(outbox, 2, length[a]), put(outbox, 3, l.applicant), put(outbox, 4, l.at);
    db.step(outbox);
  }
  s = db.prepare("INSERT INTO hirenow_applicant VALUES (?1, 1, ?2, ?3, ?3, ?4, ?5, 0, ?6, ?6)");
  sqlite3_stmt* const person = db.prepare(
      "INSERT INTO hirenow_person VALUES (?1, 1, randomblob(16), ?2, 'Ada Lovelace', 'en', 'Europe/London')");
  for (std::int64_t a = 1; a <= shape.applicants; ++a) {
    const std::string name = applicant_name(a), email = name + "@example.org";
    put(s, 1, a), put(s, 2, name), put(s, 3, length[static_cast<std::size_t>(a)]);
    put(s, 4, newest[static_cast<std::size_t>(a)]), put(s, 5, epoch), put(s, 6, some);
    db.step(s);
    put(person, 1, a), put(person, 2, email);
    db.step(person);
  }
  // Answers of the last 30 days at most stay; a tenth of the lives has one.
  s = db.prepare(
      "INSERT INTO hirenow_answer VALUES (1, randomblob(16), ?1, ?2, randomblob(32), "
      "'{\"interview_id\":\"018f0000-0000-7000-8000-000000000000\",\"audit\":17}')");
  for (std::size_t n = 0; n < lives.size(); n += 10) {
    put(s, 1, lives[n].applicant), put(s, 2, epoch + seconds{30 * 86400});
    db.step(s);
  }
  for (const std::string track : {"0", "track_no"})
    db.run("INSERT INTO hirenow_count SELECT 1, " + track +
           " AS t, sum(state = 0), sum(state = 1), sum(state = 2), sum(state = 3), sum(state = 4), sum(state = 5), "
           "sum(state = 6), sum(state = 7), sum(state = 8), sum(state = 9) FROM hirenow_interview GROUP BY t");
  for (const auto& sql : put_back) db.run(sql);
  db.run("COMMIT");
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

/// Makes a copy of a store's file into one for bare statements: the very same pages, so that both begin with trees of
/// the same shape, under a minimal schema without constraints, triggers, and tables that a retake does not need.
inline void build_bare_file(const std::string& path, const std::string& from) {
  std::filesystem::copy_file(from, path);
  bare_connection db(path);
  const std::vector<std::pair<std::string, std::string>> minimal{
      {"applicant",
       "applicant_no INTEGER PRIMARY KEY, tenant_no, applicant, version, sequence, audit_no, last_instant, "
       "erased, subject, audit_head, UNIQUE (tenant_no, applicant))"},
      {"person", "applicant_no INTEGER PRIMARY KEY, tenant_no, salt, email, name, locale, time_zone)"},
      {"interview",
       "tenant_no, applicant_no, track_no, slot, attempt, interview, state, outcome, overtime, sort_at, "
       "clock, score, time_limit, grace, extra_percent, extra_time, pause_credit, ends_by, created_at, start_by, "
       "started_at, deadline, submitted_at, decided_at, link_requested_at, changed_at, generation, kid, issued_at, "
       "not_before, expires_at, "
       "retake_of, superseded_by, PRIMARY KEY (tenant_no, applicant_no, track_no, slot)) WITHOUT ROWID"},
      {"interview_key", "interview PRIMARY KEY, tenant_no, applicant_no, track_no, attempt) WITHOUT ROWID"},
      {"audit",
       "audit_no INTEGER PRIMARY KEY, applicant_no, prev, sequence, at, actor, event, interview, from_state, "
       "to_state, details, hash)"},
      {"outbox",
       "interview, kind, occasion, tenant_no, applicant_no, generation, created_at, due_at, wake_at, state, "
       "tries, lease, last_answer, PRIMARY KEY (interview, kind, occasion)) WITHOUT ROWID"},
      {"answer",
       "tenant_no, answer_key, applicant_no, expires_at, payload, answer, PRIMARY KEY (tenant_no, "
       "answer_key)) WITHOUT ROWID"},
      {"session",
       "tenant_no, applicant_no, track_no, attempt, fence, open, key_hash, saved_at, progress, PRIMARY KEY "
       "(tenant_no, applicant_no, track_no, attempt)) WITHOUT ROWID"},
      {"count",
       "tenant_no, track_no, scheduled, in_progress, submitted, passed, failed, on_hold, expired, cancelled, "
       "voided, archived, PRIMARY KEY (tenant_no, track_no)) WITHOUT ROWID"},
  };
  const auto columns_of_all = [&] {
    std::string all;
    sqlite3_stmt* const columns = db.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid");
    for (const auto& [table, definition] : minimal) {
      const std::string name = "hirenow_" + table;
      all += name + ": ";
      put(columns, 1, name);
      while (sqlite3_step(columns) == SQLITE_ROW)
        all += std::string(reinterpret_cast<const char*>(sqlite3_column_text(columns, 0))) + " ";
      sqlite3_reset(columns);
    }
    return all;
  };
  const std::string before = columns_of_all();
  std::vector<std::string> drops;
  std::string kept = "''";
  for (const auto& [table, columns] : minimal) kept += ", 'hirenow_" + table + "'";
  sqlite3_stmt* const extra = db.prepare(
      "SELECT 'DROP ' || type || ' IF EXISTS ' || name FROM sqlite_schema WHERE sql IS "
      "NOT NULL AND (type = 'trigger' OR name = 'hirenow_outbox_dead' OR (type = "
      "'table' AND name NOT IN (" +
      kept + "))) ORDER BY type DESC");
  while (sqlite3_step(extra) == SQLITE_ROW)
    drops.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(extra, 0)));
  sqlite3_reset(extra);
  for (const auto& sql : drops) db.run(sql);
  db.run("PRAGMA writable_schema = ON");
  for (const auto& [table, columns] : minimal)
    db.run("UPDATE sqlite_schema SET sql = 'CREATE TABLE hirenow_" + table + " (" + columns +
           "' WHERE name = 'hirenow_" + table + "'");
  db.run("PRAGMA writable_schema = RESET");
  if (columns_of_all() != before) throw std::runtime_error("the minimal schema has other columns than the store's");
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

/// The log's length in pages, as the wal-index has it (https://sqlite.org/walformat.html, the field mxFrame).
inline std::uint32_t log_pages(const std::string& path) {
  std::FILE* const shm = std::fopen((path + "-shm").c_str(), "rb");
  std::uint32_t pages = 0;
  if (!shm || std::fseek(shm, 16, SEEK_SET) != 0 || std::fread(&pages, sizeof pages, 1, shm) != 1)
    throw std::runtime_error("no wal-index beside " + path);
  std::fclose(shm);
  return pages;
}

}  // namespace bench
