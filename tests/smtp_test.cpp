// The SMTP mailer and a server that behaves: what arrives, over which connections, and how they are secured.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "support/smtp_servers.hpp"

using namespace hirenow;
using namespace hirenow::smtp_test;
using namespace std::chrono_literals;

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

TEST_CASE("an address beyond ASCII goes to a server that offers SMTPUTF8, and to no other", "[smtp]") {
  scratch_folder folder;
  for (const std::string address : {"müller@example.org", "ada@bücher.example"}) {
    auto mail = some_mail();
    mail.to_address = address;
    {
      auto at = good_server(folder.path);
      const auto sent = send_once(plain_options(at.port), mail);
      INFO(sent.answer);
      REQUIRE(sent.outcome == delivery_outcome::accepted);
    }
    const auto kept = mails_in(folder.path);
    std::ifstream file(kept.back());
    const std::string all((std::istreambuf_iterator<char>(file)), {});
    CHECK(all.find("X-RcptTo: " + address + "\r\n") != std::string::npos);
    CHECK(all.find("<" + address + ">\r\n") != std::string::npos);

    auto at = good_server(folder.path, {"--ascii"});
    const auto refused = send_once(plain_options(at.port), mail);
    CHECK(refused.outcome == delivery_outcome::permanent);
    CHECK(refused.code == 0);
    CHECK(refused.answer.starts_with("not sent: "));
    CHECK(mails_in(folder.path).size() == kept.size());
  }
}

TEST_CASE("connections are kept, one to a concurrent call", "[smtp][concurrent]") {
  scratch_folder folder;
  std::vector<std::string> how;
  if (GENERATE(true, false)) how.push_back("--pipelining");
  auto at = good_server(folder.path, how);
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
