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
  explicit sql_host_connection(host_connection& driver) : driver_(driver) {}

  using sql_connection::execute;
  std::int64_t execute(const char* sql, std::span<const sql_value> parameters, row_taker take) override;
  void run(const std::string& sql) override;

  host_transaction transaction();

 private:
  host_connection& driver_;
};

}  // namespace hirenow::detail
