#include "sql_host_connection.hpp"

#include "postgres_schema.hpp"

#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace hirenow::detail {
namespace {

/// A statement as a driver takes it: with a ? for each place at which a parameter stands, and which one that is.
struct driver_statement {
  std::string text;
  std::vector<std::size_t> parameters;
};

/// The type by which PostgreSQL is to take a parameter: a driver may say a narrower one, or none. NULL has none; it is
/// written into the statement.
std::string_view postgres_type(sql_value::kind kind) {
  switch (kind) {
    case sql_value::kind::null: break;
    case sql_value::kind::integer: return "bigint";
    case sql_value::kind::real: return "double precision";
    case sql_value::kind::text: return "text";
    case sql_value::kind::bytes: return "bytea";
  }
  return {};
}

/// `typed`, where it is not empty, are the parameters for which PostgreSQL is to be told the types.
driver_statement rewrite(std::string_view sql, std::span<const sql_value> typed = {}) {
  driver_statement out;
  for (std::size_t at = 0; at < sql.size();) {
    if (sql[at] != '$') {
      out.text.push_back(sql[at++]);
      continue;
    }
    std::size_t number = 0;
    for (++at; at < sql.size() && sql[at] >= '0' && sql[at] <= '9'; ++at)
      number = number * 10 + static_cast<std::size_t>(sql[at] - '0');
    const auto place = number - 1;
    if (place < typed.size()) {
      const auto type = postgres_type(typed[place].what());
      out.text += type.empty() ? "NULL" : "CAST(? AS " + std::string(type) + ")";
      if (type.empty()) continue;
    } else {
      out.text.push_back('?');
    }
    out.parameters.push_back(place);
  }
  return out;
}

/// Statements live as long as the program and are known by their address, so each is rewritten once.
const driver_statement& rewritten(const char* sql) {
  static std::shared_mutex mutex;
  static auto& known = *new std::unordered_map<const char*, driver_statement>;
  {
    const std::shared_lock lock(mutex);
    if (const auto at = known.find(sql); at != known.end()) return at->second;
  }
  auto made = rewrite(sql);
  const std::unique_lock lock(mutex);
  return known.try_emplace(sql, std::move(made)).first->second;
}

/// The same for PostgreSQL, for a schema and the kinds of the parameters.
driver_statement postgres_statement(const char* sql, const std::string& schema, std::span<const sql_value> parameters) {
  static std::shared_mutex mutex;
  static auto& known = *new std::unordered_map<std::string, driver_statement>;
  std::string key(schema + '\0' + std::to_string(reinterpret_cast<std::uintptr_t>(sql)) + '\0');
  for (const auto& value : parameters) key.push_back(static_cast<char>('0' + static_cast<int>(value.what())));
  {
    const std::shared_lock lock(mutex);
    if (const auto at = known.find(key); at != known.end()) return at->second;
  }
  auto made = rewrite(postgres_text(sql, schema), parameters);
  const std::unique_lock lock(mutex);
  if (known.size() >= 10'000) known.clear();  // many schemas
  return known.try_emplace(std::move(key), std::move(made)).first->second;
}

host_parameter as_parameter(const sql_value& value) {
  switch (value.what()) {
    case sql_value::kind::null: break;
    case sql_value::kind::integer: return value.integer();
    case sql_value::kind::real: return value.real();
    case sql_value::kind::text: return value.view();
    case sql_value::kind::bytes: return std::as_bytes(std::span(value.view()));
  }
  return std::monostate{};
}

[[noreturn]] void refuse(const char* what) {
  throw exception(fail(errc::internal, std::string("the host's driver ") + what));
}

/// A row as the driver brought it. As with SQLite, NULL is 0 and the empty string too.
class host_row final : public sql_row {
 public:
  explicit host_row(const std::vector<host_value>& values) : values_(values) {}
  bool is_null(int column) const override { return std::holds_alternative<std::monostate>(value(column)); }
  std::int64_t integer(int column) const override {
    if (const auto* n = std::get_if<std::int64_t>(&value(column))) return *n;
    if (is_null(column)) return 0;
    refuse("brought something else where an integer stands");
  }
  double real(int column) const override {
    if (const auto* r = std::get_if<double>(&value(column))) return *r;
    return static_cast<double>(integer(column));
  }
  std::string_view text(int column) const override {
    if (const auto* t = std::get_if<std::string>(&value(column))) return *t;
    if (is_null(column)) return {"", 0};
    refuse("brought a number where text or bytes stand");
  }
  std::string_view bytes(int column) const override { return text(column); }

 private:
  const host_value& value(int column) const {
    const auto at = static_cast<std::size_t>(column);
    if (at >= values_.size()) refuse("brought a row with columns missing");
    return values_[at];
  }
  const std::vector<host_value>& values_;
};

}  // namespace

std::int64_t sql_host_connection::execute(const char* sql, std::span<const sql_value> parameters, row_taker take) {
  std::optional<driver_statement> own;
  if (dialect() == sql_dialect::postgresql) own = postgres_statement(sql, schema_, parameters);
  const driver_statement& statement = own ? *own : rewritten(sql);
  std::vector<host_parameter> values;
  values.reserve(statement.parameters.size());
  for (const auto number : statement.parameters) values.push_back(as_parameter(parameters[number]));
  const auto answer = driver_.execute(statement.text, values);
  if (!answer) throw exception(answer.error());
  for (const auto& row : answer->rows) take(host_row(row));
  return answer->count;
}

void sql_host_connection::run(const std::string& sql) {
  if (const auto answer = driver_.execute(sql, {}); !answer) throw exception(answer.error());
}

host_transaction sql_host_connection::transaction() {
  const auto now = driver_.in_transaction();
  if (!now) throw exception(now.error());
  return *now;
}

}  // namespace hirenow::detail
