/// The SMTP mailer over libcurl: one easy handle per concurrent call, each with the one connection it keeps.

#include "hirenow/adapters/smtp.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <sys/socket.h>

#include "hirenow/crypto.hpp"
#include "hirenow/limits.hpp"
#include "smtp_mime.hpp"

namespace hirenow {
namespace {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct curl_deleter {
  void operator()(CURL* handle) const {
    // libcurl says QUIT and waits for the answer, as long as the last call would have waited for its own. QUIT is said,
    // but nobody listens any more.
    curl_socket_t kept = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &kept) == CURLE_OK && kept != CURL_SOCKET_BAD)
      ::shutdown(kept, SHUT_RD);
    curl_easy_cleanup(handle);
  }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
template <class Handle>
using curl_owner = std::unique_ptr<Handle, curl_deleter>;

constexpr std::size_t most_answer_bytes = 500;

/// What happened on the wire during one attempt at one mail.
struct exchange {
  const smtp_options& options;
  const std::string& mail;                        ///< as it goes over the wire
  std::size_t given = 0;                          ///< bytes of it that libcurl has taken
  steady::time_point last_event = steady::now();  ///< since when the server owes us something
  curl_off_t sent = 0;                            ///< of the body
  bool session_stands = false;                    ///< connected, protected, logged in: what follows is about the mail
  bool data_accepted = false;                     ///< 354 was seen
  bool body_sent = false;
  bool timed_out = false;
  int code = 0;             ///< of the reply that decides: a refusal of the mail, or the newest
  int final_code = 0;       ///< of the reply to the final dot
  std::string reply{};      ///< text of that reply
  std::string lines{};      ///< text of the newest reply
  bool reply_open = false;  ///< its last line is still to come
};

/// A handle of libcurl with the one connection it keeps, and what its callbacks are about. What rarely changes is told
/// to libcurl once, because telling it everything anew cost more than writing the mail does.
struct connection {
  exchange* now = nullptr;  ///< nothing between two mails, when libcurl may still say goodbye on the connection
  char reason[CURL_ERROR_SIZE] = "";
  std::string sender{};
  bool fresh = false;
  curl_owner<curl_slist> recipients{};
  curl_owner<CURL> handle{};  ///< goes first, while the rest still stands
};

exchange* current(void* context) { return static_cast<connection*>(context)->now; }

/// libcurl hands over each line of each reply (RFC 5321 §4.2).
std::size_t on_reply_line(char* data, std::size_t, std::size_t size, void* context) {
  auto* const now = current(context);
  std::string_view line(data, size);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  const auto digit = [&](std::size_t n) { return line[n] >= '0' && line[n] <= '9'; };
  if (!now || line.size() < 3 || !digit(0) || !digit(1) || !digit(2)) return size;
  const bool last = line.size() == 3 || line[3] == ' ';
  if (!last && line[3] != '-') return size;
  if (!now->reply_open) now->lines.clear();
  now->reply_open = !last;
  if (now->lines.size() < most_answer_bytes) {
    if (!now->lines.empty()) now->lines += ' ';
    now->lines += line;
  }
  if (!last) return size;
  now->last_event = steady::now();
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  // After a refusal libcurl says QUIT within the same call; what is answered to that decides nothing.
  const bool decided = now->final_code != 0 || (now->session_stands && now->code >= 400);
  if (decided || code == 221) return size;
  now->code = code;
  now->reply = now->lines;
  if (now->data_accepted)
    now->final_code = code;
  else if (now->session_stands && code == 354)
    now->data_accepted = true;
  return size;
}

/// libcurl takes the next bytes of the mail.
std::size_t on_read(char* to, std::size_t, std::size_t room, void* context) {
  auto* const now = current(context);
  if (!now) return CURL_READFUNC_ABORT;
  const std::size_t count = std::min(room, now->mail.size() - now->given);
  now->mail.copy(to, count, now->given);
  now->given += count;
  return count;
}

/// libcurl begins the mail anew, where a kept connection was dead before anything was sent.
int on_seek(void* context, curl_off_t offset, int origin) {
  auto* const now = current(context);
  if (!now) return CURL_SEEKFUNC_CANTSEEK;
  if (origin != SEEK_SET || offset < 0 || static_cast<std::size_t>(offset) > now->mail.size())
    return CURL_SEEKFUNC_CANTSEEK;
  now->given = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

/// libcurl calls this when the session stands, just before MAIL.
int on_session(void* context, char*, char*, int, int) {
  auto* const now = current(context);
  if (!now) return CURL_PREREQFUNC_ABORT;
  now->session_stands = true;
  now->code = 0;
  now->last_event = steady::now();
  return CURL_PREREQFUNC_OK;
}

/// libcurl calls this at least once a second, also while it waits: the one place that ends a wait after connecting.
int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t to_send, curl_off_t sent) {
  auto* const now = current(context);
  if (!now) return 0;
  if (sent != now->sent) {
    now->sent = sent;
    now->last_event = steady::now();
  }
  // The size is known beforehand, because no line begins with a dot, which libcurl would double (see append_part).
  now->body_sent = now->data_accepted && to_send > 0 && sent >= to_send;
  const milliseconds limit = !now->session_stands                     ? now->options.connect_timeout
                             : now->body_sent && now->final_code == 0 ? now->options.final_answer_timeout
                                                                      : now->options.response_timeout;
  now->timed_out = steady::now() - now->last_event >= limit;
  return now->timed_out ? 1 : 0;
}

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
    for (auto& handle : idle_) (void)handle.release();  // the connections are the parent's: not a word on them
  }

  delivery send(const outgoing_mail& mail) override {
    if (is_forked())
      return {delivery_outcome::temporary, 0, "the mailer was opened before a fork; the child must open its own"};
    try {
      if (auto ok = check(mail); !ok) return {delivery_outcome::permanent, 0, "not sent: " + ok.error().message};
      auto through = take_connection();
      if (!through) return {delivery_outcome::temporary, 0, "libcurl has no handle left"};
      const std::string wire = detail::wire_mail(mail, options_.clock ? options_.clock->now() : system_clock().now());
      auto done = attempt(*through, mail, wire, false);
      if (!done) done = attempt(*through, mail, wire, true);
      give_back(std::move(through));
      if (!done) return {delivery_outcome::temporary, 0, "the connection broke before the mail was sent"};
      done->answer = without_secrets(done->answer, password_.view());
      return std::move(*done);
    } catch (const std::exception& e) {
      // Out of memory, in all likelihood; nothing throws once libcurl is at work.
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

  std::unique_ptr<connection> take_connection() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto newest = std::move(idle_.back());
        idle_.pop_back();
        return newest;
      }
    }
    auto made = std::make_unique<connection>();
    made->handle.reset(curl_easy_init());
    if (!made->handle) return nullptr;
    set_up(*made);
    return made;
  }

  void give_back(std::unique_ptr<connection> used) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < options_.max_idle_connections) idle_.push_back(std::move(used));
  }

  /// What never changes.
  void set_up(connection& made) const {
    CURL* const handle = made.handle.get();
    const bool implicit = options_.security == smtp_security::implicit_tls;
    const bool literal = options_.host.find(':') != std::string::npos;
    const std::string url = std::string(implicit ? "smtps://" : "smtp://") + (literal ? "[" : "") + options_.host +
                            (literal ? "]" : "") + ":" + std::to_string(options_.port) + "/" +
                            (options_.helo_name.empty() ? "localhost" : options_.helo_name);
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(handle, CURLOPT_PROXY, "");  // what the environment says about proxies is not about mail
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(
        handle, CURLOPT_USE_SSL,
        static_cast<long>(options_.security == smtp_security::plaintext ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!options_.ca_file.empty()) {
      curl_easy_setopt(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
      curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    }
    if (!options_.username.empty()) {
      curl_easy_setopt(handle, CURLOPT_USERNAME, options_.username.c_str());
      detail::secret_bytes terminated(password_.size() + 1);
      std::copy_n(password_.view().data(), password_.size(), terminated.data());
      curl_easy_setopt(handle, CURLOPT_PASSWORD, reinterpret_cast<const char*>(terminated.data()));
    }
    const auto whole = options_.connect_timeout + options_.final_answer_timeout + 10 * options_.response_timeout;
    const auto longest = std::max(options_.response_timeout, options_.final_answer_timeout);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(whole.count()));  // for a server that drips
    // Each wait is ended by on_progress; this one is only libcurl's own default, which must not come first.
    curl_easy_setopt(handle, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                     static_cast<long>(std::chrono::ceil<seconds>(longest).count() + 5));
    // A mail is small. With libcurl's own 64 KiB the heap grew and shrank with every mail.
    curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 16L * 1024);
    curl_easy_setopt(handle, CURLOPT_MAXCONNECTS, 1L);
    curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, static_cast<long>(options_.max_idle_age.count()));
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_reply_line);
    curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, on_session);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_READDATA, &made);
    curl_easy_setopt(handle, CURLOPT_SEEKDATA, &made);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &made);
    curl_easy_setopt(handle, CURLOPT_PREREQDATA, &made);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &made);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, made.reason);
  }

  /// One attempt. Returns nothing where a kept connection turned out to be dead before anything of the mail was taken:
  /// that says nothing about the server, and a fresh one is to be tried.
  std::optional<delivery> attempt(connection& through, const outgoing_mail& mail, const std::string& wire,
                                  bool fresh) const {
    CURL* const handle = through.handle.get();
    curl_owner<curl_slist> recipients(curl_slist_append(nullptr, mail.to_address.c_str()));
    if (!recipients) throw std::bad_alloc();
    exchange now{.options = options_, .mail = wire};
    if (std::exchange(through.fresh, fresh) != fresh) curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    if (through.sender != mail.from_address) {
      through.sender.clear();  // unknown, should this fail
      if (curl_easy_setopt(handle, CURLOPT_MAIL_FROM, mail.from_address.c_str()) != CURLE_OK) throw std::bad_alloc();
      through.sender = mail.from_address;
    }
    curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients.get());
    through.recipients = std::move(recipients);
    curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(wire.size()));
    through.reason[0] = '\0';
    through.now = &now;
    const CURLcode code = curl_easy_perform(handle);
    through.now = nullptr;
    long connects = 0;
    curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &connects);

    const bool reused = now.session_stands && connects == 0;
    const bool connection_was_dead = code != CURLE_OK && !now.timed_out && (now.code == 0 || now.code == 421);
    if (!fresh && reused && !now.data_accepted && connection_was_dead) return std::nullopt;
    return outcome_of(now, code, through.reason);
  }

  static delivery outcome_of(const exchange& now, CURLcode code, const char* reason) {
    std::string why = now.timed_out ? "no answer in time" : reason[0] ? reason : curl_easy_strerror(code);
    if (now.final_code != 0) {
      const auto outcome = now.final_code / 100 == 2   ? delivery_outcome::accepted
                           : now.final_code / 100 == 4 ? delivery_outcome::temporary
                           : now.final_code / 100 == 5 ? delivery_outcome::permanent
                                                       : delivery_outcome::ambiguous;
      return {outcome, now.final_code, now.reply};
    }
    // What failed to be written was not handed over; the final dot is the last thing written.
    if (now.body_sent && code != CURLE_SEND_ERROR)
      return {delivery_outcome::ambiguous, 0, "no answer to the whole mail: " + why};
    if (now.data_accepted) return {delivery_outcome::temporary, 0, "the mail was not sent to its end: " + why};
    if (now.code / 100 == 4 || now.code / 100 == 5) {
      const bool about_the_mail = now.session_stands && now.code / 100 == 5 && now.code != 530;
      return {about_the_mail ? delivery_outcome::permanent : delivery_outcome::temporary, now.code, now.reply};
    }
    return {delivery_outcome::temporary, 0, "the mail server could not be used: " + why};
  }

  const smtp_options options_;
  const detail::secret_bytes password_;
  const unsigned forks_ = detail::fork_count().load(std::memory_order_relaxed);
  std::mutex mutex_;
  std::vector<std::unique_ptr<connection>> idle_;  ///< the newest last: it has the connection that is most likely alive
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
