#pragma once
/// Our SQL over the host's driver: parameters in its order, its values as our rows.
///
/// Errors that the driver returns are thrown as `hirenow::exception`; what it throws passes.
/// Threads: one at a time.

#include "hirenow/adapters/host_connection.hpp"
#include "sql_connection.hpp"

namespace hirenow::detail {

class sql_host_connection final : public sql_connection {
 public:
  /// `schema` is PostgreSQL's alone.
  explicit sql_host_connection(host_connection& driver, std::string schema = {})
      : driver_(driver), schema_(std::move(schema)) {}

  sql_dialect dialect() const override {
    return driver_.dialect() == host_dialect::postgresql ? sql_dialect::postgresql : sql_dialect::sqlite;
  }
  const std::string& schema() const { return schema_; }

  using sql_connection::execute;
  std::int64_t execute(const char* sql, std::span<const sql_value> parameters, row_taker take) override;
  void run(const std::string& sql) override;

  host_transaction transaction();

 private:
  host_connection& driver_;
  const std::string schema_;
};

}  // namespace hirenow::detail
