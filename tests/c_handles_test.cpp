/// What stands behind the handles of the C interface: that a secret is gone when its handle is, and that a struct of
/// any version is read as that version meant it.

#include <catch2/catch_test_macros.hpp>

#include "../src/c/handles.hpp"

namespace {

/// A struct of a second version, of which the first ended with `old`.
struct grown {
  std::size_t struct_size;
  std::int64_t old;
  std::int64_t added;
};

}  // namespace

template <>
struct hirenow::c::struct_versions<grown> {
  static constexpr grown standard{sizeof(grown), 1, 7};
  static constexpr std::size_t first = offsetof(grown, added);
};

namespace {

using namespace hirenow;

/// Whether a handle in a place of its own leaves this text there when it goes.
template <class Handle, class Fill>
bool leaves_behind(const std::string& secret, Fill&& fill) {
  alignas(Handle) static unsigned char place[sizeof(Handle)];
  auto* handle = new (place) Handle();
  fill(*handle);
  const std::string_view now(reinterpret_cast<const char*>(place), sizeof place);
  REQUIRE(now.find(secret) != std::string_view::npos);  // short, and so inside the handle
  handle->~Handle();
  std::string after(sizeof place, '\0');
  std::memcpy(after.data(), place, sizeof place);
  return after.find(secret) != std::string::npos;
}

TEST_CASE("links, session keys and texts are gone when their handles are", "[c]") {
  const std::string secret = "a secret";
  CHECK_FALSE(leaves_behind<hirenow_interview>(secret, [&](auto& i) { i.link = secret; }));
  CHECK_FALSE(leaves_behind<hirenow_sitting>(secret, [&](auto& s) { s.value.emplace().session.key = secret; }));
  CHECK_FALSE(leaves_behind<hirenow_sitting>(secret, [&](auto& s) { s.interview.link = secret; }));
  CHECK_FALSE(leaves_behind<hirenow_text>(secret, [&](auto& t) { t.value = secret; }));
}

TEST_CASE("a struct may be as short as its first version and as long as a later one", "[c]") {
  const grown whole{sizeof(grown), 5, 9};
  CHECK(c::read(&whole, "it").added == 9);
  struct {
    std::size_t struct_size = c::struct_versions<grown>::first;
    std::int64_t old = 5;
    std::int64_t behind = 9;
  } shorter;
  const auto* given = reinterpret_cast<const grown*>(&shorter);
  CHECK(c::read(given, "it").old == 5);
  CHECK(c::read(given, "it").added == 7);  // as in its _INIT macro
  c::give(reinterpret_cast<grown*>(&shorter), grown{0, 6, 8}, "it");
  CHECK(shorter.struct_size == c::struct_versions<grown>::first);
  CHECK(shorter.old == 6);
  CHECK(shorter.behind == 9);
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, std::size_t{12}, std::size_t{17}, SIZE_MAX}) {
    shorter.struct_size = size;
    CHECK_THROWS_AS(c::read(given, "it"), exception);
  }
}

}  // namespace
