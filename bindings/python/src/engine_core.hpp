#pragma once
/// The engine as Python holds it: opened, shared with the calls at work, closed.
///
/// Threads: the GIL guards what is here; the calls themselves run without it.

#include <memory>

#include "binding.hpp"
#include "hirenow/engine.hpp"

namespace hirenow::python {

class engine_core {
 public:
  /// All that a call at work keeps alive.
  struct state {
    state(std::shared_ptr<hirenow::store> data, std::shared_ptr<hirenow::clock> time, std::shared_ptr<raised_list> list,
          key_ring keys, retake_policy policy, engine_options options)
        : store(std::move(data)),
          clock(std::move(time)),
          raised(std::move(list)),
          engine(*store, std::move(keys), std::move(policy), std::move(options)) {}
    state(std::shared_ptr<const state> other, std::shared_ptr<hirenow::store> data, std::shared_ptr<raised_list> list)
        : base(std::move(other)),
          store(std::move(data)),
          clock(base->clock),
          raised(std::move(list)),
          engine(base->engine.on(*store)) {}
    std::shared_ptr<const state> base{};
    std::shared_ptr<hirenow::store> store;
    std::shared_ptr<hirenow::clock> clock;
    std::shared_ptr<raised_list> raised;
    hirenow::engine engine;
    fork_guard guard{};
  };

  explicit engine_core(state* made) : state_(made, careful_delete{}) {}

  /// Errors: invalid_argument with the reason "closed", forked.
  std::shared_ptr<state> open() const {
    if (!state_) raise_error(detail::fail(errc::invalid_argument, "the engine is closed", "closed"));
    state_->guard.check();
    return state_;
  }
  void close() { state_.reset(); }
  bool closed() const { return !state_; }

  /// Runs one use case without the GIL.
  template <class F>
  auto run(F&& f) const {
    const auto held = open();
    call frame;
    return frame.unwrap(call::without_gil([&] { return f(held->engine); }));
  }

 private:
  std::shared_ptr<state> state_;
};

}  // namespace hirenow::python
