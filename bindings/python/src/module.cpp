// The extension module `hirenow._hirenow`. What Python programs see is the package around it.

#include "binding.hpp"

namespace py = pybind11;

PYBIND11_MODULE(_hirenow, m) {
  using namespace hirenow::python;
  m.doc() = "The C++ half of hirenow; use the package `hirenow`.";
  m.attr("__version__") = HIRENOW_VERSION;
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const hirenow::exception& e) {
      try {
        raise_error(e.details());
      } catch (py::error_already_set& raised) {
        raised.restore();
      }
    }
  });
  add_plain(m);
  add_store(m);
  add_engine(m);
  add_dispatcher(m);
  add_host(m);
  add_testing(m);
}
