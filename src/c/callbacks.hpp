#pragma once
/// Tables of callbacks that the host registered, and what opening a store has in common wherever it is opened.

#include "handles.hpp"
#include "hirenow/adapters/sqlite.hpp"

namespace hirenow::c {

/// A copied table of callbacks, whose `destroy` runs once.
template <class Callbacks>
class table {
 public:
  /// From here on `destroy` will run: the last step of a registration.
  explicit table(const Callbacks& callbacks) noexcept : callbacks_(callbacks) {}
  /// One whose `destroy` runs only once it is registered.
  table(const Callbacks& callbacks, bool is_registered) noexcept
      : callbacks_(callbacks), is_registered_(is_registered) {}
  table(const table&) = delete;
  table& operator=(const table&) = delete;
  ~table() {
    if (is_registered_ && callbacks_.destroy && !process_.is_forked()) callbacks_.destroy(callbacks_.ctx);
  }
  void is_registered() noexcept { is_registered_ = true; }
  const Callbacks* operator->() const { return &callbacks_; }

 private:
  const Callbacks callbacks_;
  bool is_registered_ = true;
  of_this_process process_{};
};

/// What a SQLite store is told, from options.
sqlite_options read_sqlite_options(const hirenow_store_options& o);

}  // namespace hirenow::c
