#pragma once
/// The parts of the engine's methods, each a translation unit of its own: a whole one takes too long to compile.

#include "engine_core.hpp"

namespace hirenow::python {

void add_changes(py::class_<engine_core>& c);
void add_reads(py::class_<engine_core>& c);
void add_policies(py::class_<engine_core>& c);

/// An idempotency key; None is none.
std::string key_from(py::handle value);

}  // namespace hirenow::python
