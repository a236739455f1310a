// The SMTP mailer against real servers on loopback: one that behaves (aiosmtpd) and one that misbehaves as told. What
// arrived is judged by Python's own mail parser.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>

#include "hirenow/adapters/smtp.hpp"
#include "support/child_process.hpp"

namespace {

namespace fs = std::filesystem;
using namespace hirenow;
using namespace std::chrono_literals;
using hirenow::testing::child_process;

const std::string python = "/usr/bin/python3";
const std::string tests = std::string(HIRENOW_SOURCE_DIR) + "/tests";

/// A directory that goes with the test.
struct scratch_folder {
  fs::path path;
  scratch_folder() {
    std::string name = (fs::temp_directory_path() / "hirenow_smtp_XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
    path = name;
  }
  scratch_folder(const scratch_folder&) = delete;
  ~scratch_folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

/// A server process and its port.
struct server {
  child_process process;
  std::uint16_t port = 0;

  explicit server(const std::vector<std::string>& argv) : process(argv) {
    const auto line = process.read_line();
    if (!line || !line->starts_with("port ")) throw std::runtime_error("the server did not start");
    port = static_cast<std::uint16_t>(std::stoi(line->substr(5)));
  }
};

server good_server(const fs::path& folder, std::vector<std::string> more = {}) {
  std::vector<std::string> argv{python, tests + "/smtp_server.py", folder.string(), "--until-eof"};
  argv.insert(argv.end(), more.begin(), more.end());
  return server(argv);
}

server faulty_server(std::vector<std::string> faults) {
  faults.insert(faults.begin(), {python, tests + "/smtp_faults.py"});
  return server(faults);
}

smtp_options plain_options(std::uint16_t port) {
  smtp_options options;
  options.host = "127.0.0.1";
  options.port = port;
  options.security = smtp_security::plaintext;
  options.connect_timeout = 10s;
  options.response_timeout = 10s;
  options.final_answer_timeout = 10s;
  return options;
}

/// Short limits, for the tests in which a server is silent.
smtp_options impatient_options(std::uint16_t port) {
  auto options = plain_options(port);
  options.connect_timeout = 500ms;
  options.response_timeout = 500ms;
  options.final_answer_timeout = 500ms;
  return options;
}

outgoing_mail some_mail() {
  return {.message_id = "0198c0de.invitation.3@acme.example",
          .from_address = "jobs@acme.example",
          .from_name = "Acme Jobs",
          .to_address = "ada@example.org",
          .to_name = "Ada Lovelace",
          .subject = "Your interview",
          .text = "Hello Ada,\n\nhttps://acme.example/i#token\n",
          .html = "<p>Hello Ada</p>\n",
          .language = "en"};
}

std::vector<fs::path> mails_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".eml") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// A mail as Python's parser reads it.
struct read_mail {
  boost::json::object all;

  explicit read_mail(const fs::path& path) {
    child_process reader({python, tests + "/smtp_server.py", "--decode", path.string()});
    all = boost::json::parse(reader.read_all()).as_object();
    REQUIRE(reader.wait() == 0);
  }
  std::string header(std::string_view name) const {
    std::string value;
    for (const auto& row : all.at("headers").as_array()) {
      if (row.at(0).as_string() != name) continue;
      REQUIRE(value.empty());  // each header once
      value = row.at(1).as_string();
    }
    return value;
  }
  std::string text(std::string_view member) const { return std::string(all.at(member).as_string()); }
  std::string part(std::string_view type) const { return std::string(all.at("parts").at(type).as_string()); }
  std::string encoding(std::string_view type) const { return std::string(all.at("encodings").at(type).as_string()); }
};

/// Keys and certificates, made once by the openssl command.
class certificates {
 public:
  certificates() {
    authority("ca");
    authority("other_ca");
    signed_by_ca("good", "DNS:localhost,IP:127.0.0.1", "2");
    signed_by_ca("wrong_host", "DNS:elsewhere.example,IP:127.0.0.2", "2");
    signed_by_ca("expired", "DNS:localhost,IP:127.0.0.1", "-1");
    authority("self_signed");
  }
  std::string file(std::string_view name) const { return (folder_.path / name).string(); }
  /// The options with which a server shows this certificate.
  std::vector<std::string> of(const std::string& name, const std::string& tls) const {
    return {"--tls", tls, "--cert", file(name + ".pem"), "--key", file(name + ".key")};
  }

 private:
  void openssl(std::vector<std::string> argv) {
    argv.insert(argv.begin(), "openssl");
    child_process process(argv);
    const std::string said = process.read_all();
    if (process.wait() != 0) throw std::runtime_error("openssl failed: " + said);
  }
  std::vector<std::string> new_key(const std::string& name) {
    return {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file(name + ".key")};
  }
  void authority(const std::string& name) {
    std::vector<std::string> argv{"req",     "-x509",
                                  "-days",   "2",
                                  "-subj",   "/CN=" + name,
                                  "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                                  "-out",    file(name + ".pem")};
    const auto key = new_key(name);
    argv.insert(argv.end(), key.begin(), key.end());
    openssl(argv);
  }
  void signed_by_ca(const std::string& name, const std::string& hosts, const std::string& days) {
    std::vector<std::string> argv{
        "req", "-subj", "/CN=" + name, "-addext", "subjectAltName=" + hosts, "-out", file(name + ".csr")};
    const auto key = new_key(name);
    argv.insert(argv.end(), key.begin(), key.end());
    openssl(argv);
    openssl({"x509", "-req", "-in", file(name + ".csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key"),
             "-copy_extensions", "copy", "-days", days, "-out", file(name + ".pem")});
  }

  scratch_folder folder_;
};

const certificates& certs() {
  static const certificates made;
  return made;
}

delivery send_once(const smtp_options& options, const outgoing_mail& mail = some_mail()) {
  return open_smtp_mailer(options).value()->send(mail);
}

}  // namespace

TEST_CASE("a mail arrives as it was meant", "[smtp]") {
  scratch_folder folder;
  auto at = good_server(folder.path);
  auto options = plain_options(at.port);
  manual_clock clock(sys_seconds{seconds{1772550000}});
  options.clock = &clock;
  auto mail = some_mail();
  mail.to_name = "Zoë \"Z\" Müller-Lüdenscheidt von und zu Hohenschönhausen am See 漢字";
  mail.from_name = "Acme \"Jobs\" \\ Co";
  mail.subject = "Ihr Interview für „Backend – Technik“ rückt näher: bitte beginnen Sie bis zum nächsten Freitag 🚀";
  for (int n = 0; n < 50; ++n) mail.subject += "ü";  // a character must not be parted where a word is full
  mail.text = "Grüße\n.\n..dots\n\nhttps://acme.example/i#" + std::string(1500, 'x') + "\n";
  mail.html = "<p>plain</p>\n<p>second</p>\n";
  mail.language = "de-AT";
  const auto sent = send_once(options, mail);
  INFO(sent.answer);
  REQUIRE(sent.outcome == delivery_outcome::accepted);
  CHECK(sent.code == 250);
  CHECK(sent.answer == "250 2.0.0 kept as 000001.eml");

  const auto kept = mails_in(folder.path);
  REQUIRE(kept.size() == 1);
  const read_mail got(kept[0]);
  CHECK(got.header("X-MailFrom") == mail.from_address);
  CHECK(got.header("X-RcptTo") == mail.to_address);
  CHECK(got.header("Subject") == mail.subject);
  CHECK(got.text("to_name") == mail.to_name);
  CHECK(got.text("from_name") == mail.from_name);
  CHECK(got.header("To").ends_with("<ada@example.org>"));
  CHECK(got.header("Message-ID") == "<" + mail.message_id + ">");
  CHECK(got.header("Date") == "Tue, 03 Mar 2026 15:00:00 +0000");
  CHECK(got.header("Auto-Submitted") == "auto-generated");
  CHECK(got.header("Content-Language") == "de-AT");
  CHECK(got.header("MIME-Version") == "1.0");
  CHECK(got.text("type") == "multipart/alternative");
  CHECK(got.part("text/plain") == mail.text);
  CHECK(got.part("text/html") == mail.html);
  CHECK(got.encoding("text/plain") == "base64");
  CHECK(got.encoding("text/html") == "7bit");
  CHECK(got.all.at("defects").as_array().empty());
  CHECK(got.all.at("longest_line").as_int64() <= 78);
  CHECK(got.all.at("bare_line_ends").as_int64() == 0);
}

TEST_CASE("a mail of ASCII text alone stays readable", "[smtp]") {
  scratch_folder folder;
  auto at = good_server(folder.path);
  auto mail = some_mail();
  mail.html.clear();
  mail.language.clear();
  mail.to_name.clear();
  REQUIRE(send_once(plain_options(at.port), mail).outcome == delivery_outcome::accepted);
  const read_mail got(mails_in(folder.path).at(0));
  CHECK(got.part("text/plain") == mail.text);
  CHECK(got.encoding("text/plain") == "7bit");
  CHECK(got.header("To") == "ada@example.org");
  CHECK(got.header("Content-Language").empty());
  CHECK(got.all.at("parts").as_object().size() == 1);
}

TEST_CASE("lines that begin with a dot, empty and huge bodies survive", "[smtp]") {
  scratch_folder folder;
  auto at = good_server(folder.path);
  auto mailer = open_smtp_mailer(plain_options(at.port)).value();
  auto mail = some_mail();
  mail.html.clear();
  std::vector<std::string> bodies{".\n", ".hidden\n..\n", "a\n.\nb\n", "", "x", "tab\there\n", "\n\n\n"};
  std::string huge;
  while (huge.size() < 3'000'000) huge += "A line of no importance, number " + std::to_string(huge.size()) + ".\n.\n";
  bodies.push_back(huge);
  for (const auto& body : bodies) {
    mail.text = body;
    const auto sent = mailer->send(mail);
    INFO(sent.answer);
    REQUIRE(sent.outcome == delivery_outcome::accepted);
  }
  const auto kept = mails_in(folder.path);
  REQUIRE(kept.size() == bodies.size());
  for (std::size_t n = 0; n < bodies.size(); ++n) CHECK(read_mail(kept[n]).part("text/plain") == bodies[n]);
}

TEST_CASE("a mail that would forge a header or a command is refused for good", "[smtp]") {
  scratch_folder folder;
  auto at = good_server(folder.path);
  auto mailer = open_smtp_mailer(plain_options(at.port)).value();
  const std::string evil = "Ada\r\nBcc: x@y.example";
  std::vector<outgoing_mail> mails;
  const auto with = [&](std::string outgoing_mail::* field, const std::string& value) {
    auto mail = some_mail();
    mail.*field = value;
    mails.push_back(mail);
  };
  for (const auto field :
       {&outgoing_mail::message_id, &outgoing_mail::from_address, &outgoing_mail::from_name, &outgoing_mail::to_address,
        &outgoing_mail::to_name, &outgoing_mail::subject, &outgoing_mail::language}) {
    with(field, evil);
    with(field, std::string("nul\0nul@example.org", 19));
    with(field, "not utf-8 \xff@example.org");
  }
  with(&outgoing_mail::to_address, "");
  with(&outgoing_mail::to_address, "nobody");
  with(&outgoing_mail::to_address, "a@b> SIZE=1");
  with(&outgoing_mail::to_address, std::string(300, 'a') + "@example.org");
  with(&outgoing_mail::message_id, "");
  with(&outgoing_mail::message_id, "a> b");
  with(&outgoing_mail::text, std::string("nul\0", 4));
  with(&outgoing_mail::html, "\xc3(");
  for (const auto& mail : mails) {
    const auto sent = mailer->send(mail);
    CHECK(sent.outcome == delivery_outcome::permanent);
    CHECK(sent.code == 0);
    CHECK(sent.answer.starts_with("not sent: "));
  }
  CHECK(mails_in(folder.path).empty());
}

TEST_CASE("connections are kept, one to a concurrent call", "[smtp][concurrent]") {
  scratch_folder folder;
  auto at = good_server(folder.path);
  constexpr int threads = 4;
  constexpr int each = 25;
  auto options = plain_options(at.port);
  options.max_idle_connections = threads;
  auto mailer = open_smtp_mailer(options).value();
  std::atomic<int> accepted{0};
  std::vector<std::thread> workers;
  for (int worker = 0; worker < threads; ++worker)
    workers.emplace_back([&, worker] {
      for (int n = 0; n < each; ++n) {
        auto mail = some_mail();
        mail.message_id = std::to_string(worker) + "." + std::to_string(n) + "@acme.example";
        mail.text = "for " + mail.message_id + "\n";
        if (mailer->send(mail).outcome == delivery_outcome::accepted) ++accepted;
      }
    });
  for (auto& worker : workers) worker.join();
  CHECK(accepted == threads * each);
  // The server's own count: the address of the client that brought each mail.
  std::set<std::string> peers;
  std::set<std::string> ids;
  for (const auto& path : mails_in(folder.path)) {
    std::ifstream file(path);
    std::string line;
    std::string id;
    bool body_is_its_own = false;
    while (std::getline(file, line)) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (line.starts_with("X-Peer: ")) peers.insert(line);
      if (line.starts_with("Message-ID: <")) id = line.substr(13, line.size() - 14);
      if (!id.empty() && line == "for " + id) body_is_its_own = true;
    }
    CHECK(body_is_its_own);
    ids.insert(id);
  }
  CHECK(ids.size() == threads * each);
  CHECK(peers.size() <= threads);
}

TEST_CASE("TLS and AUTH are used as told, and a certificate must verify", "[smtp]") {
  scratch_folder folder;
  for (const auto& [word, security] :
       {std::pair{"starttls", smtp_security::starttls}, {"implicit", smtp_security::implicit_tls}}) {
    INFO(word);
    auto options = plain_options(0);
    options.security = security;
    options.host = "localhost";
    options.ca_file = certs().file("ca.pem");
    {
      auto argv = certs().of("good", word);
      if (security == smtp_security::starttls) argv.insert(argv.end(), {"--user", "acme", "--password", "s3cret-word"});
      auto at = good_server(folder.path, argv);
      options.port = at.port;
      if (security == smtp_security::starttls) {
        options.username = "acme";
        options.password = "s3cret-word";
      }
      auto mailer = open_smtp_mailer(options).value();
      for (int n = 0; n < 3; ++n) {
        const auto sent = mailer->send(some_mail());
        INFO(sent.answer);
        CHECK(sent.outcome == delivery_outcome::accepted);
      }
      if (security == smtp_security::starttls) {
        // A wrong password is a fault of the configuration, not of the mail.
        options.password = "wrong-word";
        const auto refused = send_once(options);
        INFO(refused.answer);
        CHECK(refused.outcome == delivery_outcome::temporary);
        CHECK(refused.code == 535);
        CHECK(refused.answer.find("wrong-word") == std::string::npos);
        // So is none at all: the server then answers 530 to MAIL.
        options.username.clear();
        options.password.clear();
        const auto unknown = send_once(options);
        CHECK(unknown.outcome == delivery_outcome::temporary);
        CHECK(unknown.code == 530);
      }
      options.host = "127.0.0.1";
      options.ca_file = certs().file("other_ca.pem");
      const auto sent = send_once(options);
      INFO(sent.answer);
      CHECK(sent.outcome == delivery_outcome::temporary);
      CHECK(sent.code == 0);
      CHECK(sent.answer.find("ertificate") != std::string::npos);
      options.ca_file.clear();  // the system's authorities do not know it either
      CHECK(send_once(options).outcome == delivery_outcome::temporary);
    }
    options.ca_file = certs().file("ca.pem");
    for (const std::string name : {"wrong_host", "expired", "self_signed"}) {
      INFO(name);
      auto at = good_server(folder.path, certs().of(name, word));
      options.port = at.port;
      const auto sent = send_once(options);
      INFO(sent.answer);
      CHECK(sent.outcome == delivery_outcome::temporary);
      CHECK(sent.code == 0);
    }
  }
  CHECK(mails_in(folder.path).size() == 6);
}

TEST_CASE("without STARTTLS on offer nothing is sent, unless plaintext was asked for", "[smtp]") {
  scratch_folder folder;
  auto at = good_server(folder.path);
  auto options = plain_options(at.port);
  options.security = smtp_security::starttls;
  const auto sent = send_once(options);
  CHECK(sent.outcome == delivery_outcome::temporary);
  CHECK(sent.answer.find("STARTTLS") != std::string::npos);
  CHECK(mails_in(folder.path).empty());
  CHECK(send_once(plain_options(at.port)).outcome == delivery_outcome::accepted);
  CHECK(mails_in(folder.path).size() == 1);
}

TEST_CASE("refusals at each step are told apart", "[smtp]") {
  struct row {
    std::string fault;
    delivery_outcome outcome;
    int code;
  };
  constexpr auto temporary = delivery_outcome::temporary;
  constexpr auto permanent = delivery_outcome::permanent;
  constexpr auto ambiguous = delivery_outcome::ambiguous;
  const std::vector<row> rows{
      // To the session: never for good, whatever the number.
      {"greeting:drop=421 too busy", temporary, 421},
      {"greeting:drop=554 no service", temporary, 554},
      {"ehlo:drop=421 too busy", temporary, 421},
      {"ehlo:drop=550 who are you", temporary, 550},
      // To the mail.
      {"mail:reply=451 4.3.0 later", temporary, 451},
      {"mail:reply=550 5.7.1 not you", permanent, 550},
      {"mail:reply=530 5.7.0 log in first", temporary, 530},
      {"rcpt:reply=450 4.2.0 greylisted", temporary, 450},
      {"rcpt:reply=550 5.1.1 no such user", permanent, 550},
      {"rcpt:reply=550-5.1.1 no\\n550 5.1.1 such user", permanent, 550},
      {"data:reply=452 4.3.1 full", temporary, 452},
      {"data:reply=554 5.5.1 no", permanent, 554},
      {"data:reply=250 what is that", temporary, 0},
      {"dot:reply=452 4.3.1 full", temporary, 452},
      {"dot:reply=554 5.6.0 content refused", permanent, 554},
      {"dot:reply=552-5.3.4 much\\n552 5.3.4 too much", permanent, 552},
      {"dot:drop=421 4.3.2 going down", temporary, 421},
      {"dot:drop=550 5.7.1 go away", permanent, 550},
      // 2yz is acceptance, whatever stands behind the 2.
      {"dot:reply=251 forwarded", delivery_outcome::accepted, 251},
      {"dot:drop=250 taken", delivery_outcome::accepted, 250},
      {"dot:reply=354 once more", ambiguous, 354},
      // Cut.
      {"greeting:cut", temporary, 0},
      {"ehlo:cut", temporary, 0},
      {"mail:cut", temporary, 0},
      {"rcpt:cut", temporary, 0},
      {"data:cut", temporary, 0},
      {"dot:cut", ambiguous, 0},
  };
  for (const auto& row : rows) {
    INFO(row.fault);
    auto at = faulty_server({row.fault});
    const auto sent = send_once(plain_options(at.port));
    INFO(sent.answer);
    CHECK(sent.outcome == row.outcome);
    CHECK(sent.code == row.code);
    CHECK_FALSE(sent.answer.empty());
  }
}

TEST_CASE("refusals of STARTTLS and AUTH concern the session", "[smtp]") {
  auto options = plain_options(0);
  options.security = smtp_security::starttls;
  options.ca_file = certs().file("ca.pem");
  options.username = "acme";
  options.password = "s3cret-word";
  const auto run = [&](const std::string& fault) {
    auto argv = certs().of("good", "starttls");
    argv.insert(argv.end(), {"--auth", fault});
    auto at = faulty_server(argv);
    options.port = at.port;
    return send_once(options);
  };
  for (const std::string fault :
       {"starttls:reply=454 4.7.0 not now", "starttls:reply=501 5.5.4 no", "starttls:cut", "auth:reply=454 4.7.0 later",
        "auth:reply=535 5.7.8 you are s3cret-word, no", "auth:cut"}) {
    INFO(fault);
    const auto sent = run(fault);
    INFO(sent.answer);
    CHECK(sent.outcome == delivery_outcome::temporary);
    CHECK_FALSE(sent.answer.empty());
    CHECK(sent.answer.find("s3cret-word") == std::string::npos);
  }
  CHECK(run("nothing:cut").outcome == delivery_outcome::accepted);
  CHECK(run("dot:cut").outcome == delivery_outcome::ambiguous);
}

TEST_CASE("silence at each step ends in time", "[smtp][concurrent]") {
  struct row {
    std::string fault;
    delivery_outcome outcome;
  };
  const std::vector<row> rows{
      {"greeting:silent", delivery_outcome::temporary},
      {"ehlo:silent", delivery_outcome::temporary},
      {"mail:silent", delivery_outcome::temporary},
      {"rcpt:silent", delivery_outcome::temporary},
      {"data:silent", delivery_outcome::temporary},
      {"dot:silent", delivery_outcome::ambiguous},
      {"mail:reply=what?", delivery_outcome::temporary},
      {"dot:reply=what?", delivery_outcome::ambiguous},
      {"greeting:reply=\x01\xff", delivery_outcome::temporary},
      {"mail:reply=25", delivery_outcome::temporary},
      {"dot:reply=250-taken", delivery_outcome::ambiguous},
  };
  std::vector<server> servers;
  for (const auto& row : rows) servers.push_back(faulty_server({row.fault}));
  std::vector<delivery> got(rows.size());
  std::vector<std::chrono::milliseconds> took(rows.size());
  std::vector<std::thread> waiting;
  for (std::size_t n = 0; n < rows.size(); ++n)
    waiting.emplace_back([&, n] {
      const auto start = std::chrono::steady_clock::now();
      // Only the limit that is meant is short; libcurl's own would come a minute later.
      auto options = impatient_options(servers[n].port);
      (rows[n].fault.starts_with("dot") ? options.response_timeout : options.final_answer_timeout) = 60s;
      got[n] = send_once(options);
      took[n] = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    });
  for (auto& thread : waiting) thread.join();
  for (std::size_t n = 0; n < rows.size(); ++n) {
    INFO(rows[n].fault << ": " << got[n].answer << " after " << took[n].count() << " ms");
    CHECK(got[n].outcome == rows[n].outcome);
    CHECK(got[n].code == 0);
    CHECK(took[n] < 20s);  // generous: the limit is half a second
  }
}

TEST_CASE("the wait for the last answer has a limit of its own", "[smtp]") {
  // The server answers the final dot only after the limit of the other answers is long over.
  auto at = faulty_server({"dot:late=3"});
  auto options = impatient_options(at.port);
  options.final_answer_timeout = 60s;
  const auto sent = send_once(options);
  INFO(sent.answer);
  CHECK(sent.outcome == delivery_outcome::accepted);
}

TEST_CASE("a mail cut before its final dot is tried again", "[smtp]") {
  auto mail = some_mail();
  mail.text.assign(8'000'000, 'x');  // more than the kernel takes in advance
  for (std::size_t n = 70; n < mail.text.size(); n += 71) mail.text[n] = '\n';
  for (const std::string fault : {"body:cut", "body:reset"}) {
    INFO(fault);
    auto at = faulty_server({fault});
    const auto sent = send_once(plain_options(at.port), mail);
    INFO(sent.answer);
    CHECK(sent.outcome == delivery_outcome::temporary);
  }
  auto at = faulty_server({"body:silent"});
  const auto sent = send_once(impatient_options(at.port), mail);
  INFO(sent.answer);
  CHECK(sent.outcome == delivery_outcome::temporary);
}

TEST_CASE("a kept connection that died is replaced at once", "[smtp]") {
  SECTION("closed by a server that tired of it") {
    scratch_folder folder;
    auto at = good_server(folder.path, {"--idle-timeout", "0.2"});
    auto mailer = open_smtp_mailer(plain_options(at.port)).value();
    for (int n = 0; n < 3; ++n) {
      CHECK(mailer->send(some_mail()).outcome == delivery_outcome::accepted);
      std::this_thread::sleep_for(500ms);
    }
    CHECK(mails_in(folder.path).size() == 3);
  }
  SECTION("cut, or refused with 421, at the moment of the next MAIL") {
    for (const std::string fault :
         {"again@1:cut", "again@1:drop=421 4.4.2 idle too long", "idle@1:cut", "idle@1:drop=421 4.4.2 idle too long"}) {
      INFO(fault);
      auto at = faulty_server({fault});
      auto mailer = open_smtp_mailer(plain_options(at.port)).value();
      for (int n = 0; n < 3; ++n) {
        const auto sent = mailer->send(some_mail());
        INFO(sent.answer);
        CHECK(sent.outcome == delivery_outcome::accepted);
      }
    }
  }
  SECTION("but only once, and never after a refusal of the mail") {
    auto at = faulty_server({"again@1:cut", "greeting@2:drop=421 down", "again@3:reply=550 5.7.1 enough"});
    auto mailer = open_smtp_mailer(plain_options(at.port)).value();
    CHECK(mailer->send(some_mail()).outcome == delivery_outcome::accepted);
    const auto down = mailer->send(some_mail());
    CHECK(down.outcome == delivery_outcome::temporary);
    CHECK(down.code == 421);
    CHECK(mailer->send(some_mail()).outcome == delivery_outcome::accepted);
    CHECK(mailer->send(some_mail()).outcome == delivery_outcome::permanent);
    mailer.reset();
    std::set<std::string> seen;
    for (int n = 0; n < 3; ++n) seen.insert(at.process.read_line().value_or("").substr(0, 13));
    CHECK(seen == std::set<std::string>{"connection 1:", "connection 2:", "connection 3:"});
    at.process.close_input();
    CHECK(at.process.read_all().empty());
  }
}

TEST_CASE("the child of a fork leaves its parent's connections alone", "[smtp]") {
  auto at = faulty_server({});
  auto mailer = open_smtp_mailer(plain_options(at.port)).value();
  REQUIRE(mailer->send(some_mail()).outcome == delivery_outcome::accepted);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto sent = mailer->send(some_mail());
    mailer.reset();  // without a word either
    const bool told = sent.answer.find("fork") != std::string::npos;
    ::_exit(told && sent.outcome == delivery_outcome::temporary ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(mailer->send(some_mail()).outcome == delivery_outcome::accepted);
  mailer.reset();
  CHECK(at.process.read_line().value_or("").starts_with("connection 1:"));
  at.process.close_input();
  CHECK(at.process.read_all().empty());
}

TEST_CASE("nobody listens, or nobody can be found", "[smtp]") {
  std::uint16_t port = 0;
  {
    auto at = faulty_server({});
    port = at.port;
  }
  const auto sent = send_once(plain_options(port));
  CHECK(sent.outcome == delivery_outcome::temporary);
  CHECK(sent.code == 0);
  CHECK_FALSE(sent.answer.empty());
  auto options = plain_options(port);
  options.host = "no-such-host.invalid";
  CHECK(send_once(options).outcome == delivery_outcome::temporary);
}

TEST_CASE("an answer keeps no link, no password and no control character", "[smtp]") {
  auto at = faulty_server({"dot:reply=554 bad link https://acme.example/i#token \x02 in " + std::string(80, 'e')});
  const auto sent = send_once(plain_options(at.port));
  CHECK(sent.answer == "554 bad link [...]   in [...]");
}

TEST_CASE("a mailer is left in time, even if the server does not say goodbye", "[smtp]") {
  auto at = faulty_server({"quit:silent"});
  const auto start = std::chrono::steady_clock::now();
  {
    auto options = plain_options(at.port);
    options.final_answer_timeout = 600s;
    auto mailer = open_smtp_mailer(options).value();
    CHECK(mailer->send(some_mail()).outcome == delivery_outcome::accepted);
  }
  CHECK(std::chrono::steady_clock::now() - start < 30s);  // the longest wait of the options is 10 minutes
  CHECK(at.process.read_line().value_or("").ends_with("dot quit"));
}

TEST_CASE("unusable options are refused with a reason", "[smtp]") {
  const auto refused = [](auto change) {
    auto options = plain_options(25);
    change(options);
    const auto opened = open_smtp_mailer(options);
    return opened ? std::string() : std::string(to_string(opened.error().code)) + ": " + opened.error().message;
  };
  CHECK(refused([](smtp_options&) {}).empty());
  CHECK(refused([](smtp_options& o) { o.host = "::1"; }).empty());
  const std::string bad = "invalid_argument: smtp: ";
  CHECK(refused([](smtp_options& o) { o.host = ""; }).starts_with(bad + "host"));
  CHECK(refused([](smtp_options& o) { o.host = "a/b@c"; }).starts_with(bad + "host"));
  CHECK(refused([](smtp_options& o) { o.host = "a\r\nb"; }).starts_with(bad + "host"));
  CHECK(refused([](smtp_options& o) { o.host = std::string(256, 'a'); }).starts_with("too_large"));
  CHECK(refused([](smtp_options& o) { o.port = 0; }).starts_with(bad + "port"));
  CHECK(refused([](smtp_options& o) { o.security = static_cast<smtp_security>(9); }).starts_with(bad + "there"));
  CHECK(refused([](smtp_options& o) { o.helo_name = "a b"; }).starts_with(bad + "helo_name"));
  CHECK(refused([](smtp_options& o) { o.username = "u"; }).starts_with(bad + "username"));
  CHECK(refused([](smtp_options& o) { o.password = "p"; }).starts_with(bad + "username"));
  CHECK(refused([](smtp_options& o) { o.username = o.password = "p"; }).starts_with(bad + "a password"));
  CHECK(refused([](smtp_options& o) { o.ca_file = "/no/such/file"; }).starts_with(bad + "ca_file"));
  CHECK(refused([](smtp_options& o) { o.ca_file = "/tmp"; }).starts_with(bad + "ca_file"));
  CHECK(refused([](smtp_options& o) { o.connect_timeout = 0ms; }).starts_with(bad + "connect_timeout"));
  CHECK(refused([](smtp_options& o) { o.response_timeout = -1ms; }).starts_with(bad + "response_timeout"));
  CHECK(refused([](smtp_options& o) {
          o.final_answer_timeout = std::chrono::milliseconds::max();
        }).starts_with(bad + "final_answer_timeout"));
  CHECK(refused([](smtp_options& o) { o.max_idle_age = 0s; }).starts_with(bad + "max_idle_age"));
  CHECK(refused([](smtp_options& o) { o.max_idle_connections = 5000; }).starts_with(bad + "max_idle_connections"));
}
