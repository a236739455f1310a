#pragma once
/// A session with a mail server: libcurl opens it (name, TCP, TLS, EHLO, STARTTLS, AUTH); the mails that follow are
/// told to the server here.
///
/// The commands of a mail go out together where the server offers that (PIPELINING, RFC 2920): two turns of the network
/// for a mail instead of the four that libcurl takes, which sends them one by one whatever the server offers.
/// Threads: one at a time.

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "hirenow/adapters/smtp.hpp"
#include "hirenow/crypto.hpp"
#include "hirenow/mailer.hpp"
#include "smtp_reply.hpp"

namespace hirenow::detail {

/// A mail as the server is told of it.
struct smtp_envelope {
  std::string_view from;
  std::string_view to;
  bool beyond_ascii = false;  ///< an address or a header is not ASCII (RFC 6531)
};

class smtp_session {
 public:
  using steady = std::chrono::steady_clock;

  /// Opens a session. Returns nothing where that failed, and then why. Throws std::bad_alloc.
  static std::unique_ptr<smtp_session> open(const smtp_options& options, const secret_bytes& password,
                                            delivery& why_not);
  smtp_session(const smtp_session&) = delete;
  /// Says QUIT, and does not wait for the answer.
  ~smtp_session();

  /// Hands over one mail; `text` ends with the final dot, and no other line begins with one. Returns nothing where the
  /// session had been kept and turned out to be dead before anything of the text was sent: that says nothing about the
  /// server, and a fresh one is to be tried.
  std::optional<delivery> send(const smtp_envelope& envelope, std::string_view text);
  /// True where another mail may follow: the last was accepted.
  bool stands() const { return stands_; }
  /// True where the server has said nothing since, not even that it left, and that is not too long ago.
  bool is_fresh();
  /// Leaves the connection alone for ever, as the child of a fork must.
  void leave() { (void)handle_.release(); }

 private:
  struct cleanup {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };

  explicit smtp_session(const smtp_options& options) : options_(options) {}
  void set_up(const secret_bytes& password);
  static std::size_t on_reply_line(char* data, std::size_t, std::size_t size, void* context);
  bool offers(std::string_view extension) const;
  std::optional<delivery> ask(const smtp_envelope& envelope, std::size_t size);
  delivery hand_over(std::string_view text);
  bool write(std::string_view text);
  bool read_reply(std::chrono::milliseconds patience);
  bool may_try_again(CURLcode code, short events, steady::time_point until);
  bool broke(std::string why);

  const smtp_options& options_;  ///< the mailer's, which outlives its sessions
  char reason_[CURL_ERROR_SIZE] = "";
  smtp_reply_reader replies_;
  smtp_reply said_;         ///< the newest reply while libcurl opens the session, but for the one to QUIT
  std::string extensions_;  ///< what EHLO was answered, a line each
  std::string came_in_;     ///< bytes not yet read as lines
  std::string trouble_;     ///< why the session broke
  bool timed_out_ = false;
  bool stands_ = false;
  bool kept_ = false;  ///< a mail was accepted on it
  steady::time_point last_used_{};
  steady::time_point give_up_at_{};  ///< for a server that drips
  curl_socket_t socket_ = CURL_SOCKET_BAD;
  std::unique_ptr<CURL, cleanup> handle_;  ///< goes first, while the rest still stands
};

}  // namespace hirenow::detail
