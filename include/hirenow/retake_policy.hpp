#pragma once
/// The retake policy: a JSON document, parsed once, versioned and hashed; `evaluate()` holds the attempts and facts of
/// a record against it. `docs/retake_policy.md` describes the document.
///
/// Every rule is one named pure function (`detail/retake_judgement.hpp`); a policy allows only where all its rules
/// allow. No clock is read here: the same arguments give the same answer for ever.
/// Threads: pure functions and immutable values.

#include "hirenow/retake_eligibility.hpp"      // IWYU pragma: export
#include "hirenow/retake_evaluation.hpp"       // IWYU pragma: export
#include "hirenow/retake_explanation.hpp"      // IWYU pragma: export
#include "hirenow/retake_policy_document.hpp"  // IWYU pragma: export
