#include "postgres_schema.hpp"

#include <array>
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

/// The states of which this holds, as SQL has a list.
template <class Predicate>
std::string states_where(Predicate holds) {
  std::string list;
  for (std::size_t s = 0; s < interview_state_count; ++s)
    if (holds(static_cast<interview_state>(s))) list += (list.empty() ? "" : ", ") + std::to_string(s);
  return "(" + list + ")";
}

/// True in SQL where the lifecycle has a row that leads from OLD.state to NEW.state.
std::string lawful_step() {
  std::string cases = "CASE OLD.state";
  for (std::size_t s = 0; s < interview_state_count; ++s) {
    const auto from = static_cast<interview_state>(s);
    const std::string next = states_where([&](interview_state to) { return is_lawful_step(from, to); });
    if (next != "()") cases += "\n    WHEN " + number_of(from) + " THEN NEW.state IN " + next;
  }
  return "(" + cases + "\n    ELSE false END)";
}

/// True in SQL where a waiver may go from OLD.state to NEW.state.
std::string lawful_waiver_step() {
  std::string steps;
  for (std::size_t from = 0; from < waiver_state_count; ++from)
    for (std::size_t to = 0; to < waiver_state_count; ++to)
      if (is_lawful_step(static_cast<waiver_state>(from), static_cast<waiver_state>(to)))
        steps += (steps.empty() ? "(" : ", (") + std::to_string(from) + ", " + std::to_string(to) + ")";
  return "((OLD.state, NEW.state) IN (" + steps + "))";
}

bool is_a_beginning(interview_state to) {
  for (const auto& row : transition_table)
    if (!row.from && row.to == to) return true;
  return false;
}

/// Statements for one schema. `q` is its name in quotes, with the dot.
class schema_writer {
 public:
  explicit schema_writer(std::string q) : q_(std::move(q)) {}

  std::vector<std::string> statements() && {
    tables();
    triggers();
    return std::move(out_);
  }

 private:
  void table(std::string_view name, std::string_view body) {
    out_.push_back("CREATE TABLE " + q_ + std::string(name) + " (" + std::string(body) + "\n)");
  }
  void index(std::string_view name, std::string_view table, std::string_view rest) {
    out_.push_back("CREATE INDEX " + std::string(name) + " ON " + q_ + std::string(table) + " " + std::string(rest));
  }
  /// A statement of a trigger's that refuses where `when` holds.
  static std::string refuse(std::string_view why, std::string_view when, std::string_view state = sqlstate_refused) {
    return "\n  IF " + std::string(when) + " THEN RAISE EXCEPTION USING ERRCODE = '" + std::string(state) +
           "', MESSAGE = 'hirenow: " + std::string(why) + "'; END IF;";
  }
  void function(std::string_view name, std::string_view returns, std::string_view body) {
    out_.push_back("CREATE FUNCTION " + q_ + std::string(name) + " RETURNS " + std::string(returns) +
                   " LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $hirenow$\nBEGIN" + std::string(body) +
                   "\nEND\n$hirenow$");
  }
  /// A trigger with a function of its own. `when` is BEFORE INSERT and the like.
  void trigger(const std::string& name, std::string_view when, std::string_view table, std::string_view body) {
    function(name + "()", "trigger", std::string(body) + "\n  RETURN NEW;");
    out_.push_back("CREATE TRIGGER " + name + " " + std::string(when) + " ON " + q_ + std::string(table) +
                   " FOR EACH ROW EXECUTE FUNCTION " + q_ + name + "()");
  }
  /// Refuses every such statement.
  void never(std::string_view table, std::string_view what, std::string_view why) {
    std::string verb(what);
    for (char& c : verb) c = static_cast<char>(c - 'a' + 'A');
    const std::string name = std::string(table) + "_no_" + std::string(what);
    const bool is_truncate = what == "truncate";
    function(name + "()", "trigger", refuse(why, "true") + "\n  RETURN NULL;");
    out_.push_back("CREATE TRIGGER " + name + " BEFORE " + verb + " ON " + q_ + std::string(table) + " FOR EACH " +
                   (is_truncate ? "STATEMENT" : "ROW") + " EXECUTE FUNCTION " + q_ + name + "()");
  }

  void tables() {
    table("hirenow_version", R"(
  version bigint PRIMARY KEY,
  usable_from bigint NOT NULL,
  fingerprint text NOT NULL)");
    table("hirenow_tenant", R"(
  tenant_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text COLLATE pg_catalog."C" NOT NULL UNIQUE)");
    table("hirenow_track", R"(
  track_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_no bigint NOT NULL,
  track text COLLATE pg_catalog."C" NOT NULL,
  UNIQUE (tenant_no, track))");
    // Given out in blocks, so that a number is at hand before the row is sent.
    out_.push_back("CREATE SEQUENCE " + q_ + "hirenow_applicant_no INCREMENT BY " + std::to_string(applicant_no_block));
    table("hirenow_applicant", R"(
  tenant_no bigint NOT NULL,
  applicant_no bigint NOT NULL,
  applicant text COLLATE pg_catalog."C" NOT NULL,
  version bigint NOT NULL,
  sequence bigint NOT NULL,
  last_instant bigint NOT NULL,
  erased bigint NOT NULL CHECK (erased BETWEEN 0 AND 1),
  subject bytea NOT NULL CHECK (pg_catalog.length(subject) = 32),
  audit_head bytea NOT NULL CHECK (pg_catalog.length(audit_head) = 32),
  PRIMARY KEY (tenant_no, applicant_no),
  CONSTRAINT hirenow_applicant_name UNIQUE (tenant_no, applicant))");
    table("hirenow_person", R"(
  tenant_no bigint NOT NULL,
  applicant_no bigint NOT NULL,
  salt bytea NOT NULL,
  email text NOT NULL,
  name text NOT NULL,
  locale text NOT NULL,
  time_zone text NOT NULL,
  PRIMARY KEY (tenant_no, applicant_no))");
    const std::string current = states_where([](interview_state s) { return is_current(s); });
    const std::string scheduled = number_of(interview_state::scheduled);
    const std::string in_progress = number_of(interview_state::in_progress);
    // Slot 0 is the current interview of the track, any other its attempt: so the key says that there is one current
    // interview at most. `clock` is what the clock will do at `sort_at`: 0 expire, 1 submit, NULL nothing.
    table("hirenow_interview", R"(
  tenant_no bigint NOT NULL,
  applicant_no bigint NOT NULL,
  track_no bigint NOT NULL,
  slot bigint NOT NULL,
  attempt bigint NOT NULL CHECK (attempt >= 1),
  interview bytea NOT NULL CHECK (pg_catalog.length(interview) = 16),
  state bigint NOT NULL CHECK (state BETWEEN 0 AND )" +
                                   std::to_string(interview_state_count - 1) + R"(),
  outcome bigint NOT NULL CHECK (outcome BETWEEN 0 AND )" +
                                   std::to_string(outcome_count - 1) + R"(),
  overtime bigint NOT NULL CHECK (overtime BETWEEN 0 AND 1),
  sort_at bigint NOT NULL,
  clock bigint,
  score double precision,
  time_limit bigint NOT NULL,
  grace bigint NOT NULL,
  extra_percent bigint NOT NULL,
  extra_time bigint NOT NULL,
  pause_credit bigint NOT NULL,
  ends_by bigint,
  created_at bigint NOT NULL,
  start_by bigint NOT NULL,
  started_at bigint,
  deadline bigint,
  submitted_at bigint,
  decided_at bigint,
  link_requested_at bigint,
  changed_at bigint NOT NULL,
  generation bigint NOT NULL,
  kid text NOT NULL,
  issued_at bigint NOT NULL,
  not_before bigint NOT NULL,
  expires_at bigint NOT NULL,
  retake_of bytea,
  superseded_by bytea,
  PRIMARY KEY (tenant_no, applicant_no, track_no, slot),
  CONSTRAINT hirenow_interview_slot CHECK (slot = CASE WHEN state IN )" +
                                   current + R"( THEN 0 ELSE attempt END),
  CONSTRAINT hirenow_interview_clock CHECK (clock IS NOT DISTINCT FROM CASE WHEN state = )" +
                                   scheduled + R"( THEN 0 WHEN state = )" + in_progress +
                                   R"( AND deadline IS NOT NULL THEN overtime END),
  CONSTRAINT hirenow_interview_sort CHECK (sort_at = CASE WHEN clock IS NULL THEN changed_at WHEN state = )" +
                                   scheduled + R"( THEN start_by ELSE deadline + grace END))");
    index("hirenow_interview_by_state", "hirenow_interview",
          "(tenant_no, state, sort_at DESC, applicant_no, track_no, attempt, clock)");
    table("hirenow_interview_key", R"(
  tenant_no bigint NOT NULL,
  interview bytea NOT NULL,
  applicant_no bigint NOT NULL,
  track_no bigint NOT NULL,
  attempt bigint NOT NULL,
  PRIMARY KEY (tenant_no, interview),
  CONSTRAINT hirenow_interview_once UNIQUE (interview))");
    table("hirenow_audit", R"(
  tenant_no bigint NOT NULL,
  applicant_no bigint NOT NULL,
  sequence bigint NOT NULL CHECK (sequence >= 1),
  at bigint NOT NULL,
  actor text NOT NULL,
  event text NOT NULL,
  interview bytea,
  from_state bigint,
  to_state bigint,
  details text NOT NULL,
  hash bytea NOT NULL CHECK (pg_catalog.length(hash) = 32),
  PRIMARY KEY (tenant_no, applicant_no, sequence))");
    table("hirenow_note", R"(
  tenant_no bigint NOT NULL,
  applicant_no bigint NOT NULL,
  sequence bigint NOT NULL,
  note text NOT NULL,
  PRIMARY KEY (tenant_no, applicant_no, sequence))");
    table("hirenow_fact", R"(
  tenant_no bigint NOT NULL,
  applicant_no bigint NOT NULL,
  fact_no bigint NOT NULL,
  kind bigint NOT NULL CHECK (kind BETWEEN 0 AND )" +
                              std::to_string(fact_kind_count - 1) + R"(),
  name text NOT NULL,
  track text NOT NULL,
  at bigint NOT NULL,
  until bigint,
  value text NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (tenant_no, applicant_no, fact_no))");
    table("hirenow_waiver", R"(
  tenant_no bigint NOT NULL,
  applicant_no bigint NOT NULL,
  number bigint NOT NULL,
  track_no bigint NOT NULL,
  rule text NOT NULL,
  reason_code text NOT NULL,
  floor text NOT NULL,
  state bigint NOT NULL CHECK (state BETWEEN 0 AND )" +
                                std::to_string(waiver_state_count - 1) + R"(),
  granted_by text NOT NULL,
  approved_by text NOT NULL,
  granted_at bigint NOT NULL,
  expires_at bigint NOT NULL CHECK (expires_at > granted_at),
  used_for bytea CHECK (used_for IS NULL OR pg_catalog.length(used_for) = 16),
  PRIMARY KEY (tenant_no, applicant_no, number),
  CONSTRAINT hirenow_waiver_used CHECK ((used_for IS NOT NULL) = (state = )" +
                                number_of(waiver_state::used) + R"()),
  CONSTRAINT hirenow_waiver_approved CHECK (approved_by = '' OR (approved_by <> granted_by AND state <> )" +
                                number_of(waiver_state::proposed) + "))");
    index("hirenow_waiver_open", "hirenow_waiver", "(expires_at) WHERE state IN (0, 1)");
    table("hirenow_session", R"(
  tenant_no bigint NOT NULL,
  applicant_no bigint NOT NULL,
  track_no bigint NOT NULL,
  attempt bigint NOT NULL,
  fence bigint NOT NULL,
  open bigint NOT NULL CHECK (open BETWEEN 0 AND 1),
  key_hash bytea NOT NULL CHECK (pg_catalog.length(key_hash) = 32),
  saved_at bigint,
  progress bytea,
  PRIMARY KEY (tenant_no, applicant_no, track_no, attempt))");
    // `wake_at`: when a queued message is due, or a lease runs out.
    table("hirenow_outbox", R"(
  tenant_no bigint NOT NULL,
  interview bytea NOT NULL,
  kind bigint NOT NULL CHECK (kind BETWEEN 0 AND )" +
                                std::to_string(message_kind_count - 1) + R"(),
  occasion bigint NOT NULL,
  applicant_no bigint NOT NULL,
  generation bigint NOT NULL,
  created_at bigint NOT NULL,
  due_at bigint NOT NULL,
  wake_at bigint NOT NULL,
  state bigint NOT NULL CHECK (state BETWEEN 0 AND )" +
                                std::to_string(message_state_count - 1) + R"(),
  tries bigint NOT NULL,
  lease bytea,
  last_answer text NOT NULL,
  PRIMARY KEY (tenant_no, interview, kind, occasion))");
    index("hirenow_outbox_unsent", "hirenow_outbox", "(tenant_no, wake_at) WHERE state IN (0, 1)");
    index("hirenow_outbox_wake", "hirenow_outbox", "(wake_at) WHERE state IN (0, 1)");
    index("hirenow_outbox_dead", "hirenow_outbox", "(tenant_no, interview, kind, occasion) WHERE state = 4");
    // How full the measure of a limit is (detail/pace.hpp); tenant 0 is all mail's.
    table("hirenow_pace", R"(
  tenant_no bigint PRIMARY KEY,
  at bigint NOT NULL,
  filled bigint NOT NULL CHECK (filled >= 0))");
    table("hirenow_answer", R"(
  tenant_no bigint NOT NULL,
  answer_key bytea NOT NULL CHECK (pg_catalog.length(answer_key) = 16),
  applicant_no bigint NOT NULL,
  expires_at bigint NOT NULL,
  payload bytea NOT NULL CHECK (pg_catalog.length(payload) = 32),
  answer text NOT NULL,
  PRIMARY KEY (tenant_no, answer_key))");
    // Nothing that was set is changed or deleted: decisions name it.
    table("hirenow_policy", R"(
  tenant_no bigint NOT NULL,
  track_no bigint NOT NULL,
  number bigint NOT NULL CHECK (number >= 1),
  active_from bigint NOT NULL,
  running_waits bigint NOT NULL CHECK (running_waits BETWEEN 0 AND )" +
                                std::to_string(running_waits_count - 1) + R"(),
  document text NOT NULL,
  hash bytea NOT NULL CHECK (pg_catalog.length(hash) = 32),
  set_by text NOT NULL,
  set_at bigint NOT NULL,
  PRIMARY KEY (tenant_no, track_no, number))");
    index("hirenow_policy_in_force", "hirenow_policy", "(tenant_no, track_no, active_from, number)");
    std::string states;
    for (std::size_t s = 0; s < interview_state_count; ++s)
      states += "\n  " + std::string(to_string(static_cast<interview_state>(s))) + " bigint NOT NULL,";
    table("hirenow_count", "\n  tenant_no bigint NOT NULL,\n  track_no bigint NOT NULL," + states +
                               "\n  PRIMARY KEY (tenant_no, track_no)");
    table("hirenow_count_delta", "\n  tenant_no bigint NOT NULL,\n  track_no bigint NOT NULL," + states +
                                     "\n  delta_no bigint GENERATED ALWAYS AS IDENTITY,\n  PRIMARY KEY (tenant_no, "
                                     "delta_no)");
    out_.push_back("CREATE VIEW " + q_ + "hirenow_message_report AS " + message_report(sql_dialect::postgresql, q_));
    out_.push_back("CREATE VIEW " + q_ + "hirenow_audit_report AS " + audit_report(sql_dialect::postgresql, q_));
  }

  void triggers() {
    function("hirenow_require_one(changed bigint)", "void",
             refuse("a row was not as it had to be", "changed <> 1", sqlstate_not_one));
    trigger("hirenow_applicant_insert", "BEFORE INSERT", "hirenow_applicant",
            refuse("a record begins at version 1", "NEW.version <> 1"));
    trigger("hirenow_applicant_update", "BEFORE UPDATE", "hirenow_applicant",
            refuse("the record is at another version", "NEW.version <> OLD.version + 1", sqlstate_stale) +
                refuse("the audit never becomes shorter", "NEW.sequence < OLD.sequence") +
                refuse("an erased person stays erased", "NEW.erased < OLD.erased") +
                refuse("a record keeps its name",
                       "(NEW.applicant_no, NEW.tenant_no, NEW.applicant, NEW.subject) IS DISTINCT FROM "
                       "(OLD.applicant_no, OLD.tenant_no, OLD.applicant, OLD.subject)"));
    never("hirenow_applicant", "delete", "a record is never deleted");
    never("hirenow_applicant", "truncate", "a record is never deleted");
    never("hirenow_interview_key", "update", "an interview keeps its id");
    never("hirenow_interview_key", "delete", "an interview keeps its id");
    never("hirenow_interview_key", "truncate", "an interview keeps its id");
    trigger("hirenow_interview_insert", "BEFORE INSERT", "hirenow_interview",
            refuse("a new interview is scheduled", "NEW.state NOT IN " + states_where(is_a_beginning)) +
                refuse("the track has an interview of this number",
                       "EXISTS (SELECT FROM " + q_ +
                           "hirenow_interview AS i WHERE i.tenant_no = NEW.tenant_no AND i.applicant_no = "
                           "NEW.applicant_no AND i.track_no = NEW.track_no AND i.slot = NEW.attempt)") +
                refuse("an interview needs an id of its own",
                       "NOT EXISTS (SELECT FROM " + q_ +
                           "hirenow_interview_key AS k WHERE k.interview = NEW.interview AND k.tenant_no = "
                           "NEW.tenant_no AND k.applicant_no = NEW.applicant_no AND k.track_no = NEW.track_no AND "
                           "k.attempt = NEW.attempt)"));
    trigger("hirenow_interview_update", "BEFORE UPDATE", "hirenow_interview",
            refuse("archived is for ever", "OLD.state = " + number_of(interview_state::archived)) +
                refuse("the lifecycle has no such step", "NOT " + lawful_step()) +
                refuse("an interview keeps its name and place",
                       "(NEW.interview, NEW.tenant_no, NEW.applicant_no, NEW.track_no, NEW.attempt, NEW.created_at, "
                       "NEW.retake_of) IS DISTINCT FROM (OLD.interview, OLD.tenant_no, OLD.applicant_no, OLD.track_no, "
                       "OLD.attempt, OLD.created_at, OLD.retake_of)"));
    trigger("hirenow_waiver_insert", "BEFORE INSERT", "hirenow_waiver",
            refuse("a new waiver is proposed or granted", "NEW.state NOT IN (0, 1) OR NEW.approved_by <> ''") +
                refuse("the rule has an open waiver",
                       "EXISTS (SELECT FROM " + q_ +
                           "hirenow_waiver AS w WHERE w.tenant_no = NEW.tenant_no AND w.applicant_no = "
                           "NEW.applicant_no AND w.track_no = NEW.track_no "
                           "AND w.rule = NEW.rule AND w.state IN (0, 1))"));
    trigger("hirenow_waiver_update", "BEFORE UPDATE", "hirenow_waiver",
            refuse("no waiver can go that step", "NOT " + lawful_waiver_step()) +
                refuse("who approved a waiver stays", "OLD.approved_by <> '' AND NEW.approved_by <> OLD.approved_by") +
                refuse("a waiver keeps what was granted",
                       "(NEW.applicant_no, NEW.number, NEW.tenant_no, NEW.track_no, NEW.rule, NEW.reason_code, "
                       "NEW.floor, NEW.granted_by, NEW.granted_at, NEW.expires_at) IS DISTINCT FROM "
                       "(OLD.applicant_no, OLD.number, OLD.tenant_no, OLD.track_no, OLD.rule, OLD.reason_code, "
                       "OLD.floor, OLD.granted_by, OLD.granted_at, OLD.expires_at)"));
    never("hirenow_waiver", "delete", "a waiver is never deleted");
    never("hirenow_waiver", "truncate", "a waiver is never deleted");
    never("hirenow_policy", "update", "a policy that was set stays");
    never("hirenow_policy", "delete", "a policy that was set stays");
    never("hirenow_policy", "truncate", "a policy that was set stays");
    never("hirenow_interview", "delete", "an interview is never deleted");
    never("hirenow_interview", "truncate", "an interview is never deleted");
    trigger("hirenow_audit_insert", "BEFORE INSERT", "hirenow_audit",
            refuse("the audit is written at its end",
                   "NEW.sequence > 1 AND NOT EXISTS (SELECT FROM " + q_ +
                       "hirenow_audit AS a WHERE a.tenant_no = NEW.tenant_no AND a.applicant_no = NEW.applicant_no "
                       "AND a.sequence = NEW.sequence - 1)"));
    never("hirenow_audit", "update", "the audit is append-only");
    never("hirenow_audit", "delete", "the audit is append-only");
    never("hirenow_audit", "truncate", "the audit is append-only");
  }

  const std::string q_;
  std::vector<std::string> out_{};
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

using migration = void (*)(sql_connection&, const std::string& q);

/// The way from each version to the next. A step that has been released is never edited: a new one follows it.
constexpr std::array<migration, postgres_schema_version> migrations{
    [](sql_connection& c, const std::string& q) {
      for (const auto& statement : schema_writer(q).statements()) c.run(statement);
    },
};
/// The oldest program that can work beside this one on the newest tables.
constexpr int usable_from = 1;

struct found_version {
  int version = 0;
  int usable_from = 0;
  std::string fingerprint{};
};

bool has_tables(sql_connection& c, std::string_view schema, bool* rows_are_protected = nullptr) {
  bool any = false;
  c.execute(
      "SELECT CASE WHEN r.relrowsecurity THEN 1 ELSE 0 END FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace "
      "AS n ON n.oid = r.relnamespace WHERE "
      "n.nspname = $1 AND r.relname = 'hirenow_version'",
      {schema}, [&](const sql_row& row) {
        any = true;
        if (rows_are_protected) *rows_are_protected = row.integer(0) != 0;
      });
  return any;
}

/// What stands in schema $1, by the index of who depends on whom: other schemas' objects are not read, however many a
/// database has (one for each tenant, say).
constexpr std::string_view own_objects = R"(
WITH own AS MATERIALIZED (
  SELECT d.classid, d.objid FROM pg_catalog.pg_depend AS d
  WHERE d.refclassid = CAST('pg_catalog.pg_namespace' AS regclass)
    AND d.refobjid = (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1)),
relation AS MATERIALIZED (
  SELECT r.oid, r.relname, r.relkind FROM own JOIN pg_catalog.pg_class AS r ON r.oid = own.objid
  WHERE own.classid = CAST('pg_catalog.pg_class' AS regclass)
    AND pg_catalog.starts_with(CAST(r.relname AS text), 'hirenow_')),
function AS MATERIALIZED (
  SELECT f.oid, f.proname, f.prosrc FROM own JOIN pg_catalog.pg_proc AS f ON f.oid = own.objid
  WHERE own.classid = CAST('pg_catalog.pg_proc' AS regclass)
    AND pg_catalog.starts_with(CAST(f.proname AS text), 'hirenow_'))
)";

bool has_anything(sql_connection& c, std::string_view schema) {
  bool any = false;
  static const std::string look = std::string(own_objects) + "SELECT 1 FROM relation LIMIT 1";
  c.execute(look.c_str(), {schema}, [&](const sql_row&) { any = true; });
  return any;
}

found_version newest_version(sql_connection& c) {
  found_version found;
  c.execute("SELECT version, usable_from, fingerprint FROM main.hirenow_version ORDER BY version DESC LIMIT 1", {},
            [&](const sql_row& row) { found = {row.number<int>(0), row.number<int>(1), row.string(2)}; });
  return found;
}

/// Everything of ours in the schema as one number: columns with their types, constraints, indexes, triggers that are
/// switched on, and the text of functions. Nothing in it depends on PostgreSQL's version.
std::string fingerprint_of(sql_connection& c, std::string_view schema) {
  std::string found;
  static const std::string look = std::string(own_objects) + R"(
SELECT pg_catalog.md5(coalesce(pg_catalog.string_agg(o.line, '/' ORDER BY o.line COLLATE pg_catalog."C"), '')) FROM (
  SELECT pg_catalog.concat_ws(' ', 'column', r.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
                              a.attnotnull) AS line
  FROM relation AS r JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid
  WHERE r.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT pg_catalog.concat_ws(' ', 'constraint', r.relname, k.conname, k.contype, k.convalidated)
  FROM relation AS r JOIN pg_catalog.pg_constraint AS k ON k.conrelid = r.oid
  WHERE k.contype <> 'n'
  UNION ALL
  SELECT pg_catalog.concat_ws(' ', 'index', i.relname, x.indisunique, x.indisvalid, x.indkey, x.indoption)
  FROM relation AS r JOIN pg_catalog.pg_index AS x ON x.indrelid = r.oid
  JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
  WHERE pg_catalog.starts_with(CAST(i.relname AS text), 'hirenow_')
  UNION ALL
  SELECT pg_catalog.concat_ws(' ', 'trigger', r.relname, t.tgname, t.tgtype, t.tgenabled,
                              EXISTS (SELECT FROM function AS f WHERE f.oid = t.tgfoid AND f.proname = t.tgname))
  FROM relation AS r JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid
  WHERE NOT t.tgisinternal AND pg_catalog.starts_with(CAST(t.tgname AS text), 'hirenow_')
  UNION ALL
  SELECT pg_catalog.concat_ws(' ', 'function', f.proname, pg_catalog.md5(f.prosrc)) FROM function AS f) AS o
)";
  c.execute(look.c_str(), {schema}, [&](const sql_row& row) { found = row.text(0); });
  return found;
}

[[noreturn]] void too_new(int version) {
  throw exception(fail(errc::schema_too_new, "the tables are of version " + std::to_string(version) +
                                                 ", this program knows version " +
                                                 std::to_string(postgres_schema_version)));
}

}  // namespace

std::string quoted_identifier(std::string_view name) {
  std::string out(1, '"');  // not by operator+, of which GCC 12 says in a release build that its copies overlap
  return out.append(name).append(1, '"');
}

std::string postgres_text(std::string_view sql, std::string_view schema) {
  std::string text(sql);
  replace_all(text, "main.", quoted_identifier(schema) + ".");
  replace_all(text, "CROSS JOIN", "JOIN");  // which keeps SQLite from changing the order of tables
  for (const std::string_view name : {"max(", "min(", "sum(", "count(", "nextval("})
    for (const std::string_view before : {" ", "("})
      replace_all(text, std::string(before) + std::string(name),
                  std::string(before) + "pg_catalog." + std::string(name));
  return text;
}

void check_schema_name(std::string_view name) {
  // A longer name would be cut, and name another schema.
  if (name.empty() || name.size() > 63 || name.starts_with("pg_") ||
      name.find_first_of(std::string_view("\0$?%'\"\\", 7)) != std::string_view::npos)
    throw exception(fail(errc::invalid_argument,
                         "a schema's name has 1 to 63 bytes, does not begin with pg_ and holds none of $ ? % ' \" \\"));
}

bool postgres_schema_is_there(sql_connection& c, std::string_view schema, bool& rows_are_protected) {
  if (!has_tables(c, schema, &rows_are_protected)) return false;
  const auto found = newest_version(c);
  if (found.usable_from > postgres_schema_version) too_new(found.version);
  return found.version >= postgres_schema_version;
}

bool postgres_schema_is_complete(sql_connection& c, std::string_view schema) {
  if (!has_tables(c, schema)) {
    if (has_anything(c, schema)) throw exception(fail(errc::schema_damaged, "table hirenow_version is missing"));
    return false;
  }
  const auto found = newest_version(c);
  if (found.version < 1) throw exception(fail(errc::schema_damaged, "table hirenow_version is empty"));
  if (found.usable_from > postgres_schema_version) too_new(found.version);
  if (found.version < postgres_schema_version) return false;
  if (found.version == postgres_schema_version && found.fingerprint != fingerprint_of(c, schema))
    throw exception(
        fail(errc::schema_damaged, "a table, constraint, index, trigger or function of hirenow's was altered"));
  return true;
}

bool postgres_rows_are_protected(sql_connection& c, std::string_view schema) {
  bool are = false;
  return has_tables(c, schema, &are) && are;
}

void protect_postgres_rows(sql_connection& c, std::string_view schema) {
  if (postgres_rows_are_protected(c, schema)) return;
  const std::string q = quoted_identifier(schema) + ".";
  const std::string rows = "pg_catalog.current_setting('hirenow.rows', true)";
  const auto protect = [&](const std::string& table, const std::string& condition) {
    c.run("CREATE POLICY hirenow_rows ON " + q + table + " USING (" + condition + ")");
    c.run("ALTER TABLE " + q + table + " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY");
  };
  // The owner is under it too; superusers are above everything.
  for (const char* table :
       {"hirenow_applicant", "hirenow_person", "hirenow_interview", "hirenow_interview_key", "hirenow_audit",
        "hirenow_note", "hirenow_fact", "hirenow_waiver", "hirenow_session", "hirenow_outbox", "hirenow_pace",
        "hirenow_answer", "hirenow_policy", "hirenow_count", "hirenow_count_delta"})
    protect(table, rows + " = 'all' OR tenant_no = (SELECT t.tenant_no FROM " + q +
                       "hirenow_tenant AS t WHERE t.tenant = pg_catalog.substr(" + rows + ", 8))");
  // So that whoever joins learns of it with the look that it takes anyhow; everybody may know the version.
  protect("hirenow_version", "true");
}

void prepare_postgres_schema(sql_connection& c, std::string_view schema) {
  // "hirenow" as a number, and one for the schema.
  c.execute("SELECT 1 FROM pg_catalog.pg_advisory_xact_lock(1751740005, pg_catalog.hashtext($1))", {schema});
  if (postgres_schema_is_complete(c, schema)) return;
  const std::string quoted = quoted_identifier(schema);
  bool exists = false;
  c.execute("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", {schema},
            [&](const sql_row&) { exists = true; });
  if (!exists) c.run("CREATE SCHEMA " + quoted);
  int version = has_tables(c, schema) ? newest_version(c).version : 0;
  while (version < postgres_schema_version) {
    migrations[static_cast<std::size_t>(version)](c, quoted + ".");
    ++version;
    c.execute("INSERT INTO main.hirenow_version (version, usable_from, fingerprint) VALUES ($1, $2, $3)",
              {version, usable_from, fingerprint_of(c, schema)});
  }
}

}  // namespace hirenow::detail
