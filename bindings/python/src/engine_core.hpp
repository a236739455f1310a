#pragma once
/// The engine as Python holds it: opened, shared with the calls at work, closed.
///
/// Threads: the GIL guards what is here; the calls themselves run without it.

#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "binding.hpp"
#include "hirenow/engine.hpp"

namespace hirenow::python {

class engine_core {
 public:
  /// All that a call at work keeps alive.
  struct state {
    static constexpr const char* name = "engine";
    state(std::shared_ptr<hirenow::store> data, std::shared_ptr<hirenow::clock> time, std::shared_ptr<raised_list> list,
          key_ring keys, retake_policy policy, engine_options options)
        : store(std::move(data)),
          clock(std::move(time)),
          raised(std::move(list)),
          engine(std::in_place, *store, std::move(keys), std::move(policy), std::move(options)) {}
    state(const state& base, std::shared_ptr<hirenow::store> data, bool joined_to_host)
        : store(std::move(data)),
          clock(base.clock),
          raised(base.raised),
          engine(base.engine->on(*store)),
          joined(joined_to_host) {}
    std::shared_ptr<hirenow::store> store;
    std::shared_ptr<hirenow::clock> clock;
    std::shared_ptr<raised_list> raised;
    std::optional<hirenow::engine> engine;
    const bool joined = false;  // to a connection of the host's, which may belong to one thread
    std::stop_source ending{};  // asks the dispatchers at work to come to an end
    fork_guard guard{};
    std::unique_ptr<work_gate> gate = std::make_unique<work_gate>();
    void let_go() {
      engine.reset();
      store.reset();
      clock.reset();
    }
  };

  explicit engine_core(state* made) : state_(made, careful_delete{}) {}

  const std::shared_ptr<state>& share() const { return state_; }
  void close() {
    if (!state_->guard.forked()) call::without_gil([&] { state_->ending.request_stop(); });
    close_and_wait(*state_);
  }
  bool closed() const { return state_->gate->closed(); }

  /// Runs one use case without the GIL.
  template <class F>
  auto run(F&& f) const {
    const auto held = state_;
    const at_work<state> working(*held);
    call frame;
    return frame.unwrap(call::without_gil([&] { return f(*held->engine); }));
  }

 private:
  std::shared_ptr<state> state_;
};

}  // namespace hirenow::python
