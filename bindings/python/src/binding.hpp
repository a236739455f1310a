#pragma once
/// What the parts of the extension module share: how a call leaves the GIL, how Python's own stores, mailers and clocks
/// are called, and how what they raise gets back to the caller as it was raised.
///
/// Threads: constructors and destructors of `call`, and `raised_list::note`, need the GIL; the adapters acquire it.

#include <cxxabi.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "convert.hpp"
#include "hirenow/clock.hpp"
#include "hirenow/crypto.hpp"
#include "hirenow/store.hpp"

namespace hirenow {
struct sqlite_options;
}

namespace hirenow::python {

// Each part adds itself to the module.
void add_plain(py::module_& m);
void add_store(py::module_& m);
void add_engine(py::module_& m);
void add_dispatcher(py::module_& m);
void add_host(py::module_& m);
void add_testing(py::module_& m);
void bind_plain_classes(py::dict classes);
void bind_dispatcher_classes(py::dict classes);
void bind_testing_classes(py::dict classes);

/// Whether the interpreter is on its way out.
inline bool python_is_ending() {
#if PY_VERSION_HEX >= 0x030D0000
  return !Py_IsInitialized() || Py_IsFinalizing();
#else
  return !Py_IsInitialized() || _Py_IsFinalizing();
#endif
}

/// Runs what waits for the GIL. Where the interpreter ends meanwhile, Python unwinds the waiting thread by force,
/// through frames that cannot bear it. Such a thread waits for the end of the process instead, as Python itself has it
/// from 3.14 on.
template <class F>
void wait_for_gil(F&& f) {
  const auto for_ever = [] {
    for (;;) pause();
  };
  if (python_is_ending()) for_ever();
  try {
    f();
  } catch (abi::__forced_unwind&) {
    for_ever();
  }
}

/// Holds the GIL, on whatever thread: what Python does under it, the library called.
class gil_taken {
 public:
  gil_taken() {
    wait_for_gil([&] { acquired_.emplace(); });
    ++depth();
  }
  ~gil_taken() { --depth(); }
  gil_taken(const gil_taken&) = delete;
  gil_taken& operator=(const gil_taken&) = delete;

  /// Whether this thread is inside a callback of the library's.
  static bool here() { return depth() > 0; }

 private:
  static int& depth() {
    static thread_local int now = 0;
    return now;
  }
  std::optional<py::gil_scoped_acquire> acquired_{};
};

/// Gives the GIL up for a while.
class gil_released {
 public:
  gil_released() : thread_(PyEval_SaveThread()) {}
  ~gil_released() {
    wait_for_gil([&] { PyEval_RestoreThread(thread_); });
  }
  gil_released(const gil_released&) = delete;
  gil_released& operator=(const gil_released&) = delete;

 private:
  PyThreadState* const thread_;
};

/// A Python object that threads without the GIL may hold and drop.
class held_object {
 public:
  explicit held_object(py::object o) : object_(std::move(o)) {}
  ~held_object() {
    if (python_is_ending()) {
      object_.release();
      return;
    }
    const gil_taken gil;
    object_ = py::object();
  }
  held_object(const held_object&) = delete;
  held_object& operator=(const held_object&) = delete;
  const py::object& get() const { return object_; }

 private:
  py::object object_;
};

/// What was raised on threads that no Python call waits on, such as a dispatcher's.
class raised_list {
 public:
  raised_list() = default;
  /// The last holder may be a thread without the GIL.
  ~raised_list() {
    if (raised_.empty()) return;
    if (python_is_ending()) {
      for (auto& exception : raised_) exception.release();
      return;
    }
    const gil_taken gil;
    raised_.clear();
  }
  raised_list(const raised_list&) = delete;
  raised_list& operator=(const raised_list&) = delete;

  void note(py::object exception) { raised_.push_back(std::move(exception)); }
  std::vector<py::object> take() { return std::exchange(raised_, {}); }

 private:
  std::vector<py::object> raised_{};  // guarded by the GIL
};

/// One call from Python into the library.
class call {
 public:
  /// `passes`: an exception of a callback may pass through the library's frames; otherwise it is kept.
  explicit call(bool passes = true) : passes_(passes), outer_(std::exchange(current(), this)) {}
  ~call() { current() = outer_; }
  call(const call&) = delete;
  call& operator=(const call&) = delete;

  /// Makes it the call of another thread that works for it, for as long as this lives.
  class lent {
   public:
    explicit lent(call& to) : outer_(std::exchange(current(), &to)) {}
    ~lent() { current() = outer_; }
    lent(const lent&) = delete;
    lent& operator=(const lent&) = delete;

   private:
    call* const outer_;
  };

  /// Runs it without the GIL.
  template <class F>
  static auto without_gil(F&& f) {
    const gil_released released;
    return f();
  }

  /// The value; or raises what the error is, as the very exception where a callback raised it.
  template <class T>
  T unwrap(result<T> r) {
    if (!r) fail(r.error());
    if constexpr (!std::is_void_v<T>) return std::move(*r);
  }
  [[noreturn]] void fail(const error& e) const;

  /// Whether what is raised on this thread may pass through.
  static bool lets_pass() { return current() && current()->passes_; }
  /// Keeps an exception that goes on as an error.
  static void remember(const error& as, py::object exception) {
    if (current()) current()->raised_.emplace_back(as, std::move(exception));
  }

 private:
  static call*& current() {
    static thread_local call* now = nullptr;
    return now;
  }
  const bool passes_;
  call* const outer_;
  std::vector<std::pair<error, py::object>> raised_{};
};

/// What a callback raised: a `hirenow.Error` becomes its error. Anything else passes through the library where it may;
/// where it may not, it is noted and becomes `internal`.
error caught(py::error_already_set& raised, raised_list& list);

/// Watches for forks: what was opened before one must not be used after it.
class fork_guard {
 public:
  bool forked() const { return forks_ != detail::fork_count().load(std::memory_order_relaxed); }
  /// Raises `hirenow.ForkedError` in the child of a fork.
  void check() const {
    if (forked()) raise_error(detail::fail(errc::forked, "this was opened before a fork: open a new one in the child"));
  }

 private:
  unsigned forks_ = detail::fork_count().load(std::memory_order_relaxed);
};

/// A deleter that gives the GIL up, because destructors may wait, and that leaves what a parent opened alone.
struct careful_delete {
  fork_guard guard{};
  template <class T>
  void operator()(T* object) const {
    if (guard.forked()) return;  // its files and locks are the parent's
    if (!python_is_ending() && PyGILState_Check()) {
      const gil_released released;
      delete object;
    } else {
      delete object;
    }
  }
};

/// Counts the calls at work on something that can be closed. Whoever is told to let go of it does so, without the GIL,
/// and then says `gone`.
class work_gate {
 public:
  /// False where it is closed.
  bool enter() {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    ++at_work_;
    return true;
  }
  /// Returns whether this call was the last, and is to let go.
  bool leave() {
    const std::lock_guard lock(mutex_);
    return --at_work_ == 0 && closed_;
  }
  /// Refuses later calls. Returns whether nobody is at work, so that this one is to let go.
  bool close() {
    const std::lock_guard lock(mutex_);
    return !closed_.exchange(true) && at_work_ == 0;
  }
  void gone() {
    const std::lock_guard lock(mutex_);
    gone_ = true;
    ended_.notify_all();
  }
  bool gone_within(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, time, [&] { return gone_; });
  }
  bool closed() const { return closed_; }
  /// In the child of a fork, where the mutex may be held by a thread that is no more.
  void close_after_fork() { closed_ = true; }

 private:
  std::mutex mutex_{};
  std::condition_variable ended_{};
  std::size_t at_work_ = 0;
  std::atomic<bool> closed_{false};
  bool gone_ = false;
};

/// One call at work on an `Owner`, which has a `guard`, a `gate`, a `name`, and `let_go()`. Made and ended with the
/// GIL.
/// Errors: forked; invalid_argument with the reason "closed".
template <class Owner>
class at_work {
 public:
  explicit at_work(Owner& owner) : owner_(owner) {
    owner.guard.check();
    if (!owner.gate->enter())
      raise_error(detail::fail(errc::invalid_argument, std::string("the ") + Owner::name + " is closed", "closed"));
  }
  ~at_work() {
    if (!owner_.guard.forked() && owner_.gate->leave()) let_go(owner_);
  }
  at_work(const at_work&) = delete;
  at_work& operator=(const at_work&) = delete;

  static void let_go(Owner& owner) {
    call::without_gil([&] {
      owner.let_go();
      owner.gate->gone();
    });
  }

 private:
  Owner& owner_;
};

/// Closes it: later calls are refused, and those at work are waited for; not in a callback, which such a call may be
/// waiting for. A signal's handler that raises ends the wait.
template <class Owner>
void close_and_wait(Owner& owner) {
  if (owner.guard.forked()) return owner.gate->close_after_fork();
  if (call::without_gil([&] { return owner.gate->close(); })) at_work<Owner>::let_go(owner);
  if (gil_taken::here()) return;
  while (!call::without_gil([&] { return owner.gate->gone_within(std::chrono::milliseconds(100)); }))
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

/// A store of the library's own, as Python holds it.
struct native_store {
  static constexpr const char* name = "store";
  std::shared_ptr<store> target;
  fork_guard guard{};
  std::unique_ptr<work_gate> gate = std::make_unique<work_gate>();
  bool joined = false;  ///< a transaction of the host's, whose connection may belong to one thread
  void let_go() { target.reset(); }
};

/// The store behind a Python object: one of the library's own, or one written in Python.
std::shared_ptr<store> store_of(py::object from, std::shared_ptr<raised_list> list);

/// What a SQLite store is told, from Python. What `warn` raises is reported as unraisable.
sqlite_options sqlite_options_from(bool normal, py::handle busy_timeout, py::handle readers,
                                   py::handle checkpoint_bytes, py::handle cache_kib, py::object warn);

/// The clock behind a Python object.
std::shared_ptr<clock> clock_of(py::object from, std::shared_ptr<raised_list> list);

}  // namespace hirenow::python
