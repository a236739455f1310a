/// The sweep: what it makes true, in what order, and that one bad record stops nobody else.

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

schedule_request for_person(const world& w, std::size_t n) {
  auto request = w.terms();
  request.applicant = {.id = "app-" + std::to_string(n), .email = "p" + std::to_string(n) + "@example.org"};
  request.link_lifetime = seconds{3600 * static_cast<int>(n)};
  return request;
}

TEST_CASE("list, find and history show what the sweep then makes true", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  std::vector<interview_id> ids;
  for (const auto* name : {"scheduled", "in_progress", "submitted"}) {
    request.track = name;
    ids.push_back(bring_to(w, situation_of(name), request).id);
  }
  request.track = "overtime";
  request.overtime = overtime::submit;
  ids.push_back(bring_to(w, situation_of("in_progress"), request).id);
  for (const seconds step : {seconds{30min}, seconds{35min}, seconds{10min}, seconds{72h}}) {
    w.clock.advance(step);
    const auto shown = w.bench.list({}, w.recruiter).value();
    std::vector<interview> found, history;
    for (const auto& id : ids) {
      found.push_back(w.bench.find(id, w.recruiter).value());
      history.push_back(w.bench.history(id, w.recruiter).value().attempts.at(0));
    }
    w.bench.sweep().value();
    const auto after = w.bench.list({}, w.recruiter).value();
    CHECK(shown.counts == after.counts);
    REQUIRE(shown.rows.size() == after.rows.size());
    for (std::size_t n = 0; n < shown.rows.size(); ++n) CHECK(shown.rows[n].interview == after.rows[n].interview);
    for (std::size_t n = 0; n < ids.size(); ++n) {
      interview stored = w.stored(ids[n]);
      stored.sitting.key_hash = {};
      if (stored.state != interview_state::in_progress) stored.sitting = {};  // nobody sits there any more
      CHECK(found[n] == stored);
      CHECK(history[n] == stored);
    }
  }
  CHECK(w.stored(ids[0]).state == interview_state::expired);
  CHECK(w.stored(ids[1]).state == interview_state::expired);
  CHECK(w.stored(ids[2]).state == interview_state::submitted);
  CHECK(w.stored(ids[3]).state == interview_state::submitted);
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("expired answers are looked for once an hour, and until none is left", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  struct counting final : store_in_between {
    using store_in_between::store_in_between;
    int calls = 0;
    std::size_t left = 0;
    result<std::size_t> prune(sys_seconds, std::size_t limit) override {
      ++calls;
      const auto taken = std::min(left, limit);
      left -= taken;
      return taken;
    }
  } s(*w.data);
  auto bench = w.another(s);
  s.left = 25;
  for (int n = 0; n < 3; ++n) REQUIRE(bench.sweep(10));
  CHECK(s.left == 0);
  CHECK(s.calls == 3);
  w.clock.advance(1h - 1s);
  REQUIRE(bench.sweep());
  CHECK(s.calls == 3);
  w.clock.advance(1s);
  REQUIRE(bench.sweep());
  CHECK(s.calls == 4);
  w.clock.advance(-24h);  // a clock that was set back delays nothing
  REQUIRE(bench.sweep());
  CHECK(s.calls == 5);
}

TEST_CASE("where answers cannot be pruned a sweep says so before it changes anything", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  w.clock.advance(days{30});
  struct unprunable final : store_in_between {
    using store_in_between::store_in_between;
    result<std::size_t> prune(sys_seconds, std::size_t) override {
      return hirenow::detail::fail(errc::store_full, "the disk is full");
    }
  } full(*w.data);
  CHECK(code_of(w.another(full).sweep()) == errc::store_full);
  CHECK(w.stored(at.id).state == interview_state::scheduled);
}

TEST_CASE("a sweep that runs out of memory says what it has done, and that there is more", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  for (std::size_t n = 1; n <= 3; ++n) w.bench.schedule(for_person(w, n), w.recruiter).value();
  w.clock.set(monday + 5h);
  struct exhausted final : store_in_between {
    using store_in_between::store_in_between;
    result<void> commit(const change_set& c) override {
      if (left-- == 0) throw std::bad_alloc();
      return store_in_between::commit(c);
    }
    int left = 2;
  } poor(*w.data);
  auto bench = w.another(poor);
  const auto report = bench.sweep().value();
  CHECK(report.records == 2);
  CHECK(report.more);
  poor.left = 0;
  CHECK(code_of(bench.sweep()) == errc::out_of_memory);  // nothing was done
  CHECK(bench.sweep().value().records == 1);
}

TEST_CASE("a sweep records at the limit, reports what it did, and has nothing left to do", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  std::vector<interview_id> ids;
  for (std::size_t n = 1; n <= 5; ++n)
    ids.push_back(w.bench.schedule(for_person(w, n), w.recruiter).value().interview.id);
  // The other tenant's records are swept as well.
  auto foreign = for_person(w, 1);
  const auto theirs = w.bench.schedule(foreign, w.stranger).value().interview.id;
  w.clock.set(monday + 3h);
  const auto report = w.bench.sweep().value();
  CHECK(report.records == 4);
  CHECK(report.events == 4);
  CHECK(report.failed.empty());
  CHECK_FALSE(report.more);
  for (std::size_t n = 0; n < 5; ++n) {
    CHECK(w.stored(ids[n]).state == (n < 3 ? interview_state::expired : interview_state::scheduled));
    if (n < 3) CHECK(w.stored(ids[n]).changed_at == monday + 1h * static_cast<int>(n) + 1h);
    CHECK(w.unsent(ids[n]).size() == (n < 3 ? 0 : 1));
  }
  CHECK(w.bench.find(theirs, w.stranger).value().state == interview_state::expired);
  const auto again = w.bench.sweep().value();
  CHECK(again.records == 0);
  CHECK(again.events == 0);
  w.clock.set(monday + 4h - 1s);
  CHECK(w.bench.sweep().value().events == 0);
  w.clock.advance(1s);
  CHECK(w.bench.sweep().value().events == 1);
}

TEST_CASE("a sweep stops at its limit and says that there is more", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  for (std::size_t n = 1; n <= 5; ++n) w.bench.schedule(for_person(w, n), w.recruiter).value();
  w.clock.advance(100h);
  const auto first = w.bench.sweep(2).value();
  CHECK(first.records == 2);
  CHECK(first.more);
  const auto second = w.bench.sweep(2).value();
  CHECK(second.records == 2);
  const auto third = w.bench.sweep(2).value();
  CHECK(third.records == 1);
  CHECK_FALSE(third.more);
}

/// Fails for one applicant, in one way.
class spoilt_store final : public store_in_between {
 public:
  enum class how { load, commit, nonsense };
  spoilt_store(store& next, how h, std::string victim) : store_in_between(next), how_(h), victim_(std::move(victim)) {}

  result<loaded> load(const load_request& r) override {
    auto data = next_.load(r);
    if (!data || data->record.person.id != victim_) return data;
    if (how_ == how::load) return detail::fail(errc::store_corrupt, "a page is damaged");
    if (how_ == how::nonsense)  // an audit head that fits nothing, as a torn file might hold
      data->record.sequence += 7;
    return data;
  }
  result<void> commit(const change_set& c) override {
    if (how_ == how::commit && c.applicant_id == victim_) return detail::fail(errc::store_unavailable, "no");
    return next_.commit(c);
  }

 private:
  how how_;
  std::string victim_;
};

TEST_CASE("a record that makes the sweep fail is set aside and reported, and the sweep goes on", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto how = GENERATE(spoilt_store::how::load, spoilt_store::how::commit, spoilt_store::how::nonsense);
  for (std::size_t n = 1; n <= 4; ++n) w.bench.schedule(for_person(w, n), w.recruiter).value();
  w.clock.advance(100h);
  spoilt_store spoilt(*w.data, how, "app-2");
  auto bench = w.another(spoilt);
  SECTION("in one go") {
    const auto report = bench.sweep().value();
    CHECK(report.records == 3);
    REQUIRE(report.failed.size() == 1);
    CHECK(report.failed[0].record.applicant_id == "app-2");
    CHECK(report.failed[0].record.tenant == acme);
    CHECK(report.failed[0].error.code == (how == spoilt_store::how::load     ? errc::store_corrupt
                                          : how == spoilt_store::how::commit ? errc::store_unavailable
                                                                             : errc::constraint_violated));
  }
  SECTION("even where it stands before all the others and the sweep is short") {
    std::size_t swept = 0;
    for (int round = 0; round < 6; ++round) swept += bench.sweep(1).value().records;
    CHECK(swept == 3);
  }
}

TEST_CASE("a sweep that meets another change decides again", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto id = w.schedule().interview.id;
  w.clock.advance(100h);
  class overtaken final : public store_in_between {
   public:
    overtaken(store& next, engine& other, interview_id id) : store_in_between(next), other_(other), id_(id) {}
    result<void> commit(const change_set& c) override {
      if (!done_) {
        done_ = true;
        other_.reissue(id_, {"rita", acme, role::recruiter}).value();
      }
      return next_.commit(c);
    }

   private:
    engine& other_;
    interview_id id_;
    bool done_ = false;
  };
  overtaken s(*w.data, w.bench, id);
  auto bench = w.another(s);
  const auto report = bench.sweep().value();
  CHECK(report.failed.empty());
  CHECK(report.events == 0);
  CHECK(w.stored(id).state == interview_state::scheduled);
}

TEST_CASE("a sweep forgets answers that have expired", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w, retake_policy::standard(), engine_options{.answer_retention = 24h});
  auto request = w.terms();
  request.idempotency_key = "key";
  w.bench.schedule(request, w.recruiter).value();
  const auto stored = [&] {
    return w.data
        ->load({.tenant = acme,
                .who = std::string_view(w.ada.id),
                .answer = detail::answer_key_of(use_case::schedule, "key")})
        .value()
        .answer.has_value();
  };
  w.clock.set(monday + 24h - 1s);
  w.bench.sweep().value();
  CHECK(stored());
  w.clock.advance(1h);  // they are looked for once an hour
  w.bench.sweep().value();
  CHECK_FALSE(stored());
}

}  // namespace
