// The dispatcher with the SMTP mailer and a server that cuts, refuses, falls silent and talks nonsense at each of the
// twelve points of a session. What the server may have taken lies in files; how the outbox ends is asked of SQLite.

#include <fstream>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "hirenow/dispatcher.hpp"
#include "support/plain_sql.hpp"
#include "support/recording_mailer.hpp"
#include "support/smtp_servers.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;

namespace {

const std::vector<std::string> points{"greeting", "ehlo", "starttls", "auth", "mail", "rcpt",
                                      "data",     "body", "dot",      "quit", "idle", "again"};

/// Calls one outcome another: the defect that must be found.
class bent_mailer final : public mailer {
 public:
  bent_mailer(mailer& next, delivery_outcome from, delivery_outcome to) : next_(next), from_(from), to_(to) {}
  delivery send(const outgoing_mail& mail) override {
    auto said = next_.send(mail);
    if (said.outcome == from_) said.outcome = to_;
    return said;
  }

 private:
  mailer& next_;
  delivery_outcome from_, to_;
};

/// How often each mail came, by Message-ID.
std::map<std::string, int> copies_in(const std::filesystem::path& folder) {
  std::map<std::string, int> copies;
  for (const auto& path : smtp_test::mails_in(folder)) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("Message-ID: <")) ++copies[line.substr(13, line.find('>') - 13)];
  }
  return copies;
}

/// A world, and a server that is told anew what to do wrong.
class trial {
 public:
  /// Sends two mails over a session with the fault, then what is left over healthy ones. Returns what was broken.
  std::vector<std::string> run(const std::string& point, const std::string& fault,
                               std::optional<std::pair<delivery_outcome, delivery_outcome>> bent = std::nullopt) {
    tell(point + "@1:" + fault);
    std::vector<std::string> ids;
    std::string keys;
    for (int n = 0; n < 2; ++n) {
      auto terms = w_.terms();
      terms.applicant.id = "person-" + std::to_string(++people_);
      const auto made = w_.bench.schedule(terms, w_.recruiter).value();
      ids.push_back(message_id(w_.messages(made.interview.id).at(0).key, "acme.example"));
      keys += (n ? ", '" : "'") + terms.applicant.id + "'";
    }
    for (int tries = 0; tries < 4; ++tries) {
      const auto smtp = open_smtp_mailer(options_).value();
      std::optional<bent_mailer> defect;
      if (bent) defect.emplace(*smtp, bent->first, bent->second);
      static_cast<void>(dispatcher(w_.bench, defect ? static_cast<mailer&>(*defect) : *smtp, dispatch_options())
                            .dispatch_due()
                            .value());
      w_.clock.advance(1min);
    }
    std::vector<std::string> broken;
    plain_sql sql(w_.folder.path() / "ats.db");
    const auto copies = copies_in(kept_.path());
    const bool is_for_good = fault.starts_with("reply=5") || fault.starts_with("drop=5");
    const bool is_an_answer =
        point == "mail" || point == "rcpt" || point == "data" || point == "dot" || point == "again";
    // What a server says unasked while it is idle ends the session where it comes before the next MAIL, and is taken for
    // the answer to that where it comes after.
    const bool concerns_mail = is_an_answer || point == "idle";
    const bool is_unsure = point == "dot" && !fault.starts_with("reply=4") && !is_for_good;
    const std::string rows =
        " FROM hirenow_outbox AS m JOIN hirenow_applicant AS a ON a.applicant_no = m.applicant_no WHERE a.applicant IN "
        "(" +
        keys + ")";
    if (sql.number("SELECT count(*)" + rows + " AND m.state IN (0, 1)") != 0) broken.emplace_back("I8: stuck");
    const auto dead = sql.number("SELECT count(*)" + rows + " AND m.state = 4");
    if (dead > 0 && !(is_for_good && concerns_mail)) broken.emplace_back("dead, and nobody refused it for good");
    if (dead == 0 && is_for_good && is_an_answer) broken.emplace_back("refused for good, and tried again");
    if (sql.number("SELECT count(*)" + rows + " AND m.tries > 2") != 0) broken.emplace_back("tried more than twice");
    long long came = 0;
    for (const auto& id : ids) {
      const auto found = copies.find(id);
      const int count = found == copies.end() ? 0 : found->second;
      came += count > 0 ? 1 : 0;
      if (count > (is_unsure ? 2 : 1)) broken.push_back("I3: " + std::to_string(count) + " copies");
    }
    if (came + dead != 2) broken.emplace_back("I1: accepted and never come, or dead and come");
    return broken;
  }

 private:
  void tell(const std::string& faults) {
    if (!server_.process.write(faults + "\n")) throw std::runtime_error("the server is gone");
    for (auto line = server_.process.read_line(); line && *line != "told"; line = server_.process.read_line()) {
    }
  }

  world w_{stores().at(1)};
  temporary_folder kept_{};
  smtp_test::server server_ = [this] {
    auto argv = smtp_test::certs().of("good", "starttls");
    argv.insert(argv.end(), {"--auth", "--keep", kept_.path().string()});
    return smtp_test::faulty_server(argv);
  }();
  smtp_options options_ = [this] {
    auto o = smtp_test::plain_options(server_.port);
    o.security = smtp_security::starttls;
    o.ca_file = smtp_test::certs().file("ca.pem");
    o.username = "acme";
    o.password = "s3cret-word";
    o.connect_timeout = o.response_timeout = o.final_answer_timeout = 1s;
    return o;
  }();
  int people_ = 0;
};

}  // namespace

TEST_CASE("whatever the mail server does at whatever point, no mail is lost and none doubled that need not be",
          "[dispatcher][smtp]") {
  // Mostly one waits for time-outs, so several go at once, each with a server and a world.
  std::vector<std::future<std::vector<std::string>>> lanes;
  for (std::size_t lane = 0; lane < points.size() / 2; ++lane)
    lanes.push_back(std::async(std::launch::async, [lane] {
      trial t;
      std::vector<std::string> broken;
      for (std::size_t n = lane; n < points.size(); n += points.size() / 2) {
        const std::string& point = points[n];
        // Before the session stands a refusal ends it, as a server does that is too busy.
        const std::string refuses = point == "greeting" || point == "ehlo" ? "drop=" : "reply=";
        for (const std::string& fault : {std::string("cut"), refuses + "451 4.3.0 later", refuses + "550 5.7.1 no",
                                         std::string("silent"), std::string("reply=\x01\xff what?")}) {
          if (point == "body" && fault != "cut" && fault != "silent") continue;  // there is nothing to answer
          for (const auto& what : t.run(point, fault)) broken.push_back(point + ": " + fault + ": " + what);
        }
      }
      return broken;
    }));
  for (auto& lane : lanes)
    for (const auto& what : lane.get()) FAIL_CHECK(what);
}

TEST_CASE("a mailer that calls one outcome another is found by the faults at the twelve points", "[dispatcher][smtp]") {
  using enum delivery_outcome;
  trial t;
  CHECK_FALSE(t.run("rcpt", "cut", std::pair(temporary, accepted)).empty());
  CHECK_FALSE(t.run("rcpt", "cut", std::pair(temporary, permanent)).empty());
  CHECK_FALSE(t.run("rcpt", "reply=550 5.1.1 no such user", std::pair(permanent, temporary)).empty());
  CHECK_FALSE(t.run("quit", "cut", std::pair(accepted, ambiguous)).empty());
}
