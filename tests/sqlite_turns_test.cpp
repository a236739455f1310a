// Stores on one file take turns: none waits while another has all of them.

#include <array>
#include <atomic>
#include <filesystem>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/testing/check_tools.hpp"
#include "support/temporary_folder.hpp"

using namespace hirenow;
using testing::detail::instant, testing::detail::record_writer;

TEST_CASE("stores that commit to one file without a pause have their share of the turns", "[sqlite][concurrent]") {
  // On the build's disk: it is while a disk is waited for that the others fall asleep.
  const test::temporary_folder folder(std::filesystem::current_path());
  const auto file = (folder.path() / "turns.db").string();
  constexpr int commits = 600;
  std::array<std::unique_ptr<store>, 4> stores;
  for (auto& s : stores) s = open_sqlite_store(file).value();
  std::array<std::atomic<int>, 4> done{};
  std::array<int, 4> when_the_first_was_done{};
  std::atomic<bool> first{true};
  std::latch start(4);
  {
    std::vector<std::jthread> all;
    for (std::size_t n = 0; n < stores.size(); ++n)
      all.emplace_back([&, n] {
        record_writer w("person " + std::to_string(n));
        w.schedule("t", instant());
        start.arrive_and_wait();
        for (int k = 1; k <= commits; ++k) {
          w.entry("note", instant(k));
          w.commit(*stores[n]);
          done[n] = k;
        }
        if (first.exchange(false))
          for (std::size_t other = 0; other < stores.size(); ++other) when_the_first_was_done[other] = done[other];
      });
  }
  // Not all of it: a machine that has much else to do wakes some later than others.
  for (const int count : when_the_first_was_done) CHECK(count >= commits / 2);
}
