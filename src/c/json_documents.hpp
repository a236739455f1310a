#pragma once
/// The core's answers as JSON documents. Each is an object whose member "hirenow_json" is the version of this format; a
/// version only gains members. Instants are whole UTC seconds, absent values are null, digests are hexadecimal. No
/// document holds a link, a session key or a token.
///
/// Threads: pure functions.

#include <string>
#include <vector>

#include "hirenow/token.hpp"
#include "hirenow/use_cases.hpp"

namespace hirenow::json_documents {

inline constexpr int version = 1;

std::string of(const interview& i);
std::string of(const eligibility& e);
std::string of(const std::vector<permitted_action>& actions);
std::string of(const list_page& page);
std::string of(const track_history& history);
std::string of(const std::vector<audit_entry>& entries);
std::string of(const std::vector<message>& messages);
std::string of(const sweep_report& report);
std::string of(const std::vector<waiver>& waivers);
std::string of(const waiver_changed& changed);
std::string of(const std::vector<stored_policy>& policies);
std::string of(const what_if_page& page);
std::string of(const token_claims& claims);

}  // namespace hirenow::json_documents
