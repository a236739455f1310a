#pragma once
/// A store that hands every call on; a test overrides what it wants to disturb.

#include "hirenow/detail/store_in_between.hpp"

namespace hirenow::test {

using detail::store_in_between;

}  // namespace hirenow::test
