// The engine's calls as Asio operations: every kind of token, the executor of the completion, cancellation, and what a
// store throws.

#include <atomic>
#include <exception>
#include <fstream>
#include <future>
#include <iterator>
#include <latch>
#include <memory>
#include <new>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_test_macros.hpp>

#include "hirenow/adapters/memory.hpp"
#include "hirenow/async.hpp"
#include "support/world.hpp"

namespace asio = boost::asio;
using namespace hirenow;

namespace {

const actor recruiter{"rita", "acme", role::recruiter};
const actor admin{"adam", "acme", role::admin};

schedule_request request_for(const std::string& person, const std::string& track = "backend/technical") {
  schedule_request request;
  request.applicant = {.id = person, .email = person + "@example.org", .name = "Ada"};
  request.track = track;
  return request;
}

/// A store whose loads wait at a gate, or throw.
class gated_store : public test::store_in_between {
 public:
  using store_in_between::store_in_between;

  result<loaded> load(const load_request& request) override {
    ++loads;
    if (gate) gate->wait();
    if (thrown) std::rethrow_exception(thrown);
    return store_in_between::load(request);
  }

  std::atomic<int> loads{0};
  std::latch* gate = nullptr;
  std::exception_ptr thrown{};
};

struct world {
  explicit world(std::size_t threads = 2) : pool(threads) {}
  ~world() { pool.join(); }

  manual_clock clock{sys_seconds{seconds{1'790'000'000}}};
  std::unique_ptr<store> memory = open_memory_store();
  gated_store records{*memory};
  engine blocking{records,
                  key_ring::from_json(new_key_document(key_algorithm::hs256, "k")).value(),
                  retake_policy::standard(),
                  {.link_base = "https://jobs.example.org/interview", .clock = &clock}};
  asio::thread_pool pool;
  async_engine hr{blocking, pool.get_executor()};
};

/// The names that a pattern finds in the public part of a class.
std::set<std::string> functions_in(const std::string& path, const std::string& owner, const std::string& pattern) {
  std::ifstream file(std::string(HIRENOW_SOURCE_DIR) + path);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto cut = text.find("\n private:\n", text.find("\nclass " + owner + " {"));
  if (cut != std::string::npos) text.resize(cut);
  const std::regex name(pattern);
  std::set<std::string> out;
  for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at) out.insert((*at)[1]);
  return out;
}

}  // namespace

TEST_CASE("every use case of the engine is an operation too", "[async]") {
  auto wanted =
      functions_in("/include/hirenow/engine.hpp", "engine", R"(\n  result<[^;\n]*> ([a-z_]+)\([^;]*\)(?: const)?\s*;)");
  const auto operations = functions_in("/include/hirenow/async.hpp", "async_engine", R"(\n  auto async_([a-z_]+)\()");
  REQUIRE(wanted.contains("schedule"));
  REQUIRE(wanted.size() > 25);
  for (const auto& name : operations) {
    INFO(name);
    CHECK(wanted.contains(name));
    wanted.erase(name);
  }
  CHECK(wanted == std::set<std::string>{});
}

TEST_CASE("an operation without an associated executor completes on the pool", "[async][threads]") {
  world w;
  std::promise<std::pair<result<invited>, bool>> done;
  w.hr.async_schedule(request_for("ada"), recruiter, [&](result<invited> answer) {
    done.set_value({std::move(answer), w.pool.get_executor().running_in_this_thread()});
  });
  const auto [answer, on_pool] = done.get_future().get();
  REQUIRE(answer.has_value());
  CHECK(on_pool);
  CHECK(w.blocking.find(answer->interview.id, recruiter).value() == answer->interview);
}

TEST_CASE("refusals arrive in the result, in a future as well", "[async][threads]") {
  world w;
  REQUIRE(w.hr.async_schedule(request_for("ada"), recruiter, asio::use_future).get().has_value());
  const auto again = w.hr.async_schedule(request_for("ada"), recruiter, asio::use_future).get();
  REQUIRE(again.has_error());
  CHECK(again.error().code == errc::active_interview);
  const auto nobody = w.hr.async_schedule(request_for("bob"), actor{"eve", "acme", {}}, asio::use_future).get();
  REQUIRE(nobody.has_error());
  CHECK(nobody.error().code == errc::permission_denied);
}

TEST_CASE("a coroutine runs a whole retake", "[async][threads]") {
  asio::io_context loop;
  world w;
  result<retaken> again = detail::fail(errc::internal, "never ran");
  result<inspection> old_link = detail::fail(errc::internal, "never ran");
  result<audit_report> audit = detail::fail(errc::internal, "never ran");
  bool always_in_loop = true;
  asio::co_spawn(
      loop,
      [&]() -> asio::awaitable<void> {
        const auto look = [&] { always_in_loop = always_in_loop && loop.get_executor().running_in_this_thread(); };
        const actor reviewer{"vera", "acme", role::reviewer};
        // Named, because g++ 12 destroys temporaries that were initialised by braces inside co_await twice.
        const submit_options as_saved;
        const decision no{.outcome = outcome::failed};
        const retake_options as_before;
        const auto invited = co_await w.hr.async_schedule(request_for("ada"), recruiter, asio::use_awaitable);
        look();
        const std::string token = invited->link.substr(invited->link.find('#') + 1);
        const std::string key(32, 'k');
        const auto open = co_await w.hr.async_start(token, key, asio::use_awaitable);
        look();
        co_await w.hr.async_checkpoint(open->session, "page 1", asio::use_awaitable);
        co_await w.hr.async_submit(open->session, as_saved, asio::use_awaitable);
        co_await w.hr.async_decide(invited->interview.id, reviewer, no, asio::use_awaitable);
        w.clock.advance(seconds{15 * 86400});
        again = co_await w.hr.async_retake(invited->interview.id, recruiter, as_before, asio::use_awaitable);
        old_link = co_await w.hr.async_inspect(token, asio::use_awaitable);
        audit = co_await w.hr.async_verify_audit("ada", admin, asio::use_awaitable);
        look();
      },
      [](std::exception_ptr failed) {
        if (failed) std::rethrow_exception(failed);
      });
  loop.run();
  REQUIRE(again.has_value());
  CHECK(again->interview.attempt == 2);
  CHECK(old_link->verdict == verdict::superseded_interview);
  CHECK(audit.has_value());
  CHECK(always_in_loop);
}

TEST_CASE("a deferred operation begins when it is asked to", "[async][threads]") {
  world w;
  auto later = w.hr.async_schedule(request_for("ada"), recruiter, asio::deferred);
  CHECK(w.records.loads == 0);
  CHECK(std::move(later)(asio::use_future).get().has_value());
  CHECK(w.records.loads > 0);
}

TEST_CASE("arguments are kept by the operation", "[async][threads]") {
  world w(1);
  std::latch gate(1);
  w.records.gate = &gate;
  std::future<result<invited>> answer;
  {
    auto request = std::make_unique<schedule_request>(request_for("ada", "a track whose name is no short string"));
    auto who = std::make_unique<actor>(recruiter);
    answer = w.hr.async_schedule(*request, *who, asio::use_future);
    request->track = "something else that would be seen if it were looked at";
  }
  gate.count_down();
  CHECK(answer.get()->interview.track == "a track whose name is no short string");
}

TEST_CASE("the associated executor's work is outstanding until the completion", "[async][threads]") {
  asio::io_context loop;
  world w(1);
  std::latch gate(1);
  w.records.gate = &gate;
  bool called = false;
  w.hr.async_schedule(request_for("ada"), recruiter, asio::bind_executor(loop, [&](result<invited> answer) {
                        called = answer.has_value() && loop.get_executor().running_in_this_thread();
                      }));
  CHECK(loop.poll() == 0);
  CHECK_FALSE(loop.stopped());  // it would be, were there no work
  gate.count_down();
  loop.run();
  CHECK(called);
}

TEST_CASE("what a store throws arrives as an error", "[async][threads]") {
  world w;
  const auto code_of = [&](std::exception_ptr thrown) {
    w.records.thrown = thrown;
    return w.hr.async_schedule(request_for("ada"), recruiter, asio::use_future).get().error();
  };
  CHECK(code_of(std::make_exception_ptr(std::runtime_error("the cable is out"))) ==
        error{.code = errc::internal, .message = "the cable is out"});
  CHECK(code_of(std::make_exception_ptr(std::bad_alloc())).code == errc::out_of_memory);
  CHECK(code_of(std::make_exception_ptr(exception(detail::fail(errc::store_busy, "locked")))).code == errc::store_busy);
  CHECK(code_of(std::make_exception_ptr(7)).code == errc::internal);
}

TEST_CASE("an operation cancelled before it began ends at once and does nothing", "[async][threads]") {
  asio::io_context loop;
  world w(1);
  std::latch gate(1);
  w.records.gate = &gate;
  auto busy = w.hr.async_schedule(request_for("ada"), recruiter, asio::use_future);
  while (w.records.loads == 0) std::this_thread::yield();  // the pool's only thread is at the gate

  asio::cancellation_signal signal;
  std::optional<result<invited>> answer;
  w.hr.async_schedule(request_for("bob"), recruiter,
                      asio::bind_cancellation_slot(
                          signal.slot(), asio::bind_executor(loop, [&](result<invited> a) { answer = std::move(a); })));
  bool inside = true;
  asio::post(loop, [&] {  // from a thread of the associated executor, where a completion could be made at once
    signal.emit(asio::cancellation_type::terminal);
    inside = answer.has_value();
  });
  loop.run();  // ends although the pool is still busy
  CHECK_FALSE(inside);
  REQUIRE(answer.has_value());
  CHECK(answer->error().code == errc::operation_aborted);
  signal.emit(asio::cancellation_type::terminal);  // a late one meets nothing

  gate.count_down();
  CHECK(busy.get().has_value());
  w.pool.join();
  CHECK(w.blocking.list({.applicant_id = "bob"}, recruiter)->rows.empty());
}

TEST_CASE("an operation that has begun is finished whatever is cancelled", "[async][threads]") {
  asio::io_context loop;
  world w(1);
  std::latch gate(1);
  w.records.gate = &gate;
  asio::cancellation_signal signal;
  std::vector<result<invited>> answers;
  w.hr.async_schedule(request_for("ada"), recruiter,
                      asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(loop, [&](result<invited> a) {
                                                     answers.push_back(std::move(a));
                                                   })));
  while (w.records.loads == 0) std::this_thread::yield();
  signal.emit(asio::cancellation_type::total);
  CHECK(loop.poll() == 0);
  gate.count_down();
  loop.run();
  REQUIRE(answers.size() == 1);
  CHECK(answers.front().has_value());
}

TEST_CASE("a pool that is stopped destroys the handlers it will not call", "[async][threads]") {
  const auto witness = std::make_shared<int>(0);
  bool called = false;
  {
    world w(1);
    std::latch gate(1);
    w.records.gate = &gate;
    auto busy = w.hr.async_schedule(request_for("ada"), recruiter, asio::use_future);
    while (w.records.loads == 0) std::this_thread::yield();
    w.hr.async_sweep(10, [&called, witness](result<sweep_report>) { called = true; });
    w.pool.stop();
    gate.count_down();
    w.pool.join();
  }
  CHECK_FALSE(called);
  CHECK(witness.use_count() == 1);
}

TEST_CASE("a strand serialises the completions of many operations", "[async][concurrent]") {
  asio::thread_pool callers(4);
  world w(4);
  const auto strand = asio::make_strand(callers.get_executor());
  constexpr int count = 400;
  int completed = 0;  // no atomic: the strand is the lock
  int accepted = 0;
  for (int n = 0; n < count; ++n)
    w.hr.async_schedule(request_for("applicant" + std::to_string(n % 200)), recruiter,
                        asio::bind_executor(strand, [&, n](result<invited> answer) {
                          ++completed;
                          if (answer) ++accepted;
                          if (answer && n % 2 == 0)
                            w.hr.async_cancel(answer->interview.id, recruiter, {},
                                              asio::bind_executor(strand, [&](result<changed> c) {
                                                if (c) ++completed;
                                              }));
                        }));
  callers.join();
  CHECK(completed >= count);
  CHECK(accepted >= 200);
  for (int n = 0; n < 200; ++n) CHECK(w.blocking.verify_audit("applicant" + std::to_string(n), admin).has_value());
}

TEST_CASE("cancellations that race with the pool complete each operation once", "[async][concurrent]") {
  asio::thread_pool callers(2);
  world w(3);
  constexpr int count = 300;
  std::atomic<int> finished{0}, aborted{0};
  for (int n = 0; n < count; ++n) {
    const auto signal = std::make_shared<asio::cancellation_signal>();
    const auto strand = asio::make_strand(callers.get_executor());
    asio::post(strand, [&, signal, strand, n] {
      w.hr.async_schedule(
          request_for("applicant" + std::to_string(n)), recruiter,
          asio::bind_cancellation_slot(signal->slot(), asio::bind_executor(strand, [&, signal](result<invited> answer) {
                                         ++(answer ? finished : aborted);
                                       })));
      asio::post(strand, [signal] { signal->emit(asio::cancellation_type::partial); });
    });
  }
  callers.join();
  CHECK(finished + aborted == count);
  std::size_t there = 0;
  for (int n = 0; n < count; ++n)
    there += w.blocking.list({.applicant_id = "applicant" + std::to_string(n)}, recruiter)->rows.size();
  CHECK(there == static_cast<std::size_t>(finished.load()));
}
