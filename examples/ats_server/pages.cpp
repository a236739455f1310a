#include "pages.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <boost/json.hpp>

#include "hirenow/time_zone.hpp"

namespace ats {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr std::size_t languages = 2;

}  // namespace

pages::pages(const std::filesystem::path& folder) {
  const auto words = boost::json::parse(read_file(folder / "words.json"));
  for (const auto& row : words.as_object()) {
    auto& texts = words_[std::string(row.key())];
    for (const auto& text : row.value().as_array()) texts.emplace_back(text.as_string());
    if (texts.size() != languages) throw std::runtime_error("words.json: " + std::string(row.key()));
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder / "views"))
    if (entry.path().extension() == ".html") views_[entry.path().stem().string()] = read_file(entry.path());
  for (const auto& [name, text] : views_)
    for (std::size_t in = 0; in < languages; ++in) {
      prepared_[name].push_back(prepared(name, in, 0));
      const kainjow::mustache::mustache parsed(prepared_[name].back());
      if (!parsed.is_valid()) throw std::runtime_error("view " + name + ": " + parsed.error_message());
    }
}

std::string pages::prepared(std::string_view view, std::size_t in, int depth) const {
  const auto found = views_.find(view);
  if (found == views_.end() || depth > 8) throw std::runtime_error("no view " + std::string(view));
  std::string out;
  std::string_view rest = found->second;
  while (!rest.empty()) {
    const auto part = rest.find("{{> "), word = rest.find("[[");
    const auto at = std::min(part, word);
    out += rest.substr(0, at);
    if (at == std::string_view::npos) break;
    const bool is_word = word < part;
    const auto begin = at + (is_word ? 2 : 4);
    const auto end = rest.find(is_word ? "]]" : "}}", begin);
    if (end == std::string_view::npos) throw std::runtime_error("view " + std::string(view) + ": no end");
    const std::string name(rest.substr(begin, end - begin));
    if (is_word) {
      const auto texts = words_.find(name);
      if (texts == words_.end()) throw std::runtime_error("view " + std::string(view) + ": no word " + name);
      out += texts->second[in];
    } else {
      out += prepared(name, in, depth + 1);
    }
    rest.remove_prefix(end + 2);
  }
  return out;
}

std::string pages::render(std::string_view view, language in, const data& values) const {
  // The library's templates are not made for several threads, so each has its own.
  thread_local std::map<const std::string*, kainjow::mustache::mustache> parsed;
  const std::string& text = prepared_.at(std::string(view)).at(static_cast<std::size_t>(in));
  return parsed.try_emplace(&text, text).first->second.render(values);
}

std::string pages::word(language in, std::string_view key) const {
  const auto found = words_.find(key);
  return found == words_.end() ? std::string(key) : found->second[static_cast<std::size_t>(in)];
}

data listed(list rows) {
  return data(kainjow::mustache::list(std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end())));
}

std::string instant_in(language l, hirenow::sys_seconds at, std::string_view zone) {
  static constexpr std::array<const char*, 12> english{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  static constexpr std::array<const char*, 12> german{"Jan.", "Feb.", "März",  "Apr.", "Mai",  "Juni",
                                                      "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."};
  const auto local = hirenow::to_local(at, zone);
  const unsigned month = static_cast<unsigned>(local.date.month()) - 1;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), l == language::german ? "%u. %s %d, %02d:%02d" : "%u %s %d, %02d:%02d",
                static_cast<unsigned>(local.date.day()), (l == language::german ? german : english)[month],
                static_cast<int>(local.date.year()), static_cast<int>(local.time.hours().count()),
                static_cast<int>(local.time.minutes().count()));
  return text.data();
}

std::string span_in(language l, hirenow::seconds span) {
  const long long left = std::max<long long>(span.count(), 0);
  const auto put = [](std::string& to, long long n, const char* unit) {
    if (n == 0) return;
    to += (to.empty() ? "" : " ") + std::to_string(n) + " " + unit;
  };
  std::string out;
  if (left >= 2 * 86400) {
    put(out, left / 86400, l == language::german ? "Tage" : "days");
    put(out, left % 86400 / 3600, l == language::german ? "Std." : "h");
    return out;
  }
  put(out, left / 3600, l == language::german ? "Std." : "h");
  put(out, left % 3600 / 60, l == language::german ? "Min." : "min");
  if (left < 3600) put(out, left % 60, l == language::german ? "Sek." : "s");
  return out.empty() ? std::string(l == language::german ? "0 Sek." : "0 s") : out;
}

std::string escaped(std::string_view text) { return kainjow::mustache::html_escape<std::string>(std::string(text)); }

std::string json_string(std::string_view text) {
  return boost::json::serialize(boost::json::value(boost::json::string_view(text.data(), text.size())));
}

}  // namespace ats
