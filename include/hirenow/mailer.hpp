#pragma once
/// How a message leaves: the interface that a mailer implements.

#include <cstdint>
#include <string>

namespace hirenow {

/// A rendered message. All text is UTF-8; no field but `text` and `html` holds a control character.
struct outgoing_mail {
  std::string message_id;  ///< without brackets
  std::string from_address;
  std::string from_name{};
  std::string to_address;
  std::string to_name{};
  std::string subject;
  std::string text;        ///< lines end in "\n"
  std::string html{};      ///< empty: text alone
  std::string language{};  ///< of the texts, for Content-Language; may be empty
};

/// What came of one delivery.
enum class delivery_outcome : std::uint8_t {
  accepted,   ///< the server took responsibility
  temporary,  ///< try again later: 4xx, no connection, silence before the final dot
  permanent,  ///< 5xx: trying again is no use
  ambiguous,  ///< the connection broke between the final dot and the server's answer: it may have been taken
};

/// The outcome, and the server's last words for the log.
struct delivery {
  delivery_outcome outcome = delivery_outcome::temporary;
  int code = 0;          ///< the server's reply code, 0 where there was none
  std::string answer{};  ///< the reply line, or what went wrong
};

/// Sends mail.
class mailer {
 public:
  virtual ~mailer() = default;
  /// Delivers one mail and says what came of it. May block. Must be callable from several threads at once, must not
  /// throw, and must come back in the end: every wait has a limit.
  virtual delivery send(const outgoing_mail& mail) = 0;
};

}  // namespace hirenow
