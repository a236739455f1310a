/// The memory store keeps every promise of a store; and check_store() finds every store that does not.

#include "hirenow/adapters/memory.hpp"

#include <catch2/catch_test_macros.hpp>

#include <iostream>
#include <set>

#include "hirenow/testing/check_store.hpp"
#include "support/defective_reads.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::support;
using testing::check_options;
using testing::check_report;
using testing::check_store;

struct planted {
  const char* defect;
  std::unique_ptr<store> (*make)();
};

template <class Defective>
constexpr planted plant(const char* defect) {
  return {defect, []() -> std::unique_ptr<store> { return std::make_unique<Defective>(); }};
}

const std::vector<planted>& planted_defects() {
  static const std::vector<planted> all{
      plant<version_not_compared>("the version is not compared"),
      plant<version_compared_too_early>("the version is compared in another transaction"),
      plant<audit_gap_accepted>("an audit that does not join is accepted"),
      plant<unlawful_step_skipped>("an unlawful step is left out in silence"),
      plant<new_interview_in_any_state>("a new interview may be in any state"),
      plant<before_not_compared>("the state before is not compared"),
      plant<second_message_ignored>("a second message of one key is ignored"),
      plant<drop_of_anything_ignored>("a drop of what is not dead is ignored"),
      plant<drop_lost>("drops are lost"),
      plant<figures_without_one>("the outbox's figures leave one out"),
      plant<redrive_of_anything_ignored>("a redrive of what is not dead is ignored"),
      plant<refused_commit_half_written>("a refused commit is half written"),
      plant<withdrawal_lost>("withdrawals are lost"),
      plant<withdrawal_of_all_kinds>("withdrawals take all kinds"),
      plant<withdrawal_after_messages>("withdrawals are done after the messages"),
      plant<second_answer_dropped>("a second answer is dropped in silence"),
      plant<final_progress_lost>("final progress is lost"),
      plant<person_always_written>("the person is always written"),
      plant<sitting_always_written>("the sitting is always written"),
      plant<sitting_never_closed>("a sitting is never closed"),
      plant<score_as_float>("scores are stored as floats"),
      plant<salt_ends_at_nul>("a salt ends at its first NUL"),
      plant<first_instant_is_no_instant>("the first instant is stored as none"),
      plant<namesake_erased_too>("an erasure takes another tenant's applicant of that id"),
      plant<case_ignored>("ids are compared without case"),
      plant<interview_of_any_tenant>("an interview is found by another tenant"),
      plant<answer_of_any_tenant>("an answer is found by another tenant"),
      plant<answer_needs_a_record>("an answer is found only with a record"),
      plant<tenant_policy_goes_first>("the tenant's policy goes before the track's"),
      plant<policy_never_removed>("a policy is never removed"),
      plant<policy_kept_of_a_refused_commit>("a policy stays of a commit that was refused"),
      plant<tenant_among_the_heads>("the tenant's own record is among the heads"),
      plant<policy_in_force_at_once>("a policy is in force before its instant"),
      plant<policies_forgotten>("only the last policy is kept"),
      plant<waiver_steps_lost>("a waiver's steps are lost"),
      plant<waiver_before_not_compared>("a waiver's state before is not compared"),
      plant<unlawful_waivers_left_out>("unlawful waivers are left out in silence"),
      plant<due_without_waivers>("the sweep finds no waivers"),
      plant<facts_not_erased>("an erasure leaves the facts"),
      plant<salt_not_erased>("an erasure leaves the salt"),
      plant<progress_not_erased>("an erasure leaves the progress"),
      plant<answers_not_erased>("an erasure leaves the stored answers"),
      plant<notes_not_erased>("an erasure leaves the notes"),
      plant<server_words_not_erased>("an erasure leaves what servers said"),
      plant<erasure_cuts_the_audit>("an erasure takes the audit"),
      plant<progress_moves_the_version>("a checkpoint moves the version"),
      plant<lenient_save<fill_fence>>("a checkpoint's fence is ignored"),
      plant<lenient_save<fill_key>>("a checkpoint's session key is ignored"),
      plant<lenient_save<fill_instant>>("a checkpoint is saved at the deadline"),
      plant<lenient_save<fill_grace>>("a checkpoint is saved within the grace"),
      plant<progress_of_any_tenant>("a checkpoint's tenant is ignored"),
      plant<load_each_sorted>("several loads at once come in the order of their ids"),
      plant<load_each_stops_at_16>("several loads at once are sixteen"),
      plant<load_each_of_any_tenant>("several loads at once look at no tenant"),
      plant<list_as_stored>("a list shows what is stored"),
      plant<list_a_second_late>("a list is a second late"),
      plant<list_of_all_tenants>("a list shows another tenant's rows"),
      plant<list_keeps_erased_names>("a list keeps the names of the erased"),
      plant<sitting_left_out<in_progress_unless_named>>("a load brings no sitting of what is in progress"),
      plant<sitting_left_out<over_though_named>>("a load brings no sitting of what is over"),
      plant<sitting_left_out<in_progress_unless_all_come>>("a load of one interview brings no sitting"),
      plant<load_brings_another>("a load of one interview brings another"),
      plant<load_brings_no_head>("a load of one interview brings no person"),
      plant<list_shows_the_sitting>("a list shows the sitting"),
      plant<list_oldest_first>("a list begins with the oldest"),
      plant<track_as_prefix>("a list takes the track as a prefix"),
      plant<cursor_skips_a_row>("a list's cursor skips a row"),
      plant<cursor_is_an_offset>("a list's cursor is an offset"),
      plant<full_page_has_a_next_one>("a full last page has a next one"),
      plant<bad_cursor_starts_over>("a bad cursor starts over"),
      plant<other_counts<counts_as_stored>>("counts are of what is stored"),
      plant<other_counts<counts_of_the_tenant>>("counts of a track are the tenant's"),
      plant<other_counts<counts_of_the_state>>("counts are narrowed to the state"),
      plant<other_counts<counts_of_the_person>>("counts are narrowed to the person"),
      plant<counts_lag_behind>("counts lag one call behind"),
      plant<counts_from_another_snapshot>("counts are read in another transaction"),
      plant<due_forgets_grace>("the sweep forgets the grace"),
      plant<due_a_second_late>("the sweep is a second late"),
      plant<due_row_for_each_interview>("the sweep has a row for each interview"),
      plant<due_cursor_skips_a_row>("the sweep's cursor skips a row"),
      plant<due_always_from_the_start>("the sweep's cursor is ignored"),
      plant<bent_settle<retry_not_counted>>("a retry counts no try"),
      plant<bent_settle<release_counted>>("a release counts a try"),
      plant<bent_settle<retry_at_once>>("a retry is due at once"),
      plant<bent_settle<dead_is_withdrawn>>("a dead message is withdrawn"),
      plant<bent_settle<answer_not_kept>>("a server's answer is not kept"),
      plant<bent_settle<answer_kept_too_short>>("a server's answer is cut too short"),
      plant<bent_settle<renewal_a_second_short>>("a renewal is a second short"),
      plant<renewal_lost>("a renewal is lost"),
      plant<lease_token_ignored>("the lease token is ignored"),
      plant<settle_for_any_tenant>("a settlement's tenant is ignored"),
      plant<lost_lease_stops_the_batch>("a lost lease stops the batch"),
      plant<claimed_twice>("a message is claimed twice"),
      plant<everything_is_allowed>("a limit is not kept"),
      plant<each_thread_counts_for_itself>("each thread has a limit of its own"),
      plant<first_answer_for_all>("all requests of a call are answered as the first is"),
      plant<bent_allow<tenants_share_a_limit>>("tenants share a limit"),
      plant<bent_allow<tenants_count_as_all_mail>>("a tenant's mail is counted as all mail"),
      plant<bent_allow<nothing_is_taken_back>>("what is given back stays counted"),
      plant<bent_allow<a_mail_a_second_more>>("one more a second is allowed"),
      plant<bent_claim<lease_a_second_short>>("a lease is a second short"),
      plant<bent_claim<claim_a_second_late>>("a claim is a second late"),
      plant<claims_of_one_tenant_first>("one tenant's messages are claimed before any other's"),
      plant<bent_claim<claim_without_limit>>("a claim's limit is ignored"),
      plant<next_due_forgets_leases>("the outbox's next instant forgets leases"),
      plant<messages_of_all_tenants>("messages of another tenant are shown"),
      plant<messages_by_age>("messages are not in the order of their keys"),
      plant<audit_from_one_too_early>("the audit is read from one entry too early"),
      plant<heads_by_length>("heads are not in the order of their bytes"),
      plant<prunes_everything>("pruning takes what has not expired"),
      plant<prunes_without_limit>("pruning knows no limit"),
      plant<throws_at_load>("a call throws"),
      plant<throws_something_else>("a call throws what is no exception"),
  };
  return all;
}

}  // namespace

TEST_CASE("the memory store keeps every promise of a store", "[store][threads]") {
  const check_report report = check_store([] { return open_memory_store(); });
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks >= 120);
}

TEST_CASE("every check of a store has a name of its own, and runs on a store of its own", "[store]") {
  std::set<std::string> names;
  std::size_t made = 0;
  const check_report report = check_store(
      [&]() -> std::unique_ptr<store> {
        ++made;
        return nullptr;
      },
      {.histories = 3});
  for (const auto& failure : report.failures) names.insert(failure.check);
  CHECK(names.size() == report.checks);
  CHECK(made == report.checks);
  CHECK_FALSE(report.passed());
  CHECK(report.checks - 3 >= 120);
}

TEST_CASE("a report says what failed", "[store]") {
  check_report report;
  CHECK_FALSE(report.passed());  // nothing was checked
  report.checks = 2;
  CHECK(report.passed());
  CHECK(report.to_string() == "2 checks, 0 failed\n");
  report.failures.push_back({"A promise", "was broken"});
  CHECK_FALSE(report.passed());
  CHECK(report.to_string() == "2 checks, 1 failed\n  A promise\n    was broken\n");
}

TEST_CASE("a random history is the same for the same seed", "[store]") {
  // The store under test notes what it is asked to commit.
  struct noting_store : defective_store {
    result<void> commit(const change_set& c) override {
      for (const auto& entry : c.audit) noted.insert(noted.end(), entry.hash.begin(), entry.hash.end());
      return defective_store::commit(c);
    }
    std::vector<std::uint8_t> noted;
  } first, second, third;
  testing::detail::replay_history(first, 7, 40);
  testing::detail::replay_history(second, 7, 40);
  testing::detail::replay_history(third, 8, 40);
  CHECK_FALSE(first.noted.empty());
  CHECK(first.noted == second.noted);
  CHECK(first.noted != third.noted);
}

TEST_CASE("check_store() finds each planted defect", "[store]") {
  const check_options options{.histories = 0, .threads = 4, .until_failure = true};
  const auto sound = check_store([] { return open_memory_store(); }, options);
  INFO(sound.to_string());
  REQUIRE(sound.passed());
  // Under sanitizers every k-th, as crashes: what looks for them is the same for all.
  for (std::size_t n = 0; n < planted_defects().size(); n += HIRENOW_CRASH_STRIDE) {
    const auto& [defect, make] = planted_defects()[n];
    const auto report = check_store(make, options);
    INFO(defect);
    CHECK_FALSE(report.passed());
    if (report.passed()) continue;
    CHECK(report.failures.size() == 1);
    std::cout << defect << ": found by \"" << report.failures[0].check << "\" (" << report.failures[0].what << ")\n";
  }
  std::cout << "every " << HIRENOW_CRASH_STRIDE << ". of " << planted_defects().size() << " defects was planted\n";
}

TEST_CASE("random histories alone find most planted defects", "[store]") {
  std::size_t found = 0;
  std::string missed;
  for (const auto& [defect, make] : planted_defects()) {
    bool caught = false;
    for (std::uint64_t seed = 1; seed <= 10 && !caught; ++seed) {
      try {
        testing::detail::replay_history(*make(), seed, 60);
      } catch (...) {
        caught = true;
      }
    }
    found += caught;
    if (!caught) missed += std::string("  ") + defect + "\n";
  }
  std::cout << "random histories find " << found << " of " << planted_defects().size() << " defects; they miss\n"
            << missed;
  CHECK(found * 3 >= planted_defects().size() * 2);
}
