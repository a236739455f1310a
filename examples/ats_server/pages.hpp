#pragma once
/// Pages: Mustache templates in `views/`, words in two languages in `words.json`, both read once.
///
/// `{{> name}}` brings in another view and `[[key]]` a word, before Mustache sees the text; so a word may hold values,
/// and a missing one ends the program when it starts, not a visitor's page. Values are escaped unless they stand in
/// three braces.
/// Threads: any.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <kainjow/mustache.hpp>

#include "hirenow/clock.hpp"

namespace ats {

using kainjow::mustache::data;
using list = std::vector<data>;  ///< of a section; `listed` makes a value of it

enum class language { english, german };

inline std::string_view code_of(language l) { return l == language::german ? "de" : "en"; }

class pages {
 public:
  /// Reads `words.json` and every view. Throws where one of them is wrong.
  explicit pages(const std::filesystem::path& folder);

  std::string render(std::string_view view, language in, const data& values) const;
  /// One word; a missing key shows itself.
  std::string word(language in, std::string_view key) const;

 private:
  std::string prepared(std::string_view view, std::size_t in, int depth) const;

  std::map<std::string, std::vector<std::string>, std::less<>> words_{};
  std::map<std::string, std::string, std::less<>> views_{};
  std::map<std::string, std::vector<std::string>, std::less<>> prepared_{};  ///< by view: for each language
};

data listed(list rows);

/// "3 Mar 2026, 14:00", as the clock in this zone shows it.
std::string instant_in(language l, hirenow::sys_seconds at, std::string_view zone);
/// "2 h 30 min", "45 min", "3 d"
std::string span_in(language l, hirenow::seconds span);

/// Text with the characters that HTML reserves written as entities.
std::string escaped(std::string_view text);
/// JSON text of a string, quotes and all.
std::string json_string(std::string_view text);

}  // namespace ats
