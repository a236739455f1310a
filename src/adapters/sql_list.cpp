/// Pages of interviews for a dashboard, their counts, and pages of due records for the sweep.

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <tuple>

#include "hirenow/lifecycle.hpp"
#include "sql_store.hpp"

namespace hirenow::detail {
namespace {

/// A cursor is a letter for the kind of page and the sort key of the last row shown, in decimal.
template <std::size_t Count>
std::string write_cursor(char kind, const std::array<std::int64_t, Count>& fields) {
  std::string out(1, kind);
  for (const auto field : fields) out += "." + std::to_string(field);
  return out;
}

template <std::size_t Count>
std::array<std::int64_t, Count> read_cursor(char kind, std::string_view text) {
  std::array<std::int64_t, Count> fields{};
  bool good = !text.empty() && text.front() == kind;
  const char* at = text.data() + (good ? 1 : 0);
  const char* const end = text.data() + text.size();
  for (auto& field : fields) {
    if (!good || at == end || *at != '.') {
      good = false;
      break;
    }
    const auto [next, failed] = std::from_chars(at + 1, end, field);
    good = failed == std::errc{};
    at = next;
  }
  if (!good || at != end) throw exception(fail(errc::invalid_argument, "not a cursor of this list"));
  return fields;
}

/// Newest first, then by applicant, track and attempt: the order of the index.
struct list_place {
  std::int64_t sort_at = std::numeric_limits<std::int64_t>::max();
  std::int64_t applicant_no = 0;
  std::int64_t track_no = 0;
  std::int64_t attempt = 0;

  friend bool operator<(const list_place& a, const list_place& b) {
    return std::tie(b.sort_at, a.applicant_no, a.track_no, a.attempt) <
           std::tie(a.sort_at, b.applicant_no, b.track_no, b.attempt);
  }
};

list_place read_list_cursor(std::string_view cursor) {
  if (cursor.empty()) return {};
  const auto f = read_cursor<4>('l', cursor);
  return {f[0], f[1], f[2], f[3]};
}

struct placed_row {
  list_place place;
  list_row row;
};

#define HIRENOW_LIST_COLUMNS HIRENOW_INTERVIEW_COLUMNS ", i.sort_at, i.applicant_no, a.applicant, p.name, p.email"
constexpr int after_interview = interview_column_count;

placed_row read_list_row(sql_session& s, const sql_row& row, sys_seconds at) {
  placed_row out;
  out.row.interview = after_the_clock(read_interview(row, 0), at);
  out.place = {row.integer(after_interview), row.integer(after_interview + 1), row.integer(0),
               static_cast<std::int64_t>(out.row.interview.attempt)};
  out.row.interview.track = s.track_name(out.place.track_no);
  out.row.applicant_id = row.text(after_interview + 2);
  out.row.applicant_name = row.text(after_interview + 3);
  out.row.applicant_email = row.text(after_interview + 4);
  return out;
}

/// The rows of one state in the index, narrowed to what the sweep would make of them.
std::string arm(interview_state stored, std::string_view narrowed) {
  return "SELECT i.tenant_no, i.sort_at, i.applicant_no, i.track_no, i.attempt, i.slot FROM main.hirenow_interview AS "
         "i "
         "WHERE i.tenant_no = $1 AND i.state = " +
         std::to_string(static_cast<int>(stored)) +
         " AND i.sort_at <= $2 AND (i.sort_at < $2 OR (i.applicant_no, i.track_no, i.attempt) > ($3, $4, $5)) AND "
         "($6 = 0 OR i.track_no = $6)" +
         std::string(narrowed);
}

/// The statement for a page of interviews that are in this state at $7; of all where no state is named. Each state is
/// a range of the index that runs in the order of the page, so a page costs its own rows and no more.
std::string list_statement(std::optional<interview_state> shown) {
  std::vector<std::string> arms;
  for (std::size_t n = 0; n < interview_state_count; ++n) {
    const auto stored = static_cast<interview_state>(n);
    const bool open = is_active(stored);
    if (!shown || (*shown == stored && !open))
      arms.push_back(arm(stored, ""));
    else if (*shown == stored)
      arms.push_back(arm(stored, " AND (i.sort_at > $7 OR i.clock IS NULL)"));
    else if (open)
      for (const auto& row : transition_table)
        if (row.from == stored && row.to == *shown && row.by == authority::clock)
          arms.push_back(arm(stored, row.on == event::submit ? " AND i.sort_at <= $7 AND i.clock = 1"
                                                             : " AND i.sort_at <= $7 AND i.clock = 0"));
  }
  std::string keys;
  for (const auto& one : arms) keys += (keys.empty() ? "" : " UNION ALL ") + one;
  return "SELECT " HIRENOW_LIST_COLUMNS " FROM (" + keys +
         " ORDER BY 2 DESC, 3, 4, 5 LIMIT $8) AS k CROSS JOIN main.hirenow_interview AS i ON i.tenant_no = "
         "k.tenant_no AND i.applicant_no = k.applicant_no AND i.track_no = k.track_no AND i.slot = k.slot CROSS JOIN "
         "main.hirenow_applicant AS a ON a.tenant_no = i.tenant_no AND a.applicant_no = i.applicant_no LEFT JOIN "
         "main.hirenow_person AS p ON p.tenant_no = i.tenant_no AND p.applicant_no = i.applicant_no ORDER BY i.sort_at "
         "DESC, i.applicant_no, i.track_no, i.attempt";
}

/// Statements are kept by address, so each is made once.
const char* list_sql(std::optional<interview_state> shown) {
  static const auto statements = [] {
    std::array<std::string, interview_state_count + 1> all;
    for (std::size_t n = 0; n < interview_state_count; ++n) all[n] = list_statement(static_cast<interview_state>(n));
    all.back() = list_statement(std::nullopt);
    return all;
  }();
  return statements[shown ? static_cast<std::size_t>(*shown) : interview_state_count].c_str();
}

/// PostgreSQL's: what was summed up, and what was appended since; the tenant's own counts are those of all its tracks.
const char* count_with_deltas_sql() {
  static const std::string statement = [] {
    std::string sums, columns;
    for (std::size_t n = 0; n < interview_state_count; ++n) {
      const std::string name(to_string(static_cast<interview_state>(n)));
      sums += (n ? ", " : "") + ("CAST(coalesce(sum(c." + name + "), 0) AS BIGINT)");
      columns += (n ? ", " : "") + name;
    }
    return "SELECT " + sums + " FROM (SELECT " + columns +
           " FROM main.hirenow_count WHERE tenant_no = $1 AND track_no = $2 UNION ALL SELECT " + columns +
           " FROM main.hirenow_count_delta WHERE tenant_no = $1 AND ($2 = 0 OR track_no = $2)) AS c";
  }();
  return statement.c_str();
}

const char* count_sql() {
  static const std::string statement = [] {
    std::string columns;
    for (std::size_t n = 0; n < interview_state_count; ++n)
      columns += (n ? ", " : "") + std::string(to_string(static_cast<interview_state>(n)));
    return "SELECT " + columns + " FROM main.hirenow_count WHERE tenant_no = $1 AND track_no = $2";
  }();
  return statement.c_str();
}

using state_counts = std::array<std::uint64_t, interview_state_count>;

/// The kept counts, corrected by what the sweep would do at this instant. Track 0 is all of the tenant.
state_counts read_counts(sql_session& s, std::int64_t tenant_no, std::int64_t track_no, sys_seconds at) {
  std::array<std::int64_t, interview_state_count> counts{};
  s.connection.execute(s.is_postgresql() ? count_with_deltas_sql() : count_sql(), {tenant_no, track_no},
                       [&](const sql_row& row) {
                         for (std::size_t n = 0; n < interview_state_count; ++n)
                           counts[n] = row.integer(static_cast<int>(n));
                       });
  s.connection.execute(
      "SELECT i.state, count(i.clock), CAST(sum(i.clock) AS BIGINT) FROM main.hirenow_interview AS i WHERE i.tenant_no "
      "= $1 AND i.state IN (0, 1) AND i.sort_at <= $2 AND ($3 = 0 OR i.track_no = $3) GROUP BY i.state",
      {tenant_no, at, track_no}, [&](const sql_row& row) {
        const std::int64_t due = row.integer(1), submit = row.integer(2);
        counts[row.number<std::size_t>(0)] -= due;
        counts[static_cast<std::size_t>(interview_state::submitted)] += submit;
        counts[static_cast<std::size_t>(interview_state::expired)] += due - submit;
      });
  state_counts out{};
  for (std::size_t n = 0; n < out.size(); ++n)
    out[n] = static_cast<std::uint64_t>(std::max<std::int64_t>(counts[n], 0));
  return out;
}

/// One person's interviews are few and lie together: all are read.
std::vector<placed_row> list_of_person(sql_session& s, const list_request& request, std::int64_t tenant_no,
                                       std::int64_t track_no, const list_place& after) {
  std::vector<placed_row> rows;
  s.connection.execute("SELECT " HIRENOW_LIST_COLUMNS
                       " FROM main.hirenow_applicant AS a CROSS JOIN main.hirenow_interview AS i ON i.tenant_no = "
                       "a.tenant_no AND i.applicant_no = a.applicant_no LEFT JOIN main.hirenow_person AS p ON "
                       "p.tenant_no = a.tenant_no AND p.applicant_no = a.applicant_no WHERE a.tenant_no = $1 AND "
                       "a.applicant = $2 AND ($3 = 0 OR "
                       "i.track_no = $3)",
                       {tenant_no, request.applicant_id, track_no}, [&](const sql_row& row) {
                         placed_row found = read_list_row(s, row, request.at);
                         if (request.state && found.row.interview.state != *request.state) return;
                         if (after < found.place) rows.push_back(std::move(found));
                       });
  std::sort(rows.begin(), rows.end(), [](const placed_row& a, const placed_row& b) { return a.place < b.place; });
  return rows;
}

}  // namespace

list_page sql_list(sql_session& s, const list_request& request) {
  const list_place after = read_list_cursor(request.cursor);
  list_page page;
  if (request.with_counts) page.counts.emplace();
  s.rows_of(request.tenant);
  const auto tenant_no = s.find_tenant(request.tenant);
  if (!tenant_no) return page;
  std::int64_t track_no = 0;
  if (!request.track.empty()) {
    const auto found = s.find_track(*tenant_no, request.track);
    if (!found) return page;
    track_no = *found;
  }
  if (page.counts) *page.counts = read_counts(s, *tenant_no, track_no, request.at);

  std::vector<placed_row> rows;
  if (!request.applicant_id.empty()) {
    rows = list_of_person(s, request, *tenant_no, track_no, after);
  } else {
    s.connection.execute(list_sql(request.state),
                         {*tenant_no, after.sort_at, after.applicant_no, after.track_no, after.attempt, track_no,
                          request.at, request.limit + 1},
                         [&](const sql_row& row) { rows.push_back(read_list_row(s, row, request.at)); });
  }
  if (rows.size() > request.limit) {
    rows.resize(request.limit);
    const list_place& last = rows.back().place;
    page.next = write_cursor<4>('l', {last.sort_at, last.applicant_no, last.track_no, last.attempt});
  }
  page.rows.reserve(rows.size());
  for (auto& placed : rows) page.rows.push_back(std::move(placed.row));
  return page;
}

due_page sql_due(sql_session& s, sys_seconds at, std::size_t limit, std::string_view cursor) {
  const auto after = cursor.empty() ? std::array<std::int64_t, 3>{std::numeric_limits<std::int64_t>::min(), 0, 0}
                                    : read_cursor<3>('d', cursor);
  due_page page;
  s.rows_of_all();
  std::array<std::int64_t, 3> last{};
  s.connection.execute(
      "SELECT t.tenant, a.applicant, d.first_limit, d.tenant_no, d.applicant_no FROM (SELECT u.tenant_no, "
      "u.applicant_no, min(u.due_at) AS first_limit FROM (SELECT i.tenant_no, i.applicant_no, i.sort_at AS due_at FROM "
      "main.hirenow_tenant AS t CROSS JOIN main.hirenow_interview AS i ON i.tenant_no = t.tenant_no AND i.state IN (0, "
      "1) AND i.sort_at <= $1 AND i.clock IS NOT NULL UNION ALL SELECT w.tenant_no, w.applicant_no, w.expires_at FROM "
      "main.hirenow_waiver AS w WHERE w.state IN (0, 1) AND w.expires_at <= $1) AS u GROUP BY u.tenant_no, "
      "u.applicant_no HAVING (min(u.due_at), u.tenant_no, u.applicant_no) > ($2, $3, $4) ORDER BY 3, 1, 2 LIMIT $5) AS "
      "d CROSS JOIN "
      "main.hirenow_tenant AS t ON t.tenant_no = d.tenant_no CROSS JOIN main.hirenow_applicant AS a ON a.tenant_no "
      "= d.tenant_no AND a.applicant_no = d.applicant_no ORDER BY d.first_limit, d.tenant_no, d.applicant_no",
      {at, after[0], after[1], after[2], limit + 1}, [&](const sql_row& row) {
        if (page.rows.size() == limit) {
          page.next = write_cursor('d', last);
          return;
        }
        page.rows.push_back({row.string(0), row.string(1), row.instant(2)});
        last = {row.integer(2), row.integer(3), row.integer(4)};
      });
  return page;
}

}  // namespace hirenow::detail
