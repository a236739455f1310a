#pragma once
/// A retake by hand: the statements of the store's, over libpq alone, in two pipelines. It decides nothing, signs nothing
/// and hashes nothing.
///
/// Threads: one at a time.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace bench {

/// Whose newest interview is retaken.
struct bare_subject {
  std::string applicant_no, track_no, attempt, interview;  ///< the interview as 16 bytes
};

class bare_postgres {
 public:
  explicit bare_postgres(const std::string& url);
  ~bare_postgres();
  bare_postgres(const bare_postgres&) = delete;
  bare_postgres& operator=(const bare_postgres&) = delete;

  void retake(const bare_subject& who);

 private:
  struct value {
    value(const std::string& text) : text_(text) {}
    value(const char* text) : text_(text) {}
    value(std::int64_t n) : text_(std::to_string(n)) {}
    static value bytes(const std::string& b) {
      value v(b);
      v.format_ = 1;
      return v;
    }
    std::string text_;
    int format_ = 0;
  };

  void prepare(const char* name, const std::string& sql);
  void send(const char* name, const std::vector<value>& values);
  void send_plain(const char* sql);
  /// Waits for all that was sent. Returns the first value of the first row of the n-th answer.
  std::string round_trip(int wanted);
  void check(bool good);

  PGconn* handle_;
  int sent_ = 0;
  std::int64_t made_ = 0;
};

}  // namespace bench
