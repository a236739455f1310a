/// A PostgreSQL handle of the host's, as a host connection.

#include <bit>
#include <cstdlib>
#include <memory>

#include <libpq-fe.h>

#include "hirenow/adapters/host_connection.hpp"

namespace hirenow {
namespace {

// Numbers of types, from PostgreSQL's pg_type.dat; they never change.
constexpr Oid type_bool = 16, type_bytea = 17, type_int8 = 20, type_int2 = 21, type_int4 = 23, type_text = 25,
              type_float8 = 701;

/// A parameter's type, bytes and format. Numbers are written as text, which every server reads alike.
struct bound {
  Oid type = 0;
  std::string text{};
  const char* data = nullptr;
  int size = 0;
  int format = 0;

  explicit bound(const host_parameter& value) { std::visit(*this, value); }
  bound(const bound&) = delete;
  bound(bound&&) = delete;

  void operator()(std::monostate) {}
  void operator()(std::int64_t n) {
    type = type_int8;
    text = std::to_string(n);
    point_at(text, 0);
  }
  void operator()(double r) {
    type = type_float8;
    auto bits = std::bit_cast<std::uint64_t>(r);
    text.resize(8);
    for (std::size_t n = 8; n-- > 0; bits >>= 8U) text[n] = static_cast<char>(bits & 0xffU);
    point_at(text, 1);
  }
  void operator()(std::string_view t) {
    type = type_text;
    point_at(t, 1);
  }
  void operator()(std::span<const std::byte> b) {
    type = type_bytea;
    point_at({reinterpret_cast<const char*>(b.data()), b.size()}, 1);
  }

 private:
  void point_at(std::string_view bytes, int how) {
    data = bytes.data() ? bytes.data() : "";
    size = static_cast<int>(bytes.size());
    format = how;
  }
};

std::uint64_t number_in(std::string_view bytes) {
  std::uint64_t n = 0;
  for (const char c : bytes) n = n << 8U | static_cast<unsigned char>(c);
  return n;
}

host_value value_at(const PGresult* r, int row, int column) {
  if (PQgetisnull(r, row, column) == 1) return std::monostate{};
  const std::string_view bytes(PQgetvalue(r, row, column), static_cast<std::size_t>(PQgetlength(r, row, column)));
  switch (PQftype(r, column)) {
    case type_bool:
    case type_int8: return static_cast<std::int64_t>(number_in(bytes));
    case type_int4: return std::int64_t{static_cast<std::int32_t>(number_in(bytes))};
    case type_int2: return std::int64_t{static_cast<std::int16_t>(number_in(bytes))};
    case type_float8: return std::bit_cast<double>(number_in(bytes));
    default: return std::string(bytes);
  }
}

class handle_connection final : public host_connection {
 public:
  explicit handle_connection(PGconn* handle) : handle_(handle) {}

  result<host_answer> execute(std::string_view sql, std::span<const host_parameter> parameters) override {
    if (!handle_) return no_handle();
    std::string text;
    std::size_t number = 0;
    for (const char c : sql) {
      if (c == '?')
        text.append(1, '$').append(std::to_string(++number));  // GCC 12 warns of operator+ here, see quoted_identifier
      else
        text.push_back(c);
    }
    std::vector<std::unique_ptr<bound>> all;
    std::vector<Oid> types;
    std::vector<const char*> values;
    std::vector<int> lengths, formats;
    for (const auto& p : parameters) {
      const auto& one = *all.emplace_back(std::make_unique<bound>(p));
      types.push_back(one.type);
      values.push_back(one.data);
      lengths.push_back(one.size);
      formats.push_back(one.format);
    }
    const std::unique_ptr<PGresult, void (*)(PGresult*)> r(
        PQexecParams(handle_, text.c_str(), static_cast<int>(all.size()), types.data(), values.data(), lengths.data(),
                     formats.data(), 1),
        [](PGresult* one) { PQclear(one); });
    const auto status = PQresultStatus(r.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return failure(r.get());
    host_answer answer;
    const int rows = PQntuples(r.get()), columns = PQnfields(r.get());
    for (int row = 0; row < rows; ++row) {
      auto& values_of_row = answer.rows.emplace_back();
      for (int column = 0; column < columns; ++column) values_of_row.push_back(value_at(r.get(), row, column));
    }
    answer.count = std::atoll(PQcmdTuples(r.get()));
    return answer;
  }

  result<host_transaction> in_transaction() override {
    if (!handle_) return no_handle();
    switch (PQtransactionStatus(handle_)) {
      case PQTRANS_IDLE: return host_transaction::none;
      case PQTRANS_INTRANS:
      case PQTRANS_INERROR: return host_transaction::open;
      case PQTRANS_ACTIVE: return detail::fail(errc::invalid_argument, "a statement of the host's is under way");
      case PQTRANS_UNKNOWN: break;
    }
    return detail::fail(errc::store_unavailable, "the connection is broken");
  }

  host_dialect dialect() const override { return host_dialect::postgresql; }

 private:
  static error no_handle() { return detail::fail(errc::store_unavailable, "there is no PostgreSQL handle"); }
  error failure(const PGresult* r) const {
    const auto field = [&](int what) {
      const char* const text = r ? PQresultErrorField(r, what) : nullptr;
      return text ? std::string_view(text) : std::string_view();
    };
    const auto text = field(PG_DIAG_MESSAGE_PRIMARY);
    return postgres_error(field(PG_DIAG_SQLSTATE), text.empty() ? PQerrorMessage(handle_) : text,
                          field(PG_DIAG_CONSTRAINT_NAME));
  }

  PGconn* const handle_;
};

}  // namespace

std::unique_ptr<host_connection> host_connection_of(pg_conn* handle) {
  return std::make_unique<handle_connection>(handle);
}

}  // namespace hirenow
