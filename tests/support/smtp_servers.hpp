#pragma once
/// The servers that the SMTP mailer is tested against, on loopback: one that behaves (aiosmtpd) and one that misbehaves as
/// told. What arrived is judged by Python's own mail parser.

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

namespace hirenow::smtp_test {

namespace fs = std::filesystem;
using namespace hirenow;
using namespace std::chrono_literals;
using hirenow::testing::child_process;

inline const std::string python = "/usr/bin/python3";
inline const std::string tests = std::string(HIRENOW_SOURCE_DIR) + "/tests";

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

inline server good_server(const fs::path& folder, std::vector<std::string> more = {}) {
  std::vector<std::string> argv{python, tests + "/smtp_server.py", folder.string(), "--until-eof"};
  argv.insert(argv.end(), more.begin(), more.end());
  return server(argv);
}

inline server faulty_server(std::vector<std::string> faults) {
  faults.insert(faults.begin(), {python, tests + "/smtp_faults.py"});
  return server(faults);
}

inline smtp_options plain_options(std::uint16_t port) {
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
inline smtp_options impatient_options(std::uint16_t port) {
  auto options = plain_options(port);
  options.connect_timeout = 500ms;
  options.response_timeout = 500ms;
  options.final_answer_timeout = 500ms;
  return options;
}

inline outgoing_mail some_mail() {
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

inline std::vector<fs::path> mails_in(const fs::path& folder) {
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

inline const certificates& certs() {
  static const certificates made;
  return made;
}

inline delivery send_once(const smtp_options& options, const outgoing_mail& mail = some_mail()) {
  return open_smtp_mailer(options).value()->send(mail);
}

}  // namespace hirenow::smtp_test
