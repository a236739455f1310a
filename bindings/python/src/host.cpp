// The host's own connection: Python's DB-API as a driver of ours.

#include "binding.hpp"

namespace hirenow::python {

void add_host(py::module_&) {}

}  // namespace hirenow::python
