#include "smtp_session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

#include <poll.h>

namespace hirenow::detail {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view final_dot = ".\r\n";
constexpr std::size_t longest_line = 64 * 1024;  ///< of a reply; RFC 5321 §4.5.3.1.5 has 512

delivery refusal(const smtp_reply& said) {
  if (said.code / 100 != 4 && said.code / 100 != 5)
    return {delivery_outcome::temporary, 0, "the server's answer is out of place: " + said.text};
  // 530 asks for a password: a fault of the configuration, not of the mail.
  const bool for_good = said.code / 100 == 5 && said.code != 530;
  return {for_good ? delivery_outcome::permanent : delivery_outcome::temporary, said.code, said.text};
}

}  // namespace

std::unique_ptr<smtp_session> smtp_session::open(const smtp_options& options, const secret_bytes& password,
                                                 delivery& why_not) {
  std::unique_ptr<smtp_session> made(new smtp_session(options));
  made->handle_.reset(curl_easy_init());
  if (!made->handle_) throw std::bad_alloc();
  made->set_up(password);
  CURL* const handle = made->handle_.get();
  const CURLcode code = curl_easy_perform(handle);
  if (code == CURLE_OK && curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &made->socket_) == CURLE_OK &&
      made->socket_ != CURL_SOCKET_BAD) {
    made->stands_ = true;
    made->last_used_ = steady::now();
    return made;
  }
  const smtp_reply& said = made->said_;
  if (said.code / 100 == 4 || said.code / 100 == 5) {
    why_not = {delivery_outcome::temporary, said.code, said.text};
  } else {
    const char* const why = code == CURLE_OPERATION_TIMEDOUT ? "no answer in time"
                            : made->reason_[0]               ? made->reason_
                                                             : curl_easy_strerror(code);
    why_not = {delivery_outcome::temporary, 0, std::string("the mail server could not be used: ") + why};
  }
  return nullptr;
}

smtp_session::~smtp_session() {
  if (!handle_ || socket_ == CURL_SOCKET_BAD) return;
  constexpr std::string_view goodbye = "QUIT\r\n";
  std::size_t sent = 0;
  (void)curl_easy_send(handle_.get(), goodbye.data(), goodbye.size(), &sent);
}

void smtp_session::set_up(const secret_bytes& password) {
  CURL* const handle = handle_.get();
  const bool implicit = options_.security == smtp_security::implicit_tls;
  const bool literal = options_.host.find(':') != std::string::npos;
  const std::string url = std::string(implicit ? "smtps://" : "smtp://") + (literal ? "[" : "") + options_.host +
                          (literal ? "]" : "") + ":" + std::to_string(options_.port) + "/" +
                          (options_.helo_name.empty() ? "localhost" : options_.helo_name);
  // What is text is copied.
  const auto set_text = [&](CURLoption option, const char* text) {
    if (curl_easy_setopt(handle, option, text) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  };
  set_text(CURLOPT_URL, url.c_str());
  set_text(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(handle, CURLOPT_CONNECT_ONLY, 1L);  // up to and with AUTH
  set_text(CURLOPT_PROXY, "");                         // what the environment says about proxies is not about mail
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_USE_SSL,
                   static_cast<long>(options_.security == smtp_security::plaintext ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options_.ca_file.empty()) {
    set_text(CURLOPT_CAINFO, options_.ca_file.c_str());
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
  if (!options_.username.empty()) {
    set_text(CURLOPT_USERNAME, options_.username.c_str());
    secret_bytes terminated(password.size() + 1);
    std::copy_n(password.view().data(), password.size(), terminated.data());
    set_text(CURLOPT_PASSWORD, reinterpret_cast<const char*>(terminated.data()));
  }
  const long patience = static_cast<long>(options_.connect_timeout.count());
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, patience);
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, patience);
  // libcurl's own default for one answer, which must not come first.
  curl_easy_setopt(handle, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                   static_cast<long>(std::chrono::ceil<seconds>(options_.connect_timeout).count() + 5));
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &smtp_session::on_reply_line);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, reason_);
}

/// libcurl hands over each line of each reply, as long as it is the one that reads them. Nothing may be thrown into it.
std::size_t smtp_session::on_reply_line(char* data, std::size_t, std::size_t size, void* context) try {
  auto& self = *static_cast<smtp_session*>(context);
  const std::string_view line(data, size);
  const bool begins = !self.replies_.is_open();
  const auto state = self.replies_.take_line(line);
  if (state == smtp_reply_reader::state::nonsense) return size;
  const smtp_reply& now = self.replies_.reply();
  if (now.code == 250 && line.size() > 4) {  // only EHLO is answered so before the session stands
    if (begins) self.extensions_ = '\n';
    if (self.extensions_.size() < longest_line)
      for (const char c : line.substr(4))
        if (c != '\r') self.extensions_ += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  // After a refusal libcurl says QUIT within the same call; what is answered to that decides nothing.
  if (state == smtp_reply_reader::state::whole && now.code != 221) self.said_ = now;
  return size;
} catch (const std::bad_alloc&) {
  return 0;  // libcurl gives up
}

bool smtp_session::offers(std::string_view extension) const {
  const auto ends = [](char c) { return c == '\n' || c == ' '; };
  for (auto at = extensions_.find(extension); at != std::string::npos; at = extensions_.find(extension, at + 1))
    if (extensions_[at - 1] == '\n' && ends(extensions_[at + extension.size()])) return true;
  return false;
}

bool smtp_session::is_fresh() {
  if (!came_in_.empty() || steady::now() - last_used_ > options_.max_idle_age) return false;
  char unasked = 0;
  std::size_t count = 0;
  return curl_easy_recv(handle_.get(), &unasked, 1, &count) == CURLE_AGAIN;
}

std::optional<delivery> smtp_session::send(const smtp_envelope& envelope, std::string_view text) {
  if (envelope.beyond_ascii && !offers("SMTPUTF8"))
    return delivery{delivery_outcome::permanent, 0, "not sent: the server takes no address beyond ASCII"};
  replies_.forget();
  reason_[0] = '\0';
  timed_out_ = stands_ = false;
  give_up_at_ = steady::now() + 10 * options_.response_timeout + options_.final_answer_timeout;
  if (auto no = ask(envelope, text.size() - final_dot.size())) {
    const bool was_dead = !timed_out_ && (no->code == 421 || replies_.reply().code == 0);
    if (kept_ && was_dead) return std::nullopt;
    return no;
  }
  return hand_over(text);
}

/// MAIL, RCPT and DATA. Returns nothing where the server waits for the text.
std::optional<delivery> smtp_session::ask(const smtp_envelope& envelope, std::size_t size) {
  std::string commands = "MAIL FROM:<";
  commands.append(envelope.from).append(">");
  if (offers("SIZE")) commands.append(" SIZE=").append(std::to_string(size));  // RFC 1870
  if (envelope.beyond_ascii) commands.append(" SMTPUTF8");
  commands.append("\r\nRCPT TO:<").append(envelope.to).append(">\r\nDATA\r\n");
  const auto not_asked = [&] {
    return delivery{delivery_outcome::temporary, 0, "the mail could not be handed over: " + trouble_};
  };
  const bool together = offers("PIPELINING");
  std::string_view left = commands;
  const auto write_next = [&] {
    const auto next = left.substr(0, together ? left.size() : left.find('\n') + 1);
    left.remove_prefix(next.size());
    return write(next);
  };
  std::optional<delivery> no;
  for (const bool is_data : {false, false, true}) {
    if ((!left.empty() && !write_next()) || !read_reply(options_.response_timeout)) return no ? no : not_asked();
    const int code = replies_.reply().code;
    if (is_data ? code == 354 : code / 100 == 2) continue;
    // The first refusal says why. The others are read, so that QUIT does not go to a server in the middle of them.
    if (!no) no = refusal(replies_.reply());
    if (!together) break;
  }
  if (!no && !came_in_.empty()) no = refusal({0, "more than it was asked"});
  return no;
}

delivery smtp_session::hand_over(std::string_view text) {
  // What failed to be written was not handed over; the final dot is the last thing written.
  if (!write(text)) return {delivery_outcome::temporary, 0, "the mail was not sent to its end: " + trouble_};
  try {
    if (!read_reply(options_.final_answer_timeout))
      return {delivery_outcome::ambiguous, 0, "no answer to the whole mail: " + trouble_};
  } catch (const std::bad_alloc&) {
    return {delivery_outcome::ambiguous, 0, "out of memory"};  // short enough to need none
  }
  const smtp_reply& said = replies_.reply();
  const auto outcome = said.code / 100 == 2   ? delivery_outcome::accepted
                       : said.code / 100 == 4 ? delivery_outcome::temporary
                       : said.code / 100 == 5 ? delivery_outcome::permanent
                                              : delivery_outcome::ambiguous;
  stands_ = kept_ = outcome == delivery_outcome::accepted;
  last_used_ = steady::now();
  return {outcome, said.code, said.text};
}

/// Each time that the server takes some of it, it has the time for an answer to take more.
bool smtp_session::write(std::string_view text) {
  auto until = steady::now() + options_.response_timeout;
  while (!text.empty()) {
    std::size_t sent = 0;
    const CURLcode code = curl_easy_send(handle_.get(), text.data(), text.size(), &sent);
    if (code != CURLE_OK) {
      if (!may_try_again(code, POLLOUT, until)) return false;
      continue;
    }
    text.remove_prefix(sent);
    until = steady::now() + options_.response_timeout;
  }
  return true;
}

bool smtp_session::read_reply(milliseconds patience) {
  const auto until = steady::now() + patience;
  for (;;) {
    const auto end = came_in_.find('\n');
    if (end != std::string::npos) {
      const auto state = replies_.take_line(std::string_view(came_in_).substr(0, end));
      came_in_.erase(0, end + 1);
      if (state == smtp_reply_reader::state::whole) return true;
      if (state == smtp_reply_reader::state::nonsense) return broke("the server's answer is none of SMTP");
      continue;
    }
    if (came_in_.size() > longest_line) return broke("the server's answer has no end");
    std::array<char, 4096> bytes;
    std::size_t count = 0;
    const CURLcode code = curl_easy_recv(handle_.get(), bytes.data(), bytes.size(), &count);
    if (code != CURLE_OK) {
      if (!may_try_again(code, POLLIN, until)) return false;
      continue;
    }
    if (count == 0) return broke("the server closed the connection");
    came_in_.append(bytes.data(), count);
  }
}

/// True when the socket is ready for a call that found it was not; false where the call failed, or it took too long.
bool smtp_session::may_try_again(CURLcode code, short events, steady::time_point until) {
  if (code != CURLE_AGAIN) return broke(reason_[0] ? reason_ : curl_easy_strerror(code));
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(std::min(until, give_up_at_) - steady::now()).count();
    if (left <= 0) {
      timed_out_ = true;
      return broke("no answer in time");
    }
    pollfd watched{socket_, events, 0};
    // An interrupted wait goes on; any other fault is what the next call on the socket says.
    const int ready = ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left, INT_MAX)));
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
  }
}

bool smtp_session::broke(std::string why) {
  trouble_ = std::move(why);
  return false;
}

}  // namespace hirenow::detail
