// What callers may hand in: UTF-8, lengths, instants, addresses; and what they are told where it is refused.

#include "hirenow/limits.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace {

using namespace hirenow;
using namespace std::string_literals;

std::string code_of(const result<void>& answer) { return answer ? "ok" : std::string(to_string(answer.error().code)); }

}  // namespace

TEST_CASE("text is well-formed UTF-8 without NUL", "[limits]") {
  // The boundaries of Table 3-7 of the Unicode Standard.
  const std::vector<std::string> good{
      "",
      "plain",
      "\x01\x7f",
      "\xc2\x80",          // U+0080, the first of two bytes
      "\xdf\xbf",          // U+07FF
      "\xe0\xa0\x80",      // U+0800
      "\xed\x9f\xbf",      // U+D7FF, the last before the surrogates
      "\xee\x80\x80",      // U+E000, the first after them
      "\xef\xbf\xbd",      // U+FFFD
      "\xef\xbf\xbf",      // U+FFFF, a noncharacter, but well-formed
      "\xf0\x90\x80\x80",  // U+10000
      "\xf4\x8f\xbf\xbf",  // U+10FFFF, the last there is
      "Gr\xc3\xbc\xc3\x9f"
      "e \xe2\x82\xac \xf0\x9f\xa6\x8a",
  };
  for (const auto& text : good) {
    CAPTURE(text);
    CHECK(limits::is_text(text));
  }
  const std::vector<std::pair<const char*, std::string>> bad{
      {"NUL alone", "\0"s},
      {"NUL inside", "a\0b"s},
      {"NUL at the end", "a\0"s},
      {"a continuation alone", "\x80"},
      {"another one", "a\xbf"},
      {"overlong NUL", "\xc0\x80"},
      {"overlong slash, two bytes", "\xc0\xaf"},
      {"overlong U+007F", "\xc1\xbf"},
      {"overlong slash, three bytes", "\xe0\x80\xaf"},
      {"overlong U+07FF", "\xe0\x9f\xbf"},
      {"overlong slash, four bytes", "\xf0\x80\x80\xaf"},
      {"overlong U+FFFF", "\xf0\x8f\xbf\xbf"},
      {"first surrogate", "\xed\xa0\x80"},
      {"last surrogate", "\xed\xbf\xbf"},
      {"a pair of surrogates", "\xed\xa0\xbd\xed\xb8\x80"},
      {"above U+10FFFF", "\xf4\x90\x80\x80"},
      {"a lead byte that is none, F5", "\xf5\x80\x80\x80"},
      {"a lead byte that is none, FE", "\xfe"},
      {"a lead byte that is none, FF", "\xff"},
      {"five bytes", "\xf8\x88\x80\x80\x80"},
      {"cut after one of two", "a\xc3"},
      {"cut after one of three", "\xe2"},
      {"cut after two of three", "\xe2\x82"},
      {"cut after three of four", "\xf0\x9f\xa6"},
      {"a lead where a continuation is due", "\xc3\xc3\xbc"},
      {"an ASCII letter where a continuation is due", "\xe2\x82z"},
  };
  for (const auto& [what, text] : bad) {
    CAPTURE(what);
    CHECK_FALSE(limits::is_text(text));
    CHECK_FALSE(limits::is_text("before " + text));
    CHECK_FALSE(limits::is_text(text + " after"));
    CHECK(code_of(limits::check_text("it", text, 100)) == "invalid_argument");
  }
  // What follows the view's end does not belong to the text.
  CHECK_FALSE(limits::is_text(std::string_view("\xc3\xbc", 1)));
}

TEST_CASE("one byte over the limit is too_large, counted in bytes", "[limits]") {
  for (const std::size_t most : {std::size_t{1}, limits::id, limits::name, limits::reason, limits::progress}) {
    CAPTURE(most);
    CHECK(code_of(limits::check_text("it", std::string(most, 'a'), most)) == "ok");
    const auto over = limits::check_text("the reason", std::string(most + 1, 'a'), most);
    CHECK(code_of(over) == "too_large");
    CHECK(over.error().message.find("the reason") == 0);
    CHECK(over.error().message.find(std::to_string(most)) != std::string::npos);
  }
  CHECK(code_of(limits::check_text("it", "\xc3\xbc\xc3\xbc", 4)) == "ok");
  CHECK(code_of(limits::check_text("it", "\xc3\xbc\xc3\xbc", 3)) == "too_large");
  // Too large is said first: nobody reads a huge text to find out what else is wrong with it.
  CHECK(code_of(limits::check_text("it", std::string(11, '\xff'), 10)) == "too_large");
}

TEST_CASE("an id is a short line that is not empty", "[limits]") {
  for (const std::string& good : {"a"s, std::string(255, 'x'), "backend-2026/technical"s, " "s, "\xc3\xbc"s, "'; --"s})
    CHECK(code_of(limits::check_id("id", good)) == "ok");
  CHECK(code_of(limits::check_id("id", std::string(256, 'x'))) == "too_large");
  for (const std::string& bad : {""s, "a\nb"s, "a\rb"s, "\t"s, "a\x7f"s, "\x1f"s, "a\0"s, "\xff"s}) {
    CAPTURE(bad);
    CHECK(code_of(limits::check_id("id", bad)) == "invalid_argument");
  }
}

TEST_CASE("control characters are C0 and DEL", "[limits]") {
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    CHECK(limits::has_control(std::string(1, static_cast<char>(c))) == (c < 0x20 || c == 0x7f));
  }
  CHECK_FALSE(limits::has_control(""));
  CHECK(limits::has_control("Subject\r\nBcc: x"));
}

TEST_CASE("instants from 1970 to 9999", "[limits]") {
  CHECK(code_of(limits::check_instant("it", min_instant)) == "ok");
  CHECK(code_of(limits::check_instant("it", max_instant)) == "ok");
  CHECK(code_of(limits::check_instant("it", min_instant - seconds{1})) == "invalid_argument");
  CHECK(code_of(limits::check_instant("it", max_instant + seconds{1})) == "invalid_argument");
  CHECK(code_of(limits::check_instant("it", sys_seconds::min())) == "invalid_argument");
  CHECK(code_of(limits::check_instant("it", sys_seconds::max())) == "invalid_argument");
}

TEST_CASE("spans from the least to ten years", "[limits]") {
  CHECK(code_of(limits::check_span("it", seconds{0}, seconds{0})) == "ok");
  CHECK(code_of(limits::check_span("it", seconds{1}, seconds{1})) == "ok");
  CHECK(code_of(limits::check_span("it", limits::longest_span, seconds{1})) == "ok");
  CHECK(code_of(limits::check_span("it", seconds{0}, seconds{1})) == "invalid_argument");
  CHECK(code_of(limits::check_span("it", seconds{-1}, seconds{0})) == "invalid_argument");
  CHECK(code_of(limits::check_span("it", limits::longest_span + seconds{1}, seconds{1})) == "invalid_argument");
  CHECK(code_of(limits::check_span("it", seconds::max(), seconds{1})) == "invalid_argument");
  CHECK(code_of(limits::check_span("it", seconds::min(), seconds{0})) == "invalid_argument");
}

TEST_CASE("e-mail addresses", "[limits]") {
  const std::vector<std::string> good{
      "ada@example.org",
      "a@b",
      "-ada-@ex-am--ple.org",
      "first.last+tag@sub.example.co.uk",
      "o'brien!#$%&*/=?^_`{|}~-@example.org",
      "gr\xc3\xbc\xc3\x9f"
      "e@b\xc3\xbc"
      "cher.example",
      std::string(64, 'a') + "@" + std::string(63, 'b') + "." + std::string(125, 'c'),
  };
  for (const auto& text : good) {
    CAPTURE(text);
    CHECK(code_of(limits::check_email(text)) == "ok");
  }
  REQUIRE(good.back().size() == limits::email);
  CHECK(code_of(limits::check_email(good.back() + "c")) == "too_large");

  const std::vector<std::string> bad{
      "",
      "@",
      "ada",
      "ada@",
      "@example.org",
      "a@b@example.org",
      "ada @example.org",
      "ada@exa mple.org",
      " ada@example.org",
      "ada@example.org ",
      "ada@example.org\n",
      "ada@example.org\r\nBcc: eve@example.org",
      "ada\t@example.org",
      "ada@example.org>",
      "<ada@example.org>",
      "Ada <ada@example.org>",
      "ada@example.org,eve@example.org",
      "ada@example.org;eve@example.org",
      "ada(comment)@example.org",
      "\"quoted\"@example.org",
      "ada\\@example.org",
      "ada@[127.0.0.1]",
      "ada@example.org:25",
      "ada\x7f@example.org",
      "ada\0@example.org"s,
      "ada@example.org\0"s,
      "ad\xff@example.org",
      "ad\xc0\xaa@example.org",
      "ada@\xed\xa0\x80.org",
      ".ada@example.org",
      "ada.@example.org",
      "a..b@example.org",
      "ada@.example.org",
      "ada@example..org",
      "ada@example.org.",
      "ada@-example.org",
      "ada@example-.org",
      "ada@example.-org",
      "ada@example.org-",
      std::string(65, 'a') + "@example.org",
  };
  for (const auto& text : bad) {
    CAPTURE(text);
    CHECK(code_of(limits::check_email(text)) == "invalid_argument");
  }
}

TEST_CASE("the guide's table has the limits that are enforced", "[limits]") {
  std::ifstream file(std::string(HIRENOW_SOURCE_DIR) + "/docs/guide.md");
  const std::string guide{std::istreambuf_iterator<char>(file), {}};
  const auto row = [](const std::string& what, const std::string& limit) { return "| " + what + " | " + limit; };
  const auto bytes = [](std::size_t n) {
    return n % 1024 == 0 ? std::to_string(n / 1024) + " KiB" : std::to_string(n) + " bytes";
  };
  const auto grouped = [](std::size_t n) {
    return n < 1000 ? std::to_string(n) : std::to_string(n / 1000) + "," + std::to_string(1000 + n % 1000).substr(1);
  };
  for (const auto& due :
       {row("ids (applicant, tenant, track, actor), keys, locale, time zone", bytes(limits::id)),
        row("session key", std::to_string(limits::session_key_min) + " to " + bytes(limits::id)),
        row("e-mail address", bytes(limits::email)), row("name", bytes(limits::name)),
        row("free-text reason", bytes(limits::reason)), row("fact's value", bytes(limits::fact_value)),
        row("progress", bytes(limits::progress)), row("token", bytes(limits::token)),
        row("policy document", bytes(limits::policy) + ", nested " + std::to_string(limits::policy_depth) + " deep"),
        row("reminders of one link", std::to_string(limits::reminders)),
        row("interviews of one applicant", grouped(limits::attempts)),
        row("waivers of one applicant", grouped(limits::waivers) + ", used and lapsed ones too"),
        row("rows of a page", std::to_string(limits::page)),
        row("accommodation", "100 to " + grouped(limits::accommodation_percent) + " % of the time limit")}) {
    INFO(due);
    CHECK(guide.find(due) != std::string::npos);
  }
  CHECK(limits::longest_span == seconds{10LL * 366 * 86400});
}

TEST_CASE("the page of errors has every code once, in the order of the enumeration", "[limits]") {
  std::ifstream file(HIRENOW_SOURCE_DIR "/docs/errors.md");
  REQUIRE(file);
  std::vector<std::string> documented, known{"code"};  // the table's head
  for (const auto& row : detail::errc_names) known.push_back("`" + std::string(to_string(row.code)) + "`");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("| ")) documented.push_back(line.substr(2, line.find(" |", 2) - 2));
  CHECK(documented == known);
}
