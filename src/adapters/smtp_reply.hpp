#pragma once
/// Reads the replies of a mail server, line by line (RFC 5321 §4.2).
///
/// Threads: a plain value.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hirenow::detail {

inline constexpr std::size_t most_answer_bytes = 500;

/// What a mail server answers to one command.
struct smtp_reply {
  int code = 0;        ///< 0: none yet
  std::string text{};  ///< its lines with a space between them; about most_answer_bytes at most
};

/// Puts the lines of one reply after another together.
class smtp_reply_reader {
 public:
  enum class state : std::uint8_t {
    open,     ///< the reply goes on
    whole,    ///< that was its last line
    nonsense  ///< not a line of a reply
  };

  /// Takes the next line, with or without the line end. The first one after a whole reply begins another.
  state take_line(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    const auto digit = [&](std::size_t n) { return line[n] >= '0' && line[n] <= '9'; };
    if (line.size() < 3 || !digit(0) || !digit(1) || !digit(2)) return state::nonsense;
    const bool last = line.size() == 3 || line[3] == ' ';
    if (!last && line[3] != '-') return state::nonsense;
    if (!open_) reply_.text.clear();
    open_ = !last;
    if (reply_.text.size() < most_answer_bytes) {
      if (!reply_.text.empty()) reply_.text += ' ';
      reply_.text += line.substr(0, most_answer_bytes);
    }
    reply_.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    return last ? state::whole : state::open;
  }

  /// The newest reply. Its code is 0 before there is one.
  const smtp_reply& reply() const { return reply_; }
  /// True where its last line is still to come.
  bool is_open() const { return open_; }
  /// Forgets the newest reply.
  void forget() { *this = {}; }

 private:
  smtp_reply reply_;
  bool open_ = false;
};

}  // namespace hirenow::detail
