#include "database.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <stdexcept>

#include <libpq-fe.h>
#include <sqlite3.h>

namespace ats {
namespace {

constexpr std::size_t most_connections = 6;

class sqlite_handle final : public connection {
 public:
  explicit sqlite_handle(const std::string& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(db_));
    sqlite3_busy_timeout(db_, 10'000);
    host_ = hirenow::host_connection_of(db_);
    // With SQLite before 3.51.3 only hirenow's store may copy the log into the file; see docs/guide.md.
    run("PRAGMA wal_autocheckpoint = 0");
    run("PRAGMA synchronous = FULL");
    join();
  }
  ~sqlite_handle() override {
    leave();
    host_.reset();
    sqlite3_close(db_);
  }
  hirenow::host_connection& host() override { return *host_; }

 private:
  sqlite3* db_ = nullptr;
  std::unique_ptr<hirenow::host_connection> host_{};
};

class postgres_handle final : public connection {
 public:
  explicit postgres_handle(const std::string& url) : db_(PQconnectdb(url.c_str())) {
    if (PQstatus(db_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(db_));
    host_ = hirenow::host_connection_of(db_);
    run("SET client_min_messages = warning");
    join();
  }
  ~postgres_handle() override {
    leave();
    host_.reset();
    PQfinish(db_);
  }
  hirenow::host_connection& host() override { return *host_; }

 private:
  PGconn* db_;
  std::unique_ptr<hirenow::host_connection> host_{};
};

/// The Latin letters with accents that German, French, Spanish, Scandinavian and Slavic names bring, without them.
std::string_view plain_letter(char32_t c) {
  struct range {
    char32_t first, last;
    std::string_view plain;
  };
  static constexpr std::array ranges{
      range{0xc0, 0xc5, "a"},    range{0xc6, 0xc6, "ae"},  range{0xc7, 0xc7, "c"},   range{0xc8, 0xcb, "e"},
      range{0xcc, 0xcf, "i"},    range{0xd0, 0xd0, "d"},   range{0xd1, 0xd1, "n"},   range{0xd2, 0xd6, "o"},
      range{0xd8, 0xd8, "o"},    range{0xd9, 0xdc, "u"},   range{0xdd, 0xdd, "y"},   range{0xdf, 0xdf, "ss"},
      range{0xe0, 0xe5, "a"},    range{0xe6, 0xe6, "ae"},  range{0xe7, 0xe7, "c"},   range{0xe8, 0xeb, "e"},
      range{0xec, 0xef, "i"},    range{0xf0, 0xf0, "d"},   range{0xf1, 0xf1, "n"},   range{0xf2, 0xf6, "o"},
      range{0xf8, 0xf8, "o"},    range{0xf9, 0xfc, "u"},   range{0xfd, 0xff, "y"},   range{0x100, 0x105, "a"},
      range{0x106, 0x10d, "c"},  range{0x10e, 0x111, "d"}, range{0x112, 0x11b, "e"}, range{0x11c, 0x123, "g"},
      range{0x128, 0x131, "i"},  range{0x139, 0x142, "l"}, range{0x143, 0x148, "n"}, range{0x14c, 0x151, "o"},
      range{0x152, 0x153, "oe"}, range{0x154, 0x159, "r"}, range{0x15a, 0x161, "s"}, range{0x162, 0x167, "t"},
      range{0x168, 0x173, "u"},  range{0x178, 0x178, "y"}, range{0x179, 0x17e, "z"}};
  for (const auto& r : ranges)
    if (c >= r.first && c <= r.last) return r.plain;
  return {};
}

}  // namespace

std::string search_key(std::string_view text) {
  std::string out;
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto byte = static_cast<unsigned char>(text[n]);
    if (byte < 0x80) {
      out += text[n] >= 'A' && text[n] <= 'Z' ? static_cast<char>(text[n] - 'A' + 'a') : text[n];
    } else if ((byte == 0xc3 || byte == 0xc4 || byte == 0xc5) && n + 1 < text.size()) {
      const char32_t c = (static_cast<char32_t>(byte & 0x1f) << 6) | (static_cast<unsigned char>(text[n + 1]) & 0x3fU);
      const auto plain = plain_letter(c);
      out += plain.empty() ? text.substr(n, 2) : plain;
      ++n;
    } else {
      out += text[n];
    }
  }
  return out;
}

std::string text_of(const hirenow::host_value& v) {
  const auto* text = std::get_if<std::string>(&v);
  return text ? *text : std::string();
}
std::int64_t number_of(const hirenow::host_value& v) {
  const auto* number = std::get_if<std::int64_t>(&v);
  return number ? *number : 0;
}

void connection::join() { joined_ = hirenow::join_transaction(host()).value(); }

std::vector<std::vector<hirenow::host_value>> connection::run(
    std::string_view sql, std::initializer_list<hirenow::host_parameter> parameters) {
  return host().execute(sql, {parameters.begin(), parameters.size()}).value().rows;
}

database::database(std::string url)
    : url_(std::move(url)), is_postgresql_(url_.starts_with("postgres://") || url_.starts_with("postgresql://")) {
  const auto c = lend();
  // Prefixes are compared byte by byte.
  const std::string bytes = is_postgresql_ ? "TEXT COLLATE \"C\" NOT NULL" : "TEXT NOT NULL";
  c->run("CREATE TABLE IF NOT EXISTS ats_applicant (id " + bytes +
         " PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, locale TEXT NOT NULL, time_zone TEXT NOT NULL)");
  c->run("CREATE INDEX IF NOT EXISTS ats_applicant_email ON ats_applicant (email)");
  c->run("CREATE TABLE IF NOT EXISTS ats_search_key (search_key " + bytes + ", applicant " + bytes +
         ", PRIMARY KEY (search_key, applicant))" + (is_postgresql_ ? "" : " WITHOUT ROWID"));
  c->run("CREATE INDEX IF NOT EXISTS ats_search_key_applicant ON ats_search_key (applicant, search_key)");
  c->run("CREATE TABLE IF NOT EXISTS ats_interview (interview " + bytes + " PRIMARY KEY, applicant " + bytes + ")");
  c->run("CREATE INDEX IF NOT EXISTS ats_interview_applicant ON ats_interview (applicant, interview)");
  c->run(
      "CREATE TABLE IF NOT EXISTS ats_application (applicant TEXT NOT NULL, track TEXT NOT NULL, stage TEXT NOT "
      "NULL, interview TEXT NOT NULL, PRIMARY KEY (applicant, track))");
  c->run(
      "CREATE TABLE IF NOT EXISTS ats_mail (id TEXT PRIMARY KEY, at BIGINT NOT NULL, recipient TEXT NOT NULL, "
      "subject TEXT NOT NULL, body TEXT NOT NULL, language TEXT NOT NULL)");
  c->run("CREATE INDEX IF NOT EXISTS ats_mail_at ON ats_mail (at)");
  c->run("CREATE TABLE IF NOT EXISTS ats_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
}

std::unique_ptr<connection> database::open() const {
  if (is_postgresql_) return std::make_unique<postgres_handle>(url_);
  return std::make_unique<sqlite_handle>(url_);
}

std::shared_ptr<connection> database::lend() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [&] { return !idle_.empty() || open_ < most_connections; });
  std::unique_ptr<connection> c;
  if (!idle_.empty()) {
    c = std::move(idle_.back());
    idle_.pop_back();
  } else {
    ++open_;
    lock.unlock();
    try {
      c = open();
    } catch (...) {
      lock.lock();
      --open_;
      throw;
    }
  }
  return {c.release(), [this](connection* back) {
            std::unique_ptr<connection> owned(back);
            // One that is broken, or left in the middle of something, is not lent again.
            const auto stands = back->host().in_transaction();
            const std::lock_guard guard(mutex_);
            if (stands && *stands == hirenow::host_transaction::none)
              idle_.push_back(std::move(owned));
            else
              --open_;
            returned_.notify_one();
          }};
}

void database::write_person(connection& c, const hirenow::applicant& person) {
  c.run("DELETE FROM ats_search_key WHERE applicant = CAST(? AS TEXT)", {std::string_view(person.id)});
  c.run(
      "INSERT INTO ats_applicant (id, name, email, locale, time_zone) VALUES (CAST(? AS TEXT), CAST(? AS TEXT), "
      "CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT)) ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
      "email = excluded.email, locale = excluded.locale, time_zone = excluded.time_zone",
      {std::string_view(person.id), std::string_view(person.name), std::string_view(person.email),
       std::string_view(person.locale), std::string_view(person.time_zone)});
  // The whole name, each of its words, the address and the id: whoever types the beginning of one finds the person.
  std::set<std::string> keys{search_key(person.name), search_key(person.email), search_key(person.id)};
  for (std::size_t at = 0; (at = person.name.find(' ', at)) != std::string::npos;)
    keys.insert(search_key(std::string_view(person.name).substr(++at)));
  keys.erase("");
  for (const auto& key : keys)
    c.run("INSERT INTO ats_search_key (search_key, applicant) VALUES (CAST(? AS TEXT), CAST(? AS TEXT))",
          {std::string_view(key), std::string_view(person.id)});
}

void database::write_application(connection& c, std::string_view applicant, std::string_view track,
                                 std::string_view stage, const hirenow::interview_id& interview) {
  const std::string id = to_string(interview);
  c.run(
      "INSERT INTO ats_application (applicant, track, stage, interview) VALUES (CAST(? AS TEXT), CAST(? AS TEXT), "
      "CAST(? AS TEXT), CAST(? AS TEXT)) ON CONFLICT (applicant, track) DO UPDATE SET stage = excluded.stage, "
      "interview = excluded.interview",
      {applicant, track, stage, std::string_view(id)});
  c.run(
      "INSERT INTO ats_interview (interview, applicant) VALUES (CAST(? AS TEXT), CAST(? AS TEXT)) ON CONFLICT "
      "(interview) DO NOTHING",
      {std::string_view(id), applicant});
}

namespace {

/// What a search key lies between that begins so.
std::pair<std::string, std::string> range_of(std::string_view beginning) {
  std::string from = search_key(beginning), to = from + "\xf4\x8f\xbf\xbf";
  return {std::move(from), std::move(to)};
}

}  // namespace

std::optional<std::vector<found_person>> database::find_all_people(std::string_view beginning, std::size_t most_keys) {
  const auto [from, to] = range_of(beginning);
  const std::string_view first = from, end = to;
  const auto limit = static_cast<std::int64_t>(most_keys + 1);
  const auto rows = lend()->run(
      "SELECT applicant, whole FROM (SELECT applicant, 1 AS whole FROM ats_search_key WHERE search_key >= CAST(? AS "
      "TEXT) AND search_key < CAST(? AS TEXT) LIMIT CAST(? AS BIGINT)) AS a UNION ALL SELECT applicant, whole FROM "
      "(SELECT applicant, 0 AS whole FROM ats_interview WHERE interview >= CAST(? AS TEXT) AND interview < CAST(? AS "
      "TEXT) LIMIT CAST(? AS BIGINT)) AS b",
      {first, end, limit, first, end, limit});
  if (rows.size() > most_keys) return std::nullopt;
  std::map<std::string, bool> found;
  for (const auto& row : rows) found[text_of(row[0])] |= number_of(row[1]) != 0;
  std::vector<found_person> people;
  for (const auto& [id, is_whole] : found) people.push_back({id, is_whole});
  return people;
}

std::vector<found_person> database::find_people(std::string_view beginning, std::string_view after, std::size_t limit) {
  const auto [from, to] = range_of(beginning);
  const std::string_view first = from, end = to;
  const auto rows = lend()->run(
      "SELECT id, whole FROM (SELECT p.id AS id, CASE WHEN EXISTS (SELECT 1 FROM ats_search_key AS k WHERE k.applicant "
      "= "
      "p.id AND k.search_key >= CAST(? AS TEXT) AND k.search_key < CAST(? AS TEXT)) THEN 1 WHEN EXISTS (SELECT 1 FROM "
      "ats_interview AS i WHERE i.applicant = p.id AND i.interview >= CAST(? AS TEXT) AND i.interview < CAST(? AS "
      "TEXT)) "
      "THEN 0 END AS whole FROM ats_applicant AS p WHERE p.id > CAST(? AS TEXT)) AS found WHERE whole IS NOT NULL "
      "ORDER "
      "BY id LIMIT CAST(? AS BIGINT)",
      {first, end, first, end, after, static_cast<std::int64_t>(limit)});
  std::vector<found_person> people;
  for (const auto& row : rows) people.push_back({text_of(row[0]), number_of(row[1]) != 0});
  return people;
}

std::optional<hirenow::applicant> database::person_with_email(std::string_view email) {
  const auto rows = lend()->run(
      "SELECT id, email, name, locale, time_zone FROM ats_applicant WHERE email = CAST(? AS TEXT) ORDER BY id LIMIT 1",
      {email});
  if (rows.empty()) return std::nullopt;
  const auto& r = rows[0];
  return hirenow::applicant{text_of(r[0]), text_of(r[1]), text_of(r[2]), text_of(r[3]), text_of(r[4])};
}

std::string database::stage_of(std::string_view applicant, std::string_view track) {
  const auto rows =
      lend()->run("SELECT stage FROM ats_application WHERE applicant = CAST(? AS TEXT) AND track = CAST(? AS TEXT)",
                  {applicant, track});
  return rows.empty() ? std::string() : text_of(rows[0][0]);
}

void database::keep_mail(const mail_row& mail) {
  lend()->run(
      "INSERT INTO ats_mail (id, at, recipient, subject, body, language) VALUES (CAST(? AS TEXT), CAST(? AS "
      "BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT)) ON CONFLICT (id) DO NOTHING",
      {std::string_view(mail.id), static_cast<std::int64_t>(mail.at.time_since_epoch().count()),
       std::string_view(mail.to), std::string_view(mail.subject), std::string_view(mail.text),
       std::string_view(mail.language)});
}

std::vector<mail_row> database::newest_mail(std::string_view to, std::size_t limit) {
  const auto rows = lend()->run(
      "SELECT id, recipient, subject, body, language, at FROM ats_mail WHERE (CAST(? AS TEXT) = '' OR recipient = "
      "CAST(? AS TEXT)) ORDER BY at DESC, id DESC LIMIT CAST(? AS BIGINT)",
      {to, to, static_cast<std::int64_t>(limit)});
  std::vector<mail_row> mails;
  for (const auto& r : rows)
    mails.push_back({text_of(r[0]), text_of(r[1]), text_of(r[2]), text_of(r[3]), text_of(r[4]),
                     hirenow::sys_seconds{hirenow::seconds{number_of(r[5])}}});
  return mails;
}

std::optional<std::string> database::setting(std::string_view name) {
  const auto rows = lend()->run("SELECT value FROM ats_setting WHERE name = CAST(? AS TEXT)", {name});
  if (rows.empty()) return std::nullopt;
  return text_of(rows[0][0]);
}

void database::set(std::string_view name, std::string_view value) {
  lend()->run(
      "INSERT INTO ats_setting (name, value) VALUES (CAST(? AS TEXT), CAST(? AS TEXT)) ON CONFLICT (name) DO "
      "UPDATE SET value = excluded.value",
      {name, value});
}

}  // namespace ats
