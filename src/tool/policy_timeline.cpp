#include "policy_timeline.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace hirenow::tool {
namespace {

constexpr std::size_t most_spans = 5'000;

/// The case as it stood at an instant: attempts that came later had not been made, and what was decided later was open.
struct standing {
  std::vector<attempt> attempts{};
  retake_question question{};
};
standing at(const retake_case& of, sys_seconds now) {
  standing s;
  for (const attempt& a : of.attempts)
    if (a.at <= now) {
      attempt& then = s.attempts.emplace_back(a);
      if (a.decided_at && *a.decided_at > now)
        then.decided_at.reset(), then.score.reset(), then.result = outcome::pending;
    }
  s.question = of.question();
  s.question.attempts = s.attempts;
  s.question.now = now;
  return s;
}

std::vector<timeline_span::rule_state> states_of(const eligibility& e) {
  std::vector<timeline_span::rule_state> all;
  for (const rule_verdict& v : e.rules)
    all.push_back({std::string(v.rule_id), v.allowed, v.applies, !v.advice.empty() || !v.group.empty()});
  return all;
}

bool same_answer(const timeline_span& a, const timeline_span& b) {
  if (a.allowed != b.allowed || a.reason != b.reason || a.rules.size() != b.rules.size()) return false;
  for (std::size_t n = 0; n < a.rules.size(); ++n)
    if (a.rules[n].rule_id != b.rules[n].rule_id || a.rules[n].allowed != b.rules[n].allowed ||
        a.rules[n].applies != b.rules[n].applies)
      return false;
  return true;
}

// ---- Drawing --------------------------------------------------------------------------------------------------------

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

/// At most so many characters of a text, with an ellipsis where it was cut.
std::string shortened(std::string_view text, std::size_t most) {
  std::size_t characters = 0, bytes = 0;
  while (bytes < text.size() && characters < most) {
    ++bytes;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) ++bytes;
    ++characters;
  }
  return bytes == text.size() ? std::string(text) : std::string(text.substr(0, bytes)) + "…";
}

class drawing {
 public:
  drawing(const timeline& played, const retake_case& of, explain_in language)
      : played_(played), of_(of), german_(language == explain_in::german) {}

  std::string draw(const retake_policy& policy, const std::string& sentence) {
    std::vector<std::string> ids;
    for (const auto& span : played_.spans)
      for (const auto& rule : span.rules)
        if (std::find(ids.begin(), ids.end(), rule.rule_id) == ids.end()) ids.push_back(rule.rule_id);
    const double height = top + bar + 34 + 22 * static_cast<double>(ids.size()) + 64;
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " + number(height) +
           "\" width=\"" + number(width) + "\" height=\"" + number(height) +
           "\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n";
    out_ += "<title>" + escaped(said("When a further attempt is possible", "Wann ein weiterer Versuch möglich ist")) +
            "</title>\n<desc>" + escaped(sentence) + "</desc>\n";
    out_ += "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    text(left, 22, shortened(of_.track.empty() ? policy.version() : of_.track + " · " + policy.version(), 90),
         "font-size=\"15\" font-weight=\"600\" fill=\"#1a1a1a\"");
    text(left, 42, shortened(sentence, 130), "fill=\"#444444\"");
    axis(height - 40);
    stripe([](const timeline_span& span) { return (span.allowed ? "+" : "-") + span.reason; }, top, bar,
           [&](const timeline_span& span) {
             return span.allowed ? look{"#2e7d32", said("possible", "möglich"), "#ffffff"}
                                 : look{"#c9a0a0", span.reason, "#4a1010"};
           });
    text(12, top + bar / 2 + 4, said("may try again", "erneut möglich"), "font-weight=\"600\" fill=\"#1a1a1a\"");
    double y = top + bar + 34;
    for (const auto& id : ids) {
      text(12, y + 12, shortened(id, 24), "fill=\"#444444\"");
      const auto fill_of = [&](const timeline_span& span) -> std::string {
        for (const auto& rule : span.rules)
          if (rule.rule_id == id)
            return !rule.applies ? "#eeeeee" : rule.allowed ? "#a5d6a7" : rule.advises ? "#ffe0a3" : "#e8c4c4";
        return {};
      };
      stripe(fill_of, y, 14, [&](const timeline_span& span) { return look{fill_of(span), {}, {}}; });
      y += 22;
    }
    for (const attempt& a : of_.attempts) mark(a.at, std::string(to_string(a.result)), height - 40);
    now(height - 40);
    legend(height - 10);
    return std::move(out_) + "</svg>\n";
  }

 private:
  static constexpr double width = 1040, left = 190, right = 1020, top = 92, bar = 30;

  std::string said(const char* english, const char* german) const { return german_ ? german : english; }
  static std::string number(double n) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", n);
    return text.data();
  }
  double x(sys_seconds at) const {
    const auto whole = static_cast<double>((played_.until - played_.from).count());
    const auto part = static_cast<double>((std::clamp(at, played_.from, played_.until) - played_.from).count());
    return left + (right - left) * (whole > 0 ? part / whole : 0);
  }
  void text(double at_x, double at_y, std::string_view words, std::string_view more) {
    out_ += "<text x=\"" + number(at_x) + "\" y=\"" + number(at_y) + "\" " + std::string(more) + ">" + escaped(words) +
            "</text>\n";
  }
  void box(sys_seconds from, sys_seconds until, double y, double height, std::string_view fill, std::string_view words,
           std::string_view ink) {
    const double begin = x(from), end = x(until);
    out_ += "<rect x=\"" + number(begin) + "\" y=\"" + number(y) + "\" width=\"" + number(std::max(end - begin, 0.5)) +
            "\" height=\"" + number(height) + "\" fill=\"" + std::string(fill) + "\"><title>" +
            escaped(to_string(from) + " – " + to_string(until)) + "</title></rect>\n";
    const double room = 7.0 * static_cast<double>(words.size());
    if (!words.empty() && end - begin > room + 8)
      text((begin + end) / 2, y + height / 2 + 4, words, "text-anchor=\"middle\" fill=\"" + std::string(ink) + "\"");
  }
  struct look {
    std::string fill, words, ink;
  };
  /// The spans one after the other; neighbours of which the key is the same are one box.
  template <class Key, class Look>
  void stripe(Key key, double y, double height, Look look_of) {
    for (std::size_t n = 0; n < played_.spans.size();) {
      std::size_t end = n + 1;
      while (end < played_.spans.size() && key(played_.spans[end]) == key(played_.spans[n])) ++end;
      const look l = look_of(played_.spans[n]);
      if (!l.fill.empty()) box(played_.spans[n].from, played_.spans[end - 1].until, y, height, l.fill, l.words, l.ink);
      n = end;
    }
  }
  void mark(sys_seconds at, std::string_view outcome, double bottom) {
    if (at < played_.from || at > played_.until) return;
    const std::string where = number(x(at));
    out_ += "<line x1=\"" + where + "\" y1=\"" + number(top - 8) + "\" x2=\"" + where + "\" y2=\"" + number(bottom) +
            "\" stroke=\"#37474f\" stroke-dasharray=\"2 3\"/>\n<circle cx=\"" + where + "\" cy=\"" + number(top - 12) +
            "\" r=\"4\" fill=\"" +
            (outcome == "passed"   ? "#2e7d32"
             : outcome == "failed" ? "#b71c1c"
                                   : "#607d8b") +
            "\"><title>" + escaped(to_string(at) + " " + std::string(outcome)) + "</title></circle>\n";
    // Words that would run into those of the attempt before are left out; the circle's title has them.
    if (x(at) < last_word_ + 6) return;
    text(x(at) + 7, top - 8, outcome, "font-size=\"10\" fill=\"#37474f\"");
    last_word_ = x(at) + 7 + 6.0 * static_cast<double>(outcome.size());
  }
  void now(double bottom) {
    if (of_.now < played_.from || of_.now > played_.until) return;
    const double where = x(of_.now);
    out_ += "<line x1=\"" + number(where) + "\" y1=\"" + number(top - 26) + "\" x2=\"" + number(where) + "\" y2=\"" +
            number(bottom) + "\" stroke=\"#1565c0\" stroke-width=\"2\"/>\n";
    const bool at_the_end = where > right - 60;
    text(at_the_end ? where - 4 : where + 4, top - 26, said("now", "jetzt"),
         std::string("fill=\"#1565c0\" font-weight=\"600\"") + (at_the_end ? " text-anchor=\"end\"" : ""));
  }
  void axis(double bottom) {
    constexpr std::array<std::int64_t, 12> steps{60,           600,          3'600,           6 * 3'600,
                                                 86'400,       7 * 86'400,   30 * 86'400,     91 * 86'400,
                                                 182 * 86'400, 365 * 86'400, 1826LL * 86'400, 3652LL * 86'400};
    const std::int64_t whole = std::max<std::int64_t>((played_.until - played_.from).count(), 1);
    std::int64_t step = steps.back();
    for (const auto one : steps)
      if (whole / one <= 8) {
        step = one;
        break;
      }
    const std::int64_t first = played_.from.time_since_epoch().count() / step * step;
    for (std::int64_t tick = first; tick <= played_.until.time_since_epoch().count(); tick += step) {
      const sys_seconds at{seconds{tick}};
      if (at < played_.from) continue;
      const std::string where = number(x(at)), words = to_string(at);
      out_ += "<line x1=\"" + where + "\" y1=\"" + number(top) + "\" x2=\"" + where + "\" y2=\"" + number(bottom) +
              "\" stroke=\"#e0e0e0\"/>\n";
      const std::string label = step >= 86'400 ? words.substr(0, 10) : words.substr(5, 11);
      const bool edge = x(at) > right - 30;
      text(x(at), bottom + 14, label,
           std::string("font-size=\"10\" fill=\"#666666\" text-anchor=\"") + (edge ? "end" : "middle") + "\"");
    }
  }
  void legend(double y) {
    double at = left;
    const auto entry = [&](std::string_view fill, const std::string& words) {
      out_ += "<rect x=\"" + number(at) + "\" y=\"" + number(y - 9) + "\" width=\"10\" height=\"10\" fill=\"" +
              std::string(fill) + "\"/>\n";
      text(at + 14, y, words, "font-size=\"10\" fill=\"#666666\"");
      at += 26 + 6.0 * static_cast<double>(words.size());
    };
    entry("#a5d6a7", said("rule allows", "Regel erlaubt"));
    entry("#e8c4c4", said("rule forbids", "Regel verbietet"));
    entry("#ffe0a3", said("advice, or a group's member", "Hinweis oder Teil einer Gruppe"));
    entry("#eeeeee", said("does not apply", "gilt nicht"));
    text(right, y, "UTC", "font-size=\"10\" fill=\"#666666\" text-anchor=\"end\"");
  }

  const timeline& played_;
  const retake_case& of_;
  const bool german_;
  std::string out_{};
  double last_word_ = 0;
};

}  // namespace

stretch natural_stretch(const retake_policy& policy, const retake_case& of) {
  const auto by_time = [](const attempt& a, const attempt& b) { return a.at < b.at; };
  const auto first = std::min_element(of.attempts.begin(), of.attempts.end(), by_time);
  stretch over{of.now, of.now};
  if (first != of.attempts.end()) over.from = std::min(first->at, of.now);
  for (const attempt& a : of.attempts) over.until = std::max({over.until, a.at, a.decided_at.value_or(a.at)});
  const eligibility e = evaluate(policy, at(of, over.until).question);
  if (e.eligible_at) over.until = std::max(over.until, *e.eligible_at);
  if (e.eligible_until) over.until = std::max(over.until, *e.eligible_until);
  // A margin on both sides, of a tenth or a day.
  const seconds margin = std::max(seconds{86'400}, (over.until - over.from) / 10);
  over.until = std::min(over.until + margin, max_instant);
  over.from = std::max(over.from - margin / 4, min_instant);
  return over;
}

timeline play(const retake_policy& policy, const retake_case& of, const stretch& over) {
  timeline played{over.from, over.until, {}, true};
  std::vector<sys_seconds> cuts{over.from, over.until};
  for (const attempt& a : of.attempts) {
    cuts.push_back(a.at);
    if (a.decided_at) cuts.push_back(*a.decided_at);
  }
  for (const fact& f : of.facts) {
    cuts.push_back(f.at);
    if (f.until) cuts.push_back(*f.until);
  }
  std::sort(cuts.begin(), cuts.end());
  sys_seconds now = over.from;
  while (now < over.until) {
    if (played.spans.size() >= most_spans) {
      played.complete = false;
      break;
    }
    const standing s = at(of, now);
    const eligibility e = evaluate(policy, s.question);
    sys_seconds next = over.until;
    const auto change_at = [&](const std::optional<sys_seconds>& instant) {
      if (instant && *instant > now && *instant < next) next = *instant;
    };
    change_at(e.eligible_at);
    change_at(e.eligible_until);
    for (const rule_verdict& v : e.rules) {
      change_at(v.eligible_at);
      change_at(v.eligible_until);
    }
    if (const auto cut = std::upper_bound(cuts.begin(), cuts.end(), now); cut != cuts.end()) change_at(*cut);
    timeline_span span{now, next, e.allowed, std::string(e.reason), states_of(e)};
    if (!played.spans.empty() && same_answer(played.spans.back(), span))
      played.spans.back().until = next;
    else
      played.spans.push_back(std::move(span));
    now = next;
  }
  return played;
}

std::string draw(const retake_policy& policy, const retake_case& of, const timeline& played, explain_in language) {
  const eligibility e = evaluate(policy, of.question());
  return drawing(played, of, language).draw(policy, describe(e, language));
}

}  // namespace hirenow::tool
