// The dispatcher with the SMTP mailer, a SQLite file and a real mail server: what arrives, judged by Python's own
// parser, and what happens while the server is away.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>

#include "hirenow/adapters/smtp.hpp"
#include "hirenow/dispatcher.hpp"
#include "support/child_process.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;
using hirenow::testing::child_process;

namespace {

const std::string python = "/usr/bin/python3";
const std::string tests = std::string(HIRENOW_SOURCE_DIR) + "/tests";

/// A mail server that keeps what it accepts, on a port that it can be started on again.
class mail_server {
 public:
  explicit mail_server(std::vector<std::string> argv) {
    argv.insert(argv.begin(), python);
    process_.emplace(argv);
    const auto line = process_->read_line();
    REQUIRE(line);
    REQUIRE(line->starts_with("port "));
    port_ = static_cast<std::uint16_t>(std::stoi(line->substr(5)));
  }
  static mail_server keeping(const std::filesystem::path& folder, std::uint16_t port = 0) {
    return mail_server({tests + "/smtp_server.py", folder.string(), "--until-eof", "--port", std::to_string(port)});
  }
  std::uint16_t port() const { return port_; }

 private:
  std::optional<child_process> process_{};
  std::uint16_t port_ = 0;
};

std::unique_ptr<mailer> mailer_to(std::uint16_t port) {
  smtp_options options;
  options.host = "127.0.0.1";
  options.port = port;
  options.security = smtp_security::plaintext;
  options.connect_timeout = options.response_timeout = options.final_answer_timeout = 20s;
  return std::move(open_smtp_mailer(options)).value();
}

/// A mail as Python's parser shows it.
struct arrived {
  std::map<std::string, std::string> headers;
  std::string text, html;
};

std::vector<arrived> mails_in(const std::filesystem::path& folder) {
  std::vector<arrived> all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".eml") continue;
    child_process parser({python, tests + "/smtp_server.py", "--decode", entry.path().string()});
    const auto json = boost::json::parse(parser.read_all()).as_object();
    arrived mail;
    for (const auto& h : json.at("headers").as_array())
      mail.headers[std::string(h.at(0).as_string())] = std::string(h.at(1).as_string());
    mail.text = std::string(json.at("parts").at("text/plain").as_string());
    mail.html = std::string(json.at("parts").at("text/html").as_string());
    CHECK(json.at("defects").as_array().empty());
    all.push_back(std::move(mail));
  }
  return all;
}

bool empty_outbox(const world& w) {
  for (const auto s : {message_state::queued, message_state::leased})
    if (!w.data->messages({.tenant = acme, .state = s, .limit = 1})->empty()) return false;
  return true;
}

}  // namespace

TEST_CASE("links arrive by mail and let their applicants in", "[dispatcher][smtp]") {
  world w(stores().at(1));
  temporary_folder inbox;
  auto server = mail_server::keeping(inbox.path());
  const auto smtp = mailer_to(server.port());
  dispatcher d(w.bench, *smtp, dispatch_options());
  std::map<std::string, interview_id> invited;
  for (int n = 0; n < 12; ++n) {
    auto terms = w.terms();
    terms.applicant = {"app" + std::to_string(n), "app" + std::to_string(n) + "@example.org",
                       n % 2 ? "Jörg Müller-Lüdenscheidt" : "Ada Lovelace", n % 2 ? "de" : "en", "Europe/Vienna"};
    invited[terms.applicant.email] = w.bench.schedule(terms, w.recruiter)->interview.id;
  }
  CHECK(d.dispatch_due()->accepted == 12);
  const auto mails = mails_in(inbox.path());
  REQUIRE(mails.size() == 12);
  std::set<std::string> peers;
  for (const auto& mail : mails) {
    const std::string to = mail.headers.at("X-RcptTo");
    const auto id = invited.at(to);
    const bool german = mail.headers.at("To").find("Jörg Müller-Lüdenscheidt") != std::string::npos;
    CHECK(mail.headers.at("Subject") ==
          (german ? "Ihr Interview für backend/technical" : "Your interview for backend/technical"));
    CHECK(mail.headers.at("Content-Language") == (german ? "de" : "en"));
    CHECK(mail.headers.at("From") == "Acme Jobs <jobs@acme.example>");
    CHECK(mail.headers.at("Message-ID").starts_with("<" + to_string(id) + ".invitation."));
    CHECK(link_in(mail.html) == link_in(mail.text));
    const auto open = w.bench.start(token_in(link_in(mail.text)), key_one);
    REQUIRE(open.has_value());
    CHECK(open->interview.id == id);
    invited.erase(to);
    peers.insert(mail.headers.at("X-Peer"));
  }
  CHECK(invited.empty());
  CHECK(peers.size() == 1);  // one worker, one kept connection

  SECTION("and after a retake only the new link does") {
    const auto& first = mails.front();
    const auto old = w.bench.inspect(token_in(link_in(first.text)))->interview.value();
    const auto open = w.bench.resume(token_in(link_in(first.text)), key_two).value();
    w.bench.submit(open.session).value();
    w.bench.decide(old.id, w.reviewer, {.outcome = outcome::failed, .notify = notify::none()}).value();
    w.clock.advance(days{14});
    const auto fresh = w.bench.retake(old.id, w.recruiter)->interview.id;
    temporary_folder second_inbox;
    auto second_server = mail_server::keeping(second_inbox.path());
    const auto second_smtp = mailer_to(second_server.port());
    CHECK(dispatcher(w.bench, *second_smtp, dispatch_options()).dispatch_due()->accepted == 1);
    const auto mail = mails_in(second_inbox.path()).at(0);
    CHECK(mail.text.find(token_in(link_in(first.text))) == std::string::npos);
    CHECK(w.bench.inspect(token_in(link_in(first.text)))->verdict == verdict::superseded_interview);
    CHECK(w.bench.start(token_in(link_in(mail.text)), key_one)->interview.id == fresh);
  }
}

TEST_CASE("nothing is lost while the mail server is away", "[dispatcher][smtp]") {
  world w(stores().at(1));
  temporary_folder inbox;
  std::optional<mail_server> server(mail_server::keeping(inbox.path()));
  const auto port = server->port();
  const auto smtp = mailer_to(port);
  auto options = dispatch_options();
  options.poll_every = std::chrono::milliseconds(10);
  dispatcher d(w.bench, *smtp, options);
  const auto schedule = [&](int from, int to) {
    for (int n = from; n < to; ++n) {
      auto terms = w.terms();
      terms.applicant.id = "app" + std::to_string(n);
      w.bench.schedule(terms, w.recruiter).value();
    }
  };
  schedule(0, 20);
  CHECK(d.dispatch_due()->accepted == 20);
  server.reset();  // the kept connection dies with it
  schedule(20, 40);
  CHECK(d.dispatch_due()->retried == 20);
  for (const auto& m : w.data->messages({.tenant = acme, .state = message_state::queued, .limit = 50}).value()) {
    CHECK(m.tries == 1);
    CHECK_FALSE(m.last_answer.empty());
  }
  server.emplace(mail_server::keeping(inbox.path(), port));
  w.clock.advance(1min);
  CHECK(d.dispatch_due()->accepted == 20);
  CHECK(empty_outbox(w));
  std::set<std::string> ids;
  const auto mails = mails_in(inbox.path());
  for (const auto& mail : mails) ids.insert(mail.headers.at("Message-ID"));
  CHECK(mails.size() == 40);
  CHECK(ids.size() == 40);
}

TEST_CASE("refusals for good, and answers that stay away, are told apart", "[dispatcher][smtp]") {
  world w(stores().at(1));
  const auto id = w.schedule().interview.id;
  SECTION("a refused recipient is dead at once, with the server's words") {
    mail_server server({tests + "/smtp_faults.py", "rcpt:reply=550 5.1.1 no such user"});
    const auto smtp = mailer_to(server.port());
    CHECK(dispatcher(w.bench, *smtp, dispatch_options()).dispatch_due()->dead == 1);
    const auto m = w.messages(id).front();
    CHECK(m.state == message_state::dead);
    CHECK(m.last_answer.find("5.1.1 no such user") != std::string::npos);
  }
  SECTION("a connection that is cut after the final dot is tried again, under the same Message-ID") {
    mail_server server({tests + "/smtp_faults.py", "dot@1:cut"});
    const auto smtp = mailer_to(server.port());
    dispatcher d(w.bench, *smtp, dispatch_options());
    CHECK(d.dispatch_due()->retried == 1);
    CHECK(w.messages(id).front().state == message_state::queued);
    w.clock.advance(1min);
    CHECK(d.dispatch_due()->accepted == 1);
    CHECK(w.messages(id).front().tries == 2);
  }
}

TEST_CASE("eight workers bring a thousand mails once each", "[dispatcher][smtp][concurrent]") {
  world w(stores().at(1));
  temporary_folder inbox;
  auto server = mail_server::keeping(inbox.path());
  const auto smtp = mailer_to(server.port());
  constexpr std::size_t many = 1000;
  for (std::size_t n = 0; n < many; ++n) {
    auto terms = w.terms();
    terms.applicant.id = "app" + std::to_string(n);
    w.bench.schedule(terms, w.recruiter).value();
  }
  std::stop_source stop;
  std::size_t told = 0;
  auto options = dispatch_options();
  options.on_event = [&](const dispatch_event&) {
    if (++told == many) stop.request_stop();
  };
  dispatcher d(w.bench, *smtp, options);
  CHECK(d.run(8, stop.get_token()).accepted == many);
  // The raw files: a thousand parsers would take longer than all the rest.
  std::set<std::string> ids;
  std::set<std::string> peers;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(inbox.path())) {
    std::ifstream file(entry.path());
    ++files;
    for (std::string line; std::getline(file, line) && line != "\r";) {
      if (line.starts_with("Message-ID:")) ids.insert(line);
      if (line.starts_with("X-Peer:")) peers.insert(line);
    }
  }
  CHECK(files == many);
  CHECK(ids.size() == many);
  CHECK(peers.size() <= 8);  // connections are kept
}
