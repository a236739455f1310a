#pragma once
/// The host's own database: its tables stand beside hirenow's in one SQLite file or one PostgreSQL database, so that
/// the host's rows and an interview's change are one commit.
///
///   ats_applicant     who they are, as the host knows them
///   ats_search_key    what a person is found by: beginnings of names, of the address, of the id
///   ats_interview     whose an interview is, for the beginning of its id
///   ats_application   one person at one track: the host's stage, and the interview that counts now
///   ats_mail          what the demonstration's mailer delivered
///   ats_setting       by name
///
/// The SQL is written once for both: each `?` stands in a cast, as hirenow's host_connection asks for with PostgreSQL.
/// Threads: any; each use of a connection is a lease of one.

#include <condition_variable>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hirenow/adapters/host_connection.hpp"
#include "hirenow/interview.hpp"

namespace ats {

/// A connection with the store that joins its transactions.
class connection {
 public:
  virtual ~connection() = default;
  virtual hirenow::host_connection& host() = 0;
  hirenow::store& joined() { return *joined_; }

  /// Runs one statement. Throws hirenow::exception.
  std::vector<std::vector<hirenow::host_value>> run(std::string_view sql,
                                                    std::initializer_list<hirenow::host_parameter> parameters = {});

 protected:
  void join();
  void leave() { joined_.reset(); }  ///< before the connection goes

 private:
  std::unique_ptr<hirenow::store> joined_{};
};

/// A column of a row; NULL reads as empty or 0.
std::string text_of(const hirenow::host_value& v);
std::int64_t number_of(const hirenow::host_value& v);

/// Whom a search found: by something of their own, or by the ids of single interviews alone.
struct found_person {
  std::string id;
  bool is_whole = true;
};

struct mail_row {
  std::string id, to, subject, text, language;
  hirenow::sys_seconds at{};
};

class database {
 public:
  /// `url` is a file's path or postgresql://…. Makes the host's tables where there are none; hirenow's have to be there.
  /// Throws where it cannot be opened.
  explicit database(std::string url);

  bool is_postgresql() const { return is_postgresql_; }

  /// Lends a connection; waits while all are in use.
  std::shared_ptr<connection> lend();

  /// Runs `work` in one transaction of the host's, which commits where it answers a value and rolls back where it
  /// answers an error or throws. Where somebody else was faster, the whole of it is run again.
  template <class T>
  hirenow::result<T> in_transaction(const std::function<hirenow::result<T>(connection&)>& work) {
    for (int round = 0;; ++round) {
      const auto c = lend();
      c->run(is_postgresql_ ? "BEGIN" : "BEGIN IMMEDIATE");
      try {
        auto answer = work(*c);
        if (answer) {
          c->run("COMMIT");
          return answer;
        }
        c->run("ROLLBACK");
        if (answer.error().code != hirenow::errc::retry_transaction || round == 20) return answer;
      } catch (...) {
        c->host().execute("ROLLBACK", {});
        throw;
      }
    }
  }

  // In a transaction or beside one.

  static void write_person(connection& c, const hirenow::applicant& person);
  static void write_application(connection& c, std::string_view applicant, std::string_view track,
                                std::string_view stage, const hirenow::interview_id& interview);

  // Each on a connection of its own.

  /// Everybody who is found by a beginning, in the order of their ids; nothing where more than `most_keys` begin so.
  std::optional<std::vector<found_person>> find_all_people(std::string_view beginning, std::size_t most_keys);
  /// The people who are found by a beginning, after `after`, in the order of their ids. Looks at one person after the
  /// other, which is quick where it fits many.
  std::vector<found_person> find_people(std::string_view beginning, std::string_view after, std::size_t limit);
  std::optional<hirenow::applicant> person_with_email(std::string_view email);
  /// The host's stage of an application.
  std::string stage_of(std::string_view applicant, std::string_view track);

  void keep_mail(const mail_row& mail);
  std::vector<mail_row> newest_mail(std::string_view to, std::size_t limit);

  std::optional<std::string> setting(std::string_view name);
  void set(std::string_view name, std::string_view value);

 private:
  std::unique_ptr<connection> open() const;
  std::string url_;
  bool is_postgresql_;
  std::mutex mutex_{};
  std::condition_variable returned_{};
  std::vector<std::unique_ptr<connection>> idle_{};
  std::size_t open_ = 0;
};

/// What a search compares: lower case, without the accents of Latin letters.
std::string search_key(std::string_view text);

}  // namespace ats
