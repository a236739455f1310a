#pragma once
/// What stands behind the handles of the C interface, and the guard that every function of it goes through: nothing is
/// thrown across the boundary, inputs are read with care, and a handle is made before the engine is asked, so that a
/// change that was committed is never reported as a failure for want of memory.
///
/// Threads: as `c/api.h` says of each handle.

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "hirenow/adapters/postgres.hpp"
#include "hirenow/engine.hpp"
#include "hirenow/mailer.hpp"
#include "hirenow/message_template.hpp"
#include "structs.hpp"

namespace hirenow::c {

/// The threads that are inside a callback which one engine made. The nodes lie on those threads' stacks.
class callback_threads {
 public:
  class visit {
   public:
    explicit visit(callback_threads& of) : of_(of), thread_(pthread_self()) {
      const std::lock_guard lock(of_.mutex_);
      next_ = of_.first_;
      if (next_) next_->previous_ = this;
      of_.first_ = this;
      of_.count_.fetch_add(1, std::memory_order_relaxed);
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() {
      const std::lock_guard lock(of_.mutex_);
      (previous_ ? previous_->next_ : of_.first_) = next_;
      if (next_) next_->previous_ = previous_;
      of_.count_.fetch_sub(1, std::memory_order_relaxed);
    }

   private:
    friend class callback_threads;
    callback_threads& of_;
    const pthread_t thread_;
    visit* next_ = nullptr;
    visit* previous_ = nullptr;
  };

  /// True where the calling thread is inside a callback. A thread always sees its own count.
  bool holds_this_thread() const {
    if (count_.load(std::memory_order_relaxed) == 0) return false;
    const std::lock_guard lock(mutex_);
    for (const visit* v = first_; v; v = v->next_)
      if (pthread_equal(v->thread_, pthread_self())) return true;
    return false;
  }

 private:
  mutable std::mutex mutex_{};
  visit* first_ = nullptr;
  std::atomic<std::size_t> count_{0};
};

/// What belongs to the process that made it.
class of_this_process {
 public:
  bool is_forked() const { return detail::fork_count().load(std::memory_order_relaxed) != forks_; }

 private:
  unsigned forks_ = detail::fork_count().load(std::memory_order_relaxed);
};

/// Overwrites a text that was a secret, with what it kept beyond its end.
inline void wipe(std::string& secret) noexcept {
  secret.resize(secret.capacity());
  OPENSSL_cleanse(secret.data(), secret.size());
}

struct logger {
  virtual ~logger() = default;
  virtual void warn(const char* message) const noexcept = 0;
};

/// An engine, with what it borrows.
struct engine_state {
  std::shared_ptr<store> base{};
  std::shared_ptr<const clock> time{};
  std::shared_ptr<logger> log{};
  std::shared_ptr<callback_threads> callbacks = std::make_shared<callback_threads>();
  std::shared_ptr<engine_state> shared_with{};  ///< whose clock and keys these are
  std::unique_ptr<store> marked_store{};
  std::unique_ptr<clock> marked_clock{};
  std::optional<hirenow::engine> core{};
};

/// Wraps a store or a clock of the host's, so that an engine's callbacks are known as its own.
std::unique_ptr<store> mark_callbacks(store& base, callback_threads& callbacks);
std::unique_ptr<clock> mark_callbacks(const clock& base, callback_threads& callbacks);

using id_text = char[40];
/// Not through Boost.UUID, whose to_chars() asks at each digit what it is: a link is checked at every request.
inline void write_id(id_text& to, const interview_id& id) {
  constexpr char digits[] = "0123456789abcdef";
  constexpr std::uint8_t places[] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
  for (std::size_t n = 0; n < std::size(places); ++n) {
    to[places[n]] = digits[id.data[n] >> 4];
    to[places[n] + 1] = digits[id.data[n] & 15];
  }
  to[8] = to[13] = to[18] = to[23] = '-';
  to[36] = '\0';
}
inline void write_id(id_text& to, const std::optional<interview_id>& id) {
  if (id)
    write_id(to, *id);
  else
    to[0] = '\0';
}
inline std::int64_t instant(sys_seconds at) { return at.time_since_epoch().count(); }
inline std::int64_t instant(const std::optional<sys_seconds>& at) { return at ? instant(*at) : HIRENOW_NONE; }

}  // namespace hirenow::c

struct hirenow_error {
  hirenow::error value;
};
struct hirenow_text {
  std::string value{};
  ~hirenow_text() { hirenow::c::wipe(value); }
};
struct hirenow_keys : hirenow::c::of_this_process {
  std::optional<hirenow::key_ring> value{};
};
struct hirenow_policy {
  std::optional<hirenow::retake_policy> value{};
  char hash[65]{};
};
struct hirenow_templates {
  hirenow::message_templates value{};
};
struct hirenow_store : hirenow::c::of_this_process {
  std::shared_ptr<hirenow::store> value{};
  bool calls_back = false;  ///< into the host: its own callbacks, or its logger
};
struct hirenow_mailer : hirenow::c::of_this_process {
  std::shared_ptr<hirenow::mailer> value{};
};
struct hirenow_mail_listener : hirenow::c::of_this_process {
  std::unique_ptr<hirenow::mail_listener> value{};
};
struct hirenow_clock : hirenow::c::of_this_process {
  std::shared_ptr<const hirenow::clock> value{};
};
struct hirenow_logger : hirenow::c::of_this_process {
  std::shared_ptr<hirenow::c::logger> value{};
};
struct hirenow_engine : hirenow::c::of_this_process {
  std::shared_ptr<hirenow::c::engine_state> state{};
};
struct hirenow_interview {
  /// Room for an interview of its own, made beforehand so that taking it cannot fail; none where another answer holds
  /// the interview, which keeps the handle of a checked link small.
  std::unique_ptr<std::optional<hirenow::interview>> own;
  const hirenow::interview* value = nullptr;  ///< that, or the other answer's; never null once it is filled
  std::string link{};
  bool replayed = false;
  std::unique_ptr<hirenow_interview> archived{};
  hirenow::c::id_text id, retake_of, superseded_by;

  hirenow_interview() : hirenow_interview(std::make_unique<std::optional<hirenow::interview>>()) {}
  /// One that shows an interview of another answer's.
  explicit hirenow_interview(std::nullptr_t) noexcept
      : hirenow_interview(std::unique_ptr<std::optional<hirenow::interview>>()) {}
  hirenow_interview(const hirenow_interview&) = delete;
  hirenow_interview& operator=(const hirenow_interview&) = delete;
  ~hirenow_interview() {
    if (!link.empty()) hirenow::c::wipe(link);
  }

  void take(hirenow::interview&& i) noexcept { show(own->emplace(std::move(i))); }
  /// Shows an interview that the other answer keeps.
  void show(const hirenow::interview& i) noexcept {
    value = &i;
    hirenow::c::write_id(id, i.id);
    hirenow::c::write_id(retake_of, i.retake_of);
    hirenow::c::write_id(superseded_by, i.superseded_by);
  }

 private:
  explicit hirenow_interview(std::unique_ptr<std::optional<hirenow::interview>> room) noexcept : own(std::move(room)) {
    id[0] = retake_of[0] = superseded_by[0] = '\0';
  }
};
struct hirenow_sitting {
  std::optional<hirenow::sitting> value{};
  hirenow_interview interview{nullptr};

  ~hirenow_sitting() {
    if (value) hirenow::c::wipe(value->session.key);
  }
};
struct hirenow_inspection {
  std::optional<hirenow::result<hirenow::inspection>> answer{};  ///< made in place: a link is checked at every request
  const hirenow::inspection* value = nullptr;                    ///< the answer's
  hirenow_interview interview{nullptr};
};
struct hirenow_eligibility {
  hirenow::eligibility value{};
};
struct hirenow_actions {
  std::vector<hirenow::permitted_action> value{};
};
struct hirenow_sweep_report {
  hirenow::sweep_report value{};
};
struct hirenow_page {
  hirenow::list_page value{};
  std::deque<hirenow_interview> rows{};
};
struct hirenow_person {
  hirenow::person_changed value{};
};
struct hirenow_token {
  hirenow::token_claims value{};
  hirenow::c::id_text id{};
};
struct hirenow_rendered {
  hirenow::rendered_message value{};
};

namespace hirenow::c {

// ---- The guard ------------------------------------------------------------------------------------------------------

/// The error that needs no memory.
hirenow_error* no_memory() noexcept;

/// A code as it may leave the library: one of the list, or one of a user's adapter.
inline hirenow_status status_of(errc code) noexcept {
  const int n = static_cast<int>(code);
  return (n >= 1000 && n <= 1999) || to_string(code) != "unknown" ? n : static_cast<int>(errc::internal);
}

/// Hands an error to the caller.
inline hirenow_status report(hirenow_error** out, error&& e) noexcept {
  e.code = static_cast<errc>(status_of(e.code));
  const auto status = static_cast<hirenow_status>(e.code);
  if (status == HIRENOW_OUT_OF_MEMORY) ERR_clear_error();  // OpenSSL keeps what it says of its own failures
  if (!out) return status;
  *out = status == HIRENOW_OUT_OF_MEMORY ? no_memory() : new (std::nothrow) hirenow_error{std::move(e)};
  if (*out) return status;
  *out = no_memory();
  return HIRENOW_OUT_OF_MEMORY;
}

/// Calls the body, which returns a `result<void>` and may throw.
template <class Body>
hirenow_status guard(hirenow_error** out, Body&& body) noexcept {
  if (out) *out = nullptr;
  try {
    try {
      auto done = body();
      return done ? HIRENOW_OK : report(out, std::move(done.error()));
    } catch (const exception& e) {
      return report(out, error(e.details()));
    } catch (const std::bad_alloc&) {
      return report(out, error{.code = errc::out_of_memory});
    } catch (const std::exception& e) {
      return report(out, detail::fail(errc::internal, e.what()));
    }
  } catch (const std::bad_alloc&) {
    return report(out, error{.code = errc::out_of_memory});
  } catch (...) {
    return report(out, error{.code = errc::internal});
  }
}

[[noreturn]] inline void refuse(std::string message, errc code = errc::invalid_argument) {
  throw exception(detail::fail(code, std::move(message)));
}
inline void need(const void* given, const char* what) {
  if (!given) refuse(std::string(what) + " is NULL");
}
template <class Handle>
Handle& alive(Handle* handle, const char* what) {
  need(handle, what);
  if constexpr (std::derived_from<Handle, of_this_process>)
    if (handle->is_forked()) refuse(std::string(what) + " was made before a fork", errc::forked);
  return *handle;
}

/// A handle that the body fills; the caller gets it only where the body succeeds.
template <class Handle, class Body>
hirenow_status make(hirenow_error** error_out, Handle** out, Body&& body) noexcept {
  if (out) *out = nullptr;
  return guard(error_out, [&]() -> result<void> {
    need(out, "the place for the answer");
    std::unique_ptr<Handle> made(new Handle);  // not make_unique, which would zero it first
    if (auto ok = body(*made); !ok) return ok;
    *out = made.release();
    return {};
  });
}

/// Frees a handle; in the child of a fork it is left alone, because what it holds is the parent's.
template <class Handle>
void release(Handle* handle) noexcept {
  if constexpr (std::derived_from<Handle, of_this_process>)
    if (handle && handle->is_forked()) return;
  delete handle;
}

/// The engine behind a handle, from a thread that may call it.
inline engine_state& state_of(const hirenow_engine* handle) {
  auto& state = *alive(handle, "engine").state;
  if (state.callbacks->holds_this_thread())
    refuse("the engine was called from inside one of its own callbacks", errc::reentrant_call);
  return state;
}
inline engine& core_of(hirenow_engine* handle) { return *state_of(handle).core; }

// ---- Reading what the caller hands in -------------------------------------------------------------------------------

inline std::string_view text(const char* given) { return given ? std::string_view(given) : std::string_view(); }
inline std::string string(const char* given) { return std::string(text(given)); }

inline interview_id id(const char* given, const char* what = "interview id") {
  need(given, what);
  return parse_interview_id(given).value();
}
inline sys_seconds at(std::int64_t given, const char* what) {
  const sys_seconds read{seconds{given}};
  if (const auto ok = limits::check_instant(what, read); !ok) throw exception(ok.error());
  return read;
}
/// Zero, or none, is no instant.
inline std::optional<sys_seconds> at_or_none(std::int64_t given, const char* what, std::int64_t none = 0) {
  if (given == none) return std::nullopt;
  return at(given, what);
}
inline std::optional<double> score(int32_t has, double value) { return has ? std::optional(value) : std::nullopt; }

/// An enumeration's value of so many.
template <class Enum>
Enum one_of(std::int64_t given, std::size_t count, const char* what) {
  if (given < 0 || static_cast<std::size_t>(given) >= count) refuse(std::string(what) + " is none of the list");
  return static_cast<Enum>(given);
}
inline overtime overtime_of(int32_t given) { return one_of<overtime>(given, 2, "overtime"); }
inline std::optional<interview_state> state_or_none(int32_t given) {
  if (given == HIRENOW_STATE_NONE) return std::nullopt;
  return one_of<interview_state>(given, interview_state_count, "state");
}

inline role_set roles_of(std::uint32_t bits) {
  if (bits > 7) refuse("a role is none of the list");
  role_set roles;
  for (const role r : all_roles)
    if (bits & static_cast<std::uint32_t>(r)) roles = roles | r;
  return roles;
}

/// How much of a struct there is: what both its version and ours know. One of a newer program may be longer, if what we
/// do not know of it is zero.
inline std::size_t known_size(const void* given, std::size_t first, std::size_t ours, std::size_t alignment,
                              const char* what) {
  constexpr std::size_t most_more = 1024;
  need(given, what);
  std::size_t size = 0;
  std::memcpy(&size, given, sizeof size);
  if (size < first || size > ours + most_more || size % alignment != 0)
    refuse(std::string(what) + " has a wrong struct_size");
  const auto* bytes = static_cast<const unsigned char*>(given);
  if (size > ours && std::any_of(bytes + ours, bytes + size, [](unsigned char b) { return b != 0; }))
    refuse(std::string(what) + " says something that this version does not know");
  return std::min(size, ours);
}
template <class Struct>
std::size_t known_size(const Struct* given, const char* what) {
  return known_size(given, struct_versions<Struct>::first, sizeof(Struct), alignof(Struct), what);
}
/// A struct as this library knows it. What one of an older program lacks is as in its _INIT macro.
template <class Struct>
Struct read(const Struct* given, const char* what) {
  const std::size_t size = known_size(given, what);
  Struct known = struct_versions<Struct>::standard;
  std::memcpy(&known, given, size);
  return known;
}
/// As above; without a struct, its _INIT macro.
template <class Struct>
Struct read_or_standard(const Struct* given, const char* what) {
  return given ? read(given, what) : struct_versions<Struct>::standard;
}
/// A struct that the caller wants filled, or NULL.
template <class Struct>
void check_place(const Struct* given, const char* what) {
  if (given) (void)known_size(given, what);
}
/// Fills a struct of the caller's, as far as it reaches; its size stays what it was.
template <class Struct>
void give(Struct* place, Struct value, const char* what) {
  const std::size_t size = known_size(place, what);
  value.struct_size = place->struct_size;
  std::memcpy(place, &value, size);
}
template <class T>
std::vector<T> list(const T* first, std::size_t count, std::size_t most, const char* what) {
  if (count == 0) return {};
  need(first, what);
  if (count > most) refuse(std::string(what) + ": more than " + std::to_string(most), errc::too_large);
  return {first, first + count};
}
inline message_key key_of(const hirenow_message_key& given) {
  if (!std::memchr(given.interview_id, 0, sizeof given.interview_id)) refuse("interview id is not a UUID");
  return {id(given.interview_id), one_of<message_kind>(given.kind, message_kind_count, "kind"), given.occasion};
}
inline hirenow_message_key key_of(const message_key& key) {
  hirenow_message_key out{};
  write_id(out.interview_id, key.interview);
  out.kind = static_cast<int32_t>(key.kind);
  out.occasion = key.occasion;
  return out;
}
inline hirenow_outbox_figures figures_of(const outbox_figures& f) {
  return {sizeof(hirenow_outbox_figures), f.queued, f.due, f.leased, f.lapsed, f.dead, instant(f.oldest_due)};
}
template <class T>
void put(T* place, T value) {
  if (place) *place = value;
}

// ---- Answering ------------------------------------------------------------------------------------------------------

/// What an accessor answers for a handle, or for none.
template <class Handle, class Get, class Otherwise>
auto get(const Handle* handle, Otherwise otherwise, Get&& of) noexcept -> decltype(of(*handle)) {
  return handle ? of(*handle) : static_cast<decltype(of(*handle))>(otherwise);
}
/// What the n-th of a list answers, or beyond its end.
template <class List, class Otherwise, class Get>
auto nth(const List* all, std::size_t n, Otherwise otherwise, Get&& of) noexcept -> decltype(of((*all)[n])) {
  return all && n < all->size() ? of((*all)[n]) : static_cast<decltype(of((*all)[n]))>(otherwise);
}

/// A text that the body makes, unless it fails.
template <class Body>
hirenow_status make_text(hirenow_error** error, hirenow_text** out, Body&& body) noexcept {
  return make(error, out, [&](hirenow_text& t) -> result<void> {
    result<std::string> made = body();
    if (!made) return made.error();
    t.value = std::move(*made);
    return {};
  });
}

}  // namespace hirenow::c
