#pragma once
/// Idempotency: how a request is hashed, and what of its answer is kept. A stored answer holds ids, never a token.
///
/// Threads: pure functions.

#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "hirenow/audit.hpp"
#include "hirenow/store.hpp"
#include "hirenow/use_cases.hpp"

namespace hirenow::detail {

/// Writes a request down canonically, so that two requests have one hash only where they are the same.
class payload_writer {
 public:
  payload_writer& text(std::string_view t) {
    put_field(out_, t);
    return *this;
  }
  payload_writer& number(std::int64_t n) {
    put_number(out_, static_cast<std::uint64_t>(n));
    return *this;
  }
  payload_writer& span(seconds s) { return number(s.count()); }
  payload_writer& instant(const std::optional<sys_seconds>& t) {
    return number(t ? 1 : 0).number(t ? t->time_since_epoch().count() : 0);
  }
  payload_writer& span(const std::optional<seconds>& s) { return number(s ? 1 : 0).number(s ? s->count() : 0); }
  payload_writer& spans(const std::vector<seconds>& all) {
    number(static_cast<std::int64_t>(all.size()));
    for (const auto s : all) span(s);
    return *this;
  }
  payload_writer& real(const std::optional<double>& value) {
    std::int64_t bits = 0;
    if (value) std::memcpy(&bits, &*value, sizeof bits);
    return number(value ? 1 : 0).number(bits);
  }
  payload_writer& id(const interview_id& i) { return text({reinterpret_cast<const char*>(i.data), sizeof i.data}); }
  payload_writer& when(const notify& n) { return number(n.send ? 1 : 0).instant(n.at); }
  payload_writer& person(const applicant& a) {
    return text(a.id).text(a.email).text(a.name).text(a.locale).text(a.time_zone);
  }
  digest hash() const { return sha256(out_); }

 private:
  std::string out_;
};

/// What an idempotency key is looked up by.
inline answer_key answer_key_of(use_case what, std::string_view key) {
  std::string text;
  put_field(text, to_string(what));
  put_field(text, key);
  const digest full = sha256(text);
  answer_key cut{};
  std::copy_n(full.begin(), cut.size(), cut.begin());
  return cut;
}

/// The ids that an answer is made of.
struct answer_ids {
  std::optional<interview_id> interview{};
  std::uint32_t generation = 0;
  std::optional<interview_id> archived{};
  bool queued = false;
  std::uint64_t waiver = 0;  ///< its number
};

inline std::string write_answer(const answer_ids& ids) {
  boost::json::object o;
  if (ids.interview) o["interview"] = to_string(*ids.interview);
  if (ids.generation != 0) o["generation"] = ids.generation;
  if (ids.archived) o["archived"] = to_string(*ids.archived);
  if (ids.queued) o["queued"] = true;
  if (ids.waiver != 0) o["waiver"] = ids.waiver;
  return boost::json::serialize(o);
}

/// Errors: internal where the text is none that `write_answer` wrote.
inline result<answer_ids> read_answer(std::string_view text) {
  boost::system::error_code code;
  const auto value = boost::json::parse(text, code);
  const auto damaged = [] { return fail(errc::internal, "a stored answer is damaged"); };
  if (code || !value.is_object()) return damaged();
  const auto& o = value.get_object();
  answer_ids ids;
  const auto read_id = [&](const char* name, std::optional<interview_id>& out) {
    const auto* v = o.if_contains(name);
    if (!v) return true;
    if (!v->is_string()) return false;
    const auto id = parse_interview_id({v->get_string().data(), v->get_string().size()});
    if (id) out = *id;
    return id.has_value();
  };
  if (!read_id("interview", ids.interview) || !read_id("archived", ids.archived)) return damaged();
  if (const auto* v = o.if_contains("generation")) {
    if (!v->is_int64() || v->get_int64() < 0 || v->get_int64() > 0xffffffffLL) return damaged();
    ids.generation = static_cast<std::uint32_t>(v->get_int64());
  }
  if (const auto* v = o.if_contains("waiver")) {
    if (!v->is_int64() || v->get_int64() < 1) return damaged();
    ids.waiver = static_cast<std::uint64_t>(v->get_int64());
  }
  if (const auto* v = o.if_contains("queued")) ids.queued = v->is_bool() && v->get_bool();
  return ids;
}

}  // namespace hirenow::detail
