#pragma once
/// The memory store: records kept in this process and gone with it. For tests, for demonstrations, and as the reference
/// that `testing/check_store.hpp` compares other stores with: it is written to be plainly right, not fast.
///
/// Link `hirenow::memory`.
/// Threads: serves any thread; calls run one after the other.

#include <memory>

#include "hirenow/store.hpp"

namespace hirenow {

/// Opens an empty store in memory. It cannot fail but for want of memory, which throws `std::bad_alloc`.
/// Returns the store, never null.
/// Owns: the caller owns the store; its data goes with it.
std::unique_ptr<store> open_memory_store();

}  // namespace hirenow
