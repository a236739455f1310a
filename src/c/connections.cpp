/// Stores over connections of the host's own, which are tables of callbacks.

#include "hirenow/adapters/host_connection.hpp"

#include "callbacks.hpp"
#include "rows.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::c;

using connection_callbacks = hirenow_connection_callbacks;

hirenow_value value_of(const host_parameter& p) {
  hirenow_value out{HIRENOW_VALUE_NULL, 0, 0.0, nullptr, 0};
  if (const auto* n = std::get_if<std::int64_t>(&p)) {
    out.kind = HIRENOW_VALUE_INTEGER;
    out.integer = *n;
  } else if (const auto* d = std::get_if<double>(&p)) {
    out.kind = HIRENOW_VALUE_REAL;
    out.real = *d;
  } else if (const auto* t = std::get_if<std::string_view>(&p)) {
    out.kind = HIRENOW_VALUE_TEXT;
    out.bytes = t->data();
    out.size = t->size();
  } else if (const auto* b = std::get_if<std::span<const std::byte>>(&p)) {
    out.kind = HIRENOW_VALUE_BYTES;
    out.bytes = b->data();
    out.size = b->size();
  }
  return out;
}

host_value value_of(const hirenow_value& v) {
  switch (v.kind) {
    case HIRENOW_VALUE_NULL: return std::monostate();
    case HIRENOW_VALUE_INTEGER: return v.integer;
    case HIRENOW_VALUE_REAL: return v.real;
    case HIRENOW_VALUE_TEXT:
    case HIRENOW_VALUE_BYTES:
      if (v.size != 0) need(v.bytes, "the bytes of a value");
      return v.size == 0 ? std::string() : std::string(static_cast<const char*>(v.bytes), v.size);
    default: refuse("a value is of no kind");
  }
}

connection_callbacks checked(const connection_callbacks* given) {
  const auto c = read(given, "callbacks");
  if (!c.execute || !c.in_transaction) refuse("a callback is missing");
  (void)one_of<host_dialect>(c.dialect, 2, "dialect");
  return c;
}

class callback_connection final : public host_connection {
 public:
  explicit callback_connection(const connection_callbacks& c) noexcept : table_(c, false) {}
  void is_registered() noexcept { table_.is_registered(); }

  result<host_answer> execute(std::string_view sql, std::span<const host_parameter> parameters) override {
    const std::string statement(sql);
    std::vector<hirenow_value> values;
    values.reserve(parameters.size());
    for (const auto& p : parameters) values.push_back(value_of(p));
    host_answer answer;
    hirenow_reply reply;
    reply.sql = &answer;
    const auto status = table_->execute(table_->ctx, statement.c_str(), values.data(), values.size(), &reply);
    if (status != HIRENOW_OK || reply.failed) return reply.error_for(status);
    return answer;
  }
  result<host_transaction> in_transaction() override {
    std::int32_t standing = HIRENOW_TRANSACTION_NONE;
    hirenow_reply reply;
    const auto status = table_->in_transaction(table_->ctx, &standing, &reply);
    if (status != HIRENOW_OK || reply.failed) return reply.error_for(status);
    return one_of<host_transaction>(standing, 3, "standing");
  }
  host_dialect dialect() const override { return static_cast<host_dialect>(table_->dialect); }

 private:
  table<connection_callbacks> table_;
};

/// A store on the host's connection. The store goes first.
struct joined_callbacks {
  explicit joined_callbacks(const connection_callbacks& c) : connection(c) {}
  callback_connection connection;
  std::unique_ptr<store> base{};
};

/// Opens one connection. Its place is made before, so that what the host opened is never lost.
result<std::unique_ptr<host_connection>> open_one(const table<hirenow_connector_callbacks>& connector) {
  struct place final : host_connection {
    result<host_answer> execute(std::string_view sql, std::span<const host_parameter> p) override {
      return made->execute(sql, p);
    }
    result<host_transaction> in_transaction() override { return made->in_transaction(); }
    host_dialect dialect() const override { return made->dialect(); }
    std::optional<callback_connection> made{};
  };
  auto out = std::make_unique<place>();
  auto callbacks = struct_versions<connection_callbacks>::standard;
  hirenow_reply reply;
  const auto status = connector->open(connector->ctx, &callbacks, &reply);
  if (status != HIRENOW_OK || reply.failed) return reply.error_for(status);
  out->made.emplace(checked(&callbacks)).is_registered();
  return out;
}

/// Says why a callback fails: what the driver's own code means.
template <class Meaning>
hirenow_status fail_with(hirenow_reply* reply, Meaning&& meaning) noexcept {
  auto code = errc::store_unavailable;
  (void)guard(nullptr, [&]() -> result<void> {
    auto e = meaning();
    code = e.code;
    if (reply) reply->failed.emplace(std::move(e));
    return {};
  });
  return static_cast<hirenow_status>(code);
}

}  // namespace

extern "C" {

hirenow_status hirenow_reply_add_row(hirenow_reply* reply, const hirenow_value* values, size_t count) {
  return fill(reply, &hirenow_reply::sql, [&](host_answer& out) {
    std::vector<host_value> row;
    for (const auto& v : list(values, count, 1024, "values")) row.push_back(value_of(v));
    out.rows.push_back(std::move(row));
  });
}
hirenow_status hirenow_reply_set_changed(hirenow_reply* reply, int64_t count) {
  return fill(reply, &hirenow_reply::sql, [&](host_answer& out) { out.count = count; });
}
hirenow_status hirenow_reply_fail_sqlite(hirenow_reply* reply, int32_t code, const char* message) {
  return fail_with(reply, [&] { return sqlite_error(code, text(message)); });
}
hirenow_status hirenow_reply_fail_postgres(hirenow_reply* reply, const char* sqlstate, const char* message,
                                           const char* constraint) {
  return fail_with(reply, [&] { return postgres_error(text(sqlstate), text(message), text(constraint)); });
}

hirenow_status hirenow_store_join_connection(const hirenow_connection_callbacks* callbacks, const char* schema,
                                             int32_t create_tables, hirenow_store** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_store& s) -> result<void> {
    const auto both = std::make_shared<joined_callbacks>(checked(callbacks));
    join_options options{.create_tables = create_tables != 0};
    if (schema) options.schema = schema;
    both->base = join_transaction(both->connection, options).value();
    s.value = {both, both->base.get()};
    s.calls_back = true;
    both->connection.is_registered();
    return {};
  });
}
hirenow_status hirenow_store_open_through(const char* path, const hirenow_connector_callbacks* callbacks,
                                          const hirenow_store_options* options, hirenow_store** out,
                                          hirenow_error** error) {
  return make(error, out, [&](hirenow_store& s) -> result<void> {
    const auto c = read(callbacks, "callbacks");
    if (!c.open) refuse("a callback is missing");
    const auto connector = std::make_shared<table<hirenow_connector_callbacks>>(c, false);
    s.value = open_sqlite_store_through(
                  string(path), [connector] { return open_one(*connector); },
                  read_sqlite_options(read_or_standard(options, "options")))
                  .value();
    s.calls_back = true;
    connector->is_registered();
    return {};
  });
}

}  // extern "C"
