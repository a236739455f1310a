#pragma once
/// Stores with a safeguard taken out: the crash and race programs must find each of them, or they would find nothing.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crash/world.hpp"
#include "support/store_in_between.hpp"

namespace crash {

/// Promises messages in a commit of their own, after the change that promises them.
class torn_commit final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<void> commit(const hirenow::change_set& whole) override {
    auto first = whole;
    first.messages.clear();
    if (auto ok = next_.commit(first); !ok || whole.messages.empty()) return ok;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // so that those who kill at random soon strike here
    hirenow::change_set second;
    second.tenant = whole.tenant;
    second.applicant_id = whole.applicant_id;
    second.expected_version = whole.expected_version + 1;
    second.head = whole.head;
    second.head.version += 1;
    second.messages = whole.messages;
    return next_.commit(second);
  }
};

/// Takes a message for delivered as soon as it is claimed.
class delivered_when_claimed final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<std::vector<hirenow::claimed_message>> claim(const hirenow::claim_request& r) override {
    auto claimed = next_.claim(r);
    if (!claimed) return claimed;
    for (const auto& c : *claimed) {
      const hirenow::settlement s{.key = c.mail.key,
                                  .tenant = c.tenant,
                                  .token = r.token,
                                  .what = hirenow::settlement::verdict::accepted,
                                  .at = r.now};
      if (auto ok = next_.settle({&s, 1}); !ok) return ok.error();
    }
    return claimed;
  }
};

/// Says that a commit was done although somebody else was faster.
class blind_commit final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<void> commit(const hirenow::change_set& c) override {
    auto done = next_.commit(c);
    if (!done && done.error().code == hirenow::errc::conflict) return {};
    return done;
  }
};

/// Remembers no answers.
class forgetful final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<hirenow::loaded> load(const hirenow::load_request& r) override {
    auto data = next_.load(r);
    if (data) data->answer.reset();
    return data;
  }
};

/// Shows no attempt but the newest to whoever decides, so that no cap is ever reached.
class short_memory final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<hirenow::loaded> load(const hirenow::load_request& r) override {
    auto data = next_.load(r);
    if (data)
      std::erase_if(data->record.interviews,
                    [](const auto& i) { return i.state == hirenow::interview_state::archived; });
    return data;
  }
};

/// Gives every worker the same lease token, so that a zombie's is as good as that of who took over.
class one_lease_for_all final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<std::vector<hirenow::claimed_message>> claim(const hirenow::claim_request& r) override {
    auto same = r;
    same.token.fill(7);
    return next_.claim(same);
  }
  hirenow::result<std::vector<bool>> settle(std::span<const hirenow::settlement> all) override {
    std::vector<hirenow::settlement> same(all.begin(), all.end());
    for (auto& one : same) one.token.fill(7);
    return next_.settle(same);
  }
};

/// Writes down every failure as the last one there may be, or as none.
class wrong_verdict final : public hirenow::test::store_in_between {
 public:
  wrong_verdict(hirenow::store& next, hirenow::settlement::verdict instead)
      : store_in_between(next), instead_(instead) {}
  hirenow::result<std::vector<bool>> settle(std::span<const hirenow::settlement> all) override {
    std::vector<hirenow::settlement> wrong(all.begin(), all.end());
    for (auto& one : wrong)
      if (one.what == hirenow::settlement::verdict::retry) one.what = instead_;
    return next_.settle(wrong);
  }

 private:
  const hirenow::settlement::verdict instead_;
};

/// Serves the longest queue alone: whoever has the earliest mail gets all of a claim.
class first_come_only final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<std::vector<hirenow::claimed_message>> claim(const hirenow::claim_request& r) override {
    auto claimed = next_.claim(r);
    if (!claimed) return claimed;
    std::vector<hirenow::claimed_message> kept;
    for (auto& c : *claimed) {
      if (c.tenant == "acme") {
        kept.push_back(std::move(c));
        continue;
      }
      const hirenow::settlement back{.key = c.mail.key,
                                     .tenant = c.tenant,
                                     .token = r.token,
                                     .what = hirenow::settlement::verdict::release,
                                     .at = r.now};
      if (auto ok = next_.settle({&back, 1}); !ok) return ok.error();
    }
    if (!kept.empty()) return kept;
    return next_.claim(r);
  }
};

/// Needs the longer for a claim the more it has claimed: twice what this machine needs for one after 1,200 messages,
/// forty times that after 7,500.
class slower_with_every_claim final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<std::vector<hirenow::claimed_message>> claim(const hirenow::claim_request& r) override {
    const auto begun = std::chrono::steady_clock::now();
    auto claimed = next_.claim(r);
    const double grown = static_cast<double>(taken_.load()) / 1200;
    std::this_thread::sleep_for((std::chrono::steady_clock::now() - begun) * (grown * grown));
    if (claimed) taken_ += claimed->size();
    return claimed;
  }

 private:
  std::atomic<std::size_t> taken_{0};
};

/// Lets no mail leave that is younger than a third of a minute.
class hesitant final : public hirenow::test::store_in_between {
 public:
  using store_in_between::store_in_between;
  hirenow::result<std::vector<hirenow::claimed_message>> claim(const hirenow::claim_request& r) override {
    auto claimed = next_.claim(r);
    if (!claimed) return claimed;
    std::vector<hirenow::claimed_message> kept;
    for (auto& c : *claimed) {
      const auto until = c.mail.created_at + std::chrono::seconds(20);
      if (until <= r.now) {
        kept.push_back(std::move(c));
        continue;
      }
      const hirenow::settlement back{.key = c.mail.key,
                                     .tenant = c.tenant,
                                     .token = r.token,
                                     .what = hirenow::settlement::verdict::release,
                                     .at = until};
      if (auto ok = next_.settle({&back, 1}); !ok) return ok.error();
    }
    return kept;
  }
};

/// Puts the named defect in front of every world's store; false where there is none of this name.
inline bool plant(const std::string& name) {
  const auto with = [](auto make) {
    plant_defect = make;
    return true;
  };
  using hirenow::store;
  if (name == "torn_commit") return with([](store& s) { return std::unique_ptr<store>(new torn_commit(s)); });
  if (name == "delivered_when_claimed")
    return with([](store& s) { return std::unique_ptr<store>(new delivered_when_claimed(s)); });
  if (name == "blind_commit") return with([](store& s) { return std::unique_ptr<store>(new blind_commit(s)); });
  if (name == "forgetful") return with([](store& s) { return std::unique_ptr<store>(new forgetful(s)); });
  if (name == "short_memory") return with([](store& s) { return std::unique_ptr<store>(new short_memory(s)); });
  if (name == "one_lease_for_all")
    return with([](store& s) { return std::unique_ptr<store>(new one_lease_for_all(s)); });
  using verdict = hirenow::settlement::verdict;
  if (name == "retry_is_dead")
    return with([](store& s) { return std::unique_ptr<store>(new wrong_verdict(s, verdict::dead)); });
  if (name == "retry_is_accepted")
    return with([](store& s) { return std::unique_ptr<store>(new wrong_verdict(s, verdict::accepted)); });
  if (name == "first_come_only") return with([](store& s) { return std::unique_ptr<store>(new first_come_only(s)); });
  if (name == "slower_with_every_claim")
    return with([](store& s) { return std::unique_ptr<store>(new slower_with_every_claim(s)); });
  if (name == "hesitant") return with([](store& s) { return std::unique_ptr<store>(new hesitant(s)); });
  return false;
}

}  // namespace crash
