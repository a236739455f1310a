#pragma once
/// Planted: the evaluation of policies reads no clock.

#include <chrono>

inline auto planted_now() { return std::chrono::system_clock::now(); }
