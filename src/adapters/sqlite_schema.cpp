#include "sqlite_schema.hpp"

#include <array>
#include <map>
#include <string>

#include "hirenow/lifecycle.hpp"
#include "hirenow/message.hpp"
#include "hirenow/store.hpp"
#include "sql_report.hpp"

namespace hirenow::detail {
namespace {

template <class State>
std::string number_of(State s) {
  return std::to_string(static_cast<int>(s));
}

/// A set of states as a number whose bit n is state n. SQLite would build a table for each `IN (…)`.
template <class Predicate>
constexpr unsigned bits_where(Predicate holds) {
  unsigned bits = 0;
  for (std::size_t s = 0; s < interview_state_count; ++s)
    if (holds(static_cast<interview_state>(s))) bits |= 1U << s;
  return bits;
}

/// True in SQL where the state in this column is one of the set.
std::string is_one_of(unsigned bits, std::string_view column) {
  return "((" + std::to_string(bits) + " >> " + std::string(column) + ") & 1)";
}

/// True in SQL where the lifecycle has a row that leads from OLD.state to NEW.state.
std::string lawful_step() {
  std::string next = "(CASE OLD.state";
  for (std::size_t s = 0; s < interview_state_count; ++s) {
    const auto from = static_cast<interview_state>(s);
    if (const unsigned bits = bits_where([&](interview_state to) { return is_lawful_step(from, to); }))
      next += " WHEN " + number_of(from) + " THEN " + std::to_string(bits);
  }
  return "((" + next + " ELSE 0 END) >> NEW.state) & 1)";
}

/// True in SQL where a waiver may go from OLD.state to NEW.state.
std::string lawful_waiver_step() {
  std::string steps;
  for (std::size_t from = 0; from < waiver_state_count; ++from)
    for (std::size_t to = 0; to < waiver_state_count; ++to)
      if (is_lawful_step(static_cast<waiver_state>(from), static_cast<waiver_state>(to)))
        steps += (steps.empty() ? "(" : " OR ") + ("OLD.state = " + std::to_string(from)) +
                 " AND NEW.state = " + std::to_string(to);
  return "(" + steps + "))";
}

/// The states in which an interview may begin.
constexpr unsigned beginnings = bits_where([](interview_state to) {
  for (const auto& row : transition_table)
    if (!row.from && row.to == to) return true;
  return false;
});
constexpr unsigned current_states = bits_where([](interview_state s) { return is_current(s); });

/// The statement ends there; of several rows those before stay changed, lawfully. ABORT would undo them too, and for
/// that SQLite copies every page that a statement with such a trigger changes.
std::string refuse(std::string_view why, std::string_view when) {
  return "\n  SELECT RAISE(FAIL, 'hirenow: " + std::string(why) + "') WHERE " + std::string(when) + ";";
}

schema_object refuse_always(std::string_view table, std::string_view what, std::string_view why) {
  std::string verb(what);
  for (char& c : verb) c = static_cast<char>(c - 'a' + 'A');
  return {"trigger", std::string(table) + "_no_" + std::string(what),
          " BEFORE " + verb + " ON " + std::string(table) + " BEGIN" + refuse(why, "1") + "\nEND"};
}

/// A trigger for columns that keep their value. The store's own statements do not name them, so it costs them nothing.
schema_object keep(std::string_view table, std::initializer_list<std::string_view> columns, std::string_view why) {
  std::string names, changed;
  for (const auto c : columns) {
    names += (names.empty() ? "" : ", ") + std::string(c);
    changed += (changed.empty() ? "" : " OR ") + ("NEW." + std::string(c)) + " IS NOT OLD." + std::string(c);
  }
  return {"trigger", std::string(table) + "_keep",
          " BEFORE UPDATE OF " + names + " ON " + std::string(table) + " BEGIN" + refuse(why, changed) + "\nEND"};
}

/// True in SQL where NEW's track has an interview in the slot.
std::string slot_is_taken(std::string_view slot) {
  return "EXISTS (SELECT 1 FROM hirenow_interview AS i WHERE i.tenant_no = NEW.tenant_no AND i.applicant_no = "
         "NEW.applicant_no AND i.track_no = NEW.track_no AND i.slot = " +
         std::string(slot) + ")";
}

std::string count_columns() {
  std::string list;
  for (std::size_t s = 0; s < interview_state_count; ++s)
    list += "\n  " + std::string(to_string(static_cast<interview_state>(s))) + " INTEGER NOT NULL,";
  return list;
}

// A function in a check can fail by itself, for which SQLite copies pages as for ABORT: so no check calls one in the
// tables that every change writes to, not even length(). What is too short is read as if zeros followed, so that a hash
// is no longer the audit's; what is too long is cut.
std::vector<schema_object> make_objects() {
  const std::string last_state = std::to_string(interview_state_count - 1);
  return {
      {"table", "hirenow_version", R"( (
  version INTEGER PRIMARY KEY
))"},
      {"table", "hirenow_tenant", R"( (
  tenant_no INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL UNIQUE
))"},
      {"table", "hirenow_track", R"( (
  track_no INTEGER PRIMARY KEY,
  tenant_no INTEGER NOT NULL,
  track TEXT NOT NULL,
  UNIQUE (tenant_no, track)
))"},
      // The head of a record. `audit_no` is its newest audit entry; `sequence` and `audit_head` are that entry's.
      {"table", "hirenow_applicant", R"( (
  applicant_no INTEGER PRIMARY KEY,
  tenant_no INTEGER NOT NULL,
  applicant TEXT NOT NULL,
  version INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  audit_no INTEGER,
  last_instant INTEGER NOT NULL,
  erased INTEGER NOT NULL CHECK (erased BETWEEN 0 AND 1),
  subject BLOB NOT NULL CHECK (length(subject) = 32),
  audit_head BLOB NOT NULL,
  UNIQUE (tenant_no, applicant)
))"},
      {"trigger", "hirenow_applicant_insert",
       " BEFORE INSERT ON hirenow_applicant BEGIN" + refuse("a record begins at version 1", "NEW.version <> 1") +
           refuse("a record is never replaced",
                  "EXISTS (SELECT 1 FROM hirenow_applicant AS a WHERE a.applicant_no = "
                  "NEW.applicant_no) OR EXISTS (SELECT 1 FROM hirenow_applicant AS a WHERE a.tenant_no = NEW.tenant_no "
                  "AND a.applicant = NEW.applicant)") +
           "\nEND"},
      {"trigger", "hirenow_applicant_update",
       " BEFORE UPDATE ON hirenow_applicant BEGIN" +
           refuse("each change moves the version by one", "NEW.version <> OLD.version + 1") +
           refuse("the audit never becomes shorter", "NEW.sequence < OLD.sequence") +
           refuse("an erased person stays erased", "NEW.erased < OLD.erased") + "\nEND"},
      keep("hirenow_applicant", {"applicant_no", "tenant_no", "applicant", "subject"}, "a record keeps its name"),
      refuse_always("hirenow_applicant", "delete", "a record is never deleted"),
      {"table", "hirenow_person", R"( (
  applicant_no INTEGER PRIMARY KEY,
  tenant_no INTEGER NOT NULL,
  salt BLOB NOT NULL,
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  locale TEXT NOT NULL,
  time_zone TEXT NOT NULL
))"},
      // Slot 0 is the current interview of the track, any other its attempt: so the key says that there is one current
      // interview at most, and an applicant's rows lie together. `clock` is what the clock will do at `sort_at`:
      // 0 expire, 1 submit, NULL nothing.
      {"table", "hirenow_interview",
       R"( (
  tenant_no INTEGER NOT NULL,
  applicant_no INTEGER NOT NULL,
  track_no INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  attempt INTEGER NOT NULL CHECK (attempt >= 1),
  interview BLOB NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND )" +
           last_state + R"(),
  outcome INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND )" +
           std::to_string(outcome_count - 1) + R"(),
  overtime INTEGER NOT NULL CHECK (overtime BETWEEN 0 AND 1),
  sort_at INTEGER NOT NULL,
  clock INTEGER,
  score REAL,
  time_limit INTEGER NOT NULL,
  grace INTEGER NOT NULL,
  extra_percent INTEGER NOT NULL,
  extra_time INTEGER NOT NULL,
  pause_credit INTEGER NOT NULL,
  ends_by INTEGER,
  created_at INTEGER NOT NULL,
  start_by INTEGER NOT NULL,
  started_at INTEGER,
  deadline INTEGER,
  submitted_at INTEGER,
  decided_at INTEGER,
  link_requested_at INTEGER,
  changed_at INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  kid TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  retake_of BLOB,
  superseded_by BLOB,
  PRIMARY KEY (tenant_no, applicant_no, track_no, slot),
  CHECK (slot = CASE WHEN )" +
           is_one_of(current_states, "state") + R"( THEN 0 ELSE attempt END),
  CHECK (clock IS CASE WHEN state = )" +
           number_of(interview_state::scheduled) + R"( THEN 0
    WHEN state = )" +
           number_of(interview_state::in_progress) + R"( AND deadline IS NOT NULL THEN overtime END),
  CHECK (sort_at = CASE WHEN clock IS NULL THEN changed_at WHEN state = )" +
           number_of(interview_state::scheduled) + R"( THEN start_by
    ELSE deadline + grace END)
) WITHOUT ROWID)"},
      // Serves the dashboard, the sweep, and the dashboard as it will be after the sweep.
      {"index", "hirenow_interview_by_state",
       " ON hirenow_interview (tenant_no, state, sort_at DESC, applicant_no, track_no, attempt, clock)"},
      // Ids are time-ordered, so this table grows at its end.
      {"table", "hirenow_interview_key", R"( (
  interview BLOB PRIMARY KEY,
  tenant_no INTEGER NOT NULL,
  applicant_no INTEGER NOT NULL,
  track_no INTEGER NOT NULL,
  attempt INTEGER NOT NULL
) WITHOUT ROWID)"},
      {"trigger", "hirenow_interview_key_insert",
       " BEFORE INSERT ON hirenow_interview_key BEGIN" +
           refuse("the interview id is taken",
                  "EXISTS (SELECT 1 FROM hirenow_interview_key AS k WHERE k.interview = "
                  "NEW.interview)") +
           "\nEND"},
      refuse_always("hirenow_interview_key", "update", "an interview keeps its id"),
      refuse_always("hirenow_interview_key", "delete", "an interview keeps its id"),
      {"trigger", "hirenow_interview_insert",
       " BEFORE INSERT ON hirenow_interview BEGIN" +
           refuse("a new interview is scheduled", "NOT " + is_one_of(beginnings, "NEW.state")) +
           refuse("the track has a current interview", slot_is_taken("0")) +
           refuse("the track has an interview of this number", slot_is_taken("NEW.attempt")) +
           refuse("an interview needs an id of its own",
                  "NOT EXISTS (SELECT 1 FROM hirenow_interview_key AS k WHERE k.interview = NEW.interview AND "
                  "k.tenant_no = NEW.tenant_no AND k.applicant_no = NEW.applicant_no AND k.track_no = NEW.track_no AND "
                  "k.attempt = NEW.attempt)") +
           "\nEND"},
      {"trigger", "hirenow_interview_update",
       " BEFORE UPDATE ON hirenow_interview BEGIN" +
           refuse("archived is for ever", "OLD.state = " + number_of(interview_state::archived)) +
           refuse("the lifecycle has no such step", "NOT " + lawful_step()) +
           refuse("the track has another interview in this slot",
                  "NEW.slot <> OLD.slot AND " + slot_is_taken("NEW.slot")) +
           "\nEND"},
      keep("hirenow_interview",
           {"interview", "tenant_no", "applicant_no", "track_no", "attempt", "created_at", "retake_of"},
           "an interview keeps its name and place"),
      refuse_always("hirenow_interview", "delete", "an interview is never deleted"),
      // `prev` is the entry before of the same record: entries are appended to one place, and read back by pointer.
      {"table", "hirenow_audit", R"( (
  audit_no INTEGER PRIMARY KEY,
  applicant_no INTEGER NOT NULL,
  prev INTEGER,
  sequence INTEGER NOT NULL CHECK (sequence >= 1 AND (sequence = 1) = (prev IS NULL)),
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  event TEXT NOT NULL,
  interview BLOB,
  from_state INTEGER,
  to_state INTEGER,
  details TEXT NOT NULL,
  hash BLOB NOT NULL
))"},
      {"trigger", "hirenow_audit_insert",
       " BEFORE INSERT ON hirenow_audit BEGIN" +
           refuse("the audit is written at its end",
                  "NEW.audit_no <= coalesce((SELECT max(a.audit_no) FROM hirenow_audit AS a), 0)") +
           "\nEND"},
      refuse_always("hirenow_audit", "update", "the audit is append-only"),
      refuse_always("hirenow_audit", "delete", "the audit is append-only"),
      {"table", "hirenow_note", R"( (
  tenant_no INTEGER NOT NULL,
  applicant_no INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (tenant_no, applicant_no, sequence)
) WITHOUT ROWID)"},
      {"table", "hirenow_fact",
       R"( (
  tenant_no INTEGER NOT NULL,
  applicant_no INTEGER NOT NULL,
  fact_no INTEGER NOT NULL,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND )" +
           std::to_string(fact_kind_count - 1) + R"(),
  name TEXT NOT NULL,
  track TEXT NOT NULL,
  at INTEGER NOT NULL,
  until INTEGER,
  value TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, applicant_no, fact_no)
) WITHOUT ROWID)"},
      {"table", "hirenow_waiver",
       R"( (
  tenant_no INTEGER NOT NULL,
  applicant_no INTEGER NOT NULL,
  number INTEGER NOT NULL,
  track_no INTEGER NOT NULL,
  rule TEXT NOT NULL,
  reason_code TEXT NOT NULL,
  floor TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND )" +
           std::to_string(waiver_state_count - 1) + R"(),
  granted_by TEXT NOT NULL,
  approved_by TEXT NOT NULL,
  granted_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL CHECK (expires_at > granted_at),
  used_for BLOB CHECK (used_for IS NULL OR length(used_for) = 16),
  PRIMARY KEY (tenant_no, applicant_no, number),
  CHECK ((used_for IS NOT NULL) = (state = )" +
           number_of(waiver_state::used) + R"()),
  CHECK (approved_by = '' OR (approved_by <> granted_by AND state <> )" +
           number_of(waiver_state::proposed) + R"())
) WITHOUT ROWID)"},
      {"index", "hirenow_waiver_open", " ON hirenow_waiver (expires_at) WHERE state IN (0, 1)"},
      {"trigger", "hirenow_waiver_insert",
       " BEFORE INSERT ON hirenow_waiver BEGIN" +
           refuse("a new waiver is proposed or granted", "NEW.state NOT IN (0, 1) OR NEW.approved_by <> ''") +
           refuse("a waiver is never replaced",
                  "EXISTS (SELECT 1 FROM hirenow_waiver AS w WHERE w.tenant_no = NEW.tenant_no AND w.applicant_no = "
                  "NEW.applicant_no AND w.number = NEW.number)") +
           refuse("the rule has an open waiver",
                  "EXISTS (SELECT 1 FROM hirenow_waiver AS w WHERE w.tenant_no = NEW.tenant_no AND w.applicant_no = "
                  "NEW.applicant_no AND w.track_no = NEW.track_no AND w.rule = NEW.rule AND w.state IN (0, 1))") +
           "\nEND"},
      {"trigger", "hirenow_waiver_update",
       " BEFORE UPDATE ON hirenow_waiver BEGIN" + refuse("no waiver can go that step", "NOT " + lawful_waiver_step()) +
           refuse("who approved a waiver stays", "OLD.approved_by <> '' AND NEW.approved_by <> OLD.approved_by") +
           "\nEND"},
      keep("hirenow_waiver",
           {"applicant_no", "number", "tenant_no", "track_no", "rule", "reason_code", "floor", "granted_by",
            "granted_at", "expires_at"},
           "a waiver keeps what was granted"),
      refuse_always("hirenow_waiver", "delete", "a waiver is never deleted"),
      {"table", "hirenow_session", R"( (
  tenant_no INTEGER NOT NULL,
  applicant_no INTEGER NOT NULL,
  track_no INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  open INTEGER NOT NULL CHECK (open BETWEEN 0 AND 1),
  key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
  saved_at INTEGER,
  progress BLOB,
  PRIMARY KEY (tenant_no, applicant_no, track_no, attempt)
) WITHOUT ROWID)"},
      // `wake_at`: when a queued message is due, or a lease runs out.
      {"table", "hirenow_outbox",
       R"( (
  interview BLOB NOT NULL,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND )" +
           std::to_string(message_kind_count - 1) + R"(),
  occasion INTEGER NOT NULL,
  tenant_no INTEGER NOT NULL,
  applicant_no INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  wake_at INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND )" +
           std::to_string(message_state_count - 1) + R"(),
  tries INTEGER NOT NULL,
  lease BLOB,
  last_answer TEXT NOT NULL,
  PRIMARY KEY (interview, kind, occasion)
) WITHOUT ROWID)"},
      // In the order of the claim, tenant by tenant, and with all that counting them needs.
      {"index", "hirenow_outbox_unsent",
       " ON hirenow_outbox (tenant_no, wake_at, interview, kind, occasion, state) WHERE state IN (0, 1)"},
      {"index", "hirenow_outbox_dead", " ON hirenow_outbox (tenant_no) WHERE state = 4"},
      // How full the measure of a limit is (detail/pace.hpp); tenant 0 is all mail's.
      {"table", "hirenow_pace", R"( (
  tenant_no INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  filled INTEGER NOT NULL CHECK (filled >= 0)
))"},
      {"table", "hirenow_answer", R"( (
  tenant_no INTEGER NOT NULL,
  answer_key BLOB NOT NULL CHECK (length(answer_key) = 16),
  applicant_no INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  payload BLOB NOT NULL CHECK (length(payload) = 32),
  answer TEXT NOT NULL,
  PRIMARY KEY (tenant_no, answer_key)
) WITHOUT ROWID)"},
      // Track 0 is the tenant's own. Nothing that was set is changed or deleted: decisions name it.
      {"table", "hirenow_policy",
       R"( (
  tenant_no INTEGER NOT NULL,
  track_no INTEGER NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 1),
  active_from INTEGER NOT NULL,
  running_waits INTEGER NOT NULL CHECK (running_waits BETWEEN 0 AND )" +
           std::to_string(running_waits_count - 1) + R"(),
  document TEXT NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  set_by TEXT NOT NULL,
  set_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_no, track_no, number)
) WITHOUT ROWID)"},
      {"index", "hirenow_policy_in_force", " ON hirenow_policy (tenant_no, track_no, active_from, number)"},
      refuse_always("hirenow_policy", "update", "a policy that was set stays"),
      refuse_always("hirenow_policy", "delete", "a policy that was set stays"),
      // Interviews by state; track 0 counts all of the tenant.
      {"table", "hirenow_count",
       " (\n  tenant_no INTEGER NOT NULL,\n  track_no INTEGER NOT NULL," + count_columns() +
           "\n  PRIMARY KEY (tenant_no, track_no)\n) WITHOUT ROWID"},
      {"view", "hirenow_message_report", " AS " + message_report(sql_dialect::sqlite, {})},
      {"view", "hirenow_audit_report", " AS " + audit_report(sql_dialect::sqlite, {})},
  };
}

using migration = void (*)(sql_connection&);

/// The way from each version to the next. A step that has been released is never edited: a new one follows it.
constexpr std::array<migration, schema_version> migrations{
    [](sql_connection& c) {
      for (const auto& object : schema_objects()) c.run(object.statement("main."));
    },
};

int stored_version(sql_connection& c) {
  int version = 0;
  c.execute("SELECT coalesce(max(version), 0) FROM main.hirenow_version", {},
            [&](const sql_row& row) { version = row.number<int>(0); });
  return version;
}

}  // namespace

std::string schema_object::statement(std::string_view schema) const {
  std::string verb;
  for (const char c : type) verb.push_back(static_cast<char>(c - 'a' + 'A'));
  return "CREATE " + verb + " " + std::string(schema) + name + body;
}

const std::vector<schema_object>& schema_objects() {
  static const std::vector<schema_object> objects = make_objects();
  return objects;
}

bool schema_is_complete(sql_connection& c) {
  std::map<std::string, std::string, std::less<>> found;
  c.execute("SELECT name, sql FROM main.sqlite_master WHERE name LIKE 'hirenow\\_%' ESCAPE '\\' AND sql IS NOT NULL",
            {}, [&](const sql_row& row) { found.emplace(row.string(0), row.string(1)); });
  if (found.empty()) return false;
  if (!found.contains("hirenow_version"))
    throw exception(fail(errc::schema_damaged, "table hirenow_version is missing"));
  const int version = stored_version(c);
  if (version > schema_version)
    throw exception(fail(errc::schema_too_new, "the tables are of version " + std::to_string(version) +
                                                   ", this program knows version " + std::to_string(schema_version)));
  if (version < 1) throw exception(fail(errc::schema_damaged, "table hirenow_version is empty"));
  if (version < schema_version) return false;
  for (const auto& object : schema_objects()) {
    const auto at = found.find(object.name);
    if (at == found.end())
      throw exception(fail(errc::schema_damaged, std::string(object.type) + " " + object.name + " is missing"));
    if (at->second != object.statement())
      throw exception(fail(errc::schema_damaged, std::string(object.type) + " " + object.name + " was altered"));
  }
  return true;
}

void prepare_schema(sql_connection& c) {
  if (schema_is_complete(c)) return;
  bool any = false;
  c.execute("SELECT 1 FROM main.sqlite_master WHERE name = 'hirenow_version'", {}, [&](const sql_row&) { any = true; });
  for (int version = any ? stored_version(c) : 0; version < schema_version; ++version) {
    migrations[static_cast<std::size_t>(version)](c);
    c.execute("INSERT INTO main.hirenow_version (version) VALUES ($1)", {version + 1});
  }
}

}  // namespace hirenow::detail
