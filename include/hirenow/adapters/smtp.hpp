#pragma once
/// The SMTP mailer: hands each mail to one mail server (a relay or submission server), over connections that are kept.
///
/// RFC 5321 with STARTTLS (RFC 3207), implicit TLS (RFC 8314) and AUTH (RFC 4954); mails are MIME with
/// `Auto-Submitted: auto-generated` (RFC 3834). Where the server offers them, commands go out together (PIPELINING,
/// RFC 2920), with the size of the mail (RFC 1870), and addresses may be beyond ASCII (SMTPUTF8, RFC 6531). What the
/// outcomes mean here:
///
/// - accepted: 2yz after the final dot.
/// - permanent: 5yz to the mail itself, that is to MAIL, RCPT, DATA or the final dot; or the mail cannot be put on the
///   wire at all (no address, a control character in a header, an address that the server has no SMTPUTF8 for).
/// - ambiguous: body and final dot were handed over, and then the connection broke or the answer stayed away.
/// - temporary: everything else. A refusal of the *session* is among it whatever its number: 5yz to the greeting, EHLO,
///   STARTTLS or AUTH, 530 "authentication required", a certificate that does not verify. Such a fault lies in the
///   configuration and not in the mail; a wrong password must not make dead letters of a whole outbox at once.
///
/// Link `hirenow::smtp`.
/// Threads: the mailer serves any thread; each call has a connection for itself. After a fork the child makes its
/// own mailer: in the child every mail on the parent's is a temporary failure, and no connection of it is touched.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "hirenow/clock.hpp"
#include "hirenow/error.hpp"
#include "hirenow/mailer.hpp"

namespace hirenow {

/// How the connection to the mail server is protected.
enum class smtp_security : std::uint8_t {
  starttls,      ///< begin in plaintext, go on under TLS or not at all; usually port 587
  implicit_tls,  ///< TLS from the first byte; usually port 465
  plaintext,     ///< no protection; for a server on the same machine
};

/// What a mailer is told once.
struct smtp_options {
  std::string host{};  ///< name or address of the server
  std::uint16_t port = 587;
  smtp_security security = smtp_security::starttls;
  std::string ca_file{};    ///< PEM; trust these authorities alone. Empty: those of the system
  std::string username{};   ///< empty: no AUTH
  std::string password{};   ///< kept in memory that is wiped; move the options in to leave no other copy
  std::string helo_name{};  ///< domain name in EHLO; empty: "localhost"

  // Limits on every wait. The defaults are those of RFC 5321 §4.5.3.2.
  std::chrono::milliseconds connect_timeout{std::chrono::minutes{5}};   ///< until the session stands: TCP to AUTH
  std::chrono::milliseconds response_timeout{std::chrono::minutes{5}};  ///< for each answer up to DATA, and for the
                                                                        ///< server to take more of the body
  std::chrono::milliseconds final_answer_timeout{std::chrono::minutes{10}};  ///< for the answer to the final dot

  std::size_t max_idle_connections = 8;   ///< kept open between calls; more are opened as calls need them
  seconds max_idle_age{100};              ///< an older idle connection is not used again
  const hirenow::clock* clock = nullptr;  ///< for the Date header; borrowed; nothing: the machine's
};

/// Makes a mailer. Connects when there is a first mail, not before.
/// Returns the mailer, never null.
/// Errors: invalid_argument (host, port, a password without TLS, a time-out out of range, a CA file that cannot be
/// read), too_large, internal (libcurl was built without SMTP or TLS).
/// Owns: the caller owns the mailer.
result<std::unique_ptr<mailer>> open_smtp_mailer(smtp_options options);

}  // namespace hirenow
