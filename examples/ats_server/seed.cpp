// Believable data: people, and interviews in every state, some with earlier attempts. Each is made by the use cases
// themselves, at instants of the past, so that audit, counts and outbox are what a year of work would have left.
//
// A thousand people share one transaction of the host's, with the host's own rows: nothing waits for the disk a
// hundred thousand times.

#include <array>
#include <iostream>
#include <random>

#include "hirenow/adapters/memory.hpp"
#include "office.hpp"

namespace ats {
namespace {

using hirenow::seconds;
using hirenow::sys_seconds;

struct name {
  const char* text;
  const char* locale;
};
constexpr std::array first_names{
    name{"Amara", "en"},  name{"Björn", "de"},     name{"Chiara", "en"},  name{"Daniel", "de"},  name{"Elif", "de"},
    name{"Farid", "en"},  name{"Greta", "de"},     name{"Hugo", "en"},    name{"Ingrid", "en"},  name{"Jonas", "de"},
    name{"Keiko", "en"},  name{"Lukas", "de"},     name{"Maya", "en"},    name{"Noah", "en"},    name{"Olivia", "en"},
    name{"Paweł", "en"},  name{"Quynh", "en"},     name{"Renée", "en"},   name{"Søren", "en"},   name{"Tomasz", "en"},
    name{"Ursula", "de"}, name{"Valentina", "en"}, name{"Wanjiru", "en"}, name{"Xavier", "en"},  name{"Yusuf", "de"},
    name{"Zoë", "en"},    name{"Anneliese", "de"}, name{"Bruno", "de"},   name{"Camille", "en"}, name{"Dmitri", "en"}};
constexpr std::array last_names{"Adeyemi",  "Baumann",  "Costa",     "Dvořák",   "Eriksen",   "Fischer", "García",
                                "Huber",    "Ivanova",  "Jørgensen", "Krämer",   "Lindqvist", "Moreau",  "Nakamura",
                                "O'Connor", "Petrov",   "Quinn",     "Rossi",    "Schäfer",   "Tanaka",  "Ulrich",
                                "Vogel",    "Weber",    "Yıldız",    "Zhang",    "Okafor",    "Larsen",  "Brandt",
                                "Castillo", "Fournier", "Haddad",    "Kowalska", "Mensah",    "Novák",   "Singh"};

std::string ascii_of(std::string_view text) {
  std::string out;
  for (const char c : search_key(text))
    if (c >= 'a' && c <= 'z') out += c;
  return out.empty() ? "x" : out;
}

/// One life of an interview, as a share of all.
enum class fate {
  waits,
  runs,
  submitted,
  passed,
  failed_long_ago,
  failed_lately,
  retaken,
  on_hold,
  expired,
  cancelled,
  voided
};
constexpr std::array fates{fate::waits,  fate::passed,          fate::failed_long_ago, fate::passed,    fate::submitted,
                           fate::passed, fate::failed_lately,   fate::expired,         fate::retaken,   fate::passed,
                           fate::runs,   fate::failed_long_ago, fate::on_hold,         fate::passed,    fate::cancelled,
                           fate::waits,  fate::passed,          fate::voided,          fate::submitted, fate::passed};

constexpr std::array good_answers{
    "I would put a queue between the two and let the consumer acknowledge only after its own commit.",
    "First I would measure: a flame graph of the slow request, then the query plan of what it spends its time in.",
    "We agreed on one owner for each service, and on a page that says who is called at night."};

class seeder {
 public:
  seeder(const hirenow::key_ring& keys, const hirenow::retake_policy& policy, const std::vector<track>& tracks,
         hirenow::engine_options options, sys_seconds now, bool few)
      : tracks_(tracks), now_(now), few_(few), clock_(now) {
    options.clock = &clock_;
    none_ = hirenow::open_memory_store();
    engine_ = std::make_unique<hirenow::engine>(*none_, keys, policy, options);
  }

  /// Makes one person with one interview, or two where one was retaken. Returns how many interviews.
  std::size_t person(connection& c, std::size_t n) {
    const auto& first = first_names[random_() % first_names.size()];
    const std::string last = last_names[random_() % last_names.size()];
    hirenow::applicant who;
    who.id = "a-" + std::to_string(100'000 + n);
    who.name = std::string(first.text) + " " + last;
    who.locale = first.locale;
    who.time_zone = "Europe/Berlin";
    who.email = ascii_of(first.text) + "." + ascii_of(last) + (n < 30 ? "" : std::to_string(n)) +
                (n == 15 ? "@undeliverable.example" : "@applicants.example");
    const track& t = tracks_[random_() % tracks_.size()];
    const fate end = fates[n % fates.size()];
    auto engine = engine_->on(c.joined());
    database::write_person(c, who);

    const auto day = [&](int least, int most) {
      return seconds{86400LL * (least + static_cast<int>(random_() % static_cast<unsigned>(most - least + 1)))} -
             seconds{static_cast<long>(random_() % 30'000)};
    };
    const bool open = end == fate::waits || end == fate::runs;
    const auto ago = end == fate::waits           ? seconds{static_cast<long>(random_() % 100'000)}
                     : end == fate::runs          ? seconds{static_cast<long>(600 + random_() % 1500)}
                     : end == fate::submitted     ? day(1, 6)
                     : end == fate::failed_lately ? day(3, 11)
                     : end == fate::on_hold       ? day(4, 12)
                                                  : day(40, 300);
    clock_.set(now_ - ago);
    const bool mailed = few_ && open;
    const auto mail = mailed ? hirenow::notify::now() : hirenow::notify::none();
    auto planned = engine.schedule({.applicant = who,
                                    .track = t.id,
                                    .reminders = mailed ? std::vector{seconds{86400}} : std::vector<seconds>{},
                                    .time_limit = t.time_limit,
                                    .overtime = t.overtime,
                                    .notify = mail},
                                   recruiter_);
    must(planned);
    auto i = planned->interview;
    std::size_t made = 1;
    std::string stage = "interviewing";
    const auto sit = [&](const hirenow::invited& at) {
      clock_.advance(seconds{static_cast<long>(end == fate::runs ? 60 : 3600 + random_() % 7200)});
      auto sitting = engine.start(at.link.substr(at.link.find('#') + 1), "seed-session-key-of-" + who.id);
      must(sitting);
      std::string progress = "{";
      for (std::size_t q = 0; q < t.questions.size(); ++q)
        progress +=
            (q ? "," : "") + json_string(t.questions[q].id) + ":" + json_string(good_answers[q % good_answers.size()]);
      progress += "}";
      clock_.advance(seconds{120});
      if (end == fate::runs) {
        must(engine.checkpoint(sitting->session, progress));
        return;
      }
      clock_.advance(seconds{static_cast<long>(900 + random_() % 900)});
      must(engine.submit(sitting->session, {.progress = progress}));
    };
    const auto decide = [&](hirenow::outcome what, const char* reason, double score) {
      clock_.advance(seconds{static_cast<long>(20'000 + random_() % 60'000)});
      must(engine.decide(i.id, reviewer_, {.outcome = what, .reason = reason, .score = score, .notify = mail}));
    };
    switch (end) {
      case fate::waits:
      case fate::expired: break;
      case fate::runs:
      case fate::submitted: sit(*planned); break;
      case fate::passed:
        sit(*planned);
        decide(hirenow::outcome::passed, "clear and well argued", 70 + static_cast<double>(random_() % 30));
        stage = "passed";
        break;
      case fate::failed_long_ago:
      case fate::failed_lately:
        sit(*planned);
        decide(hirenow::outcome::failed, "did not say how duplicates are told apart",
               20 + static_cast<double>(random_() % 30));
        stage = "rejected";
        break;
      case fate::retaken: {
        sit(*planned);
        decide(hirenow::outcome::failed, "ran out of ideas at the second question", 35);
        database::write_application(c, who.id, t.id, "rejected", i.id);
        clock_.advance(seconds{30 * 86400});
        auto again = engine.retake(i.id, recruiter_, {.notify = mail, .reason = "asked for a second chance"});
        must(again);
        i = again->interview;
        ++made;
        sit({again->interview, again->link, false});
        decide(hirenow::outcome::passed, "much better prepared", 82);
        stage = "passed";
        break;
      }
      case fate::on_hold:
        sit(*planned);
        decide(hirenow::outcome::on_hold, "waiting for the second opinion", 55);
        break;
      case fate::cancelled:
        clock_.advance(seconds{7200});
        must(engine.cancel(i.id, recruiter_, {.reason = "position was filled", .notify = mail}));
        stage = "closed";
        break;
      case fate::voided: {
        sit(*planned);
        clock_.advance(seconds{7200});
        must(engine.void_attempt(i.id, reviewer_, {.reason_code = "network_outage", .reason = "our outage that day"}));
        break;
      }
    }
    database::write_application(c, who.id, t.id, stage, i.id);
    return made;
  }

 private:
  template <class T>
  static void must(const hirenow::result<T>& r) {
    if (!r) throw hirenow::exception(r.error());
  }

  const std::vector<track>& tracks_;
  sys_seconds now_;
  bool few_;
  hirenow::manual_clock clock_;
  std::mt19937 random_{2026};
  std::unique_ptr<hirenow::store> none_{};  // an engine has a store; this one works on the host's transaction alone
  std::unique_ptr<hirenow::engine> engine_{};
  const hirenow::actor recruiter_{"rosa", "acme", hirenow::role::recruiter};
  const hirenow::actor reviewer_{"viktor", "acme", hirenow::role::reviewer};
};

}  // namespace

void seed(database& to, const hirenow::key_ring& keys, const hirenow::retake_policy& policy,
          const std::vector<track>& tracks, hirenow::engine_options options, sys_seconds now, std::size_t interviews) {
  seeder make(keys, policy, tracks, std::move(options), now, interviews <= 2000);
  std::size_t made = 0, people = 0;
  while (made < interviews) {
    const auto done = to.in_transaction<bool>([&](connection& c) -> hirenow::result<bool> {
      for (int n = 0; n < 1000 && made < interviews; ++n) made += make.person(c, people++);
      return true;
    });
    if (!done) throw hirenow::exception(done.error());
    if (interviews > 2000) std::cout << "\rseeding: " << made << " interviews" << std::flush;
  }
  if (interviews > 2000) std::cout << "\n";
}

}  // namespace ats
