#include "postgres_connection.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "postgres_error.hpp"
#include "postgres_schema.hpp"

namespace hirenow::detail {
namespace {

using namespace std::chrono_literals;

struct clear_result {
  void operator()(PGresult* r) const { PQclear(r); }
};
using result_holder = std::unique_ptr<PGresult, clear_result>;

/// Numbers travel with their highest byte first (network byte order).
template <class Unsigned>
Unsigned read_number(const char* bytes) {
  Unsigned n = 0;
  for (std::size_t i = 0; i < sizeof n; ++i) n = static_cast<Unsigned>(n << 8U | static_cast<unsigned char>(bytes[i]));
  return n;
}
std::array<char, 8> write_number(std::uint64_t n) {
  std::array<char, 8> bytes{};
  for (std::size_t i = 8; i-- > 0; n >>= 8U) bytes[i] = static_cast<char>(n & 0xffU);
  return bytes;
}

/// As with SQLite, NULL is 0 and the empty string too.
class result_row final : public sql_row {
 public:
  result_row(const PGresult* from, int row) : from_(from), row_(row) {}
  bool is_null(int column) const override { return PQgetisnull(from_, row_, column) == 1; }
  std::int64_t integer(int column) const override {
    const auto value = text(column);
    switch (value.size()) {
      case 8: return static_cast<std::int64_t>(read_number<std::uint64_t>(value.data()));
      case 4: return static_cast<std::int32_t>(read_number<std::uint32_t>(value.data()));
      case 2: return static_cast<std::int16_t>(read_number<std::uint16_t>(value.data()));
      case 1: return value[0];
      default: return 0;
    }
  }
  double real(int column) const override {
    const auto value = text(column);
    return value.size() == 8 ? std::bit_cast<double>(read_number<std::uint64_t>(value.data())) : 0;
  }
  std::string_view text(int column) const override {
    return {PQgetvalue(from_, row_, column), static_cast<std::size_t>(PQgetlength(from_, row_, column))};
  }
  std::string_view bytes(int column) const override { return text(column); }

 private:
  const PGresult* from_;
  const int row_;
};

// Numbers of types, from PostgreSQL's pg_type.dat; they never change.
constexpr Oid type_bytea = 17, type_int8 = 20, type_text = 25, type_float8 = 701;

/// Parameters as libpq wants them.
class bound_parameters {
 public:
  explicit bound_parameters(std::span<const sql_value> values) {
    if (values.size() > most) throw exception(fail(errc::internal, "too many parameters"));
    count_ = static_cast<int>(values.size());
    for (std::size_t n = 0; n < values.size(); ++n) bind(n, values[n]);
  }
  int count() const { return count_; }
  const Oid* types() const { return types_.data(); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  static constexpr std::size_t most = 40;

  void bind(std::size_t n, const sql_value& value) {
    std::string_view bytes;
    switch (value.what()) {
      case sql_value::kind::null: return;  // the server infers its type from where it stands
      case sql_value::kind::integer:
        types_[n] = type_int8;
        numbers_[n] = write_number(static_cast<std::uint64_t>(value.integer()));
        bytes = {numbers_[n].data(), 8};
        break;
      case sql_value::kind::real:
        types_[n] = type_float8;
        numbers_[n] = write_number(std::bit_cast<std::uint64_t>(value.real()));
        bytes = {numbers_[n].data(), 8};
        break;
      case sql_value::kind::text:
        types_[n] = type_text;
        bytes = value.view();
        break;
      case sql_value::kind::bytes:
        types_[n] = type_bytea;
        bytes = value.view();
        break;
    }
    values_[n] = bytes.data();
    lengths_[n] = static_cast<int>(bytes.size());
    formats_[n] = 1;
  }

  int count_ = 0;
  std::array<Oid, most> types_{};
  std::array<const char*, most> values_{};
  std::array<int, most> lengths_{};
  std::array<int, most> formats_{};
  std::array<std::array<char, 8>, most> numbers_{};
};

std::string_view field(const PGresult* r, int what) {
  const char* const text = PQresultErrorField(r, what);
  return text ? std::string_view(text) : std::string_view();
}

/// How much longer than its deadline a call may take, so that the server stops.
constexpr std::chrono::milliseconds cancel_patience{250};

/// Has the server stop what it does for a connection. libpq's own call waits for the server without end: it has a
/// thread of its own, which is left to itself where the server stands still.
void cancel(PGconn* connection) noexcept {
  try {
    const std::shared_ptr<PGcancel> of(PQgetCancel(connection), [](PGcancel* c) { PQfreeCancel(c); });
    if (!of) return;
    const auto said = std::make_shared<std::promise<void>>();
    const auto done = said->get_future();
    std::thread([of, said] {
      std::array<char, 256> ignored{};
      PQcancel(of.get(), ignored.data(), ignored.size());
      said->set_value();
    }).detach();
    done.wait_for(cancel_patience);
  } catch (...) {
    // Then the server stops when it has an answer, and finds nobody to give it to.
  }
}

}  // namespace

postgres_connection::postgres_connection(const postgres_settings& settings, clock::time_point deadline)
    : settings_(settings), deadline_(deadline) {
  // What stands later takes the place of what the host wrote.
  const char* const keywords[] = {"fallback_application_name", "dbname", "client_encoding", nullptr};
  const char* const values[] = {"hirenow", settings.conninfo.c_str(), "UTF8", nullptr};
  connection_ = PQconnectStartParams(keywords, values, 1);
  if (!connection_) throw std::bad_alloc();
  try {
    usable_ = true;
    if (PQstatus(connection_) == CONNECTION_BAD) broken(PQerrorMessage(connection_));
    for (auto state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
      if (state == PGRES_POLLING_FAILED) broken(PQerrorMessage(connection_));
      wait(state == PGRES_POLLING_WRITING);
      state = PQconnectPoll(connection_);
    }
    PQsetNoticeReceiver(connection_, [](void*, const PGresult*) {}, nullptr);
    if (PQserverVersion(connection_) < 140000)
      throw exception(fail(errc::store_unavailable, "hirenow needs PostgreSQL 14 or later"));
    if (PQsetnonblocking(connection_, 1) != 0 || PQenterPipelineMode(connection_) != 1)
      broken(PQerrorMessage(connection_));
  } catch (...) {
    PQfinish(connection_);
    throw;
  }
}

postgres_connection::~postgres_connection() { PQfinish(connection_); }

void postgres_connection::abandon() noexcept {
  // The parent speaks through the same socket: what PQfinish says goes elsewhere.
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere >= 0 && PQsocket(connection_) >= 0) {
    ::dup2(nowhere, PQsocket(connection_));
    ::close(nowhere);
    return;
  }
  connection_ = nullptr;
}

void postgres_connection::broken(std::string_view what) {
  usable_ = false;
  outcome_is_unknown_ = commit_is_under_way_;
  pending_.clear();
  while (!what.empty() && what.back() == '\n') what.remove_suffix(1);
  throw exception(fail(commit_is_under_way_ ? errc::store_outcome_unknown : errc::store_unavailable,
                       "PostgreSQL: " + std::string(what)));
}

void postgres_connection::wait(bool to_write) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - clock::now());
    if (left <= 0ms) {
      // The server goes on with what it has until it is told to stop; where it cannot be told, the connection goes.
      usable_ = false;
      outcome_is_unknown_ = commit_is_under_way_;
      pending_.clear();
      cancel(connection_);
      throw exception(fail(commit_is_under_way_ ? errc::store_outcome_unknown : errc::store_busy,
                           "PostgreSQL did not answer in time"));
    }
    pollfd one{PQsocket(connection_), static_cast<short>(POLLIN | (to_write ? POLLOUT : 0)), 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 1'000'000)));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) broken("poll failed");
  }
}

bool postgres_connection::has_gone() {
  pollfd one{PQsocket(connection_), POLLIN, 0};
  if (::poll(&one, 1, 0) == 0) return false;
  // Nothing is expected: a farewell, or the end of the stream. A changed parameter may come too.
  if (PQconsumeInput(connection_) == 1 && PQstatus(connection_) == CONNECTION_OK) {
    pollfd again{PQsocket(connection_), POLLIN, 0};
    if (::poll(&again, 1, 0) == 0) return false;
  }
  usable_ = false;
  return true;
}

postgres_connection::statement& postgres_connection::known(const char* sql, bool wrapped) {
  auto& all = wrapped ? wrapped_ : statements_;
  const auto [at, is_new] = all.try_emplace(sql);
  if (is_new) {
    at->second.name = "hirenow_" + std::to_string(++names_given_);
    at->second.text = postgres_text(sql, settings_.schema);
    if (wrapped)
      at->second.text = "WITH changed AS (" + at->second.text + " RETURNING 1) SELECT " +
                        quoted_identifier(settings_.schema) + ".hirenow_require_one(pg_catalog.count(*)) FROM changed";
  }
  return at->second;
}

void postgres_connection::require_sent(int sent) {
  if (sent != 1) broken(PQerrorMessage(connection_));
}

void postgres_connection::send(statement& s, std::span<const sql_value> parameters, pending answer) {
  if (!usable_) throw exception(fail(errc::store_unavailable, "PostgreSQL: the connection is broken"));
  const bound_parameters bound(parameters);
  if (!settings_.prepared_statements) {
    require_sent(PQsendQueryParams(connection_, s.text.c_str(), bound.count(), bound.types(), bound.values(),
                                   bound.lengths(), bound.formats(), 1));
  } else {
    if (!s.is_prepared && !s.is_being_prepared) {
      require_sent(PQsendPrepare(connection_, s.name.c_str(), s.text.c_str(), bound.count(), bound.types()));
      s.is_being_prepared = true;
      pending_.push_back({purpose::prepare, &s, nothing, nullptr, errc{}, nullptr});
    }
    require_sent(PQsendQueryPrepared(connection_, s.name.c_str(), bound.count(), bound.values(), bound.lengths(),
                                     bound.formats(), 1));
  }
  pending_.push_back(answer);
}

std::int64_t postgres_connection::execute(const char* sql, std::span<const sql_value> parameters, row_taker take) {
  std::int64_t changed = 0;
  post(sql, parameters, take, &changed);
  wait_for_answers();
  return changed;
}

void postgres_connection::post(const char* sql, std::span<const sql_value> parameters, row_taker take,
                               std::int64_t* changed) {
  statement& s = known(sql, false);
  send(s, parameters, {purpose::query, &s, take, changed, errc{}, nullptr});
}

void postgres_connection::post_one(const char* sql, std::span<const sql_value> parameters, errc otherwise,
                                   const char* why) {
  statement& s = known(sql, true);
  send(s, parameters, {purpose::query, &s, nothing, nullptr, otherwise, why});
}

void postgres_connection::send_text(const char* sql, purpose what) {
  if (!usable_) throw exception(fail(errc::store_unavailable, "PostgreSQL: the connection is broken"));
  require_sent(PQsendQueryParams(connection_, sql, 0, nullptr, nullptr, nullptr, nullptr, 1));
  pending_.push_back({what, nullptr, nothing, nullptr, errc{}, nullptr});
}

void postgres_connection::run(const std::string& sql) {
  send_text(sql.c_str(), purpose::query);
  wait_for_answers();
}

void postgres_connection::begin(const char* how) {
  outcome_is_unknown_ = may_be_repeated_ = commit_is_under_way_ = false;
  is_begun_ = true;
  send_text(how, purpose::query);
}

void postgres_connection::commit() {
  if (is_begun_) {
    is_begun_ = false;
    commit_is_under_way_ = true;  // the server acts on it as soon as it has it
    send_text("COMMIT", purpose::commit);
  }
  wait_for_answers();
}

std::int64_t postgres_connection::new_applicant_no() {
  if (next_applicant_no_ > last_applicant_no_) {
    next_applicant_no_ = sql_connection::new_applicant_no();
    last_applicant_no_ = next_applicant_no_ + applicant_no_block - 1;
  }
  return next_applicant_no_++;
}

PGresult* postgres_connection::next_result() {
  while (PQisBusy(connection_) == 1) {
    wait(false);
    if (PQconsumeInput(connection_) != 1) broken(PQerrorMessage(connection_));
  }
  return PQgetResult(connection_);
}

void postgres_connection::wait_for_answers() {
  if (pending_.empty()) return;
  ++round_trips_;
  require_sent(PQpipelineSync(connection_));
  for (int left = PQflush(connection_); left != 0; left = PQflush(connection_)) {
    if (left < 0) broken(PQerrorMessage(connection_));
    wait(true);
    if (PQconsumeInput(connection_) != 1) broken(PQerrorMessage(connection_));
  }
  read_answers();
}

void postgres_connection::read_answers() {
  std::optional<error> first;
  std::vector<result_holder> answers;
  answers.reserve(pending_.size());
  const auto refused = [&](const pending& p, const PGresult* r) {
    const auto state = field(r, PG_DIAG_SQLSTATE);
    if (first) return;
    may_be_repeated_ = is_repeatable(state);
    // The end of the session is told as an answer, too; what was to be committed may be so.
    if (state == "57P01" || state == "57P02" || state == "57P03") usable_ = false;
    if (p.why && state == sqlstate_not_one)
      first = fail(p.otherwise, p.why);
    else
      first = postgres_failure(
          state,
          field(r, PG_DIAG_MESSAGE_PRIMARY).empty() ? PQresultErrorMessage(r) : field(r, PG_DIAG_MESSAGE_PRIMARY),
          field(r, PG_DIAG_CONSTRAINT_NAME));
  };
  for (pending& p : pending_) {
    result_holder answer;
    while (PGresult* const r = next_result()) {
      answer.reset(r);
      if (PQstatus(connection_) == CONNECTION_BAD) broken(PQerrorMessage(connection_));
    }
    if (!answer) broken("an answer is missing");
    const auto status = PQresultStatus(answer.get());
    const bool is_good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (status == PGRES_FATAL_ERROR) refused(p, answer.get());
    if (p.what == purpose::prepare) {
      p.of->is_being_prepared = false;
      p.of->is_prepared = is_good;
    }
    // A COMMIT that was not reached, or was refused, has done nothing.
    if (p.what == purpose::commit && usable_) commit_is_under_way_ = false;
    answers.push_back(is_good ? std::move(answer) : nullptr);
  }
  const result_holder end(next_result());
  if (!end || PQresultStatus(end.get()) != PGRES_PIPELINE_SYNC) broken("the answers do not end");
  // Whoever takes a row may ask for more.
  const auto asked = std::exchange(pending_, {});
  if (first) throw exception(*std::move(first));
  for (std::size_t n = 0; n < asked.size(); ++n) {
    const PGresult* const r = answers[n].get();
    if (asked[n].changed) *asked[n].changed = std::atoll(PQcmdTuples(const_cast<PGresult*>(r)));
    if (asked[n].why) continue;
    const int rows = PQntuples(r);
    for (int row = 0; row < rows; ++row) asked[n].take(result_row(r, row));
  }
}

void postgres_connection::roll_back() noexcept {
  try {
    if (!usable_) return;
    commit_is_under_way_ = is_begun_ = false;
    for (pending& p : pending_) p = {p.what, p.of, nothing, nullptr, errc{}, nullptr};
    try {
      wait_for_answers();
    } catch (const exception&) {
      // What was posted in vain.
    }
    if (usable_ && PQtransactionStatus(connection_) != PQTRANS_IDLE) run("ROLLBACK");
  } catch (...) {
    usable_ = false;
  }
}

}  // namespace hirenow::detail
