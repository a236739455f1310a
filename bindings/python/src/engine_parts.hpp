#pragma once
/// The two halves of the engine's methods, each a translation unit of its own: a whole one takes too long to compile.

#include "engine_core.hpp"

namespace hirenow::python {

void add_changes(py::class_<engine_core>& c);
void add_reads(py::class_<engine_core>& c);

}  // namespace hirenow::python
