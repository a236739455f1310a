#pragma once
/// Named places at which a crash test may end the process. Without HIRENOW_STEPS they are nothing.
///
/// Threads: what the test program sets `on_step` to must serve any thread.

#if defined(HIRENOW_STEPS)
#include <atomic>

namespace hirenow::detail {
/// Called at every named place, once a test program has set it.
inline std::atomic<void (*)(const char* label)> on_step{nullptr};
inline void step(const char* label) {
  if (const auto called = on_step.load()) called(label);
}
}  // namespace hirenow::detail
#define HIRENOW_STEP(label) ::hirenow::detail::step(label)
#else
#define HIRENOW_STEP(label) static_cast<void>(0)
#endif
