#pragma once
/// What the campaigns share. A campaign lets processes work on one PostgreSQL, does them harm at random, and has the
/// outcome judged from outside: by a journal of what the callers were told, by the mail server's files, and by plain
/// SQL. Each has a defect that it must find (crash/planted.hpp).

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "crash/mail_folder.hpp"
#include "crash/postgres_oracle.hpp"
#include "crash/world.hpp"
#include "hirenow/adapters/postgres.hpp"
#include "hirenow/adapters/smtp.hpp"
#include "support/child_process.hpp"
#include "support/postgres.hpp"
#include "support/temporary_folder.hpp"

namespace campaign {

using namespace crash;
using hirenow::interview_id;
using hirenow::outcome;
using hirenow::test::fresh_schema;
using hirenow::test::plain_postgres;
using hirenow::test::temporary_folder;
using steady = std::chrono::steady_clock;

/// What a run is told.
struct plan {
  bool full = false;     ///< the long campaign
  bool planted = false;  ///< a defect is planted: it is found soon or never
  std::uint64_t seed = 0;
};

/// Counts what held and what did not.
class verdicts {
 public:
  void check(bool good, const std::string& where, const std::string& what) {
    ++checks_;
    if (good) return;
    if (++failures_ <= 20) std::cout << "  BROKEN in " << where << ": " << what << std::endl;
  }
  int checks() const { return checks_; }
  int failures() const { return failures_; }

 private:
  int checks_ = 0, failures_ = 0;
};

/// A file to which many processes add whole lines; what was written survives the writer.
class journal {
 public:
  explicit journal(const std::filesystem::path& path)
      : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)), path_(path) {
    if (file_ < 0) throw std::runtime_error("no journal");
  }
  ~journal() { ::close(file_); }
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  void write(const std::string& words) const {
    const std::string line = words + "\n";
    if (::write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(9);
  }
  /// Every line, as words.
  std::vector<std::vector<std::string>> lines() const {
    std::vector<std::vector<std::string>> all;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) {
      std::vector<std::string> words;
      for (std::size_t at = 0; at <= line.size();) {
        const auto end = std::min(line.find(' ', at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end + 1;
      }
      all.push_back(std::move(words));
    }
    return all;
  }

 private:
  int file_;
  std::filesystem::path path_;
};

/// A mail server on loopback that keeps what it accepts.
class mail_sink {
 public:
  explicit mail_sink(const std::filesystem::path& folder)
      : folder_(folder),
        server_({"/usr/bin/python3", HIRENOW_SOURCE_DIR "/tests/smtp_server.py", folder.string(), "--until-eof"}) {
    const auto line = server_.read_line();
    if (!line || !line->starts_with("port ")) throw std::runtime_error("the mail server did not start");
    port_ = static_cast<std::uint16_t>(std::stoi(line->substr(5)));
  }
  std::unique_ptr<hirenow::mailer> mailer() const {
    hirenow::smtp_options options;
    options.host = "127.0.0.1";
    options.port = port_;
    options.security = hirenow::smtp_security::plaintext;
    return must(hirenow::open_smtp_mailer(std::move(options)));
  }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
  hirenow::testing::child_process server_;
  std::uint16_t port_ = 0;
};

inline const hirenow::system_clock& real_clock() {
  static const hirenow::system_clock clock;
  return clock;
}

/// A node of the host's: an engine over a store of its own, by the real clock.
struct node {
  node(const std::string& url, const std::string& schema, std::size_t connections = 2,
       std::chrono::milliseconds patience = std::chrono::seconds(10))
      : w(must(hirenow::open_postgres_store(
              url,
              {.schema = schema, .connections = connections, .connect_timeout = patience, .call_timeout = patience})),
          day_one, &real_clock()) {}
  world w;
};

/// The Message-ID that a row of the outbox is sent under: interview, kind and occasion.
inline std::string message_id_of(const std::string& hex, int kind, const std::string& occasion) {
  const std::string id = hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) +
                         "-" + hex.substr(20);
  return id + "." + std::string(to_string(static_cast<hirenow::message_kind>(kind))) + "." + occasion + "@acme.example";
}

/// The Message-IDs of a schema's messages in these states.
inline std::set<std::string> message_ids(const oracle::database& sql, const std::string& states) {
  std::set<std::string> all;
  for (const auto& row :
       sql.rows("SELECT encode(interview, 'hex'), kind, occasion FROM hirenow_outbox WHERE state IN (" + states + ")"))
    all.insert(message_id_of(row[0], std::stoi(row[1]), row[2]));
  return all;
}

/// A process of the campaign's. It ends with `act`, or by whatever is done to it.
inline pid_t fork_and(const std::function<void()>& act) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child > 0) return child;
  try {
    act();
  } catch (const std::exception& e) {
    std::cerr << "  a process ended: " << e.what() << std::endl;
    ::_exit(1);
  }
  ::_exit(0);
}
/// Its end. Returns the exit status as a shell has it.
inline int await(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// The campaigns. Each returns when all is judged.
void kills(const plan& how, verdicts& v);
void stops(const plan& how, verdicts& v);
void cuts(const plan& how, verdicts& v);
void zombies(const plan& how, verdicts& v);
void crowd(const plan& how, verdicts& v);
void backlog(const plan& how, verdicts& v);

}  // namespace campaign
