#pragma once
/// Planted: does not compile alone, for want of <string>.

namespace hirenow {
inline std::string planted() { return {}; }
}  // namespace hirenow
