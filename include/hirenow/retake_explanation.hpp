#pragma once
/// Answers in words, in English and German, from the same data.
///
/// Threads: pure functions.

#include <array>
#include <string>
#include <string_view>

#include "hirenow/detail/message_language.hpp"
#include "hirenow/retake_eligibility.hpp"
#include "hirenow/retake_evaluation.hpp"

namespace hirenow {
namespace detail {

/// Writes in one language.
class explainer {
 public:
  explainer(explain_in language, std::string_view zone)
      : language_(language), german_(language == explain_in::german), zone_(zone) {}

  /// An instant as the reader's clock shows it, never sooner than it is. English in UTC has RFC 3339.
  std::string instant(sys_seconds at) const {
    if (!german_ && (zone_.empty() || zone_ == "UTC")) return to_string(at);
    const auto minute = std::chrono::ceil<std::chrono::minutes>(at);
    return instant_text(german_ ? message_language::german : message_language::english, minute, zone_);
  }

  std::string words(std::string_view english, std::string_view german) const {
    return std::string(german_ ? german : english);
  }

  /// Why a rule forbids, as the part of a sentence that follows a colon.
  std::string why(const rule_verdict& v) const {
    if (v.rule == "wait") return wait(v);
    if (v.rule == "most") return most(v);
    if (v.rule == "lockout") return lockout(v);
    if (v.rule == "retake_after")
      return v.reason == "passed" ? words("the last attempt was passed", "der letzte Versuch wurde bestanden")
                                  : words("the policy allows none after an attempt that is ",
                                          "die Regeln lassen keinen zu nach einem Versuch, der so endete: ") +
                                        outcome_word(v.newest.value_or(outcome::pending));
    if (v.rule == "passed")
      return v.until ? words("an attempt was passed, and ", "ein Versuch wurde bestanden, und ") + quoted(v.subject) +
                           words(" has not expired yet", " ist noch nicht abgelaufen")
                     : words("an attempt was passed", "ein Versuch wurde bestanden");
    if (v.rule == "require") return require(v);
    if (v.rule == "period")
      return quoted(v.subject) + (v.reason == "prerequisite" ? words(" has not begun", " hat nicht begonnen")
                                                             : words(" is not open", " ist nicht offen"));
    if (v.rule == "status")
      return words("the rule ", "die Regel ") + quoted(v.rule_id) + words(" forbids it", " verbietet es");
    if (v.rule == "any_of")
      return words("no condition of ", "keine Bedingung von ") + quoted(v.rule_id) + words(" holds", " ist erfüllt");
    if (v.rule == "all_of")
      return words("not every condition of ", "nicht jede Bedingung von ") + quoted(v.rule_id) +
             words(" holds", " ist erfüllt");
    return std::string(v.reason);
  }

 private:
  std::string quoted(std::string_view text) const {
    return german_ ? "„" + std::string(text) + "“" : "\"" + std::string(text) + "\"";
  }
  std::string counted(std::uint64_t n, const counted_noun& noun) const {
    return in_number(static_cast<std::int64_t>(n), noun, language_);
  }

  std::string outcome_word(outcome o) const {
    constexpr std::array<std::string_view, outcome_count> german{
        "noch offen",    "bestanden", "nicht bestanden", "zurückgestellt", "nicht angetreten",
        "nicht beendet", "abgesagt",  "zurückgezogen",   "ungültig"};
    const auto n = static_cast<std::size_t>(o);
    return german_ && n < german.size() ? std::string(german[n]) : std::string(to_string(o));
  }

  /// What a wait is counted from, as it follows the wait.
  std::string after(const rule_verdict& v) const {
    if (v.counted_from == "decision")
      return words(" after the decision on the last attempt", " nach der Entscheidung über den letzten Versuch");
    if (v.counted_from == "first_attempt") return words(" after the first attempt", " nach dem ersten Versuch");
    if (v.counted_from == "credential") return words(" after the end of ", " nach dem Ablauf von ") + quoted(v.subject);
    if (!v.subject.empty()) return words(" after ", " nach ") + quoted(v.subject);
    return words(" after the last attempt", " nach dem letzten Versuch");
  }
  std::string wait(const rule_verdict& v) const {
    return in_words(v.span.value_or(policy_span{}), language_, {.working_days = v.working_days}) + after(v);
  }
  std::string most(const rule_verdict& v) const {
    const std::uint64_t limit = v.limit.value_or(0);
    std::string text;
    if (german_) {
      text = limit == 1 ? "höchstens 1 Versuch ist erlaubt"
                        : "höchstens " + counted(limit, noun_attempt) + " sind erlaubt";
      if (v.span)
        text += " innerhalb von " + in_words(*v.span, language_, {.working_days = v.working_days, .dative = true});
      if (!v.subject.empty()) text += " je " + quoted(v.subject);
      return text + ", und " + std::to_string(v.counted) + (v.counted == 1 ? " zählt" : " zählen");
    }
    text = "at most " + counted(limit, noun_attempt) + (limit == 1 ? " is allowed" : " are allowed");
    if (v.span) text += " in " + in_words(*v.span, language_, {.working_days = v.working_days});
    if (!v.subject.empty()) text += " per " + quoted(v.subject);
    return text + ", and " + std::to_string(v.counted) + (v.counted == 1 ? " counts" : " count");
  }
  std::string lockout(const rule_verdict& v) const {
    const std::string span = in_words(v.span.value_or(policy_span{}), language_, {.working_days = v.working_days});
    const auto n = static_cast<std::int64_t>(v.limit.value_or(0));
    const std::string attempts = words("after ", "nach ") + in_number(n, noun_attempt, language_, true);
    if (v.counted_from != "attempt")
      return words("locked ", "") + attempts + words(", for ", " gesperrt, für ") + span + after(v);
    return german_ ? attempts + " gesperrt für " + span : "locked for " + span + " " + attempts;
  }
  std::string require(const rule_verdict& v) const {
    const std::uint64_t n = v.limit.value_or(0);
    const std::string what = quoted(v.subject) + words(" is needed", " wird verlangt");
    if (n == 0) return what;
    return what + words(" after ", " nach ") + in_number(static_cast<std::int64_t>(n), noun_attempt, language_, true);
  }

  explain_in language_;
  bool german_;
  std::string_view zone_;
};

}  // namespace detail

inline std::string describe(const eligibility& answer, explain_in language) {
  const detail::explainer say(language, answer.time_zone);
  const std::string not_possible = say.words("Retake is not possible: ", "Ein weiterer Versuch ist nicht möglich: ");
  // What the engine refuses whatever the policy says.
  if (!answer.rules.empty() && answer.rules.front().rule == "state") {
    if (answer.reason == "erased")
      return not_possible + say.words("the person was erased", "die Person wurde gelöscht");
    if (answer.reason == "archived")
      return not_possible + say.words("the interview is archived", "das Interview ist abgelegt");
    if (answer.reason == "active_interview")
      return not_possible + say.words("the track has an active interview", "es läuft noch ein Interview");
    return not_possible +
           say.words("the interview's state does not allow it", "der Stand des Interviews lässt es nicht zu");
  }
  std::string until;
  if (answer.eligible_until) until = say.words(", until ", ", bis ") + say.instant(*answer.eligible_until);
  const rule_verdict* const v = detail::deciding_rule(answer);
  if (!v) {
    std::string text = say.words("Retake is possible now", "Ein weiterer Versuch ist jetzt möglich") + until;
    if (!answer.attempts_left) return text;
    const auto left = static_cast<std::int64_t>(*answer.attempts_left);
    return text + "; " +
           (language == explain_in::german
                ? "noch " + detail::in_number(left, detail::noun_attempt, language)
                : detail::in_number(left, detail::noun_attempt, language) + (left == 1 ? " is left" : " are left"));
  }
  if (answer.eligible_at)
    return say.words("Retake is possible from ", "Ein weiterer Versuch ist möglich ab ") +
           say.instant(*answer.eligible_at) + until + ": " + say.why(*v);
  return not_possible + say.why(*v);
}

inline std::string describe(const rule_verdict& v, std::string_view time_zone, explain_in language) {
  const detail::explainer say(language, time_zone);
  if (v.rule == "state")
    return say.words("The engine forbids it: ", "Das System verbietet es: ") + std::string(v.reason);
  if (!v.applies) return say.words("Does not apply", "Gilt hier nicht");
  if (v.allowed) {
    std::string text = v.waived ? say.words("Allows, because it was waived", "Erlaubt, weil eine Ausnahme gilt")
                                : say.words("Allows", "Erlaubt");
    if (v.eligible_until) text += say.words(" until ", " bis ") + say.instant(*v.eligible_until);
    return text;
  }
  std::string text = v.advice.empty() ? say.words("Forbids", "Verbietet") : say.words("Warns", "Warnt");
  if (v.eligible_at) text += say.words(" until ", " bis ") + say.instant(*v.eligible_at);
  return text + ": " + say.why(v);
}

}  // namespace hirenow
