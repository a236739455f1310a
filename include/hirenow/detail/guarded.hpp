#pragma once
/// Where code that somebody else wrote is called on a thread of ours: what it throws becomes an error.
///
/// Threads: a pure function.

#include <exception>
#include <new>
#include <utility>

#include "hirenow/error.hpp"

namespace hirenow::detail {

/// Calls it. Returns its result, or what it threw: the error of an `exception`, out_of_memory, else internal.
template <class Call>
auto guarded(Call&& call) -> decltype(call()) {
  try {
    return call();
  } catch (const exception& e) {
    return e.details();
  } catch (const std::bad_alloc&) {
    return error{.code = errc::out_of_memory};
  } catch (const std::exception& e) {
    return fail(errc::internal, e.what());
  } catch (...) {
    return fail(errc::internal, "something unknown was thrown");
  }
}

}  // namespace hirenow::detail
