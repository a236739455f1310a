/// Where stores and engines come from, for C.

#include "callbacks.hpp"
#include "hirenow/adapters/host_connection.hpp"
#include "hirenow/adapters/memory.hpp"
#include "hirenow/adapters/postgres.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::c;

permission_table read_permissions(const hirenow_permission* first, std::size_t count) {
  permission_table table = default_permissions;
  for (const auto& row : list(first, count, 1024, "permissions")) {
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const permission& p) { return p.word == text(row.use_case); });
    if (found == table.end()) refuse("there is no use case of this name");
    found->staff = roles_of(row.roles);
    found->token = row.token != 0;
    found->system = row.system != 0;
  }
  return table;
}

key_ring read_keys(const hirenow_engine_options& o) {
  if ((o.keys != nullptr) + (o.keys_json != nullptr) + (o.keys_file != nullptr) != 1)
    refuse("an engine needs keys, keys_json or keys_file, and one of them alone");
  if (o.keys) return *alive(o.keys, "keys").value;
  return o.keys_json ? key_ring::from_json(o.keys_json).value() : key_ring::from_file(o.keys_file).value();
}

engine_options read_engine_options(const hirenow_engine_options& o) {
  engine_options out{.link_base = string(o.link_base),
                     .permissions = read_permissions(o.permissions, o.permission_count)};
  for (const auto& own : list(o.link_bases, o.link_base_count, 1'000'000, "link bases"))
    out.link_bases[string(own.tenant)] = string(own.link_base);
  if (o.issuer) out.issuer = o.issuer;
  if (o.audience) out.audience = o.audience;
  if (o.link_lifetime_seconds != 0) out.link_lifetime = seconds{o.link_lifetime_seconds};
  if (o.time_limit_seconds != 0) out.time_limit = seconds{o.time_limit_seconds};
  if (o.answer_retention_seconds != 0) out.answer_retention = seconds{o.answer_retention_seconds};
  if (o.link_request_interval_seconds != 0)
    out.link_request_interval = seconds{std::max<std::int64_t>(0, o.link_request_interval_seconds)};
  return out;
}

std::shared_ptr<engine_state> make_engine(std::shared_ptr<store> base, bool calls_back,
                                          const hirenow_engine_options& o) {
  auto state = std::make_shared<engine_state>();
  state->base = std::move(base);
  if (calls_back) state->marked_store = mark_callbacks(*state->base, *state->callbacks);
  auto options = read_engine_options(o);
  if (o.clock) {
    state->time = alive(o.clock, "clock").value;
    state->marked_clock = mark_callbacks(*state->time, *state->callbacks);
    options.clock = state->marked_clock.get();
  }
  if (o.logger) state->log = alive(o.logger, "logger").value;
  state->core.emplace(state->marked_store ? *state->marked_store : *state->base, read_keys(o),
                      o.policy_json ? retake_policy::parse(o.policy_json).value() : retake_policy::standard(),
                      std::move(options));
  return state;
}

std::shared_ptr<store> open_store(std::string_view url, const hirenow_store_options& o) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url == "memory:") return open_memory_store();
  if (url.starts_with("postgresql:") || url.starts_with("postgres:")) {
    if (o.connections < 0 || o.connections > 1024 || o.call_timeout_milliseconds < 0 ||
        o.announce_every_milliseconds < 0 || o.connect_timeout_milliseconds < 0)
      refuse("an option of the store is out of range");
    postgres_options options;
    if (o.schema) options.schema = o.schema;
    if (o.connections) options.connections = static_cast<std::size_t>(o.connections);
    if (o.connect_timeout_milliseconds)
      options.connect_timeout = std::chrono::milliseconds{o.connect_timeout_milliseconds};
    if (o.call_timeout_milliseconds) options.call_timeout = std::chrono::milliseconds{o.call_timeout_milliseconds};
    options.prepared_statements = o.without_prepared_statements == 0;
    options.create_tables = o.no_tables == 0;
    options.clock = o.callers_clock ? postgres_clock::caller : postgres_clock::database;
    options.row_security = o.row_security != 0;
    options.announces_mail = o.announces_mail != 0;
    if (o.announce_every_milliseconds)
      options.announce_every = std::chrono::milliseconds{o.announce_every_milliseconds};
    return open_postgres_store(std::string(url), options).value();
  }
  if (!url.starts_with(sqlite)) refuse("a store's URL is sqlite:PATH, memory: or postgresql://…");
  return open_sqlite_store(std::string(url.substr(sqlite.size())), read_sqlite_options(o)).value();
}

/// The same engine over another store. What the clock calls back from is the first engine, and counts as both.
std::shared_ptr<engine_state> over_another_store(const std::shared_ptr<engine_state>& first,
                                                 const hirenow_store& other) {
  auto state = std::make_shared<engine_state>();
  state->shared_with = first;
  state->callbacks = first->callbacks;
  state->log = first->log;
  state->base = other.value;
  if (other.calls_back) state->marked_store = mark_callbacks(*state->base, *state->callbacks);
  state->core.emplace(first->core->on(state->marked_store ? *state->marked_store : *state->base));
  return state;
}

/// A store on the host's connection. The store goes first.
struct joined_store {
  std::unique_ptr<host_connection> connection{};
  std::unique_ptr<store> base{};
};

}  // namespace

sqlite_options hirenow::c::read_sqlite_options(const hirenow_store_options& o) {
  sqlite_options out{.durability = one_of<sqlite_durability>(o.durability, 2, "durability")};
  if (o.readers < 0 || o.readers > 1024 || o.busy_timeout_milliseconds < 0 || o.checkpoint_bytes < 0 || o.cache_kib < 0)
    refuse("an option of the store is out of range");
  if (o.readers) out.readers = static_cast<std::size_t>(o.readers);
  if (o.busy_timeout_milliseconds) out.busy_timeout = std::chrono::milliseconds{o.busy_timeout_milliseconds};
  if (o.checkpoint_bytes) out.checkpoint_bytes = static_cast<std::size_t>(o.checkpoint_bytes);
  if (o.cache_kib) out.cache_kib = static_cast<std::size_t>(o.cache_kib);
  if (o.logger)
    out.warn = [log = alive(o.logger, "logger").value](std::string_view said) { log->warn(std::string(said).c_str()); };
  return out;
}

extern "C" {

hirenow_status hirenow_store_open(const char* url, const hirenow_store_options* options, hirenow_store** out,
                                  hirenow_error** error) {
  return make(error, out, [&](hirenow_store& s) -> result<void> {
    const auto o = read_or_standard(options, "options");
    s.value = open_store(text(url), o);
    s.calls_back = o.logger != nullptr;
    return {};
  });
}
void hirenow_store_free(hirenow_store* store) { release(store); }
hirenow_status hirenow_listen_for_mail(const char* url, const char* schema, void (*wake)(void* ctx), void* ctx,
                                       hirenow_mail_listener** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_mail_listener& l) -> result<void> {
    if (!wake) refuse("a listener needs somebody to wake");
    l.value = listen_for_mail(string(url), schema ? schema : postgres_options{}.schema, [=] { wake(ctx); }).value();
    return {};
  });
}
void hirenow_mail_listener_free(hirenow_mail_listener* listener) { release(listener); }
hirenow_status hirenow_store_join(sqlite3* connection, int32_t create_tables, hirenow_store** out,
                                  hirenow_error** error) {
  return make(error, out, [&](hirenow_store& s) -> result<void> {
    need(connection, "connection");
    const auto both = std::make_shared<joined_store>();
    both->connection = host_connection_of(connection);
    both->base = join_transaction(*both->connection, {.create_tables = create_tables != 0}).value();
    s.value = {both, both->base.get()};
    return {};
  });
}

hirenow_status hirenow_store_join_postgres(pg_conn* connection, const char* schema, int32_t create_tables,
                                           hirenow_store** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_store& s) -> result<void> {
    need(connection, "connection");
    join_options options{.create_tables = create_tables != 0};
    if (schema) options.schema = schema;
    const auto both = std::make_shared<joined_store>();
    both->connection = host_connection_of(connection);
    both->base = join_transaction(*both->connection, options).value();
    s.value = {both, both->base.get()};
    return {};
  });
}

hirenow_status hirenow_engine_new(const hirenow_store* store, const hirenow_engine_options* options,
                                  hirenow_engine** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_engine& e) -> result<void> {
    const auto& base = alive(store, "store");
    return e.state = make_engine(base.value, base.calls_back, read(options, "options")), result<void>();
  });
}
hirenow_status hirenow_open(const char* url, const hirenow_engine_options* options, hirenow_engine** out,
                            hirenow_error** error) {
  return make(error, out, [&](hirenow_engine& e) -> result<void> {
    const auto o = read(options, "options");
    auto opening = struct_versions<hirenow_store_options>::standard;
    opening.logger = o.logger;
    return e.state = make_engine(open_store(text(url), opening), o.logger != nullptr, o), result<void>();
  });
}
hirenow_status hirenow_engine_on(const hirenow_engine* engine, const hirenow_store* store, hirenow_engine** out,
                                 hirenow_error** error) {
  return make(error, out, [&](hirenow_engine& e) -> result<void> {
    (void)state_of(engine);
    const auto& base = alive(store, "store");
    return e.state = over_another_store(engine->state, base), result<void>();
  });
}
void hirenow_engine_free(hirenow_engine* engine) { release(engine); }
hirenow_status hirenow_engine_store(const hirenow_engine* engine, hirenow_store** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_store& s) -> result<void> {
    const auto& state = state_of(engine);
    s.value = state.base;
    s.calls_back = state.marked_store != nullptr;
    return {};
  });
}
hirenow_status hirenow_engine_now(const hirenow_engine* engine, int64_t* out, hirenow_error** error) {
  put(out, HIRENOW_NONE);
  return guard(error, [&]() -> result<void> {
    need(out, "the place for the answer");
    return *out = instant(state_of(engine).core->now()), result<void>();
  });
}
int32_t hirenow_permission_default(size_t n, hirenow_permission* out) {
  if (n >= default_permissions.size() || !out) return 0;
  const auto& row = default_permissions[n];
  std::uint32_t roles = 0;
  for (const role r : all_roles) roles |= row.staff.has(r) ? static_cast<std::uint32_t>(r) : 0;
  *out = {row.word.data(), roles, row.token, row.system};
  return 1;
}

}  // extern "C"
