/// hirenow: a small tool for retake policies. `docs/policy_tool.md` describes it.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "hirenow/audit.hpp"
#include "policy_timeline.hpp"

namespace {

using namespace hirenow;
namespace json = boost::json;

/// What the program ends with.
enum ending : int {
  done = 0,
  refused = 1,     ///< a policy or a case has faults, which were named
  usage = 2,       ///< the command line is none
  unreadable = 3,  ///< a file cannot be read or written
};

constexpr std::string_view help_text = R"(usage: hirenow policy COMMAND ...

  check POLICY...             say whether policies can be used, and name every fault
  explain POLICY CASE         hold a case against a policy: every rule's verdict
  simulate POLICY CASE        when a further attempt is, was and will be possible

options of explain and simulate:
  --json                      the answer as a JSON document instead of a table
  --language en|de            of the sentences; English unless said otherwise
options of simulate:
  --svg FILE                  draw the timeline
  --from INSTANT              from when, as 2026-03-01T09:00:00Z; the first attempt unless said otherwise
  --until INSTANT             to when; a while after the next opening unless said otherwise

  hirenow --version           the version
  hirenow --help              this text

POLICY and CASE are files, or - for standard input. A case is a JSON document:
  {"track": "backend", "now": "2026-03-06T15:00:00Z", "history": [{"at": "2026-02-20T15:00:00Z", "outcome": "failed"}]}
with facts, waivers, kind and time_zone beside it where a policy asks for them.

exit status: 0 done, 1 a policy or a case has faults, 2 usage, 3 a file cannot be read or written
)";

struct failure {
  ending how;
  std::string why;
};

/// The arguments behind a command: what stands by itself, and options.
struct arguments {
  std::vector<std::string> places{};
  std::map<std::string, std::string, std::less<>> options{};

  bool has(std::string_view name) const { return options.find(name) != options.end(); }
  std::string text(std::string_view name, std::string otherwise = {}) const {
    const auto found = options.find(name);
    return found == options.end() ? std::move(otherwise) : found->second;
  }
};

arguments read_arguments(const std::vector<std::string>& given, std::initializer_list<std::string_view> flags,
                         std::initializer_list<std::string_view> with_value) {
  arguments out;
  for (std::size_t n = 0; n < given.size(); ++n) {
    const std::string& one = given[n];
    if (one.size() < 2 || one.front() != '-') {
      out.places.push_back(one);
    } else if (std::find(flags.begin(), flags.end(), one) != flags.end()) {
      out.options[one] = "";
    } else if (std::find(with_value.begin(), with_value.end(), one) != with_value.end()) {
      if (n + 1 == given.size()) throw failure{usage, one + " needs a value"};
      out.options[one] = given[++n];
    } else {
      throw failure{usage, "there is no option " + one};
    }
  }
  return out;
}

std::string read_file(const std::string& name) {
  constexpr std::size_t most = std::size_t{8} << 20;
  std::string text;
  const auto read = [&](std::istream& from) {
    char piece[4096];
    while (from.read(piece, sizeof piece) || from.gcount() > 0) {
      text.append(piece, static_cast<std::size_t>(from.gcount()));
      if (text.size() > most) throw failure{refused, name + ": has more than 8 MiB"};
    }
    if (from.bad()) throw failure{unreadable, name + ": cannot be read"};
  };
  if (name == "-") return read(std::cin), text;
  std::ifstream file(name, std::ios::binary);
  if (!file) throw failure{unreadable, name + ": cannot be read"};
  return read(file), text;
}

retake_policy read_policy(const std::string& name) {
  auto policy = retake_policy::parse(read_file(name));
  if (!policy) throw failure{refused, name + ": " + policy.error().message};
  return *std::move(policy);
}
retake_case read_case(const std::string& name) {
  auto of = retake_case::parse(read_file(name));
  if (!of) throw failure{refused, name + ": " + of.error().message};
  return *std::move(of);
}

sys_seconds read_instant(std::string_view option, const std::string& text) {
  // A case's reader knows what an instant is.
  const auto made = retake_case::parse(json::serialize(json::object{{"now", text}}));
  if (!made) throw failure{usage, std::string(option) + " must be an instant, as 2026-03-01T09:00:00Z"};
  return made->now;
}

explain_in language_of(const arguments& args) {
  const std::string word = args.text("--language", "en");
  if (word != "en" && word != "de") throw failure{usage, "--language is en or de"};
  return explain_language(word);
}

// ---- Tables ---------------------------------------------------------------------------------------------------------

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Rows of columns, each as wide as its widest; the last one is not padded.
void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t n = 0; n < row.size(); ++n) {
      if (widths.size() <= n) widths.push_back(0);
      widths[n] = std::max(widths[n], width_of(row[n]));
    }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t n = 0; n < row.size(); ++n) {
      line += row[n];
      if (n + 1 < row.size()) line.append(widths[n] - width_of(row[n]) + 2, ' ');
    }
    std::cout << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
  }
}

std::string text_of(const std::optional<sys_seconds>& at) { return at ? to_string(*at) : "-"; }
json::value json_of(const std::optional<sys_seconds>& at) {
  return at ? json::value(to_string(*at)) : json::value(nullptr);
}
template <class Texts>
json::array json_of(const Texts& all) {
  json::array out;
  for (const auto& one : all) out.push_back(json::value(std::string_view(one)));
  return out;
}

json::object head_of(const retake_policy& policy) {
  return {{"hirenow_policy_tool", 1},
          {"policy_version", policy.version()},
          {"policy_hash", hirenow::detail::hex(policy.hash())}};
}

// ---- The commands ---------------------------------------------------------------------------------------------------

/// The attempts of a case by their place in time, from 1, and by their id.
class attempt_list {
 public:
  explicit attempt_list(const retake_case& of) {
    for (const attempt& a : of.attempts) ordered_.push_back(&a);
    std::sort(ordered_.begin(), ordered_.end(),
              [](const attempt* a, const attempt* b) { return a->at != b->at ? a->at < b->at : a < b; });
    for (std::size_t n = 0; n < ordered_.size(); ++n) places_.emplace(ordered_[n]->id, n);
  }

  const std::vector<const attempt*>& all() const { return ordered_; }
  json::array json_of(std::span<const interview_id> ids) const {
    json::array out;
    for (const interview_id& id : ids) {
      const attempt& a = *ordered_[places_.at(id)];
      out.push_back(json::object{
          {"at", to_string(a.at)}, {"outcome", to_string(a.result)}, {"track", a.track}, {"id", to_string(id)}});
    }
    return out;
  }
  /// Such as "#1-#3 #5".
  std::string words(std::span<const interview_id> ids) const {
    std::string out;
    for (std::size_t n = 0; n < ids.size();) {
      const std::size_t first = places_.at(ids[n]);
      std::size_t last = first;
      for (++n; n < ids.size() && places_.at(ids[n]) == last + 1; ++n) ++last;
      out += (out.empty() ? "#" : " #") + std::to_string(first + 1);
      if (last > first) out += "-#" + std::to_string(last + 1);
    }
    return out;
  }

 private:
  std::vector<const attempt*> ordered_{};
  std::map<interview_id, std::size_t> places_{};
};

json::object json_of(const rule_verdict& v, const attempt_list& attempts, std::string_view zone, explain_in language) {
  return {{"id", v.rule_id},
          {"rule", v.rule},
          {"group", v.group},
          {"applies", v.applies},
          {"allowed", v.allowed},
          {"reason", v.reason},
          {"advice", v.advice},
          {"waived", v.waived},
          {"waiver_allows", v.waiver_allows},
          {"counted", v.counted},
          {"limit", v.limit ? json::value(*v.limit) : json::value(nullptr)},
          {"attempts", attempts.json_of(v.attempts)},
          {"newest", v.newest ? json::value(to_string(*v.newest)) : json::value(nullptr)},
          {"span",
           v.span ? json::value(in_words(*v.span, language, {.working_days = v.working_days})) : json::value(nullptr)},
          {"wait_seconds", v.wait ? json::value(v.wait->count()) : json::value(nullptr)},
          {"counted_from", v.counted_from},
          {"subject", v.subject},
          {"since", json_of(v.since)},
          {"until", json_of(v.until)},
          {"eligible_at", json_of(v.eligible_at)},
          {"eligible_until", json_of(v.eligible_until)},
          {"sentence", describe(v, zone, language)}};
}

ending check(const std::vector<std::string>& given) {
  const arguments args = read_arguments(given, {}, {});
  if (args.places.empty()) throw failure{usage, "check needs a policy"};
  ending worst = done;
  for (const auto& name : args.places) try {
      const retake_policy policy = read_policy(name);
      std::cout << name << ": ok, version " << policy.version() << ", " << policy.rules().size() << " rules, SHA-256 "
                << hirenow::detail::hex(policy.hash()) << '\n';
    } catch (const failure& f) {
      std::cout << f.why << '\n';
      worst = std::max(worst, f.how);
    }
  return worst;
}

ending explain(const std::vector<std::string>& given) {
  const arguments args = read_arguments(given, {"--json"}, {"--language"});
  if (args.places.size() != 2) throw failure{usage, "explain needs a policy and a case"};
  const explain_in language = language_of(args);
  const retake_policy policy = read_policy(args.places[0]);
  const retake_case of = read_case(args.places[1]);
  const attempt_list attempts(of);
  const eligibility e = evaluate(policy, of.question());
  if (args.has("--json")) {
    json::array rules;
    for (const rule_verdict& v : e.rules) rules.push_back(json_of(v, attempts, e.time_zone, language));
    json::object answer = head_of(policy);
    answer["allowed"] = e.allowed;
    answer["reason"] = e.reason;
    answer["all_reasons"] = json_of(e.all_reasons);
    answer["eligible_at"] = json_of(e.eligible_at);
    answer["eligible_until"] = json_of(e.eligible_until);
    answer["attempts_left"] = e.attempts_left ? json::value(*e.attempts_left) : json::value(nullptr);
    answer["warnings"] = json_of(e.warnings);
    answer["waivers"] = json_of(e.waivers);
    answer["time_zone"] = e.time_zone;
    answer["sentence"] = describe(e, language);
    answer["rules"] = std::move(rules);
    std::cout << json::serialize(answer) << '\n';
    return done;
  }
  std::vector<std::vector<std::string>> rows{{"ATTEMPT", "AT", "OUTCOME", "DECIDED AT", "TRACK"}};
  for (const attempt* a : attempts.all())
    rows.push_back({"#" + std::to_string(rows.size()), to_string(a->at), std::string(to_string(a->result)),
                    text_of(a->decided_at), a->track});
  if (rows.size() > 1) print_table(rows), std::cout << '\n';
  rows = {{"RULE", "KIND", "SAYS", "REASON", "COUNTED", "SPAN", "SINCE", "UNTIL", "ELIGIBLE AT", "WHY"}};
  for (const rule_verdict& v : e.rules) {
    std::string counted = std::to_string(v.counted) + (v.limit ? " of " + std::to_string(*v.limit) : "");
    if (!v.attempts.empty()) counted += ": " + attempts.words(v.attempts);
    const char* const says = !v.applies         ? "-"
                             : v.allowed        ? (v.waived ? "waived" : "yes")
                             : v.advice.empty() ? "no"
                                                : "warns";
    rows.push_back({(v.group.empty() ? "" : "  ") + std::string(v.rule_id), std::string(v.rule), says,
                    v.allowed ? "-" : std::string(v.reason), counted,
                    v.span ? in_words(*v.span, language, {.working_days = v.working_days}) : "-", text_of(v.since),
                    text_of(v.until), text_of(v.eligible_at), describe(v, e.time_zone, language)});
  }
  print_table(rows);
  std::cout << '\n' << describe(e, language) << '\n';
  std::cout << "policy " << policy.version() << ", eligible at " << text_of(e.eligible_at) << ", until "
            << text_of(e.eligible_until) << '\n';
  if (!e.waivers.empty()) {
    std::cout << "waivers that would allow it now:";
    for (const auto& w : e.waivers) std::cout << ' ' << w;
    std::cout << '\n';
  }
  return done;
}

ending simulate(const std::vector<std::string>& given) {
  const arguments args = read_arguments(given, {"--json"}, {"--language", "--svg", "--from", "--until"});
  if (args.places.size() != 2) throw failure{usage, "simulate needs a policy and a case"};
  const explain_in language = language_of(args);
  const retake_policy policy = read_policy(args.places[0]);
  const retake_case of = read_case(args.places[1]);
  tool::stretch over = tool::natural_stretch(policy, of);
  if (args.has("--from")) over.from = read_instant("--from", args.text("--from"));
  if (args.has("--until")) over.until = read_instant("--until", args.text("--until"));
  if (over.until <= over.from) throw failure{usage, "--until must be later than --from"};
  const tool::timeline played = tool::play(policy, of, over);
  if (args.has("--svg")) {
    const std::string name = args.text("--svg"), drawn = tool::draw(policy, of, played, language);
    if (name == "-" && !args.has("--json")) {
      std::cout << drawn;
      return done;
    }
    std::ofstream file(name, std::ios::binary | std::ios::trunc);
    file << drawn;
    if (!file.flush()) throw failure{unreadable, name + ": cannot be written"};
  }
  if (args.has("--json")) {
    json::array spans;
    for (const auto& span : played.spans) {
      json::array forbidding;
      for (const auto& rule : span.rules)
        if (!rule.allowed && !rule.advises) forbidding.push_back(json::value(rule.rule_id));
      spans.push_back(json::object{{"from", to_string(span.from)},
                                   {"until", to_string(span.until)},
                                   {"allowed", span.allowed},
                                   {"reason", span.reason},
                                   {"forbidden_by", std::move(forbidding)}});
    }
    json::object answer = head_of(policy);
    answer["from"] = to_string(played.from);
    answer["until"] = to_string(played.until);
    answer["complete"] = played.complete;
    answer["spans"] = std::move(spans);
    std::cout << json::serialize(answer) << '\n';
    return done;
  }
  std::vector<std::vector<std::string>> rows{{"FROM", "UNTIL", "POSSIBLE", "FORBIDDEN BY"}};
  for (const auto& span : played.spans) {
    std::string by;
    for (const auto& rule : span.rules)
      if (!rule.allowed && !rule.advises) by += (by.empty() ? "" : ", ") + rule.rule_id;
    rows.push_back({to_string(span.from), to_string(span.until), span.allowed ? "yes" : "no, " + span.reason, by});
  }
  print_table(rows);
  if (!played.complete) std::cout << "more changes than are shown: name a shorter stretch with --from and --until\n";
  return done;
}

ending run(const std::vector<std::string>& given) {
  if (given.empty()) throw failure{usage, "a command is missing"};
  if (std::any_of(given.begin(), given.end(), [](const auto& one) { return one == "--help" || one == "-h"; })) {
    std::cout << help_text;
    return done;
  }
  if (given[0] == "--version") {
    std::cout << "hirenow " HIRENOW_VERSION "\n";
    return done;
  }
  if (given[0] != "policy") throw failure{usage, "there is no command " + given[0]};
  if (given.size() < 2) throw failure{usage, "policy needs a command: check, explain or simulate"};
  const std::vector<std::string> rest(given.begin() + 2, given.end());
  if (given[1] == "check") return check(rest);
  if (given[1] == "explain") return explain(rest);
  if (given[1] == "simulate") return simulate(rest);
  throw failure{usage, "policy has no command " + given[1]};
}

}  // namespace

int main(int count, char** given) try {
  const ending how = run(std::vector<std::string>(given + 1, given + std::max(count, 1)));
  if (std::cout.flush()) return how;
  std::cerr << "hirenow: standard output cannot be written\n";
  return unreadable;
} catch (const failure& f) {
  std::cerr << "hirenow: " << f.why << (f.how == usage ? "; see hirenow --help\n" : "\n");
  return f.how;
} catch (const std::exception& e) {
  std::cerr << "hirenow: " << e.what() << '\n';
  return unreadable;
}
