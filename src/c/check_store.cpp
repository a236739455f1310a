/// check_store for C; in a release it is compiled by itself, and for size.

#include "hirenow/testing/check_store.hpp"
#include "handles.hpp"
#include "hirenow/detail/store_in_between.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::c;

/// A store that a program made, and that goes with its handle.
class store_of_handle final : public detail::store_in_between {
 public:
  explicit store_of_handle(hirenow_store& handle) : store_in_between(*handle.value), handle_(&handle) {}
  ~store_of_handle() override { hirenow_store_free(handle_); }
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    return next_.load_each(wanted);
  }

 private:
  hirenow_store* handle_;
};

testing::check_options read_options(const hirenow_check_options* given) {
  const auto o = read_or_standard(given, "options");
  testing::check_options out;
  if (o.seed) out.seed = o.seed;
  if (o.histories) out.histories = o.histories;
  if (o.steps) out.steps = o.steps;
  if (o.threads) out.threads = std::min(o.threads, 256U);
  return out;
}

}  // namespace

extern "C" {

hirenow_status hirenow_check_store(hirenow_status (*make_one)(void* ctx, hirenow_store** out), void* ctx,
                                   const hirenow_check_options* options, size_t* checks, size_t* failures,
                                   hirenow_text** report, hirenow_error** error) {
  put<size_t>(checks, 0);
  put<size_t>(failures, 0);
  return make(error, report, [&](hirenow_text& out) -> result<void> {
    if (!make_one) refuse("make is NULL");
    const auto done = testing::check_store(
        [&]() -> std::unique_ptr<store> {
          hirenow_store* handle = nullptr;
          if (const auto status = make_one(ctx, &handle); status != HIRENOW_OK) refuse("make failed", errc(status));
          return std::make_unique<store_of_handle>(alive(handle, "the store that was made"));
        },
        read_options(options));
    put(checks, done.checks);
    put(failures, done.failures.size());
    out.value = done.to_string();
    return {};
  });
}

}  // extern "C"
