#pragma once
/// HTTP as this program's pages see it: a request, a response, nothing of the library that carries them.

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ats {

/// Names and values of a query string, a form or cookies. What is not there reads as empty.
class fields {
 public:
  /// Reads `a=1&b=two+words%21`.
  static fields of_form(std::string_view text);
  /// Reads the header `a=1; b=2`.
  static fields of_cookies(std::string_view header);

  std::string_view operator[](std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string_view{} : std::string_view(found->second);
  }
  bool has(std::string_view name) const { return values_.contains(name); }

 private:
  std::map<std::string, std::string, std::less<>> values_{};
};

struct request {
  bool is_post = false;
  std::string path;      ///< without the query
  std::string target{};  ///< with it, as it was asked for
  fields query{};
  fields form{};  ///< of a POST
  fields cookies{};
  std::string origin{};      ///< the header, where there was one
  std::string fetch_site{};  ///< Sec-Fetch-Site
  std::string languages{};   ///< Accept-Language
  std::string peer_address{};
};

struct response {
  unsigned status = 200;
  std::string content_type = "text/html; charset=utf-8";
  std::string body{};
  std::string location{};                ///< of a redirect
  std::vector<std::string> cookies{};    ///< Set-Cookie
  std::chrono::seconds cacheable_for{};  ///< 0: not at all
  /// Not answered before this much has passed since the request came: so that the time says nothing.
  std::chrono::milliseconds takes_at_least{};
  /// Server-sent events (HTML, "Server-sent events"): asked once a second for what is to be sent, until the visitor
  /// leaves. May block. Nothing: there is nothing to say.
  std::function<std::optional<std::string>()> events{};
};

response redirect(std::string to);

/// `text` with what a URL's query cannot hold written as %XX.
std::string url_encoded(std::string_view text);

}  // namespace ats
