#pragma once
/// Named places at which a crash test may end the process. Without HIRENOW_STEPS they are nothing.
///
/// Threads: the test program's `step` must serve any thread.

#if defined(HIRENOW_STEPS)
namespace hirenow::detail {
/// Called at every named place; the test program defines it.
void step(const char* label);
}  // namespace hirenow::detail
#define HIRENOW_STEP(label) ::hirenow::detail::step(label)
#else
#define HIRENOW_STEP(label) static_cast<void>(0)
#endif
