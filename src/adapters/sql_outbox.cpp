/// What dispatchers do to the outbox: look, claim, settle, count; and how fast they may.
///
/// A claim that cannot take all is shared among the tenants that have mail due, so it is made tenant by tenant, along
/// an index that begins with the tenant. Its cost is that of the tenants and of what it takes, however much waits.

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "hirenow/crypto.hpp"
#include "hirenow/detail/pace.hpp"
#include "hirenow/detail/step.hpp"
#include "sql_array.hpp"
#include "sql_store.hpp"

namespace hirenow::detail {
namespace {

/// So many tenants are looked at in one claim. Where more have mail, each claim begins somewhere else.
constexpr std::size_t most_tenants = 1000;

struct waiting_tenant {
  std::int64_t number;
  sys_seconds earliest;
};

// One tenant's, earliest first, along the index that begins with the tenant: to PostgreSQL an order by the tenant, too,
// means something only where it is not told that there is but one.
#define HIRENOW_OF_TENANT(number) "o.tenant_no BETWEEN " number " AND " number
#define HIRENOW_FIRST_OF_TENANT "ORDER BY o.tenant_no, o.wake_at"

/// Tenants that have unsent messages, from this number on, each found with one step along the index.
std::vector<waiting_tenant> waiting_tenants(sql_session& s, std::int64_t from) {
  std::vector<waiting_tenant> out;
  s.connection.execute(
      "WITH RECURSIVE waiting (tenant_no, n) AS (SELECT (SELECT o.tenant_no FROM main.hirenow_outbox AS o WHERE "
      "o.state "
      "IN (0, 1) AND o.tenant_no >= $1 ORDER BY o.tenant_no LIMIT 1), 1 UNION ALL SELECT (SELECT o.tenant_no FROM "
      "main.hirenow_outbox AS o WHERE o.state IN (0, 1) AND o.tenant_no > w.tenant_no ORDER BY o.tenant_no LIMIT 1), "
      "w.n "
      "+ 1 FROM waiting AS w WHERE w.tenant_no IS NOT NULL AND w.n < $2) SELECT w.tenant_no, (SELECT o.wake_at FROM "
      "main.hirenow_outbox AS o WHERE o.state IN (0, 1) AND " HIRENOW_OF_TENANT(
          "w.tenant_no") " AND o.kind < $3 " HIRENOW_FIRST_OF_TENANT
                         " LIMIT 1) FROM waiting AS w WHERE w.tenant_no IS NOT NULL",
      {from, most_tenants, message_kind_count}, [&](const sql_row& row) {
        if (!row.is_null(1)) out.push_back({row.integer(0), row.instant(1)});
      });
  return out;
}

/// Those that have mail due, whose turn it is to have a part of a claim.
std::vector<waiting_tenant> tenants_whose_turn_it_is(sql_session& s, sys_seconds now) {
  auto out = waiting_tenants(s, 0);
  if (out.size() >= most_tenants) {
    std::int64_t last = 0;
    s.connection.execute("SELECT max(tenant_no) FROM main.hirenow_tenant", {},
                         [&](const sql_row& row) { last = row.integer(0); });
    std::array<std::uint8_t, 4> chance{};
    random_bytes(chance);
    std::int64_t some = 0;
    for (const auto byte : chance) some = some << 8 | byte;
    auto others = waiting_tenants(s, some % std::max<std::int64_t>(last, 1) + 1);
    for (const auto& one : out)
      if (others.size() < most_tenants &&
          std::ranges::none_of(others, [&](const auto& other) { return other.number == one.number; }))
        others.push_back(one);
    out = std::move(others);
  }
  std::erase_if(out, [&](const waiting_tenant& t) { return t.earliest > now; });
  std::ranges::sort(out, {}, &waiting_tenant::earliest);
  return out;
}

/// A claimed message, and since when it could have been claimed.
struct found_message {
  std::int64_t woke_at = 0;
  std::int64_t tenant_no = 0;
  claimed_message message{};
};

bool is_earlier(const found_message& a, const found_message& b) {
  return std::tie(a.woke_at, a.message.mail.key) < std::tie(b.woke_at, b.message.mail.key);
}

/// Every tenant's first, then every tenant's second, and so on; the earlier first among equals.
std::vector<claimed_message> in_turn(std::vector<found_message> found) {
  std::ranges::sort(found, is_earlier);
  std::map<std::int64_t, std::size_t> taken;
  std::vector<std::pair<std::size_t, std::size_t>> order;  // by turn, then by place
  for (std::size_t n = 0; n < found.size(); ++n) order.emplace_back(taken[found[n].tenant_no]++, n);
  std::ranges::sort(order);
  std::vector<claimed_message> out;
  for (const auto& [turn, n] : order) out.push_back(std::move(found[n].message));
  return out;
}

// ---- PostgreSQL: several may claim at once, and each passes over what another is about to take --------------------------

#define HIRENOW_CLOCK \
  "WITH clock AS MATERIALIZED (SELECT CASE WHEN $5 = 1 THEN " HIRENOW_DATABASE_NOW " ELSE $1 END AS now), "
// Kinds that a newer program has are left to that. Which of one instant are taken is nobody's business: an order among
// them would have all of them read and sorted.
#define HIRENOW_DUE(condition_and_order)                                                                          \
  "due AS MATERIALIZED (SELECT o.ctid AS place, o.wake_at FROM main.hirenow_outbox AS o WHERE o.state IN (0, 1) " \
  "AND o.wake_at <= (SELECT now FROM clock) AND o.kind < $6 AND " condition_and_order                             \
  " LIMIT $2 FOR UPDATE SKIP LOCKED) "
// Changed where they were found, and their names looked up one by one: with a choice PostgreSQL would read all of a
// tenant's, where it made its plan while that was little. Where the tenant is a parameter it is looked up once.
#define HIRENOW_TAKE(tenant_no)                                                                                      \
  "UPDATE main.hirenow_outbox AS o SET state = 1, lease = $3, wake_at = (SELECT now FROM clock) + $4 FROM due AS d " \
  "WHERE o.ctid = d.place RETURNING " HIRENOW_MESSAGE_COLUMNS                                                        \
  ", (SELECT t.tenant FROM main.hirenow_tenant AS t WHERE t.tenant_no = " tenant_no                                  \
  "), (SELECT a.applicant FROM main.hirenow_applicant AS a WHERE a.tenant_no = o.tenant_no AND a.applicant_no = "    \
  "o.applicant_no), d.wake_at, o.tenant_no"

/// One more than was asked for of what is due, in the order of the index.
#define HIRENOW_CROWD(kinds)                                                                                     \
  "SELECT 1 FROM main.hirenow_outbox AS c WHERE c.state IN (0, 1) AND c.wake_at <= (SELECT now FROM clock) AND " \
  "c.kind < " kinds " ORDER BY c.wake_at LIMIT $2 + 1"

/// Takes all that is due where that is no more than was asked for, in one round trip; else nothing.
constexpr const char* take_all =
    HIRENOW_CLOCK HIRENOW_DUE("(SELECT count(*) <= $2 FROM (" HIRENOW_CROWD("$6") ") AS crowd) ORDER BY o.wake_at")
        HIRENOW_TAKE("o.tenant_no");
constexpr const char* take_of_tenant =
    HIRENOW_CLOCK HIRENOW_DUE(HIRENOW_OF_TENANT("$7") " " HIRENOW_FIRST_OF_TENANT) HIRENOW_TAKE("$7");
constexpr const char* take_earliest = HIRENOW_CLOCK HIRENOW_DUE("true ORDER BY o.wake_at") HIRENOW_TAKE("o.tenant_no");

std::vector<claimed_message> claim_all(sql_session& s, const claim_request& request, bool& is_crowded) {
  std::vector<found_message> found;
  const auto take = [&](const sql_row& row) {
    found.push_back({row.integer(11), row.integer(12), {row.string(9), row.string(10), read_message(row, 0)}});
  };
  s.go_along_indexes();
  std::int64_t now = 0;
  const auto look = [&](const sql_row& row) {
    now = row.integer(0);
    is_crowded = row.integer(1) != 0;
  };
  s.connection.post(
      "WITH clock AS MATERIALIZED (SELECT CASE WHEN $3 = 1 THEN " HIRENOW_DATABASE_NOW
      " ELSE $1 END AS now) SELECT (SELECT now FROM clock), CASE WHEN (SELECT count(*) FROM (" HIRENOW_CROWD(
          "$4") ") AS crowd) > $2 THEN 1 ELSE 0 END",
      {request.now, request.limit, s.database_clock, message_kind_count}, look);
  s.connection.post(
      take_all, {request.now, request.limit, request.token, request.lease, s.database_clock, message_kind_count}, take);
  s.connection.finish();
  if (s.database_clock) s.clock_skew = seconds{now} - request.now.time_since_epoch();
  return in_turn(std::move(found));
}

// ---- SQLite: one writer at a time, and one statement after the other ---------------------------------------------------

/// The messages of a tenant that are due, `skip` of the earliest left out.
void find_due(sql_session& s, const claim_request& request, const waiting_tenant& of, std::size_t skip,
              std::size_t limit, std::vector<found_message>& found) {
  s.connection.execute(
      "SELECT " HIRENOW_MESSAGE_COLUMNS
      ", t.tenant, a.applicant, o.wake_at FROM main.hirenow_outbox AS o CROSS JOIN "
      "main.hirenow_tenant AS t ON t.tenant_no = o.tenant_no CROSS JOIN main.hirenow_applicant AS a ON "
      "a.tenant_no = o.tenant_no AND a.applicant_no = o.applicant_no WHERE o.state IN (0, 1) AND o.tenant_no = $1 AND "
      "o.wake_at <= "
      "$2 AND o.kind < $3 ORDER BY o.wake_at, o.interview, o.kind, o.occasion LIMIT $4 OFFSET $5",
      {of.number, request.now, message_kind_count, limit, skip}, [&](const sql_row& row) {
        found.push_back({row.integer(11), of.number, {row.string(9), row.string(10), read_message(row, 0)}});
        found.back().message.mail.state = message_state::leased;
      });
}

std::vector<claimed_message> claim_one_by_one(sql_session& s, const claim_request& request) {
  const auto tenants = tenants_whose_turn_it_is(s, request.now);
  if (tenants.empty()) return {};
  const std::size_t share = std::max<std::size_t>(request.limit / tenants.size(), 1);
  std::vector<found_message> found, rest;
  std::vector<const waiting_tenant*> have_more;
  for (const auto& tenant : tenants) {
    if (found.size() == request.limit) break;
    const std::size_t before = found.size();
    find_due(s, request, tenant, 0, share, found);
    if (found.size() - before == share) have_more.push_back(&tenant);
  }
  const std::size_t left = request.limit - found.size();
  if (left > 0)
    for (const auto* tenant : have_more) find_due(s, request, *tenant, share, left, rest);
  std::ranges::sort(rest, is_earlier);
  if (rest.size() > left) rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(left), rest.end());
  std::ranges::move(rest, std::back_inserter(found));
  for (const auto& one : found) {
    const message_key& key = one.message.mail.key;
    s.connection.execute(
        "UPDATE main.hirenow_outbox SET state = 1, lease = $1, wake_at = $2 WHERE interview = $3 AND "
        "kind = $4 AND occasion = $5",
        {request.token, request.now + request.lease, key.interview, key.kind, key.occasion});
  }
  HIRENOW_STEP("sql: messages claimed");
  return in_turn(std::move(found));
}

}  // namespace

std::vector<claimed_message> sql_claim(sql_session& s, const claim_request& request, bool& is_crowded) {
  is_crowded = false;
  s.rows_of_all();
  return s.is_postgresql() ? claim_all(s, request, is_crowded) : claim_one_by_one(s, request);
}

std::vector<claimed_message> sql_claim_shares(sql_session& s, const claim_request& request) {
  s.rows_of_all();
  s.go_along_indexes();
  const auto tenants = tenants_whose_turn_it_is(s, request.now + (s.database_clock ? s.clock_skew : seconds{0}));
  const std::size_t share = std::max<std::size_t>(request.limit / std::max<std::size_t>(tenants.size(), 1), 1);
  std::vector<found_message> found;
  const auto take = [&](const sql_row& row) {
    found.push_back({row.integer(11), row.integer(12), {row.string(9), row.string(10), read_message(row, 0)}});
  };
  for (std::size_t n = 0; n < std::min(tenants.size(), request.limit); ++n)
    s.connection.post(
        take_of_tenant,
        {request.now, share, request.token, request.lease, s.database_clock, message_kind_count, tenants[n].number},
        take);
  s.connection.execute("SELECT 1", {});
  if (found.size() < request.limit)
    s.connection.post(
        take_earliest,
        {request.now, request.limit - found.size(), request.token, request.lease, s.database_clock, message_kind_count},
        take);
  s.connection.finish();
  return in_turn(std::move(found));
}

namespace {

/// What a settlement writes into its message.
struct settled_message {
  explicit settled_message(const settlement& s, seconds clock_skew) {
    using verdict = settlement::verdict;
    tried = s.what == verdict::accepted || s.what == verdict::retry || s.what == verdict::dead;
    state = s.what == verdict::accepted    ? message_state::accepted
            : s.what == verdict::withdrawn ? message_state::withdrawn
            : s.what == verdict::dead      ? message_state::dead
            : s.what == verdict::renew     ? message_state::leased
                                           : message_state::queued;
    const bool moves = s.what == verdict::retry || s.what == verdict::release;
    if (moves) due_at = s.at;
    if (moves || s.what == verdict::renew) wake_at = s.at + clock_skew;
    if (const auto kept = kept_answer(s.answer); !kept.empty()) answer = kept;
  }
  message_state state{};
  bool tried = false;
  std::optional<sys_seconds> due_at{};
  std::optional<sys_seconds> wake_at{};
  std::optional<std::string_view> answer{};
};

bool names_each_once(std::span<const settlement> settlements) {
  std::set<message_key> seen;
  return std::ranges::all_of(settlements, [&](const settlement& s) { return seen.insert(s.key).second; });
}

/// Writes several down in one statement: PostgreSQL prepares itself for each, which takes longer than the change.
/// Each is looked for by its key, then changed where it was found: nothing else is read by any plan, whenever it was
/// made. Returns which were changed. One that somebody else changed in the same moment is not, and may still be ours.
std::vector<bool> settle_at_once(sql_session& s, std::span<const settlement> settlements,
                                 std::span<const std::optional<std::int64_t>> tenants) {
  sql_array interviews, kinds, occasions, tenant_nos, leases, states, tries, due_ats, wake_ats, answers;
  const auto add_instant = [](sql_array& to, const std::optional<sys_seconds>& at) {
    at ? to.add_number(at->time_since_epoch().count()) : to.add_null();
  };
  for (std::size_t n = 0; n < settlements.size(); ++n) {
    const settlement& one = settlements[n];
    const settled_message as(one, s.clock_skew);
    interviews.add_bytes(one.key.interview.data);
    kinds.add_number(static_cast<std::int64_t>(one.key.kind));
    occasions.add_number(static_cast<std::int64_t>(one.key.occasion));
    tenants[n] ? tenant_nos.add_number(*tenants[n]) : tenant_nos.add_null();
    leases.add_bytes(one.token);
    states.add_number(static_cast<std::int64_t>(as.state));
    tries.add_number(as.tried ? 1 : 0);
    add_instant(due_ats, as.due_at);
    add_instant(wake_ats, as.wake_at);
    as.answer ? answers.add_text(*as.answer) : answers.add_null();
  }
  std::vector<bool> changed(settlements.size());
  const auto take = [&](const sql_row& row) { changed.at(row.number<std::size_t>(0) - 1) = true; };
  // Of several arrays, unnest() is not looked up by its name, but the server's own (its manual, "Table Functions").
  s.connection.post(
      "UPDATE main.hirenow_outbox AS o SET state = f.state, tries = o.tries + f.tries, due_at = coalesce(f.due_at, "
      "o.due_at), wake_at = coalesce(f.wake_at, o.wake_at), last_answer = coalesce(f.answer, o.last_answer) FROM "
      "(SELECT w.*, c.place FROM unnest(CAST($1 AS bytea[]), CAST($2 AS bigint[]), CAST($3 AS bigint[]), CAST($4 AS "
      "bigint[]), CAST($5 AS bytea[]), CAST($6 AS bigint[]), CAST($7 AS bigint[]), CAST($8 AS bigint[]), CAST($9 AS "
      "bigint[]), CAST($10 AS text[])) WITH ORDINALITY AS w (interview, kind, occasion, tenant_no, lease, state, "
      "tries, due_at, wake_at, answer, n), LATERAL (SELECT m.ctid AS place FROM main.hirenow_outbox AS m "
      "WHERE m.interview = w.interview AND m.kind = w.kind AND m.occasion = w.occasion AND m.tenant_no = w.tenant_no "
      "AND +m.state = 1 AND m.lease = w.lease LIMIT 1) AS c) AS f WHERE o.ctid = f.place RETURNING f.n",
      {interviews.value(), kinds.value(), occasions.value(), tenant_nos.value(), leases.value(), states.value(),
       tries.value(), due_ats.value(), wake_ats.value(), answers.value()},
      take);
  s.connection.finish();
  return changed;
}

}  // namespace

std::vector<bool> sql_settle(sql_session& s, std::span<const settlement> settlements) {
  std::vector<bool> done(settlements.size());
  s.rows_of_all();
  std::vector<std::optional<std::int64_t>> tenants;
  for (const auto& one : settlements) tenants.push_back(s.find_tenant(one.tenant));
  if (s.is_postgresql() && settlements.size() > 1 && names_each_once(settlements)) {
    s.go_along_indexes();
    done = settle_at_once(s, settlements, tenants);
  }
  std::vector<std::int64_t> changed(settlements.size());
  for (std::size_t n = 0; n < settlements.size(); ++n) {
    const settlement& one = settlements[n];
    if (done[n] || !tenants[n]) continue;
    const settled_message as(one, s.clock_skew);
    // By its key: a plain `state = 1` would have PostgreSQL read all that waits, once it has seen that nothing does.
    s.connection.post(
        "UPDATE main.hirenow_outbox SET state = $1, tries = tries + $2, due_at = coalesce($3, due_at), wake_at = "
        "coalesce($4, wake_at), last_answer = coalesce($5, last_answer) WHERE interview = $6 AND kind = $7 AND "
        "occasion = $8 AND tenant_no = $9 AND +state = 1 AND lease = $10",
        {as.state, as.tried, as.due_at, as.wake_at, as.answer, one.key.interview, one.key.kind, one.key.occasion,
         *tenants[n], one.token},
        changed[n]);
    HIRENOW_STEP("sql: message settled");
  }
  s.connection.finish();
  for (std::size_t n = 0; n < settlements.size(); ++n) done[n] = done[n] || changed[n] == 1;
  return done;
}

std::vector<allowance> sql_allow(sql_session& s, std::span<const allowance_request> requests) {
  s.rows_of_all();
  // By number, so that no two wait for each other; those of one limit in the order in which they were asked.
  std::vector<std::pair<std::int64_t, std::size_t>> order;
  for (std::size_t n = 0; n < requests.size(); ++n)
    order.emplace_back(requests[n].tenant.empty() ? 0 : s.tenant(requests[n].tenant), n);
  std::ranges::sort(order);
  std::vector<allowance> out(requests.size());
  for (const auto& [tenant_no, n] : order) {
    const allowance_request& r = requests[n];
    pace p;
    sys_seconds now = r.now;
    bool found = false;
    const auto look = [&] {
      s.connection.execute(
          s.is_postgresql() ? "SELECT p.at, p.filled, CASE WHEN $2 = 1 THEN " HIRENOW_DATABASE_NOW
                              " ELSE $3 END FROM main.hirenow_pace AS p WHERE p.tenant_no = $1 FOR UPDATE"
                            : "SELECT p.at, p.filled, $3 FROM main.hirenow_pace AS p WHERE p.tenant_no = $1 AND $2 = 0",
          {tenant_no, s.database_clock, r.now}, [&](const sql_row& row) {
            found = true;
            p = {row.instant(0), row.integer(1)};
            now = row.instant(2);
          });
    };
    look();
    if (!found) {
      s.connection.execute(
          "INSERT INTO main.hirenow_pace (tenant_no, at, filled) VALUES ($1, 0, 0) ON CONFLICT (tenant_no) DO NOTHING",
          {tenant_no});
      look();
    }
    const pace before = p;
    out[n] = take_places(p, r, now);
    if (p != before)
      s.connection.execute("UPDATE main.hirenow_pace SET at = $1, filled = $2 WHERE tenant_no = $3",
                           {p.at, p.filled, tenant_no});
  }
  return out;
}

std::optional<sys_seconds> sql_next_due(sql_session& s) {
  std::optional<sys_seconds> next;
  s.rows_of_all();
  if (!s.is_postgresql()) {
    s.connection.execute(
        "WITH RECURSIVE waiting (tenant_no) AS (SELECT min(o.tenant_no) FROM main.hirenow_outbox AS o WHERE o.state IN "
        "(0, 1) UNION ALL SELECT (SELECT min(o.tenant_no) FROM main.hirenow_outbox AS o WHERE o.state IN (0, 1) AND "
        "o.tenant_no > w.tenant_no) FROM waiting AS w WHERE w.tenant_no IS NOT NULL) SELECT min((SELECT min(o.wake_at) "
        "FROM main.hirenow_outbox AS o WHERE o.state IN (0, 1) AND o.tenant_no = w.tenant_no AND o.kind < $1)) FROM "
        "waiting AS w WHERE w.tenant_no IS NOT NULL",
        {message_kind_count}, [&](const sql_row& row) {
          if (!row.is_null(0)) next = row.instant(0);
        });
    return next;
  }
  // What is due by the database's clock is so by any: how far that is from the caller's may not be known yet, or have
  // changed.
  const auto take = [&](const sql_row& row) {
    next = row.integer(1) != 0 ? sys_seconds{} : row.instant(0) - s.clock_skew;
  };
  s.connection.post(
      "SELECT wake_at, CASE WHEN $2 = 1 AND wake_at <= " HIRENOW_DATABASE_NOW
      " THEN 1 ELSE 0 END FROM main.hirenow_outbox WHERE state IN (0, 1) AND kind < $1 ORDER BY wake_at LIMIT 1",
      {message_kind_count, s.database_clock}, take);
  s.connection.finish();
  return next;
}

outbox_figures sql_outbox(sql_session& s, sys_seconds now) {
  outbox_figures out;
  s.rows_of_all();
#define HIRENOW_FIGURES(now)                                                                              \
  "SELECT o.state, count(*), sum(CASE WHEN o.wake_at <= " now " THEN 1 ELSE 0 END), min(o.wake_at), " now \
  " FROM main.hirenow_outbox AS o WHERE o.state IN (0, 1) AND o.kind < $2 "
  s.connection.execute(s.is_postgresql() ? HIRENOW_FIGURES("CASE WHEN $3 = 1 THEN " HIRENOW_DATABASE_NOW
                                                           " ELSE $1 END") "GROUP BY o.state"
                                         : HIRENOW_FIGURES("$1") "AND $3 = 0 GROUP BY o.state",
                       {now, message_kind_count, s.database_clock}, [&](const sql_row& row) {
                         const bool is_queued = row.integer(0) == static_cast<std::int64_t>(message_state::queued);
                         (is_queued ? out.queued : out.leased) = row.number(1);
                         (is_queued ? out.due : out.lapsed) = row.number(2);
                         const sys_seconds judged_at = row.instant(4);
                         if (is_queued && row.instant(3) <= judged_at)
                           out.oldest_due = now - (judged_at - row.instant(3));
                       });
#undef HIRENOW_FIGURES
  s.connection.execute("SELECT count(*) FROM main.hirenow_outbox WHERE state = 4 AND kind < $1", {message_kind_count},
                       [&](const sql_row& row) { out.dead = row.number(0); });
  return out;
}

}  // namespace hirenow::detail
