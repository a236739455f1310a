#pragma once
/// Links: the configured base of a tenant, and the token in the fragment, where no server log and no Referer sees it
/// (RFC 3986 §3.5, RFC 9110 §10.1.3).
///
/// Threads: pure functions.

#include <map>
#include <string>
#include <string_view>

#include "hirenow/interview.hpp"
#include "hirenow/limits.hpp"
#include "hirenow/token.hpp"

namespace hirenow::detail {

/// Checks a link base: https, or http to this machine alone; no fragment and no space.
/// Errors: invalid_argument, too_large.
inline result<void> check_link_base(std::string_view base) {
  if (auto ok = limits::check_text("link base", base, limits::reason); !ok) return ok;
  const auto loopback = [&](std::string_view host) {
    return base.starts_with(host) &&
           (base.size() == host.size() || base[host.size()] == '/' || base[host.size()] == ':');
  };
  const bool secure = base.starts_with("https://") && base.size() > 8;
  const bool local = loopback("http://localhost") || loopback("http://127.0.0.1") || loopback("http://[::1]");
  if ((!secure && !local) || limits::has_control(base) || base.find_first_of("# \"<>\\") != std::string_view::npos)
    return fail(errc::invalid_argument, "a link base must be an https address without a fragment");
  return {};
}

/// The claims of the interview's current link.
inline token_claims claims_of(std::string_view issuer, std::string_view audience, std::string_view tenant,
                              std::string_view applicant_id, const interview& i) {
  token_claims claims;
  claims.issuer = issuer;
  claims.audience = audience;
  claims.subject = applicant_id;
  claims.tenant = tenant;
  claims.interview = i.id;
  claims.generation = i.link.generation;
  claims.attempt = i.attempt;
  claims.issued_at = i.link.issued_at;
  claims.not_before = i.link.not_before;
  claims.expires_at = i.link.expires_at;
  return claims;
}

}  // namespace hirenow::detail
