#pragma once
/// When somebody may try again, over a stretch of time: as spans, and drawn.
///
/// Threads: pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "hirenow/retake_case.hpp"
#include "hirenow/retake_policy.hpp"

namespace hirenow::tool {

/// A stretch in which the answer, and what each rule says, stays the same.
struct timeline_span {
  sys_seconds from{};
  sys_seconds until{};  ///< not included
  bool allowed = false;
  std::string reason{};
  struct rule_state {
    std::string rule_id{};
    bool allowed = false;
    bool applies = true;
    bool advises = false;  ///< it only warns, or it is a member of a group
  };
  std::vector<rule_state> rules{};
};

/// A case played from an instant to another: at each instant with the attempts that had been made by then.
struct timeline {
  sys_seconds from{};
  sys_seconds until{};
  std::vector<timeline_span> spans{};
  bool complete = true;  ///< else there were too many changes, and the last spans are missing
};

/// The stretch that shows most: from the first attempt to a while after the first instant at which a further attempt is
/// allowed, or after now.
struct stretch {
  sys_seconds from{};
  sys_seconds until{};
};
stretch natural_stretch(const retake_policy& policy, const retake_case& of);

timeline play(const retake_policy& policy, const retake_case& of, const stretch& over);

/// The timeline as an SVG document that stands alone.
std::string draw(const retake_policy& policy, const retake_case& of, const timeline& played, explain_in language);

}  // namespace hirenow::tool
