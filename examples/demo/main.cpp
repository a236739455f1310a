// The main job, start to end: two applicants are invited, mailed, interrupted, failed, refused an early retake and
// retaken. Every link is taken out of a message that the mail server delivered, as an applicant would.
//
//   demo FOLDER MAIL_PORT MAIL_FOLDER READER
//
// FOLDER holds applicants.json, tracks.json and policy.json; the database is made beside the mails. READER is the
// command that prints a mail as JSON. Days pass by a clock of our own; the last part runs on the machine's.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <boost/json.hpp>

#include "hirenow/adapters/smtp.hpp"
#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/hirenow.hpp"

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using hirenow::interview_id;
using hirenow::outcome;

namespace {

// Every step says what it expects; the first that ends otherwise ends the demonstration.
struct unexpected : std::runtime_error {
  using std::runtime_error::runtime_error;
};
void expect(bool so, const std::string& what) {
  if (!so) throw unexpected("expected: " + what);
}
template <class T>
T must(hirenow::result<T> r, const std::string& what) {
  if (!r) throw unexpected(what + ": " + std::string(to_string(r.error().code)) + ", " + r.error().message);
  return std::move(*r);
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw unexpected("cannot read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
std::string text_of(const boost::json::value& v) { return {v.as_string().data(), v.as_string().size()}; }

struct track {
  std::string title;
  std::chrono::minutes time_limit;
};

// The mails as they lie in the server's folder.
class inbox {
 public:
  inbox(fs::path folder, std::string reader) : folder_(std::move(folder)), reader_(std::move(reader)) {}

  struct mail {
    std::string to, subject, text;
  };
  // The mails that came since the last look, oldest first.
  std::vector<mail> look() {
    std::set<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path().extension() == ".eml" && seen_.insert(entry.path()).second) paths.insert(entry.path());
    std::vector<mail> mails;
    for (const auto& path : paths) {
      const auto decoded = boost::json::parse(run(reader_ + " --decode '" + path.string() + "'"));
      mail m;
      for (const auto& header : decoded.at("headers").as_array()) {
        if (text_of(header.at(0)) == "Subject") m.subject = text_of(header.at(1));
        if (text_of(header.at(0)) == "To") m.to = text_of(header.at(1));
      }
      m.text = text_of(decoded.at("parts").at("text/plain"));
      mails.push_back(std::move(m));
    }
    return mails;
  }

 private:
  static std::string run(const std::string& command) {
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    if (!pipe) throw unexpected("cannot run " + command);
    std::string out;
    char piece[4096];
    while (const auto n = std::fread(piece, 1, sizeof piece, pipe.get())) out.append(piece, n);
    return out;
  }
  fs::path folder_;
  std::string reader_;
  std::set<fs::path> seen_{};
};

// The token is what stands behind the # of the link in the text.
std::vector<std::string> tokens_in(const std::string& text) {
  std::vector<std::string> tokens;
  for (auto at = text.find("https://"); at != std::string::npos; at = text.find("https://", at + 1)) {
    const auto end = text.find_first_of(" \n", at);
    const auto hash = text.find('#', at);
    if (hash != std::string::npos && hash < end) tokens.push_back(text.substr(hash + 1, end - hash - 1));
  }
  return tokens;
}

class demo {
 public:
  demo(const fs::path& folder, std::uint16_t port, const fs::path& mails, const std::string& reader)
      : inbox_(mails, reader),
        policy_(must(hirenow::retake_policy::parse(read_file(folder / "policy.json")), "the policy")),
        keys_(must(hirenow::key_ring::from_json(new_key_document(hirenow::key_algorithm::ed25519, "demo-1")), "keys")),
        store_(must(hirenow::open_sqlite_store((mails / "ats.db").string()), "the database")) {
    hirenow::smtp_options server;
    server.host = "127.0.0.1";
    server.port = port;
    server.security = hirenow::smtp_security::plaintext;
    mailer_ = must(hirenow::open_smtp_mailer(std::move(server)), "the mailer");
    const auto people = boost::json::parse(read_file(folder / "applicants.json"));
    for (const auto& v : people.as_array())
      people_[text_of(v.at("id"))] = {text_of(v.at("id")), text_of(v.at("email")), text_of(v.at("name")),
                                      text_of(v.at("locale")), text_of(v.at("time_zone"))};
    const auto tracks = boost::json::parse(read_file(folder / "tracks.json"));
    for (const auto& v : tracks.as_array())
      tracks_[text_of(v.at("id"))] = {text_of(v.at("title")),
                                      std::chrono::minutes(v.at("time_limit_minutes").as_int64())};
  }

  void run() {
    hirenow::manual_clock calendar(std::chrono::sys_days{std::chrono::March / 2 / 2026} + 9h);
    use(&calendar);
    chapter("Ada is invited, interrupted, resumed and failed");
    fail_ada(calendar);
    chapter("An early retake is refused; fourteen days later it is allowed");
    retake_ada(calendar);
    chapter("Bruno lets his link expire and gets a fresh one");
    let_bruno_expire(calendar);
    chapter("The audit");
    verify();
    hirenow::system_clock machine;
    use(&machine);
    chapter("The machine's own clock: a link that lives two seconds");
    two_seconds();
  }

 private:
  void use(const hirenow::clock* clock) {
    clock_ = clock;
    hirenow::engine_options options;
    options.link_base = "https://interviews.acme.example/go";
    options.clock = clock;
    engine_ = std::make_unique<hirenow::engine>(*store_, keys_, policy_, options);
    hirenow::dispatcher_options dispatch;
    dispatch.sender = {"interviews@acme.example", "Acme Hiring"};
    dispatch.track_title = [this](std::string_view, std::string_view id, std::string_view) {
      return tracks_.at(std::string(id)).title;
    };
    dispatcher_ = std::make_unique<hirenow::dispatcher>(*engine_, *mailer_, dispatch);
  }

  // ---- The story ----------------------------------------------------------------------------------------------------

  void fail_ada(hirenow::manual_clock& calendar) {
    const auto invited = invite("ada", backend, 72h, {24h});
    first_token_ = token_mailed("ada");
    ada_ = invited.interview.id;
    must(engine_->inspect(first_token_), "inspect");
    expect(must(engine_->find(ada_, recruiter_), "find") == invited.interview, "looking changes nothing");
    say("mail scanner", "opens Ada's link", "nothing changes: looking is not starting");

    calendar.advance(26h);
    const std::string laptop = "laptop-session-key-0123456789", phone = "phone-session-key-9876543210";
    auto first = must(engine_->start(first_token_, laptop), "start");
    moved("Ada", first.interview, "scheduled", "ninety minutes begin");
    calendar.advance(20min);
    must(engine_->checkpoint(first.session, R"({"answer 1":"a queue needs two ends"})"), "checkpoint");
    say("Ada", "saves progress", "and her laptop dies");
    calendar.advance(5min);
    auto second = must(engine_->resume(first_token_, phone), "resume");
    expect(second.progress && second.progress->bytes.find("two ends") != std::string::npos, "the progress comes back");
    expect(second.left == 65min, "sixty-five minutes left");
    say("Ada", "resumes on her phone", "her answers are there; 65:00 minutes left");
    refused("laptop", "wakes up and saves over it", engine_->checkpoint(first.session, "old"),
            hirenow::errc::stale_session);

    calendar.advance(40min);
    auto done = must(engine_->submit(second.session, {.progress = R"({"answer 2":"an outbox"})"}), "submit");
    moved("Ada", done.interview, "in_progress", "with her last words");
    expect(nothing_mailed(), "no reminder: Ada started");
    calendar.advance(20h);
    auto failed = must(engine_->decide(ada_, reviewer_, {.outcome = outcome::failed, .reason = "missed the queue"}),
                       "decide");
    moved("reviewer", failed.interview, "submitted", "missed the queue");
    expect(mailed("ada").size() == 1, "one mail with the decision");
  }

  void retake_ada(hirenow::manual_clock& calendar) {
    calendar.advance(3h);
    auto refusal = refused("recruiter", "allows Ada a retake", engine_->retake(ada_, recruiter_),
                           hirenow::errc::not_eligible);
    expect(refusal.reason == "cooldown" && refusal.eligible_at.has_value(), "a cooldown with its end");
    calendar.set(*refusal.eligible_at - 1s);
    refused("recruiter", "tries one second too early", engine_->retake(ada_, recruiter_), hirenow::errc::not_eligible);
    refused("reviewer", "tries, without the role", engine_->retake(ada_, reviewer_), hirenow::errc::permission_denied);
    calendar.advance(1s);
    const auto may = must(engine_->retake_eligibility(ada_, recruiter_), "eligibility");
    expect(may.allowed, "allowed at the very instant");
    say("hirenow", "on Ada's retake", describe(may));

    auto again = must(engine_->retake(ada_, recruiter_, {.idempotency_key = "click-1"}), "retake");
    whose_[again.interview.id] = people_.at("ada").name;
    moved("recruiter", again.archived, "failed", "for ever, its outcome " + std::string(to_string(again.archived.outcome)));
    moved("recruiter", again.interview, "(none)", "a new life with a new link");
    auto twice = must(engine_->retake(ada_, recruiter_, {.idempotency_key = "click-1"}), "the double click");
    expect(twice.replayed && twice.interview.id == again.interview.id, "a double click is one retake");
    say("recruiter", "double-clicks", "the same answer, no second interview");
    const auto other = refused("colleague", "clicks retake too", engine_->retake(ada_, recruiter_),
                               hirenow::errc::superseded);
    expect(other.superseded_by == to_string(again.interview.id), "the error names the new interview");

    const std::string second_token = token_mailed("ada");
    expect(second_token != first_token_, "a new token");
    refused("Ada", "opens her first link again", engine_->start(first_token_, "any-session-key-of-ada"),
            hirenow::errc::token_superseded_interview);
    auto asked = must(engine_->request_link(first_token_), "request_link");
    expect(asked.queued, "the current link is mailed again");
    say("Ada", "asks for the current link with her dead one", "it goes to the address on file");
    expect(token_mailed("ada") == second_token, "the very same current link");
    auto sitting = must(engine_->start(second_token, "ada-second-session-key"), "the second start");
    moved("Ada", sitting.interview, "scheduled", "from the link in the new message");
  }

  void let_bruno_expire(hirenow::manual_clock& calendar) {
    const auto invited = invite("bruno", support, 48h, {24h});
    const auto first = token_mailed("bruno");
    calendar.advance(24h);
    expect(token_mailed("bruno") == first, "a reminder with the same link");
    calendar.advance(24h);
    refused("Bruno", "comes at the very second the link ends", engine_->start(first, "bruno-session-key-1"),
            hirenow::errc::token_expired);
    const auto swept = must(engine_->sweep(), "sweep");
    expect(swept.failed.empty(), "nothing set aside");
    auto expired = must(engine_->find(invited.interview.id, recruiter_), "find");
    moved("clock", expired, "scheduled", "recorded at " + hirenow::to_string(expired.changed_at));
    auto fresh = must(engine_->reissue(invited.interview.id, recruiter_, {.link_lifetime = 72h}), "reissue");
    moved("recruiter", fresh.interview, "expired", "never started: same interview, fresh link");
    const auto second = token_mailed("bruno");
    refused("Bruno", "tries the old link", engine_->start(first, "bruno-session-key-2"),
            hirenow::errc::token_superseded_link);
    moved("Bruno", must(engine_->start(second, "bruno-session-key-3"), "start").interview, "scheduled",
          "from the fresh link");
  }

  void verify() {
    for (const std::string id : {"ada", "bruno"}) {
      const auto report = must(engine_->verify_audit(id, recruiter_), "audit of " + id);
      say("hirenow", "verifies the audit of " + people_.at(id).name, std::to_string(report.entries) + " entries hold");
    }
    const auto checkpoint = must(engine_->audit_checkpoint(recruiter_), "checkpoint");
    expect(must(engine_->verify_audit_checkpoint(checkpoint, recruiter_), "checkpoint") == 2, "two records");
    say("hirenow", "signs a checkpoint of the tenant", "2 records, verified against it");
  }

  void two_seconds() {
    const auto invited = invite("chiyo", support, 2s, {});
    const auto token = token_mailed("chiyo");
    while (clock_->now() < invited.interview.start_by) std::this_thread::sleep_for(50ms);
    refused("Chiyo", "comes two seconds later", engine_->start(token, "chiyo-session-key-1"),
            hirenow::errc::token_expired);
    must(engine_->verify_audit("chiyo", recruiter_), "audit of chiyo");
  }

  // ---- Small things ---------------------------------------------------------------------------------------------------

  hirenow::invited invite(const std::string& person, const std::string& track_id, hirenow::seconds life,
                          std::vector<hirenow::seconds> reminders) {
    hirenow::schedule_request request;
    request.applicant = people_.at(person);
    request.track = track_id;
    request.link_lifetime = life;
    request.time_limit = tracks_.at(track_id).time_limit;
    request.reminders = std::move(reminders);
    auto invited = must(engine_->schedule(request, recruiter_), "schedule " + person);
    whose_[invited.interview.id] = people_.at(person).name;
    moved("recruiter", invited.interview, "(none)", "link until " + hirenow::to_string(invited.interview.start_by));
    return invited;
  }

  void chapter(const std::string& title) { std::cout << "\n== " << title << "\n\n"; }
  // One line of the timeline: when, who, what, and what came of it.
  void say(const std::string& who, const std::string& what, const std::string& came_of_it) {
    std::string when = hirenow::to_string(clock_->now());
    when[10] = ' ';
    std::cout << "  " << when << "  " << who << std::string(who.size() < 12 ? 12 - who.size() : 1, ' ') << what << "\n"
              << std::string(36, ' ') << came_of_it << "\n";
  }
  void moved(const std::string& who, const hirenow::interview& i, const std::string& from, const std::string& more) {
    say(who, whose_.at(i.id) + ", " + tracks_.at(i.track).title + ", attempt " + std::to_string(i.attempt),
        from + " → " + std::string(to_string(i.state)) + ": " + more);
  }
  template <class T>
  hirenow::error refused(const std::string& who, const std::string& what, const hirenow::result<T>& r,
                         hirenow::errc code) {
    expect(!r, who + " " + what + " is refused");
    expect(r.error().code == code, "refused as " + std::string(to_string(code)) + ", not as " +
                                       std::string(to_string(r.error().code)));
    say(who, what, "refused (" + std::string(to_string(code)) + "): " + r.error().message);
    return r.error();
  }

  // Lets the dispatcher work, and takes what the server delivered to this person; nobody else may have got anything.
  std::vector<inbox::mail> mailed(const std::string& person) {
    const auto report = must(dispatcher_->dispatch_due(), "dispatch");
    expect(report.dead + report.retried == 0, "every mail is accepted");
    auto mails = inbox_.look();
    for (const auto& mail : mails) {
      expect(mail.to.find(people_.at(person).email) != std::string::npos, "the mail goes to " + person);
      say("mail server", "delivers to " + people_.at(person).email, "\"" + mail.subject + "\"");
    }
    return mails;
  }
  bool nothing_mailed() {
    must(dispatcher_->dispatch_due(), "dispatch");
    return inbox_.look().empty();
  }
  std::string token_mailed(const std::string& person) {
    const auto mails = mailed(person);
    expect(mails.size() == 1, "one mail, there are " + std::to_string(mails.size()));
    const auto tokens = tokens_in(mails.front().text);
    expect(tokens.size() == 1, "one link in it");
    return tokens.front();
  }

  inline static const std::string backend = "backend-2026/technical";
  inline static const std::string support = "support-2026/screening";
  const hirenow::actor recruiter_{"rosa", "acme", hirenow::role::recruiter};
  const hirenow::actor reviewer_{"viktor", "acme", hirenow::role::reviewer};
  inbox inbox_;
  hirenow::retake_policy policy_;
  hirenow::key_ring keys_;
  std::unique_ptr<hirenow::store> store_;
  std::unique_ptr<hirenow::mailer> mailer_{};
  std::map<std::string, hirenow::applicant> people_{};
  std::map<std::string, track> tracks_{};
  std::map<interview_id, std::string> whose_{};
  const hirenow::clock* clock_ = nullptr;
  std::unique_ptr<hirenow::engine> engine_{};
  std::unique_ptr<hirenow::dispatcher> dispatcher_{};
  std::string first_token_{};
  interview_id ada_{};
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::cerr << "demo FOLDER MAIL_PORT MAIL_FOLDER READER\n";
    return 2;
  }
  try {
    demo(arguments[1], static_cast<std::uint16_t>(std::atoi(arguments[2])), arguments[3], arguments[4]).run();
  } catch (const std::exception& e) {
    std::cout << "\nThe demonstration went wrong: " << e.what() << "\n";
    return 1;
  }
  std::cout << "\nEvery step ended as it should.\n";
  return 0;
}
