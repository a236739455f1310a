// check_store() for stores that Python makes.

#include "binding.hpp"
#include "hirenow/detail/store_in_between.hpp"
#include "hirenow/testing/check_store.hpp"
#include "records.hpp"

namespace hirenow::python {

using testing::check_failure;
using testing::check_report;
HIRENOW_RECORD(check_failure, "CheckFailure", plain("check", &t::check), plain("what", &t::what));
HIRENOW_RECORD(check_report, "CheckReport", plain("checks", &t::checks), plain("failures", &t::failures));

void bind_testing_classes(py::dict classes) {
  bind_record(class_of_record<check_failure>(), classes, "CheckFailure", convert<check_failure>::names());
  bind_record(class_of_record<check_report>(), classes, "CheckReport", convert<check_report>::names());
}

namespace {

/// A store that others hold too.
class shared_store final : public detail::store_in_between {
 public:
  explicit shared_store(std::shared_ptr<store> to) : store_in_between(*to), to_(std::move(to)) {}
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    return next_.load_each(wanted);
  }

 private:
  std::shared_ptr<store> to_;
};

}  // namespace

void add_testing(py::module_& m) {
  using o = py::object;
  m.def(
      "check_store",
      [](o make, o seed, o histories, o steps, o threads) {
        const testing::check_options options{.seed = from_py<std::uint64_t>(seed, "seed"),
                                             .histories = from_py<std::size_t>(histories, "histories"),
                                             .steps = from_py<std::size_t>(steps, "steps"),
                                             .threads = from_py<unsigned>(threads, "threads")};
        py::object interrupted;
        auto raised = std::make_shared<raised_list>();
        const auto fresh = [&]() -> std::unique_ptr<store> {
          const gil_taken gil;
          if (!interrupted && PyErr_CheckSignals() != 0) {
            py::error_already_set signal;
            interrupted = signal.value();
          }
          if (interrupted) return nullptr;
          (void)raised->take();
          try {
            return std::make_unique<shared_store>(store_of(make(), raised));
          } catch (const py::builtin_exception& wrong) {
            throw std::runtime_error(wrong.what());
          } catch (py::error_already_set& failed) {
            throw std::runtime_error(failed.what());
          }
        };
        const auto report = call::without_gil([&] { return testing::check_store(fresh, options); });
        if (interrupted) {
          PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(interrupted.ptr())), interrupted.ptr());
          throw py::error_already_set();
        }
        return to_py(report);
      },
      py::arg("make"), py::arg("seed"), py::arg("histories"), py::arg("steps"), py::arg("threads"));
}

}  // namespace hirenow::python
