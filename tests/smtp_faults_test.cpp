// The SMTP mailer and servers that refuse, fall silent, cut and die: what each of these is called.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch_test_macros.hpp>

#include "support/smtp_servers.hpp"

using namespace hirenow;
using namespace hirenow::smtp_test;
using namespace std::chrono_literals;

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
  for (const auto& row : rows)
    for (const bool together : {true, false}) {
      INFO(row.fault << (together ? "" : ", commands one by one"));
      auto at = together ? faulty_server({row.fault}) : faulty_server({"--one-by-one", row.fault});
      const auto sent = send_once(plain_options(at.port));
      INFO(sent.answer);
      CHECK(sent.outcome == row.outcome);
      CHECK(sent.code == row.code);
      CHECK_FALSE(sent.answer.empty());
    }
}

TEST_CASE("of commands that went out together the first refusal counts, and nothing is handed over", "[smtp]") {
  scratch_folder folder;
  const auto send_to = [&](std::vector<std::string> faults) {
    faults.insert(faults.begin(), {"--keep", folder.path.string()});
    auto at = faulty_server(faults);
    const auto sent = send_once(plain_options(at.port));
    INFO(sent.answer);
    CHECK(at.process.read_line().value_or("").find(" dot") == std::string::npos);
    return std::pair{sent.outcome, sent.code};
  };
  using enum delivery_outcome;
  CHECK(send_to({"mail:reply=451 later", "rcpt:reply=503 no sender", "data:reply=554 no"}) ==
        std::pair{temporary, 451});
  CHECK(send_to({"rcpt:reply=550 unknown", "data:reply=503 no recipient"}) == std::pair{permanent, 550});
  CHECK(send_to({"rcpt:reply=550 unknown", "data:drop=421 enough"}) == std::pair{permanent, 550});
  // A server that wants the text all the same does not get it.
  CHECK(send_to({"rcpt:reply=550 unknown"}) == std::pair{permanent, 550});
  CHECK(send_to({"rcpt:reply=550 unknown", "data:cut"}) == std::pair{permanent, 550});
  // One that says more than it was asked is not to be understood.
  CHECK(send_to({"data:reply=354 go on\\n354 go on"}) == std::pair{temporary, 0});
  CHECK(mails_in(folder.path).empty());
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
      // Something comes all the time, and a reply never.
      {"mail:drip=250 " + std::string(100, 'x'), delivery_outcome::temporary},
      {"dot:drip=250 " + std::string(100, 'x'), delivery_outcome::ambiguous},
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
