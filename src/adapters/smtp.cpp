/// The SMTP mailer: checks a mail, writes it, and sends it through a session of its own (smtp_session.hpp).

#include "hirenow/adapters/smtp.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include "hirenow/crypto.hpp"
#include "hirenow/limits.hpp"
#include "smtp_mime.hpp"
#include "smtp_session.hpp"

namespace hirenow {
namespace {

using detail::most_answer_bytes;
using detail::smtp_session;
using std::chrono::milliseconds;

/// A reply as it may be kept and logged: the password, and what may be a link or a token that the server quoted from
/// the mail, are left out; no control characters.
std::string without_secrets(std::string_view answer, std::string_view password) {
  std::string text(answer);
  for (auto at = password.empty() ? std::string::npos : text.find(password); at != std::string::npos;
       at = text.find(password, at))
    text.replace(at, password.size(), "[...]");
  std::string out;
  for (std::size_t n = 0; n < text.size();) {
    const auto end = std::min(text.find(' ', n), text.size());
    const std::string_view word = std::string_view(text).substr(n, end - n);
    if (!out.empty()) out += ' ';
    if (word.find("://") != std::string_view::npos || word.size() > 64)
      out += "[...]";
    else
      for (const char c : word) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    n = end + 1;
  }
  if (out.size() > most_answer_bytes) out.resize(most_answer_bytes);
  return out;
}

class smtp_mailer final : public mailer {
 public:
  smtp_mailer(smtp_options options, detail::secret_bytes password)
      : options_(std::move(options)), password_(std::move(password)) {}

  ~smtp_mailer() override {
    if (!is_forked()) return;
    for (auto& session : idle_) session->leave();  // the connections are the parent's: not a word on them
  }

  delivery send(const outgoing_mail& mail) override {
    if (is_forked())
      return {delivery_outcome::temporary, 0, "the mailer was opened before a fork; the child must open its own"};
    try {
      if (auto ok = check(mail); !ok) return {delivery_outcome::permanent, 0, "not sent: " + ok.error().message};
      auto done = hand_over(mail);
      done.answer = without_secrets(done.answer, password_.view());
      return done;
    } catch (const std::exception& e) {
      // Out of memory, in all likelihood, and before the mail's final dot was sent.
      return {delivery_outcome::temporary, 0, std::string("not sent: ") + e.what()};
    }
  }

 private:
  bool is_forked() const { return detail::fork_count().load(std::memory_order_relaxed) != forks_; }

  static result<void> check(const outgoing_mail& mail) {
    for (const auto* address : {&mail.from_address, &mail.to_address})
      if (auto ok = limits::check_email(*address); !ok) return ok;
    if (mail.message_id.empty()) return detail::fail(errc::invalid_argument, "the Message-ID is empty");
    for (const auto& [name, field] : {std::pair{"Message-ID", &mail.message_id},
                                      {"sender's name", &mail.from_name},
                                      {"recipient's name", &mail.to_name},
                                      {"subject", &mail.subject},
                                      {"language", &mail.language}}) {
      if (!limits::is_text(*field) || limits::has_control(*field))
        return detail::fail(errc::invalid_argument,
                            std::string("the ") + name + " holds a control character or is not UTF-8");
    }
    for (const auto& [name, field] : {std::pair{"Message-ID", &mail.message_id}, {"language", &mail.language}})
      if (!detail::is_printable_ascii(*field) || field->find_first_of(" <>") != std::string::npos ||
          field->size() > limits::id)
        return detail::fail(errc::invalid_argument, std::string("the ") + name + " cannot stand in a header");
    if (!limits::is_text(mail.text) || !limits::is_text(mail.html))
      return detail::fail(errc::invalid_argument, "the body is not UTF-8 without NUL");
    return {};
  }

  delivery hand_over(const outgoing_mail& mail) {
    const std::string text = detail::wire_mail(mail, options_.clock ? options_.clock->now() : system_clock().now());
    const bool ascii = detail::is_printable_ascii(mail.from_address) && detail::is_printable_ascii(mail.to_address);
    const detail::smtp_envelope envelope{mail.from_address, mail.to_address, !ascii};
    delivery done;
    if (auto kept = take_idle()) {
      if (auto answer = kept->send(envelope, text)) {
        give_back(std::move(kept));
        return std::move(*answer);
      }
    }
    if (auto fresh = smtp_session::open(options_, password_, done)) {
      done = fresh->send(envelope, text).value();  // it was not kept, so there is an answer
      give_back(std::move(fresh));
    }
    return done;
  }

  std::unique_ptr<smtp_session> take_idle() {
    for (;;) {
      std::unique_ptr<smtp_session> newest;
      {
        const std::lock_guard lock(mutex_);
        if (idle_.empty()) return nullptr;
        newest = std::move(idle_.back());
        idle_.pop_back();
      }
      if (newest->is_fresh()) return newest;
    }
  }

  void give_back(std::unique_ptr<smtp_session> used) {
    if (!used->stands()) return;
    const std::lock_guard lock(mutex_);
    if (idle_.size() < options_.max_idle_connections) idle_.push_back(std::move(used));
  }

  const smtp_options options_;
  const detail::secret_bytes password_;
  const unsigned forks_ = detail::fork_count().load(std::memory_order_relaxed);
  std::mutex mutex_;
  std::vector<std::unique_ptr<smtp_session>> idle_;  ///< the newest last: it is most likely alive
};

bool libcurl_can_do_it() {
  static const bool can = [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return false;
    const auto* const about = curl_version_info(CURLVERSION_NOW);
    for (const char* const* name = about->protocols; *name; ++name)
      if (std::string_view(*name) == "smtps") return true;
    return false;
  }();
  return can;
}

/// True where the text can stand in a URL as a host name, an address or a domain.
bool is_host(std::string_view text, bool colons) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || (colons && c == ':');
  });
}

result<void> check_options(const smtp_options& options) {
  const auto refuse = [](const std::string& why) { return detail::fail(errc::invalid_argument, "smtp: " + why); };
  for (const auto& [name, field] : {std::pair{"host", &options.host},
                                    {"helo_name", &options.helo_name},
                                    {"username", &options.username},
                                    {"password", &options.password}}) {
    if (auto ok = limits::check_text(std::string("smtp ") + name, *field, limits::id); !ok) return ok;
    if (limits::has_control(*field)) return refuse(std::string(name) + " holds a control character");
  }
  if (options.host.empty() || !is_host(options.host, true)) return refuse("host is no name or address");
  if (!is_host(options.helo_name, false)) return refuse("helo_name is no domain name");
  if (options.port == 0) return refuse("port is 0");
  if (options.security != smtp_security::starttls && options.security != smtp_security::implicit_tls &&
      options.security != smtp_security::plaintext)
    return refuse("there is no such security");
  if (options.username.empty() != options.password.empty()) return refuse("username and password belong together");
  if (options.security == smtp_security::plaintext && !options.password.empty())
    return refuse("a password is not sent without TLS");
  for (const auto& [name, limit] : {std::pair{"connect_timeout", options.connect_timeout},
                                    {"response_timeout", options.response_timeout},
                                    {"final_answer_timeout", options.final_answer_timeout}})
    if (limit < milliseconds{100} || limit > std::chrono::hours{1})
      return refuse(std::string(name) + " must lie between 100 ms and an hour");
  if (options.max_idle_age < seconds{1} || options.max_idle_age > std::chrono::hours{1})
    return refuse("max_idle_age must lie between a second and an hour");
  if (options.max_idle_connections > 1024) return refuse("max_idle_connections is beyond 1024");
  if (!options.ca_file.empty()) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(options.ca_file, ignored) || !std::ifstream(options.ca_file))
      return refuse("ca_file cannot be read");
  }
  return {};
}

}  // namespace

result<std::unique_ptr<mailer>> open_smtp_mailer(smtp_options options) {
  auto ok = check_options(options);
  detail::secret_bytes password(options.password);
  detail::wipe(options.password.data(), options.password.size());
  options.password.clear();
  if (!ok) return ok.error();
  if (!libcurl_can_do_it()) return detail::fail(errc::internal, "libcurl was built without SMTP over TLS");
  return std::unique_ptr<mailer>(std::make_unique<smtp_mailer>(std::move(options), std::move(password)));
}

}  // namespace hirenow
