#pragma once
/// What a dispatcher does with a message: looks once more whether it still makes sense, renders it and sends it.
/// Threads: any, several at once.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hirenow/crypto.hpp"
#include "hirenow/detail/draft.hpp"
#include "hirenow/detail/guarded.hpp"
#include "hirenow/detail/step.hpp"
#include "hirenow/dispatcher_options.hpp"
#include "hirenow/engine.hpp"
#include "hirenow/mailer.hpp"
#include "hirenow/message_template.hpp"

namespace hirenow::detail {

using steady = std::chrono::steady_clock;

/// What became of a message, not written down yet.
struct finding {
  settlement::verdict what = settlement::verdict::accepted;
  sys_seconds at{};
  std::string text{};
  bool put_off = false;               ///< by a limit of the rate
  std::vector<error> store_errors{};  ///< of the calls that the store failed
};

inline double chance() {
  std::array<std::uint8_t, 4> bytes{};
  random_bytes(bytes);
  std::uint32_t n = 0;
  for (const auto b : bytes) n = n << 8 | b;
  return static_cast<double>(n) / 4294967296.0;
}

/// A message as a sender takes it.
struct taken_message {
  const claimed_message* message;
  lease_token token{};
  steady::time_point renewed{};
};

/// How old a look may be when its message's turn comes.
inline constexpr std::chrono::milliseconds look_lasts{10};

/// Sends messages, one at a call. Borrows all three.
class message_sender {
 public:
  message_sender(hirenow::engine& engine, hirenow::mailer& mailer, const dispatcher_options& options)
      : engine_(engine), mailer_(mailer), options_(options) {}

  steady::time_point steady_now() const { return options_.steady_now ? options_.steady_now() : steady::now(); }

  /// Looks at what messages are about that are to be sent next. Returns their records.
  result<std::vector<applicant_record>> look_at(std::span<const interview_reference> some) const {
    return guarded([&]() -> result<std::vector<applicant_record>> {
      auto records = engine_.storage().load_each(some);
      if (records && records->size() != some.size())
        return fail(errc::internal, "the store answered for another number of interviews than it was asked for");
      return records;
    });
  }

  /// Checks, renders and sends one message, by what was `seen` of it at an instant, or by a look of its own where that
  /// is too old or nothing. Nothing that is thrown gets through.
  finding handle(const taken_message& taken, std::optional<applicant_record> seen, steady::time_point seen_at) const {
    using enum settlement::verdict;
    const claimed_message& c = *taken.message;
    auto renewed = taken.renewed;
    const auto now = [&] { return engine_.now(); };
    const auto again = [&](std::string text) {
      const std::uint32_t tries = c.mail.tries + 1;
      if (tries >= options_.most_tries) return finding{dead, now(), std::move(text)};
      return finding{retry, now() + backoff_after(tries, chance(), options_), std::move(text)};
    };
    // Untried: what the store does is no fault of the message.
    const auto give_back = [&](std::optional<error> of_store) {
      finding back{release, now() + backoff_after(1, chance(), options_), {}};
      if (of_store) back.store_errors.push_back(*std::move(of_store));
      return back;
    };
    if (!is_known(c.mail.key.kind))
      return give_back(std::nullopt);  // a store's that does not leave them to newer nodes
    // A worker that stood still may have been replaced: it asks before it goes on.
    const auto is_gone = [&]() -> std::optional<finding> {
      const auto asked = steady_now();
      if (asked - renewed <= options_.renew_every) return std::nullopt;
      const settlement renewal{c.mail.key, c.tenant, taken.token, renew, now() + options_.lease, {}};
      const auto ours = guarded([&] { return engine_.storage().settle({&renewal, 1}); });
      if (!ours || !ours->front()) return give_back(ours ? std::nullopt : std::optional(ours.error()));
      renewed = asked;
      return std::nullopt;
    };
    if (auto gone = is_gone()) return *std::move(gone);
    if (!seen || steady_now() - seen_at > look_lasts) {
      const interview_reference self{c.tenant, c.mail.key.interview};
      auto records = look_at({&self, 1});
      if (!records) return give_back(records.error());
      seen = std::move(records->front());
    }
    draft d(*std::move(seen), now());
    if (const auto ok = d.apply_clock(); !ok) return again(ok.error().message);
    const interview* i = find_interview(d.record(), c.mail.key.interview);
    if (auto why = senseless(c.mail, d.record(), i, d.now()); !why.empty()) return {withdrawn, now(), std::move(why)};

    // Temporary, even where it looks final: a template, a key ring and a link base can be put right, a letter that is
    // declared dead at once has to be looked for.
    const auto mail = guarded([&] { return render(c, d.record(), *i); });
    if (!mail) return again("cannot be rendered: " + mail.error().message);
    if (auto gone = is_gone()) return *std::move(gone);  // a slow database is a way to stand still, too
    HIRENOW_STEP("dispatcher: before send");
    auto said = guarded([&]() -> result<delivery> { return mailer_.send(*mail); });
    HIRENOW_STEP("dispatcher: after send");
    if (!said) return again("the mailer threw: " + said.error().message);
    std::string text = storable(std::move(said->answer));
    switch (said->outcome) {
      case delivery_outcome::accepted: return {accepted, now(), std::move(text)};
      case delivery_outcome::permanent: return {dead, now(), std::move(text)};
      case delivery_outcome::temporary:
      case delivery_outcome::ambiguous: break;
    }
    return again(std::move(text));
  }

 private:
  /// Why this message must not be sent any more; empty where it may.
  static std::string senseless(const message& m, const applicant_record& record, const interview* i, sys_seconds now) {
    if (record.erased || !i) return "the person was erased";
    const auto is = [&](interview_state s) { return i->state == s; };
    const std::string now_in = "the interview is " + std::string(to_string(i->state));
    switch (m.key.kind) {
      case message_kind::decision_passed: return is(interview_state::passed) ? "" : now_in;
      case message_kind::decision_failed: return is(interview_state::failed) ? "" : now_in;
      case message_kind::decision_on_hold: return is(interview_state::on_hold) ? "" : now_in;
      case message_kind::cancelled: return is(interview_state::cancelled) ? "" : now_in;
      case message_kind::reminder:
        if (!is(interview_state::scheduled)) return now_in;
        break;
      case message_kind::invitation:
      case message_kind::retake_invitation:
      case message_kind::reissued_link: break;
    }
    if (!is_active(i->state)) return now_in;
    if (m.generation != i->link.generation) return "a newer link was sent";
    const auto limit = i->deadline && is(interview_state::in_progress) ? *i->deadline : i->start_by;
    return now >= limit ? "the link has expired" : "";
  }

  /// A server's words, or an adapter's, as a store may rely on them: UTF-8 without NUL.
  static std::string storable(std::string text) {
    if (limits::is_text(text)) return text;
    for (char& c : text)
      if (c == '\0' || static_cast<unsigned char>(c) >= 0x80) c = '?';
    return text;
  }

  result<outgoing_mail> render(const claimed_message& c, const applicant_record& record, const interview& i) const {
    const auto own = options_.senders.find(c.tenant);
    const mail_sender& sender = own == options_.senders.end() ? options_.sender : own->second;
    message_view view;
    view.applicant_name = record.person.name;
    view.time_zone = record.person.time_zone;
    view.company_name = sender.name;
    view.track = i.track;
    const message_kind kind = c.mail.key.kind;
    const std::string& locale = record.person.locale;
    if (options_.track_title)
      view.track_title = options_.track_title(
          c.tenant, i.track, options_.renderer ? locale : options_.templates.language_of(kind, locale));
    view.attempt = i.attempt;
    if (i.link.not_before > i.link.issued_at) view.opens_at = i.link.not_before;
    view.start_by = i.start_by;
    view.deadline = i.deadline;
    // Whoever starts soonest has the most time, whoever starts latest the least.
    const sys_seconds soonest = i.started_at.value_or(std::max(engine_.now(), i.link.not_before));
    const deadline_terms most = deadline_breakdown(i, soonest);
    view.time_limit = std::max(most.deadline - soonest, seconds{0});
    if (most.cut && view.time_limit > seconds{60}) view.time_limit -= view.time_limit % seconds{60};
    if (!i.deadline && deadline_breakdown(i, i.start_by).cut) view.ends_by = i.ends_by;
    if (carries_link(kind)) {
      auto link = engine_.link_of(c.tenant, record.person.id, i);
      if (!link) return link.error();
      view.link = *link;
    }
    auto text =
        options_.renderer ? options_.renderer(kind, locale, view) : options_.templates.render(kind, locale, view);
    if (!text) return text.error();
    if (options_.renderer) {
      for (const std::string* part : {&text->subject, &text->text, &text->html, &text->language})
        if (!limits::is_text(*part))
          return fail(errc::template_invalid, "the renderer's text is not UTF-8 without NUL");
      text->subject = without_controls(text->subject);
      text->language = without_controls(text->language);
    }
    outgoing_mail mail;
    mail.message_id = message_id(c.mail.key, std::string_view(sender.address).substr(sender.address.rfind('@') + 1));
    mail.from_address = sender.address;
    mail.from_name = sender.name;
    mail.to_address = record.person.email;
    mail.to_name = record.person.name;
    mail.subject = std::move(text->subject);
    mail.text = std::move(text->text);
    mail.html = std::move(text->html);
    mail.language = std::move(text->language);
    return mail;
  }

  hirenow::engine& engine_;
  hirenow::mailer& mailer_;
  const dispatcher_options& options_;
};

}  // namespace hirenow::detail
