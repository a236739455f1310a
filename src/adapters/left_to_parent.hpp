#pragma once
/// What a store needs whose process may fork.
///
/// Threads: as the store.

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "hirenow/detail/store_in_between.hpp"

namespace hirenow::detail {

/// Holds a store that knows whether it `is_forked()`. In the child of a fork nothing of it is freed: another thread may
/// have been changing any part of it at that moment, and its files and sockets are the parent's. `Store::abandon()` does
/// there what must be done nevertheless.
template <class Store>
class left_to_parent final : public store_in_between {
 public:
  explicit left_to_parent(std::unique_ptr<Store> own) : store_in_between(*own), own_(std::move(own)) {}
  ~left_to_parent() override {
    if (!own_->is_forked()) return;
    own_->abandon();
    static_cast<void>(own_.release());
  }
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    return next_.load_each(wanted);
  }

 private:
  std::unique_ptr<Store> own_;
};

}  // namespace hirenow::detail
