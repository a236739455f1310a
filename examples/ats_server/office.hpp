#pragma once
/// What every page has at hand: the engine, the host's database, views and words, who is asking.
///
/// The state of a visit stands in sealed cookies (RFC 6265), not in this process: it survives a restart, and any node
/// can go on. A sealed cookie is its text and an HMAC over it under the server's key; the token of a link that works is
/// in none.
/// Threads: any.

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "database.hpp"
#include "hirenow/hirenow.hpp"
#include "http.hpp"
#include "pages.hpp"

namespace ats {

/// The machine's clock, which the demonstration may put forward.
class demo_clock final : public hirenow::clock {
 public:
  hirenow::sys_seconds now() const override { return machine_.now() + hirenow::seconds{offset_.load()}; }
  void put_forward(hirenow::seconds by) { offset_ += by.count(); }
  hirenow::seconds offset() const { return hirenow::seconds{offset_.load()}; }

 private:
  hirenow::system_clock machine_{};
  std::atomic<hirenow::seconds::rep> offset_{0};
};

struct question {
  std::string id, english, german;
};
struct track {
  std::string id, english, german;
  hirenow::seconds time_limit{};
  hirenow::overtime overtime = hirenow::overtime::expire;
  std::vector<question> questions{};
  const std::string& title(language l) const { return l == language::german ? german : english; }
};
std::vector<track> read_tracks(const std::string& path);

struct staff_member {
  std::string id, name;
  hirenow::role role{};
};
/// Who works here. A real host asks its single sign-on.
const std::vector<staff_member>& staff();

/// Seals texts under the server's key, for cookies and forms.
class sealer {
 public:
  explicit sealer(std::string key) : key_(std::move(key)) {}
  std::string seal(std::string_view purpose, std::string_view text) const;
  std::optional<std::string> open(std::string_view purpose, std::string_view sealed) const;
  /// A secret that belongs to a text: a CSRF token, a session key.
  std::string derived(std::string_view purpose, std::string_view text) const;

 private:
  std::string key_;
};

/// At most so many requests of one visitor in a minute.
class rate_limit {
 public:
  explicit rate_limit(double most_a_minute) : most_(most_a_minute) {}
  bool allows(const std::string& who);

 private:
  struct bucket {
    double left;
    std::chrono::steady_clock::time_point at;
  };
  double most_;
  std::mutex mutex_{};
  std::map<std::string, bucket> buckets_{};
};

struct office {
  hirenow::engine& engine;
  const hirenow::key_ring& keys;
  const hirenow::retake_policy& policy;  ///< where the tenant has set none
  database& data;
  const pages& views;
  const std::vector<track>& tracks;
  const sealer& seals;
  demo_clock& clock;
  std::string tenant;
  std::string base;                                 ///< "http://127.0.0.1:8080"
  std::string time_zone;                            ///< the staff's
  bool is_demonstration;                            ///< there is an inbox, and the clock can be put forward
  const std::map<std::string, std::string>& files;  ///< by path: style sheet, scripts, pictures
  std::function<void()> wake;                       ///< tells the dispatcher that there is mail
  rate_limit opened{120};
  rate_limit asked{20};

  const track* find_track(std::string_view id) const;
  std::string track_title(std::string_view id, language l) const;
};

/// Who looks at a page of the staff's.
struct visitor {
  language lang = language::english;
  const staff_member* member = nullptr;
  std::string session{};  ///< what the cookie holds
  hirenow::actor actor{};
};

/// The language that a visitor chose, else that of the browser.
language language_of(const request& asked);
/// Set-Cookie for a value that scripts need not see.
std::string set_cookie(const office& o, std::string_view name, std::string_view value, std::string_view path,
                       long max_age);
/// A POST that another site's page caused is told by its Origin.
bool is_from_here(const office& o, const request& asked);
/// A random text of 32 hexadecimal digits.
std::string random_text();
/// What went wrong, for a visitor.
std::string words_of(const office& o, language l, const hirenow::error& e);
std::string state_word(const office& o, language l, hirenow::interview_state s);

/// The pages. Each part answers what is its own.
response answer_request(office& o, const request& asked);
response answer_applicant(office& o, const request& asked);
response answer_staff(office& o, const visitor& who, const request& asked);
response answer_interview(office& o, const visitor& who, const request& asked);
response answer_action(office& o, const visitor& who, const request& asked);
response answer_policy(office& o, const visitor& who, const request& asked);
/// `what` is "waive" or "waiver".
response answer_waiver(office& o, const visitor& who, const request& asked, const hirenow::interview_id& id,
                       std::string_view what);
response answer_inbox(office& o, const request& asked);

/// The applicant's waivers on the track, each with what the visitor may do to it.
data waivers_of(office& o, const visitor& who, std::string_view applicant, std::string_view track);

/// A page of the staff's: its content within the frame with the navigation.
response staff_page(const office& o, const visitor& who, std::string_view title, std::string_view view, data values,
                    const request& asked);
response plain_page(const office& o, language l, std::string_view view, data values, unsigned status = 200);
response not_found(const office& o, language l);

/// Seeded data; see seed.cpp.
void seed(database& data, const hirenow::key_ring& keys, const hirenow::retake_policy& policy,
          const std::vector<track>& tracks, hirenow::engine_options options, hirenow::sys_seconds now,
          std::size_t interviews);

}  // namespace ats
