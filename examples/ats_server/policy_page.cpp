// The retake policy: the document in force, what it says of one interview or of a case made up, and a picture of it.

#include <algorithm>
#include <array>
#include <cstdio>

#include "hirenow/retake_case.hpp"
#include "office.hpp"

namespace ats {
namespace {

using hirenow::sys_seconds;

/// The policy of the tenant, else the one the server was started with.
hirenow::result<hirenow::retake_policy> policy_in_force(office& o, const hirenow::retake_policy& fallback,
                                                        std::string_view track) {
  const auto stored = o.engine.storage().load({.tenant = o.tenant, .who = std::string_view("-"), .track = track});
  if (!stored) return stored.error();
  if (!stored->policy) return fallback;
  return hirenow::retake_policy::parse(stored->policy->document);
}

/// Attempts, waits and windows along a line of time, with the present and the first possible day.
class picture {
 public:
  picture(const office& o, language l, const std::vector<hirenow::attempt>& attempts,
          const hirenow::eligibility& answer, sys_seconds now)
      : l_(l) {
    sys_seconds from = now, to = now;
    const auto span = [&](sys_seconds at) {
      from = std::min(from, at);
      to = std::max(to, at);
    };
    for (const auto& a : attempts) span(a.at);
    if (answer.eligible_at) span(*answer.eligible_at);
    if (answer.eligible_until) span(*answer.eligible_until);
    for (const auto& r : answer.rules) {
      if (r.since) span(*r.since);
      if (r.until && r.until < now + hirenow::seconds{5 * 366 * 86400}) span(*r.until);
    }
    const auto margin = std::max<hirenow::seconds>((to - from) / 12, hirenow::seconds{86400});
    from_ = from - margin;
    to_ = to + margin;

    std::vector<const hirenow::rule_verdict*> bars;
    for (const auto& r : answer.rules)
      if (r.since && r.until) bars.push_back(&r);
    axis_ = 74 + 40 * static_cast<double>(bars.size());
    height_ = axis_ + 96;

    double y = 56;
    for (const auto* r : bars) {
      const double a = x(*r->since), b = x(std::min(*r->until, to_));
      rect(a, y, std::max(b - a, 3.0), 20, r->allowed ? "bar-open" : "bar-closed");
      const bool at_left = a < width / 2;
      text(at_left ? a : b, y - 6, at_left ? "start" : "end", "small",
           std::string(r->rule_id.empty() ? r->rule : r->rule_id));
      y += 40;
    }
    out_ += "<line class=\"axis\" x1=\"30\" x2=\"" + number(width - 30) + "\" y1=\"" + number(axis_) + "\" y2=\"" +
            number(axis_) + "\"/>";
    months();
    for (const auto& a : attempts) {
      out_ += "<circle class=\"dot outcome-" + std::string(to_string(a.result)) + "\" cx=\"" + number(x(a.at)) +
              "\" cy=\"" + number(axis_) + "\" r=\"9\"/>";
      text(x(a.at), axis_ - 18, "middle", "small", o.views.word(l, "outcome." + std::string(to_string(a.result))));
    }
    mark(now, "now", o.views.word(l, "policy.now"), axis_ + 58);
    if (answer.eligible_at)
      mark(*answer.eligible_at, "eligible",
           o.views.word(l, "policy.from") + " " +
               instant_in(l, std::chrono::ceil<std::chrono::minutes>(*answer.eligible_at), o.time_zone),
           axis_ + 80);
  }

  std::string svg(std::string_view description) const {
    return "<svg class=\"timeline-picture\" role=\"img\" viewBox=\"0 0 " + number(width) + " " + number(height_) +
           "\" aria-label=\"" + escaped(description) + "\">" + out_ + "</svg>";
  }

 private:
  static constexpr double width = 960;

  static std::string number(double n) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", n);
    return text.data();
  }
  double x(sys_seconds at) const {
    return 30 + (width - 60) * static_cast<double>((at - from_).count()) / static_cast<double>((to_ - from_).count());
  }
  void text(double at_x, double at_y, const char* anchor, const char* style, std::string_view words) {
    out_ += "<text x=\"" + number(at_x) + "\" y=\"" + number(at_y) + "\" text-anchor=\"" + anchor + "\" class=\"" +
            style + "\">" + escaped(words) + "</text>";
  }
  void rect(double at_x, double at_y, double w, double h, const char* style) {
    out_ += "<rect x=\"" + number(at_x) + "\" y=\"" + number(at_y) + "\" width=\"" + number(w) + "\" height=\"" +
            number(h) + "\" rx=\"5\" class=\"" + style + "\"/>";
  }
  void mark(sys_seconds at, const char* style, const std::string& words, double at_y) {
    out_ += "<line class=\"mark " + std::string(style) + "\" x1=\"" + number(x(at)) + "\" x2=\"" + number(x(at)) +
            "\" y1=\"34\" y2=\"" + number(at_y - 14) + "\"/>";
    const char* anchor = x(at) < 140 ? "start" : x(at) > width - 140 ? "end" : "middle";
    text(x(at), at_y, anchor, style, words);
  }
  /// A tick for each month, or for each quarter where there are many.
  void months() {
    const auto days = (to_ - from_).count() / 86400;
    const unsigned step = days > 1500 ? 12 : days > 500 ? 3 : 1;
    auto month = std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(from_)}.year() / 1 / 1;
    for (;; month += std::chrono::months{1}) {
      const sys_seconds at = std::chrono::sys_days{month};
      if (at > to_) return;
      if (at < from_ || (static_cast<unsigned>(month.month()) - 1) % step != 0) continue;
      out_ += "<line class=\"tick\" x1=\"" + number(x(at)) + "\" x2=\"" + number(x(at)) + "\" y1=\"" +
              number(axis_ - 5) + "\" y2=\"" + number(axis_ + 5) + "\"/>";
      const std::string day = instant_in(l_, at, "UTC");
      const auto year = day.find(',', day.find(' '));
      text(x(at), axis_ + 24, "middle", "small", std::string_view(day).substr(0, year).substr(day.find(' ') + 1));
    }
  }

  language l_;
  sys_seconds from_{}, to_{};
  double axis_ = 0, height_ = 0;
  std::string out_{};
};

void put_answer(office& o, const visitor& who, data& values, const hirenow::eligibility& answer,
                const std::vector<hirenow::attempt>& attempts, sys_seconds now) {
  const auto in = who.lang == language::german ? hirenow::explain_in::german : hirenow::explain_in::english;
  list rules;
  for (const auto& r : answer.rules) {
    data row;
    row.set("id", std::string(r.rule_id.empty() ? r.rule : r.rule_id));
    row.set("rule", std::string(r.rule));
    row.set("words", describe(r, answer.time_zone, in));
    row.set("allowed", r.allowed || !r.applies);
    row.set("counted", std::to_string(r.counted));
    if (r.limit) row.set("limit", std::to_string(*r.limit));
    rules.push_back(row);
  }
  const std::string sentence = describe(answer, in);
  values.set("explained", true);
  values.set("allowed", answer.allowed);
  values.set("sentence", sentence);
  values.set("rules", listed(std::move(rules)));
  values.set("picture", picture(o, who.lang, attempts, answer, now).svg(sentence));
}

constexpr std::string_view example_case = R"({
  "track": "backend-2026/technical",
  "now": "2026-03-06T14:59:59Z",
  "history": [
    {"at": "2026-01-12T09:00:00Z", "outcome": "failed"},
    {"at": "2026-02-20T15:00:00Z", "outcome": "failed"}
  ]
})";

}  // namespace

response answer_policy(office& o, const visitor& who, const request& asked) {
  const language l = who.lang;
  const bool may_set =
      hirenow::check_permission(o.engine.options().permissions, hirenow::use_case::set_policy, who.actor).has_value();
  data values;
  std::string problem;
  unsigned status = 200;
  if (asked.is_post && asked.form.has("document")) {
    const auto done =
        o.engine.set_policy({}, asked.form["document"], who.actor, {.idempotency_key = std::string(asked.form["key"])});
    if (done) return redirect("/policy?done=policy");
    problem = done.error().code == hirenow::errc::policy_invalid ? done.error().message : words_of(o, l, done.error());
    status = done.error().code == hirenow::errc::permission_denied ? 403 : 409;
  }
  const auto policy = policy_in_force(o, o.policy, {});
  if (!policy) throw hirenow::exception(policy.error());
  values.set("document", asked.form.has("document") ? std::string(asked.form["document"]) : policy->document());
  values.set("version", policy->version());
  values.set("may_set", may_set);
  values.set("key", random_text());

  std::string tried(example_case);
  if (asked.is_post && asked.form.has("case")) {
    tried = asked.form["case"];
    const auto made = hirenow::retake_case::parse(tried);
    if (!made) {
      problem = made.error().message;
      status = 409;
    } else {
      put_answer(o, who, values, evaluate(*policy, made->question()), made->attempts, made->now);
    }
  } else if (const auto id = hirenow::parse_interview_id(asked.query["interview"])) {
    const auto stored = o.engine.storage().load({.tenant = o.tenant, .who = *id});
    const auto answer = o.engine.retake_eligibility(*id, who.actor);
    if (!stored || !answer) return not_found(o, l);
    auto record = stored->record;
    for (auto& i : record.interviews) i = hirenow::after_the_clock(i, o.clock.now());
    const auto* i = hirenow::find_interview(record, *id);
    auto attempts = hirenow::attempts_of(record);
    std::erase_if(attempts, [&](const auto& a) { return a.track != i->track; });
    values.set("of", record.person.name);
    values.set("of_track", o.track_title(i->track, l));
    values.set("of_id", to_string(*id));
    put_answer(o, who, values, *answer, attempts, o.clock.now());
  }
  values.set("case", tried);
  if (!problem.empty()) values.set("problem", problem);
  auto out = staff_page(o, who, o.views.word(l, "policy.title"), "policy", std::move(values), asked);
  out.status = status;
  return out;
}

}  // namespace ats
