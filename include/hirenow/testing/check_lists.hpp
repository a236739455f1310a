#pragma once
/// Checks of `check_store()`: lists and due records show what a sweep would make true, page by page.

#include <algorithm>
#include <map>
#include <set>

#include "hirenow/testing/check_tools.hpp"

namespace hirenow::testing::detail {

using counts = std::array<std::uint64_t, interview_state_count>;

inline list_page list(store& s, const list_request& request) { return must(s.list(request), "list()"); }

inline counts count(store& s, const list_request& request) { return must(list(s, request).counts, "counts"); }

/// Rows without an order among those of one instant, which is the store's own.
inline std::vector<list_row> settled_order(std::vector<list_row> rows) {
  std::sort(rows.begin(), rows.end(), [](const list_row& a, const list_row& b) {
    return std::make_tuple(-sort_instant(a.interview).time_since_epoch().count(), a.applicant_id, a.interview.id) <
           std::make_tuple(-sort_instant(b.interview).time_since_epoch().count(), b.applicant_id, b.interview.id);
  });
  return rows;
}

inline void expect_newest_first(const std::vector<list_row>& rows) {
  for (std::size_t n = 1; n < rows.size(); ++n)
    expect(sort_instant(rows[n - 1].interview) >= sort_instant(rows[n].interview),
           "row " + std::to_string(n) + " is newer than the one before it");
}

/// Reads a list to its end. `between` runs after each page but the last.
template <class Between>
std::vector<list_row> read_pages(store& s, list_request request, Between between) {
  std::vector<list_row> rows;
  std::string cursor;
  for (;;) {
    request.cursor = cursor;
    auto page = list(s, request);
    expect(page.rows.size() <= request.limit, "a page is longer than was asked for");
    rows.insert(rows.end(), page.rows.begin(), page.rows.end());
    if (page.next.empty()) return rows;
    same("rows of a page that is not the last", page.rows.size(), request.limit);
    expect(rows.size() <= 100'000, "the pages do not end");
    cursor = std::move(page.next);
    between();
  }
}
inline std::vector<list_row> read_pages(store& s, const list_request& request) {
  return read_pages(s, request, [] {});
}

inline std::vector<std::string> names_of(const std::vector<list_row>& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.applicant_id + "/" + row.interview.track);
  std::sort(names.begin(), names.end());
  return names;
}

/// One interview in the list at an instant.
inline interview shown(store& s, const interview_id& id, sys_seconds at, std::string_view tenant = "acme") {
  for (auto& row : whole_list(s, at, tenant).rows)
    if (row.interview.id == id) return row.interview;
  throw broken_promise{"list() does not show interview " + to_string(id)};
}

/// Three people of acme with an interview in each state, spread over tracks "t", "u" and others; and one of "other".
inline std::vector<record_writer> store_people(store& s) {
  std::vector<record_writer> all;
  seconds::rep at = 0;
  for (const char* who : {"ada", "bob", "carl"}) {
    record_writer w(who);
    for (const auto state : all_states) {
      const std::string track = state == interview_state::failed ? "t"
                                : state == interview_state::submitted
                                    ? "u"
                                    : std::string("track ") + std::string(to_string(state));
      bring_to(w, track, state, instant(at += 7));
    }
    w.commit(s);
    all.push_back(w);
  }
  record_writer other("ada", "other");
  other.schedule("t", instant());
  other.commit(s);
  return all;
}
inline std::vector<list_row> rows_of(const std::vector<record_writer>& people) {
  std::vector<list_row> rows;
  for (const auto& w : people)
    for (auto i : w.record.interviews) {
      i.sitting = {};
      rows.push_back({w.record.person.id, w.record.person.name, w.record.person.email, i});
    }
  return settled_order(rows);
}

/// An interview that was started and has run out at `instant(3671)`: an hour and a minute of grace after its start.
inline std::pair<record_writer, interview_id> running(store& s, overtime meaning) {
  record_writer w;
  const auto id = w.schedule("t", instant());
  w.find(id).overtime = w.pending.interviews.back().after.overtime = meaning;
  w.commit(s);
  w.step(id, event::start, instant(11));
  w.commit(s);
  return {w, id};
}

inline counts count_of(std::initializer_list<std::pair<interview_state, std::uint64_t>> some) {
  counts c{};
  for (const auto& [state, n] : some) c[static_cast<std::size_t>(state)] = n;
  return c;
}

inline const std::vector<store_check>& list_checks() {
  static const std::vector<store_check> all{
      {"The list of an empty store is one empty page, with counts of nothing",
       [](store& s) {
         const auto page = list(s, {.tenant = "acme", .at = instant()});
         expect(page.rows.empty() && page.next.empty(), "an empty list has rows or a next page");
         same("counts", page.counts, std::optional(counts{}));
       }},
      {"A list has every interview of its tenant, every field but the sitting, and none of another",
       [](store& s) {
         const auto people = store_people(s);
         same_all("list()", settled_order(whole_list(s, instant(300)).rows), rows_of(people));
         same("rows of the other tenant", whole_list(s, instant(300), "other").rows.size(), std::size_t{1});
         same("rows of nobody", whole_list(s, instant(300), "nobody").rows.size(), std::size_t{0});
       }},
      {"A list begins with the newest",
       [](store& s) {
         store_people(s);
         expect_newest_first(whole_list(s, instant(300)).rows);
         record_writer w("dora");
         w.schedule("t", instant(900'000));
         w.commit(s);
         same("first row", whole_list(s, instant(300)).rows.at(0).applicant_id, "dora");
       }},
      {"An open interview stands in the list at its limit, an ended one at its last change",
       [](store& s) {
         record_writer w;
         const auto open = w.schedule("open", instant(0), seconds{1000});
         const auto ended = w.schedule("ended", instant(1), seconds{5000});
         w.step(ended, event::cancel, instant(500));
         const auto started = w.schedule("started", instant(2), seconds{9000});
         w.step(started, event::start, instant(3));
         w.commit(s);
         const auto rows = whole_list(s, instant(600)).rows;
         same("rows", rows.size(), std::size_t{3});
         same("first", rows.at(0).interview.id, started);
         same("second", rows.at(1).interview.id, open);
         same("third", rows.at(2).interview.id, ended);
       }},
      {"A list can be narrowed to a state",
       [](store& s) {
         const auto people = store_people(s);
         for (const auto state : all_states) {
           auto due = rows_of(people);
           std::erase_if(due, [&](const list_row& row) { return row.interview.state != state; });
           same("rows", due.size(), std::size_t{3});
           same_all("list()", settled_order(list(s, {.tenant = "acme", .at = instant(300), .state = state}).rows), due);
         }
       }},
      {"A list can be narrowed to a track, which is no pattern",
       [](store& s) {
         const auto people = store_people(s);
         auto due = rows_of(people);
         std::erase_if(due, [](const list_row& row) { return row.interview.track != "t"; });
         same_all("list()", settled_order(list(s, {.tenant = "acme", .at = instant(300), .track = "t"}).rows), due);
         for (const char* track : {"T", "t%", "track%", "_", "tr", "*"})
           same("rows on \"" + std::string(track) + "\"",
                list(s, {.tenant = "acme", .at = instant(300), .track = track}).rows.size(), std::size_t{0});
       }},
      {"A list can be narrowed to a person",
       [](store& s) {
         const auto people = store_people(s);
         same_all("list()", settled_order(list(s, {.tenant = "acme", .at = instant(300), .applicant_id = "bob"}).rows),
                  rows_of({people[1]}));
         same("rows of a stranger", list(s, {.tenant = "acme", .at = instant(300), .applicant_id = "b"}).rows.size(),
              std::size_t{0});
       }},
      {"A list can be narrowed in all ways at once",
       [](store& s) {
         store_people(s);
         const auto rows = list(s, {.tenant = "acme",
                                    .at = instant(300),
                                    .state = interview_state::failed,
                                    .track = "t",
                                    .applicant_id = "carl"})
                               .rows;
         same("rows", rows.size(), std::size_t{1});
         same("rows on the wrong track",
              list(s, {.tenant = "acme",
                       .at = instant(300),
                       .state = interview_state::failed,
                       .track = "u",
                       .applicant_id = "carl"})
                  .rows.size(),
              std::size_t{0});
       }},
      {"A link that has run out is shown as expired from that second on",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant(), seconds{100});
         w.commit(s);
         same("a second before", shown(s, id, instant(99)), w.find(id));
         interview due = w.find(id);
         due.state = interview_state::expired;
         due.outcome = outcome::no_show;
         due.changed_at = instant(100);
         same("at the limit", shown(s, id, instant(100)), due);
         same("much later", shown(s, id, instant(99'999)), due);
       }},
      {"An interview within its grace is shown in progress",
       [](store& s) {
         auto [w, id] = running(s, overtime::expire);
         interview due = w.find(id);
         due.sitting = {};
         same("at the deadline", shown(s, id, *due.deadline), due);
         same("a second before the end of the grace", shown(s, id, *due.deadline + seconds{59}), due);
       }},
      {"An interview that has run out is shown as expired and incomplete, changed at its limit",
       [](store& s) {
         auto [w, id] = running(s, overtime::expire);
         interview due = w.find(id);
         due.sitting = {};
         due.state = interview_state::expired;
         due.outcome = outcome::incomplete;
         due.changed_at = *due.deadline + seconds{60};
         same("at the limit", shown(s, id, due.changed_at), due);
         same("much later", shown(s, id, instant(999'999)), due);
       }},
      {"An interview whose overtime submits is shown as submitted at its limit",
       [](store& s) {
         auto [w, id] = running(s, overtime::submit);
         interview due = w.find(id);
         due.sitting = {};
         due.state = interview_state::submitted;
         due.changed_at = *due.deadline + seconds{60};
         due.submitted_at = due.changed_at;
         same("at the limit", shown(s, id, due.changed_at), due);
         same("much later", shown(s, id, instant(999'999)), due);
       }},
      {"Once started, the deadline alone decides",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant(), seconds{100});
         w.step(id, event::start, instant(50));
         w.commit(s);
         same("state after start_by", shown(s, id, instant(200)).state, interview_state::in_progress);
         same("due after start_by", must(s.due(instant(200), 10, ""), "due()").rows.size(), std::size_t{0});
       }},
      {"A list shows what the sweep then makes true",
       [](store& s) {
         auto [w, id] = running(s, overtime::submit);
         const auto link = w.schedule("u", instant(20), seconds{100});
         w.commit(s);
         const auto before = whole_list(s, instant(9000));
         w.step(link, event::expire, instant(120));
         w.step(id, event::submit, instant(3671), authority::clock);
         w.commit(s);
         const auto after = whole_list(s, instant(9000));
         same_all("list()", after.rows, before.rows);
         same("counts", after.counts, before.counts);
       }},
      {"Reading a list changes nothing",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant(), seconds{100});
         w.commit(s);
         whole_list(s, instant(500));
         expect_stored(s, w);
         same("state at an earlier instant", shown(s, id, instant(50)).state, interview_state::scheduled);
       }},
      {"A list narrowed to a state goes by the state it shows",
       [](store& s) {
         auto [w, id] = running(s, overtime::submit);
         w.schedule("u", instant(20), seconds{100});
         w.commit(s);
         const auto rows = [&](interview_state state, sys_seconds at) {
           return list(s, {.tenant = "acme", .at = at, .state = state}).rows.size();
         };
         same("scheduled before", rows(interview_state::scheduled, instant(50)), std::size_t{1});
         same("expired before", rows(interview_state::expired, instant(50)), std::size_t{0});
         same("scheduled after", rows(interview_state::scheduled, instant(9000)), std::size_t{0});
         same("expired after", rows(interview_state::expired, instant(9000)), std::size_t{1});
         same("in progress after", rows(interview_state::in_progress, instant(9000)), std::size_t{0});
         same("submitted after", rows(interview_state::submitted, instant(9000)), std::size_t{1});
       }},
      {"Counts are by state, of the tenant alone",
       [](store& s) {
         store_people(s);
         counts due{};
         due.fill(3);
         same("counts", list(s, {.tenant = "acme", .at = instant(300)}).counts, std::optional(due));
         same("counts of the other tenant", list(s, {.tenant = "other", .at = instant(300)}).counts,
              std::optional(count_of({{interview_state::scheduled, 1}})));
       }},
      {"Counts are by the state that the list shows",
       [](store& s) {
         auto [w, id] = running(s, overtime::submit);
         w.schedule("u", instant(20), seconds{100});
         w.schedule("v", instant(20), seconds{200});
         w.commit(s);
         using enum interview_state;
         const auto at = [&](sys_seconds t) { return count(s, {.tenant = "acme", .at = t}); };
         same("counts at first", at(instant(50)), count_of({{scheduled, 2}, {in_progress, 1}}));
         same("counts when one link has run out", at(instant(120)),
              count_of({{scheduled, 1}, {in_progress, 1}, {expired, 1}}));
         same("counts at the end", at(instant(9000)), count_of({{submitted, 1}, {expired, 2}}));
         same("counts of a track at the end", count(s, {.tenant = "acme", .at = instant(9000), .track = "v"}),
              count_of({{expired, 1}}));
       }},
      {"Counts are narrowed by the track, and by nothing else",
       [](store& s) {
         store_people(s);
         const auto on_t = std::optional(count_of({{interview_state::failed, 3}}));
         same("counts of the track", list(s, {.tenant = "acme", .at = instant(300), .track = "t"}).counts, on_t);
         same("counts where a state is named",
              list(s, {.tenant = "acme", .at = instant(300), .state = interview_state::passed, .track = "t"}).counts,
              on_t);
         same("counts where a person is named",
              list(s, {.tenant = "acme", .at = instant(300), .track = "t", .applicant_id = "ada"}).counts, on_t);
         same("counts of a track that nobody is on",
              list(s, {.tenant = "acme", .at = instant(300), .track = "none"}).counts, std::optional(counts{}));
       }},
      {"Counts are given where they are asked for, on each page",
       [](store& s) {
         store_people(s);
         expect(!list(s, {.tenant = "acme", .at = instant(300), .with_counts = false}).counts,
                "nobody asked for counts");
         const auto first = list(s, {.tenant = "acme", .at = instant(300), .limit = 4});
         const auto second = list(s, {.tenant = "acme", .at = instant(300), .cursor = first.next, .limit = 4});
         same("counts of the second page", second.counts, first.counts);
       }},
      {"Counts follow every step",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         w.commit(s);
         interview_state state = interview_state::scheduled;
         const auto check_counts = [&](std::uint64_t archived) {
           const auto due = count_of({{state, 1}, {interview_state::archived, archived}});
           same("counts", count(s, {.tenant = "acme", .at = w.record.last_instant}), due);
           same("counts of the track", count(s, {.tenant = "acme", .at = w.record.last_instant, .track = "t"}), due);
         };
         check_counts(0);
         for (const event on : {event::request_link, event::start, event::resume, event::submit, event::hold,
                                event::pass, event::reopen, event::fail}) {
           state = w.step(id, on, w.record.last_instant + seconds{5}).state;
           w.commit(s);
           check_counts(0);
         }
         w.retake(id, w.record.last_instant + seconds{5});
         w.commit(s);
         state = interview_state::scheduled;
         check_counts(1);
       }},
      {"Counts follow two steps of one commit",
       [](store& s) {
         auto [w, id] = running(s, overtime::submit);
         w.step(id, event::submit, instant(3671), authority::clock);
         w.step(id, event::pass, instant(4000));
         w.commit(s);
         same("counts", count(s, {.tenant = "acme", .at = instant(9000)}), count_of({{interview_state::passed, 1}}));
       }},
      {"A refused commit counts for nothing",
       [](store& s) {
         auto [w, id] = running(s, overtime::expire);
         const auto before = whole_list(s, instant(100)).counts;
         record_writer bad = w;
         bad.schedule("u", instant(50));
         bad.step(id, event::cancel, instant(60));
         bad.pending.audit.back().previous = {};
         expect_refused(s, bad, errc::constraint_violated, "a broken audit");
         same("counts", whole_list(s, instant(100)).counts, before);
       }},
      {"Pages of any size show every row once, in one order",
       [](store& s) {
         store_people(s);
         const auto whole = whole_list(s, instant(300)).rows;
         for (const std::size_t limit : std::vector<std::size_t>{1, 2, 3, 7, 29, 30, 31})
           same_all("pages of " + std::to_string(limit),
                    read_pages(s, {.tenant = "acme", .at = instant(300), .limit = limit}), whole);
       }},
      {"Pages of a narrowed list show every row once",
       [](store& s) {
         store_people(s);
         for (const std::size_t limit : std::vector<std::size_t>{1, 2, 3})
           for (const list_request& request :
                {list_request{
                     .tenant = "acme", .at = instant(300), .state = interview_state::scheduled, .limit = limit},
                 list_request{.tenant = "acme", .at = instant(300), .track = "u", .limit = limit},
                 list_request{
                     .tenant = "acme", .at = instant(900'000), .state = interview_state::expired, .limit = limit},
                 list_request{.tenant = "acme", .at = instant(300), .applicant_id = "bob", .limit = limit}}) {
             list_request unpaged = request;
             unpaged.limit = 1000;
             same_all("pages of " + std::to_string(limit), read_pages(s, request), list(s, unpaged).rows);
           }
       }},
      {"The last page has no next one, even where it is full",
       [](store& s) {
         store_people(s);
         expect(list(s, {.tenant = "acme", .at = instant(300), .limit = 30}).next.empty(),
                "a next page with nothing on it");
         expect(!list(s, {.tenant = "acme", .at = instant(300), .limit = 29}).next.empty(), "a row without a page");
       }},
      {"Rows of one instant are paged without a loss",
       [](store& s) {
         for (int n = 0; n < 20; ++n) {
           record_writer w("person " + std::to_string(n));
           w.schedule("t", instant());
           w.schedule("u", instant());
           w.step(w.schedule("v", instant()), event::cancel, instant());
           w.step(w.schedule("v", instant()), event::cancel, instant());
           w.commit(s);
         }
         const auto whole = whole_list(s, instant(5)).rows;
         same("rows", whole.size(), std::size_t{80});
         for (const std::size_t limit : std::vector<std::size_t>{1, 3, 7})
           same_all("pages of " + std::to_string(limit),
                    read_pages(s, {.tenant = "acme", .at = instant(5), .limit = limit}), whole);
       }},
      {"Rows that are added before a cursor do not shift what lies behind it",
       [](store& s) {
         store_people(s);
         const auto whole = names_of(whole_list(s, instant(300)).rows);
         int n = 0;
         const auto rows = read_pages(s, {.tenant = "acme", .at = instant(300), .limit = 4}, [&] {
           record_writer w("new " + std::to_string(n++));
           w.schedule("t", instant(800'000));
           w.commit(s);
         });
         expect(n > 0, "nothing was added between the pages");
         same("the rows of the pages", names_of(rows), whole);
       }},
      {"Rows that are moved from before a cursor to the front are not shown again, and none is lost",
       [](store& s) {
         std::vector<record_writer> people;
         for (int n = 0; n < 12; ++n) {
           record_writer w("person " + std::to_string(n));
           w.schedule("t", instant(n));
           w.commit(s);
           people.push_back(w);
         }
         const auto whole = names_of(whole_list(s, instant(300)).rows);
         std::size_t newest = people.size() - 1;
         const auto rows = read_pages(s, {.tenant = "acme", .at = instant(300), .limit = 2}, [&] {
           record_writer& w = people[newest--];  // one that the pages have shown
           w.step(w.record.interviews[0].id, event::reissue, instant(500'000));
           w.commit(s);
         });
         same("the rows of the pages", names_of(rows), whole);
       }},
      {"A cursor outlives the row it was made from",
       [](store& s) {
         std::vector<record_writer> people;
         for (int n = 0; n < 6; ++n) {
           record_writer w("person " + std::to_string(n));
           w.schedule("t", instant(n));
           w.commit(s);
           people.push_back(w);
         }
         const auto first = list(s, {.tenant = "acme", .at = instant(300), .limit = 3});
         same("last row of the page", first.rows.at(2).applicant_id, "person 3");
         people[3].step(people[3].record.interviews[0].id, event::cancel, instant(10));
         people[3].commit(s);
         const auto rest = list(s, {.tenant = "acme", .at = instant(300), .cursor = first.next, .limit = 3});
         same("first row behind it", rest.rows.at(0).applicant_id, "person 2");
         same("second row behind it", rest.rows.at(1).applicant_id, "person 1");
         same("third row behind it", rest.rows.at(2).applicant_id, "person 0");
       }},
      {"A text that is no cursor of a list is refused",
       [](store& s) {
         store_people(s);
         for (const std::string& text : {std::string("nonsense"), std::string("\xff\xfe"), std::string(5000, '9'),
                                         std::string("' OR 1=1 --"), std::string(" "), std::string("\0\0", 2)})
           must_refuse(s.list({.tenant = "acme", .at = instant(300), .cursor = text}), errc::invalid_argument,
                       "the cursor " + show(text));
       }},
      {"A person's new name and address are shown at once",
       [](store& s) {
         auto people = store_people(s);
         people[0].record.person.name = "New Name";
         people[0].record.person.email = "new@example.org";
         people[0].pending.write_person = true;
         people[0].entry("update_applicant", instant(299));
         people[0].commit(s);
         same_all("list()", settled_order(whole_list(s, instant(300)).rows), rows_of(people));
       }},
  };
  return all;
}

// Due records.

inline std::vector<due_record> all_due(store& s, sys_seconds at) { return must(s.due(at, 100'000, ""), "due()").rows; }

template <class Between>
std::vector<due_record> read_due(store& s, sys_seconds at, std::size_t limit, Between between) {
  std::vector<due_record> rows;
  std::string cursor;
  for (;;) {
    auto page = must(s.due(at, limit, cursor), "due()");
    expect(page.rows.size() <= limit, "a page is longer than was asked for");
    rows.insert(rows.end(), page.rows.begin(), page.rows.end());
    if (page.next.empty()) return rows;
    expect(rows.size() <= 100'000, "the pages do not end");
    cursor = std::move(page.next);
    between(page.rows);
  }
}

inline const std::vector<store_check>& due_checks() {
  static const std::vector<store_check> all{
      {"Nothing is due in an empty store",
       [](store& s) {
         const auto page = must(s.due(max_instant, 10, ""), "due()");
         expect(page.rows.empty() && page.next.empty(), "something is due in an empty store");
       }},
      {"A link is due at the second at which it runs out",
       [](store& s) {
         record_writer w;
         w.schedule("t", instant(), seconds{100});
         w.commit(s);
         same("rows a second before", all_due(s, instant(99)).size(), std::size_t{0});
         same("rows", all_due(s, instant(100)), std::vector<due_record>{{"acme", "ada", instant(100)}});
         same("rows much later", all_due(s, max_instant), std::vector<due_record>{{"acme", "ada", instant(100)}});
       }},
      {"A started interview is due at the end of its grace",
       [](store& s) {
         for (const auto meaning : {overtime::expire, overtime::submit}) {
           record_writer w(meaning == overtime::expire ? "ada" : "bob");
           const auto id = w.schedule("t", instant());
           w.find(id).overtime = w.pending.interviews.back().after.overtime = meaning;
           w.step(id, event::start, instant(11));
           w.commit(s);
         }
         same("rows a second before", all_due(s, instant(3670)).size(), std::size_t{0});
         auto rows = all_due(s, instant(3671));
         std::sort(rows.begin(), rows.end(),
                   [](const due_record& a, const due_record& b) { return a.applicant_id < b.applicant_id; });
         same("rows", rows, std::vector<due_record>{{"acme", "ada", instant(3671)}, {"acme", "bob", instant(3671)}});
       }},
      {"A record is due once, at its earliest limit",
       [](store& s) {
         record_writer w;
         for (const int life : {300, 100, 200, 900})
           w.schedule("track " + std::to_string(life), instant(), seconds{life});
         w.commit(s);
         same("rows", all_due(s, instant(500)), std::vector<due_record>{{"acme", "ada", instant(100)}});
         same("rows at the first limit", all_due(s, instant(100)),
              std::vector<due_record>{{"acme", "ada", instant(100)}});
       }},
      {"Records of all tenants are due, the earliest first",
       [](store& s) {
         std::vector<due_record> due;
         for (int n = 0; n < 9; ++n) {
           record_writer w("person " + std::to_string(n * 5 % 9), n % 2 == 0 ? "acme" : "other");
           w.schedule("t", instant(), seconds{100 + n * 4 % 9});
           w.commit(s);
           due.push_back({w.record.tenant, w.record.person.id, instant(100 + n * 4 % 9)});
         }
         std::sort(due.begin(), due.end(), [](const due_record& a, const due_record& b) { return a.limit < b.limit; });
         same("rows", all_due(s, instant(500)), due);
       }},
      {"An ended interview is not due",
       [](store& s) {
         for (const auto state : all_states) {
           record_writer w("person " + std::string(to_string(state)));
           bring_to(w, "t", state, instant());
           w.commit(s);
         }
         std::set<std::string> who;
         for (const auto& row : all_due(s, max_instant)) who.insert(row.applicant_id);
         same("who is due", who == std::set<std::string>{"person in_progress", "person scheduled"}, true);
       }},
      {"What the sweep has done is no longer due",
       [](store& s) {
         auto [w, id] = running(s, overtime::expire);
         const auto link = w.schedule("u", instant(20), seconds{100});
         w.commit(s);
         same("rows", all_due(s, instant(9000)), std::vector<due_record>{{"acme", "ada", instant(120)}});
         w.step(link, event::expire, instant(120));
         w.commit(s);
         same("rows", all_due(s, instant(9000)), std::vector<due_record>{{"acme", "ada", instant(3671)}});
         w.step(id, event::expire, instant(3671));
         w.commit(s);
         same("rows", all_due(s, instant(9000)).size(), std::size_t{0});
       }},
      {"A fresh link is due anew",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant(), seconds{100});
         w.commit(s);
         w.step(id, event::expire, instant(100));
         w.step(id, event::reissue, instant(150));
         w.commit(s);
         same("rows", all_due(s, instant(200)).size(), std::size_t{0});
         same("rows", all_due(s, max_instant), std::vector<due_record>{{"acme", "ada", instant(150) + link_life}});
       }},
      {"Pages of due records of any size show each once",
       [](store& s) {
         for (int n = 0; n < 14; ++n) {
           record_writer w("person " + std::to_string(n), n % 3 == 0 ? "acme" : "other");
           for (const char* track : {"t", "u", "v"}) w.schedule(track, instant(n), seconds{100 - n / 5 * 7});
           w.commit(s);
         }
         const auto whole = all_due(s, instant(500));
         same("rows", whole.size(), std::size_t{14});
         for (const std::size_t limit : std::vector<std::size_t>{1, 2, 3, 13, 14, 15})
           same("pages of " + std::to_string(limit) + " as the whole",
                read_due(s, instant(500), limit, [](const auto&) {}) == whole, true);
         expect(must(s.due(instant(500), 14, ""), "due()").next.empty(), "a next page with nothing on it");
         expect(!must(s.due(instant(500), 13, ""), "due()").next.empty(), "a row without a page");
       }},
      {"A sweep that works page by page comes past every due record",
       [](store& s) {
         std::map<std::string, record_writer> people;
         for (int n = 0; n < 11; ++n) {
           record_writer w("person " + std::to_string(n));
           w.schedule("t", instant(), seconds{100 + n / 4});
           w.schedule("u", instant(), seconds{103});
           w.commit(s);
           people.emplace(w.record.person.id, w);
         }
         const auto sweep = [&](const std::vector<due_record>& rows) {
           for (const auto& row : rows) {
             record_writer& w = people.at(row.applicant_id);
             for (const auto& i : std::vector<interview>(w.record.interviews))
               if (i.state == interview_state::scheduled) w.step(i.id, event::expire, i.start_by);
             w.commit(s);
           }
         };
         std::set<std::string> seen;
         for (const auto& row : read_due(s, instant(500), 2, sweep))
           expect(seen.insert(row.applicant_id).second, row.applicant_id + " is due twice");
         same("records", seen.size(), people.size());
       }},
      {"A record that cannot be swept does not stand in the way of the next page",
       [](store& s) {
         for (int n = 0; n < 4; ++n) {
           record_writer w("person " + std::to_string(n));
           w.schedule("t", instant(), seconds{100 + n});
           w.commit(s);
         }
         const auto first = must(s.due(instant(500), 1, ""), "due()");
         const auto second = must(s.due(instant(500), 1, first.next), "due()");
         same("who is on the second page", second.rows.at(0).applicant_id, "person 1");
       }},
      {"A text that is no cursor of due records is refused",
       [](store& s) {
         for (const std::string& text : {std::string("nonsense"), std::string("\xff\xfe"), std::string(5000, '9'),
                                         std::string("' OR 1=1 --"), std::string(" "), std::string("\0\0", 2)})
           must_refuse(s.due(instant(), 10, text), errc::invalid_argument, "the cursor " + show(text));
       }},
  };
  return all;
}

}  // namespace hirenow::testing::detail
