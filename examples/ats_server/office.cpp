#include "office.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <boost/json.hpp>

namespace ats {
namespace {

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

std::string mac(std::string_view key, std::string_view purpose, std::string_view text) {
  const auto digest = hirenow::hmac_sha256(key, std::string(purpose) + '\0' + std::string(text));
  return hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string text_at(const boost::json::value& v, const char* name) { return std::string(v.at(name).as_string()); }

constexpr long working_day = 10 * 3600;  // seconds that a sign-in lasts

visitor visitor_of(const office& o, const request& asked) {
  visitor who{.lang = language_of(asked)};
  const auto session = o.seals.open("staff", asked.cookies["ats_staff"]);
  if (!session) return who;
  // member.until.nonce
  const auto first = session->find('.'), second = session->find('.', first + 1);
  if (second == std::string::npos) return who;
  const auto until = std::stoll(session->substr(first + 1, second - first - 1));
  if (hirenow::system_clock().now().time_since_epoch().count() >= until) return who;
  for (const auto& m : staff())
    if (m.id == session->substr(0, first)) who.member = &m;
  if (!who.member) return who;
  who.session = *session;
  who.actor = {who.member->id, o.tenant, who.member->role};
  return who;
}

response sign_in_page(const office& o, language l) {
  list people;
  for (const auto& m : staff()) {
    data row;
    row.set("id", m.id);
    row.set("name", m.name);
    row.set("role", o.views.word(l, "role." + std::string(to_string(m.role))));
    row.set("may", o.views.word(l, "role.may." + std::string(to_string(m.role))));
    people.push_back(row);
  }
  data values;
  values.set("people", listed(std::move(people)));
  values.set("title", o.views.word(l, "signin.title"));
  values.set("has_inbox", o.is_demonstration);
  return plain_page(o, l, "signin", std::move(values));
}

}  // namespace

std::vector<track> read_tracks(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<track> tracks;
  const auto document = boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
  for (const auto& v : document.as_array()) {
    track t{text_at(v, "id"), text_at(v, "en"), text_at(v, "de"),
            hirenow::seconds{60 * v.at("minutes").to_number<long>()},
            text_at(v, "overtime") == "submit" ? hirenow::overtime::submit : hirenow::overtime::expire};
    for (const auto& q : v.at("questions").as_array()) {
      std::string id(1, 'q');
      id += std::to_string(t.questions.size() + 1);
      t.questions.push_back({std::move(id), text_at(q, "en"), text_at(q, "de")});
    }
    tracks.push_back(std::move(t));
  }
  return tracks;
}

const std::vector<staff_member>& staff() {
  static const std::vector<staff_member> all{{"rosa", "Rosa Lindgren", hirenow::role::recruiter},
                                             {"viktor", "Viktor Baumann", hirenow::role::reviewer},
                                             {"ines", "Inês Carvalho", hirenow::role::admin}};
  return all;
}

std::string sealer::seal(std::string_view purpose, std::string_view text) const {
  return std::string(text) + "." + mac(key_, purpose, text);
}

std::optional<std::string> sealer::open(std::string_view purpose, std::string_view sealed) const {
  const auto dot = sealed.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view text = sealed.substr(0, dot);
  if (!hirenow::equal_in_constant_time(mac(key_, purpose, text), sealed.substr(dot + 1))) return std::nullopt;
  return std::string(text);
}

std::string sealer::derived(std::string_view purpose, std::string_view text) const { return mac(key_, purpose, text); }

bool rate_limit::allows(const std::string& who) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  if (buckets_.size() > 10'000) buckets_.clear();
  auto& b = buckets_.try_emplace(who, bucket{most_, now}).first->second;
  b.left = std::min(most_, b.left + most_ / 60 * std::chrono::duration<double>(now - b.at).count());
  b.at = now;
  if (b.left < 1) return false;
  b.left -= 1;
  return true;
}

const track* office::find_track(std::string_view id) const {
  for (const auto& t : tracks)
    if (t.id == id) return &t;
  return nullptr;
}

std::string office::track_title(std::string_view id, language l) const {
  const auto* found = find_track(id);
  return found ? found->title(l) : std::string(id);
}

language language_of(const request& asked) {
  const auto read = [](std::string_view code) { return code == "de" ? language::german : language::english; };
  if (asked.query.has("lang")) return read(asked.query["lang"]);
  if (asked.cookies.has("ats_lang")) return read(asked.cookies["ats_lang"]);
  return asked.languages.starts_with("de") ? language::german : language::english;
}

std::string set_cookie(const office& o, std::string_view name, std::string_view value, std::string_view path,
                       long max_age) {
  std::string out = std::string(name) + "=" + std::string(value) + "; Path=" + std::string(path) +
                    "; Max-Age=" + std::to_string(max_age) + "; HttpOnly; SameSite=Lax";
  if (o.base.starts_with("https://")) out += "; Secure";
  return out;
}

bool is_from_here(const office& o, const request& asked) {
  if (!asked.origin.empty()) return asked.origin == o.base;
  return asked.fetch_site.empty() || asked.fetch_site == "same-origin";
}

std::string random_text() {
  std::array<std::uint8_t, 16> bytes{};
  hirenow::random_bytes(bytes);
  return hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string words_of(const office& o, language l, const hirenow::error& e) {
  const std::string key = "error." + std::string(to_string(e.code));
  const std::string known = o.views.word(l, key);
  return known == key ? o.views.word(l, "error.other") + " " + e.message : known;
}

std::string state_word(const office& o, language l, hirenow::interview_state s) {
  return o.views.word(l, "state." + std::string(to_string(s)));
}

response plain_page(const office& o, language l, std::string_view view, data values, unsigned status) {
  values.set("lang", std::string(code_of(l)));
  values.set("is_german", l == language::german);
  response out;
  out.status = status;
  out.body = o.views.render(view, l, values);
  return out;
}

response not_found(const office& o, language l) {
  data values;
  values.set("title", o.views.word(l, "missing.title"));
  return plain_page(o, l, "missing", std::move(values), 404);
}

response staff_page(const office& o, const visitor& who, std::string_view title, std::string_view view, data values,
                    const request& asked) {
  values.set("title", std::string(title));
  values.set("member", who.member->name);
  values.set("role", o.views.word(who.lang, "role." + std::string(to_string(who.member->role))));
  values.set("csrf", o.seals.derived("csrf", who.session));
  values.set("here", asked.is_post ? asked.path : asked.target);
  values.set("has_inbox", o.is_demonstration);
  for (const std::string_view part : {"/interviews", "/policy"})
    values.set("at_" + std::string(part.substr(1)), asked.path.starts_with(part));
  if (const auto offset = o.clock.offset(); offset.count() != 0) values.set("clock_offset", span_in(who.lang, offset));
  values.set("now", instant_in(who.lang, o.clock.now(), o.time_zone));
  // What was done just now; the words stand in words.json, so that nobody can put others into a link.
  if (asked.query.has("done")) {
    const std::string key = "done." + std::string(asked.query["done"]);
    if (const auto text = o.views.word(who.lang, key); text != key) values.set("done", text);
  }
  return plain_page(o, who.lang, view, std::move(values));
}

response answer_request(office& o, const request& asked) {
  const language l = language_of(asked);
  if (const auto file = o.files.find(asked.path); file != o.files.end() && !asked.is_post) {
    response out;
    const auto ends = [&](std::string_view with) { return asked.path.ends_with(with); };
    out.content_type = ends(".css")  ? "text/css; charset=utf-8"
                       : ends(".js") ? "text/javascript; charset=utf-8"
                                     : "image/svg+xml";
    out.body = file->second;
    out.cacheable_for = std::chrono::hours(1);
    return out;
  }
  if (asked.is_post && !is_from_here(o, asked)) {
    data values;
    values.set("title", o.views.word(l, "refused.title"));
    values.set("why", o.views.word(l, "refused.origin"));
    return plain_page(o, l, "refused", std::move(values), 403);
  }
  if (asked.path.starts_with("/go")) return answer_applicant(o, asked);
  if (asked.path == "/language" && asked.is_post) {
    const auto back = asked.form["back"];
    auto out = redirect(back.starts_with("/") && !back.starts_with("//") ? std::string(back) : "/");
    out.cookies.push_back(set_cookie(o, "ats_lang", asked.form["lang"] == "de" ? "de" : "en", "/", 365 * 86400));
    return out;
  }
  if (o.is_demonstration && (asked.path == "/inbox" || asked.path == "/clock")) return answer_inbox(o, asked);

  const visitor who = visitor_of(o, asked);
  if (asked.path == "/sign-in" && asked.is_post) {
    for (const auto& m : staff()) {
      if (m.id != asked.form["who"]) continue;
      const auto until = hirenow::system_clock().now().time_since_epoch().count() + working_day;
      auto out = redirect("/interviews");
      out.cookies.push_back(set_cookie(o, "ats_staff",
                                       o.seals.seal("staff", m.id + "." + std::to_string(until) + "." + random_text()),
                                       "/", working_day));
      return out;
    }
  }
  if (!who.member) return asked.is_post ? redirect("/") : sign_in_page(o, l);
  if (asked.is_post && !hirenow::equal_in_constant_time(asked.form["csrf"], o.seals.derived("csrf", who.session))) {
    data values;
    values.set("title", o.views.word(l, "refused.title"));
    values.set("why", o.views.word(l, "refused.csrf"));
    return plain_page(o, l, "refused", std::move(values), 403);
  }
  if (asked.path == "/sign-out" && asked.is_post) {
    auto out = redirect("/");
    out.cookies.push_back(set_cookie(o, "ats_staff", "", "/", 0));
    return out;
  }
  if (asked.path == "/") return redirect("/interviews");
  if (asked.path.starts_with("/policy")) return answer_policy(o, who, asked);
  return answer_staff(o, who, asked);
}

}  // namespace ats
