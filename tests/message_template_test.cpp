// Message templates: what the texts say, what a host may bring, and what no value can do.

#include <algorithm>
#include <array>
#include <atomic>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "hirenow/message_template.hpp"

namespace {

using namespace hirenow;

constexpr sys_seconds instant(long long count) { return sys_seconds{seconds{count}}; }

constexpr std::array<message_kind, message_kind_count> all_kinds{
    message_kind::invitation,       message_kind::retake_invitation, message_kind::reissued_link,
    message_kind::reminder,         message_kind::decision_passed,   message_kind::decision_failed,
    message_kind::decision_on_hold, message_kind::cancelled};

message_view some_view() {
  return {.applicant_name = "Ada Lovelace",
          .time_zone = "Europe/Vienna",
          .company_name = "Acme & Söhne",
          .track = "backend-2026/technical",
          .track_title = "Backend <Engineer>",
          .link = "https://acme.example/interview?a=1&b=2#token",
          .attempt = 2,
          .start_by = instant(1772542800),  // 2026-03-03T13:00:00Z
          .time_limit = seconds{5400}};
}

bool holds(const std::string& text, std::string_view piece) { return text.find(piece) != std::string::npos; }

std::string refusal(message_templates& templates, message_kind kind, message_texts texts,
                    std::string_view locale = "en") {
  const auto set = templates.set(kind, locale, texts);
  return set ? std::string() : std::string(to_string(set.error().code)) + ": " + set.error().message;
}

}  // namespace

TEST_CASE("the default texts say what each kind must say", "[templates]") {
  const message_templates templates;
  for (const std::string_view locale : {"en", "de"})
    for (const auto kind : all_kinds) {
      INFO(to_string(kind) << " " << locale);
      const auto view = some_view();
      const auto message = templates.render(kind, locale, view).value();
      CHECK(message.language == locale);
      CHECK(holds(message.subject, "Backend <Engineer>"));
      CHECK(holds(message.text, "Ada Lovelace,\n\n"));
      CHECK(holds(message.text, "Backend <Engineer>"));
      CHECK(holds(message.html, "<html lang=\"" + std::string(locale) + "\">"));
      CHECK(holds(message.html, "Backend &lt;Engineer&gt;"));
      CHECK_FALSE(holds(message.html, "<Engineer>"));
      CHECK(holds(message.text, view.link) == carries_link(kind));
      CHECK(holds(message.html, "<a href=\"https://acme.example/interview?a=1&amp;b=2#token\"") == carries_link(kind));
      CHECK_FALSE(holds(message.subject, "http"));
      // Nothing is left of the template's own language, and no paragraph is empty.
      for (const auto* part : {&message.subject, &message.text, &message.html}) {
        CHECK_FALSE(holds(*part, "{{"));
        CHECK_FALSE(holds(*part, "}}"));
        CHECK_FALSE(holds(*part, "\n\n\n"));
        CHECK_FALSE(holds(*part, "<p></p>"));
        CHECK_FALSE(holds(*part, "\r"));
      }
      CHECK(message.text.ends_with("\n"));
    }
}

TEST_CASE("the two languages differ, and so does every kind", "[templates]") {
  const message_templates templates;
  std::vector<std::string> subjects;
  for (const std::string_view locale : {"en", "de"})
    for (const auto kind : all_kinds) {
      const auto subject = templates.render(kind, locale, some_view()).value().subject;
      for (const auto& other : subjects) CHECK(subject != other);
      subjects.push_back(subject);
    }
}

TEST_CASE("a retake invitation brings one link and buries the old one", "[templates]") {
  const message_templates templates;
  const auto view = some_view();
  const auto english = templates.render(message_kind::retake_invitation, "en", view).value();
  CHECK(holds(english.text, "Your earlier link no longer works"));
  CHECK(holds(english.text, "attempt 2"));
  const auto german = templates.render(message_kind::retake_invitation, "de", view).value();
  CHECK(holds(german.text, "Ihr früherer Link gilt nicht mehr"));
  CHECK(holds(german.text, "Versuch 2"));
  for (const auto& message : {english, german}) {
    CHECK(message.text.find("http") == message.text.rfind("http"));
    CHECK(holds(message.text, view.link));
  }
}

TEST_CASE("times read as on the applicant's wall, and name the zone", "[templates]") {
  const message_templates templates;
  auto view = some_view();
  const auto text = [&](std::string_view locale) {
    return templates.render(message_kind::invitation, locale, view).value().text;
  };
  CHECK(holds(text("en"), "start by Tuesday, 3 March 2026, 14:00 (Europe/Vienna, UTC+1)."));
  CHECK(holds(text("de"), "beginnen Sie bis Dienstag, 3. März 2026, 14:00 Uhr (Europe/Vienna, UTC+1)."));
  CHECK(holds(text("en"), "From then on you have 1 hour 30 minutes."));
  CHECK(holds(text("de"), "Ihre Zeit von da an: 1 Stunde 30 Minuten."));
  view.ends_by = view.start_by;
  CHECK(holds(text("en"), "you have 1 hour 30 minutes,\nbut no longer than until Tuesday, 3 March 2026, 14:00 ("));
  CHECK(holds(text("de"), "1 Stunde 30 Minuten,\nlängstens aber bis Dienstag, 3. März 2026, 14:00 Uhr ("));
  view.ends_by.reset();

  view.start_by = instant(1782910800);  // in summer: 2026-07-01T13:00:00Z
  CHECK(holds(text("en"), "Wednesday, 1 July 2026, 15:00 (Europe/Vienna, UTC+2)"));
  view.time_zone = "Asia/Kolkata";
  CHECK(holds(text("en"), "18:30 (Asia/Kolkata, UTC+5:30)"));
  view.time_zone = "America/St_Johns";
  CHECK(holds(text("en"), "10:30 (America/St_Johns, UTC-2:30)"));
  view.time_zone = "Pacific/Kiritimati";  // the next day there
  CHECK(holds(text("en"), "Thursday, 2 July 2026, 03:00 (Pacific/Kiritimati, UTC+14)"));
  for (const std::string zone : {"", "UTC", "Mars/Olympus", "../../etc/passwd", "Europe/Vienna\n"}) {
    view.time_zone = zone;
    CHECK(holds(text("en"), "13:00 (UTC)"));
  }

  // A limit is never shown later than it is, a beginning never earlier.
  view.time_zone = "UTC";
  view.opens_at = instant(1782910801);
  view.start_by = instant(1782914459);  // 14:00:59
  CHECK(holds(text("en"),
              "It opens on Wednesday, 1 July 2026, 13:01 (UTC).\nPlease start by Wednesday, 1 July 2026, "
              "14:00 (UTC)."));
  // Once started, the deadline alone counts.
  view.deadline = instant(1782918000);
  CHECK(holds(text("en"), "finish by Wednesday, 1 July 2026, 15:00 (UTC)"));
  CHECK_FALSE(holds(text("en"), "start by"));
}

TEST_CASE("spans are told exactly", "[templates]") {
  using detail::message_language;
  const auto english = [](long long count) { return detail::span_text(message_language::english, seconds{count}); };
  CHECK(english(0) == "0 seconds");
  CHECK(english(1) == "1 second");
  CHECK(english(59) == "59 seconds");
  CHECK(english(60) == "1 minute");
  CHECK(english(3661) == "1 hour 1 minute 1 second");
  CHECK(english(86400) == "24 hours");
  CHECK(english(2 * 86400) == "2 days");
  CHECK(english(3 * 86400 + 7200) == "3 days 2 hours");
  CHECK(detail::span_text(message_language::german, seconds{2 * 86400 + 3600 + 120}) == "2 Tage 1 Stunde 2 Minuten");
  CHECK(detail::span_text(message_language::other, seconds{5400}) == "1 h 30 min");
}

TEST_CASE("a locale falls back to its parents, then to English", "[templates]") {
  message_templates templates;
  const auto language = [&](std::string_view locale) {
    return templates.render(message_kind::cancelled, locale, some_view()).value().language;
  };
  CHECK(language("de-AT") == "de");
  CHECK(language("DE_at") == "de");
  CHECK(language("de-Latn-AT-1996") == "de");
  CHECK(language("en-GB") == "en");
  for (const std::string_view odd : {"", "fr", "fr-CA", "-", "de--AT", "d\xc3\xa9", "x y", "de-"})
    CHECK(language(odd) == "en");
  CHECK(language(std::string(100000, 'a')) == "en");

  // One kind in a language of the host's: dates need no words, the other kinds stay English.
  const message_texts french{"Rappel", "Avant {{start_by}} : {{link}} ({{time_limit}})"};
  REQUIRE(templates.set(message_kind::reminder, "fr", french).has_value());
  REQUIRE(templates.set(message_kind::cancelled, "de-AT", {"Servus", "Abgesagt"}).has_value());
  const auto reminder = templates.render(message_kind::reminder, "fr-CA", some_view()).value();
  CHECK(reminder.language == "fr");
  CHECK(reminder.text == "Avant 2026-03-03 14:00 (Europe/Vienna, UTC+1) : " + some_view().link + " (1 h 30 min)\n");
  CHECK(reminder.html.empty());
  CHECK(language("fr") == "en");
  CHECK(language("de-AT") == "de-at");
  CHECK(language("de-CH") == "de");
}

TEST_CASE("no value opens a header, a line or a tag", "[templates]") {
  const message_templates templates;
  auto view = some_view();
  view.applicant_name = "Ada\r\nBcc: x@y\r\n\r\n<script>alert('1')</script>\x7f\xc2\x85\xe2\x80\xa8{{link}}";
  view.company_name = std::string("\0Acme\x1b[31m\t", 11);
  view.track_title = "\r\n\tTech\r\nX-Evil: 1\n";
  for (const std::string_view locale : {"en", "de"})
    for (const auto kind : all_kinds) {
      const auto message = templates.render(kind, locale, view).value();
      CHECK_FALSE(limits::has_control(message.subject));
      CHECK(holds(message.subject, "Tech X-Evil: 1"));
      for (const auto* part : {&message.text, &message.html}) {
        CHECK_FALSE(holds(*part, "\nBcc:"));
        CHECK_FALSE(holds(*part, "\nX-Evil"));
        CHECK_FALSE(holds(*part, "\x1b"));
        CHECK_FALSE(holds(*part, "\xe2\x80\xa8"));
        CHECK(limits::is_text(*part));
      }
      CHECK(holds(message.text, "Ada Bcc: x@y <script>alert('1')</script> {{link}},"));
      CHECK(holds(message.html, "Ada Bcc: x@y &lt;script&gt;alert(&apos;1&apos;)&lt;/script&gt; {{link}},"));
      CHECK_FALSE(holds(message.html, "<script"));
    }
  // A line end in the template's subject is folded as well.
  message_templates own;
  REQUIRE(own.set(message_kind::cancelled, "en", {"Off:\r\nBcc: x@y\n{{track_title}}\n", "Off."}).has_value());
  CHECK(own.render(message_kind::cancelled, "en", view).value().subject == "Off: Bcc: x@y Tech X-Evil: 1");
}

TEST_CASE("what has no value is left out", "[templates]") {
  const message_templates templates;
  message_view view{.track = "backend", .link = "https://acme.example/i#t", .start_by = instant(1772542800)};
  const auto english = templates.render(message_kind::invitation, "en", view).value();
  CHECK(english.text.starts_with("Hello,\n\nYou are invited\nto an interview for backend."));
  const auto german = templates.render(message_kind::decision_passed, "de", view).value();
  CHECK(german.text.starts_with("Guten Tag,\n\nherzlichen Glückwunsch!"));
  CHECK(german.text.ends_with("weitergeht.\n"));
}

TEST_CASE("values that cannot be shown are refused", "[templates]") {
  const message_templates templates;
  const auto code = [&](auto change, message_kind kind = message_kind::invitation) {
    auto view = some_view();
    change(view);
    const auto message = templates.render(kind, "en", view);
    return message ? std::string_view("none") : to_string(message.error().code);
  };
  CHECK(code([](message_view&) {}) == "none");
  CHECK(code([](message_view& v) { v.link.clear(); }) == "invalid_argument");
  CHECK(code([](message_view& v) { v.link.clear(); }, message_kind::cancelled) == "none");
  CHECK(code([](message_view& v) { v.applicant_name = "\xff"; }) == "invalid_argument");
  CHECK(code([](message_view& v) { v.track_title = "\xed\xa0\x80"; }) == "invalid_argument");
  CHECK(code([](message_view& v) { v.start_by = instant(-1); }) == "invalid_argument");
  CHECK(code([](message_view& v) { v.deadline = sys_seconds::max(); }) == "invalid_argument");
  CHECK(code([](message_view& v) { v.opens_at = sys_seconds::min(); }) == "invalid_argument");
  CHECK(code([](message_view& v) {
          v.start_by = max_instant;
          v.time_zone = "Pacific/Kiritimati";
        }) == "none");
  CHECK(code([](message_view& v) { v.time_limit = seconds::min(); }) == "none");
  CHECK(code([](message_view& v) { v.time_limit = seconds::max(); }) == "none");
  CHECK(code([](message_view&) {}, static_cast<message_kind>(8)) == "invalid_argument");
}

TEST_CASE("a template that cannot work is refused when it is set, with the place", "[templates]") {
  message_templates templates;
  const auto before = templates.render(message_kind::invitation, "en", some_view()).value();
  const auto invitation = [&](std::string text) {
    return refusal(templates, message_kind::invitation, {"S", "{{link}} " + text});
  };
  const std::string here = "template_invalid: template invitation/en, text: ";
  CHECK(invitation("").empty());
  CHECK(invitation("{{applicant_name") == here + "Unclosed tag at 9");
  CHECK(invitation("{{#deadline}}x") == here + "Unclosed section \"deadline\" at 9");
  CHECK(invitation("{{/deadline}}") == here + "Unopened section \"deadline\" at 9");
  CHECK(invitation("{{#deadline}}{{/start_by}}") == here + "Unclosed section \"deadline\" at 9");
  CHECK(invitation("{{aplicant_name}}") == here + "unknown variable \"aplicant_name\" at 9");
  CHECK(invitation("{{^deadline}}{{nope}}{{/deadline}}") == here + "unknown variable \"nope\" at 22");
  CHECK(invitation("{{#nope}}{{/nope}}") == here + "unknown variable \"nope\" at 9");
  CHECK(invitation("{{.}}") == here + "unknown variable \".\" at 9");
  CHECK(invitation("{{}}") == here + "unknown variable \"\" at 9");
  CHECK(invitation("{{> file}}") == here + "partial \"file\" at 9");
  CHECK(invitation("{{=<% %>=}}") == here + "changes the delimiters at 9");
  CHECK(invitation("{{ = | | = }}") == here + "changes the delimiters at 9");
  CHECK(invitation("{{").starts_with(here));
  CHECK(invitation("{{{").starts_with(here));
  CHECK(invitation("{{{link}}").starts_with(here));
  CHECK(invitation("\xff").starts_with(here + "is not UTF-8"));
  CHECK(invitation(std::string(1, '\0')).starts_with(here + "is not UTF-8"));
  CHECK(invitation(std::string(70000, 'x')).starts_with("too_large: template invitation/en, text: has 70010 bytes"));
  std::string deep;
  for (int n = 0; n < 5000; ++n) deep += "{{#track}}";
  CHECK(invitation(deep) == here + "has more than 256 sections");

  const auto refused = [&](message_kind kind, message_texts texts) { return refusal(templates, kind, texts); };
  CHECK(refused(message_kind::invitation, {"S", "no link"}) == here + "does not show {{link}}");
  CHECK(refused(message_kind::invitation, {"S", "{{#link}}{{/link}}"}) == here + "does not show {{link}}");
  CHECK(refused(message_kind::invitation, {"S", "{{link}}", "<p>no link</p>"}) ==
        "template_invalid: template invitation/en, html: does not show {{link}}");
  CHECK(refused(message_kind::invitation, {"{{link}}", "{{link}}"}) ==
        "template_invalid: template invitation/en, subject: unknown variable \"link\" at 0");
  CHECK(refused(message_kind::decision_failed, {"S", "{{link}}"}) ==
        "template_invalid: template decision_failed/en, text: unknown variable \"link\" at 0");
  CHECK(refused(message_kind::cancelled, {"S", "T", "<p>{{{applicant_name}}}</p>"}) ==
        "template_invalid: template cancelled/en, html: unescaped variable \"applicant_name\" at 3");
  CHECK(refused(message_kind::cancelled, {"S", "T", "<p>{{&applicant_name}}</p>"}).ends_with("at 3"));
  CHECK(refused(message_kind::cancelled, {"", "T"}) == "template_invalid: template cancelled/en, subject: is empty");
  CHECK(refused(message_kind::cancelled, {"S", ""}) == "template_invalid: template cancelled/en, text: is empty");
  CHECK(refused(static_cast<message_kind>(200), {"S", "T"}).starts_with("invalid_argument"));
  for (const std::string_view locale : {"", "d e", "de-", "-de", "de\r\n", "d\xc3\xa9"})
    CHECK(refusal(templates, message_kind::cancelled, {"S", "T"}, locale).starts_with("invalid_argument"));

  // Of all these only the first was taken.
  CHECK(templates.render(message_kind::invitation, "en", some_view()).value().text == some_view().link + " \n");
  CHECK(templates.render(message_kind::invitation, "de", some_view()).value().language == "de");
  CHECK(before.language == "en");
}

TEST_CASE("arbitrary template bytes are taken or refused, never worse", "[templates]") {
  std::mt19937 random(20260303);
  const std::vector<std::string> pieces{"{{", "}}",   "{{{",   "}}}",  "#",        "^", "/", "!",  ">", "=", "&", " ",
                                        "\n", "\r\n", "track", "link", "deadline", "x", ".", "\t", "ü", "{", "}", "|"};
  message_templates templates;
  int taken = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (auto n = random() % 14; n > 0; --n) text += pieces[random() % pieces.size()];
    if (templates.set(message_kind::cancelled, "xx", {"S", text, text})) {
      ++taken;
      REQUIRE(templates.render(message_kind::cancelled, "xx", some_view()).has_value());
    }
  }
  CHECK(taken > 250);
  CHECK(taken < 4750);
}

TEST_CASE("many threads render from one set of templates", "[templates][concurrent]") {
  const message_templates templates;
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int worker = 0; worker < 4; ++worker)
    threads.emplace_back([&, worker] {
      for (int n = 0; n < 200; ++n) {
        auto view = some_view();
        view.applicant_name = "person " + std::to_string(worker) + "/" + std::to_string(n);
        const auto kind = all_kinds[static_cast<std::size_t>(n) % all_kinds.size()];
        const auto message = templates.render(kind, worker % 2 ? "de" : "en", view).value();
        if (!holds(message.text, view.applicant_name + ",") || !holds(message.html, view.applicant_name + ",")) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

namespace {

/// A template at random, of what can stand beside and inside each other.
std::string random_template(std::mt19937& random, int depth) {
  static constexpr std::array<std::string_view, 12> pieces{"word",
                                                           "\n",
                                                           "\n",
                                                           " ",
                                                           "\t",
                                                           "{{track}}",
                                                           "{{company_name}}",
                                                           "{{{applicant_name}}}",
                                                           "{{&applicant_name}}",
                                                           "{{! said to nobody }}",
                                                           "a<b>&\"c'",
                                                           "{{opens_at}}"};
  static constexpr std::array<std::string_view, 4> sections{"track", "company_name", "applicant_name", "opens_at"};
  std::string text;
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (std::size_t n = below(8); n > 0; --n) {
    if (depth == 0 || below(3) != 0) {
      text += pieces[below(pieces.size())];
      continue;
    }
    const std::string name(sections[below(sections.size())]);
    text += (below(2) ? "{{#" : "{{^") + name + "}}" + random_template(random, depth - 1) + "{{/" + name + "}}";
  }
  return text;
}

}  // namespace

TEST_CASE("a template reads as the Mustache library itself renders it", "[templates]") {
  namespace mustache = kainjow::mustache;
  std::mt19937 random(42);
  int dropped_lines = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::string source = random_template(random, 3);
    const message_view view{.applicant_name = round % 3 ? "A<d>a & \"L'ovelace\"" : "",
                            .company_name = round % 2 ? "Acme" : "",
                            .track = round % 5 ? "backend" : " "};
    mustache::data values(mustache::data::type::object);
    const auto put = [&](const char* name, const std::string& value) {
      values[name] = value.empty() ? mustache::data(false) : mustache::data(value);
    };
    put("applicant_name", view.applicant_name);
    put("company_name", view.company_name);
    put("track", view.track);
    put("opens_at", "");
    for (const auto part : {detail::template_part::text, detail::template_part::html}) {
      const auto ours = detail::compiled_template::compile(message_kind::cancelled, part, source);
      if (!ours) {
        CHECK(part == detail::template_part::html);  // where nothing goes unescaped
        continue;
      }
      mustache::mustache theirs(source);
      if (part == detail::template_part::text) theirs.set_custom_escape([](const std::string& text) { return text; });
      detail::template_values own;
      own[detail::template_variable("applicant_name")] = view.applicant_name;
      own[detail::template_variable("company_name")] = view.company_name;
      own[detail::template_variable("track")] = view.track;
      const std::string expected = theirs.render(values);
      INFO("template: " << source);
      CHECK(ours->render(own) == expected);
      if (std::count(source.begin(), source.end(), '\n') > std::count(expected.begin(), expected.end(), '\n'))
        ++dropped_lines;
    }
  }
  CHECK(dropped_lines > 100);
}
