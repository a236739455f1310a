#include "postgres_rollup.hpp"

#include <string>

namespace hirenow::detail {

void postgres_sum_up(sql_session& s) {
  static const std::string statement = [] {
    std::string names, sums, additions;
    for (std::size_t n = 0; n < interview_state_count; ++n) {
      const std::string name(to_string(static_cast<interview_state>(n)));
      names += ", " + name;
      sums += ", sum(g." + name + ")";
      additions += (n ? ", " : "") + name + " = hirenow_count." + name + " + excluded." + name;
    }
    // Rows are touched in one order by whoever touches them.
    return "WITH taken AS MATERIALIZED (DELETE FROM main.hirenow_count_delta AS d WHERE (d.tenant_no, d.delta_no) IN "
           "(SELECT f.tenant_no, f.delta_no FROM main.hirenow_count_delta AS f ORDER BY f.tenant_no, f.delta_no LIMIT "
           "20000) RETURNING d.*) INSERT INTO main.hirenow_count (tenant_no, track_no" +
           names + ") SELECT g.tenant_no, g.track_no" + sums + " FROM (SELECT tenant_no, track_no" + names +
           " FROM taken UNION ALL SELECT tenant_no, 0" + names +
           " FROM taken) AS g GROUP BY g.tenant_no, g.track_no ORDER BY g.tenant_no, g.track_no "
           "ON CONFLICT (tenant_no, track_no) DO UPDATE SET " +
           additions;
  }();
  s.rows_of_all();
  bool is_ours = false;
  s.connection.execute("SELECT pg_catalog.pg_try_advisory_xact_lock(CAST('main.hirenow_count' AS regclass)::bigint)",
                       {}, [&](const sql_row& row) { is_ours = row.integer(0) != 0; });
  if (is_ours) s.connection.execute(statement.c_str(), {});
}

}  // namespace hirenow::detail
