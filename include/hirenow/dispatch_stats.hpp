#pragma once
/// How a dispatcher fares: what it has done, how the outbox stands, and both as text for Prometheus.
///
/// The text is the exposition format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
/// Threads: plain values, pure functions.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hirenow/store.hpp"

namespace hirenow {

/// How a run went, or all runs together.
struct dispatch_report {
  std::size_t accepted = 0;
  std::size_t retried = 0;  ///< temporary or ambiguous: will be tried again
  std::size_t dead = 0;
  std::size_t withdrawn = 0;  ///< found senseless by the last check
  std::size_t released = 0;   ///< given back untried: by a graceful stop, because the record could not be read, or
                              ///< because the kind is a newer version's
  std::size_t lost = 0;       ///< not ours any more when its answer came: another worker had taken the lease, or a
                              ///< change had withdrawn it; or the store failed until the run had to end
  std::size_t store_errors = 0;
  std::size_t put_off = 0;  ///< given back untried, because a limit of the rate did not let them go yet

  friend bool operator==(const dispatch_report&, const dispatch_report&) = default;
};

/// What there is to watch.
struct dispatch_stats {
  dispatch_report sent{};                         ///< by this dispatcher since it was made
  std::optional<outbox_figures> outbox{};         ///< of all dispatchers; nothing where the store does not count
  std::optional<std::uint64_t> oldest_due_age{};  ///< in seconds; nothing where no message is due, or none is counted

  friend bool operator==(const dispatch_stats&, const dispatch_stats&) = default;
};

/// The statistics as Prometheus reads them. All names begin with `hirenow_`; the one label's values are words of this
/// library's, so nothing needs to be escaped, and no tenant or person is named.
inline std::string prometheus_text(const dispatch_stats& stats) {
  std::string out;
  const auto family = [&](std::string_view name, std::string_view type, std::string_view help) {
    out.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  };
  const auto sample = [&](std::string_view name, std::string_view label, std::string_view word, std::uint64_t n) {
    out += name;
    if (!label.empty()) out.append("{").append(label).append("=\"").append(word).append("\"}");
    out.append(" ").append(std::to_string(n)).append("\n");
  };
  if (const auto& box = stats.outbox) {
    family("hirenow_outbox_messages", "gauge", "Messages that are not settled, by state; due ones are queued too.");
    sample("hirenow_outbox_messages", "state", "queued", box->queued);
    sample("hirenow_outbox_messages", "state", "due", box->due);
    sample("hirenow_outbox_messages", "state", "leased", box->leased);
    sample("hirenow_outbox_messages", "state", "lapsed", box->lapsed);
    sample("hirenow_outbox_messages", "state", "dead", box->dead);
    family("hirenow_outbox_oldest_due_age_seconds", "gauge", "For how long the message due longest has been due.");
    sample("hirenow_outbox_oldest_due_age_seconds", {}, {}, stats.oldest_due_age.value_or(0));
  }
  const dispatch_report& sent = stats.sent;
  family("hirenow_dispatched_messages_total", "counter",
         "Messages this dispatcher was done with, by what came of them.");
  sample("hirenow_dispatched_messages_total", "outcome", "accepted", sent.accepted);
  sample("hirenow_dispatched_messages_total", "outcome", "retried", sent.retried);
  sample("hirenow_dispatched_messages_total", "outcome", "dead", sent.dead);
  sample("hirenow_dispatched_messages_total", "outcome", "withdrawn", sent.withdrawn);
  sample("hirenow_dispatched_messages_total", "outcome", "released", sent.released);
  sample("hirenow_dispatched_messages_total", "outcome", "lost", sent.lost);
  sample("hirenow_dispatched_messages_total", "outcome", "put_off", sent.put_off);
  family("hirenow_dispatcher_store_errors_total", "counter", "Calls of this dispatcher's that the store failed.");
  sample("hirenow_dispatcher_store_errors_total", {}, {}, sent.store_errors);
  return out;
}

}  // namespace hirenow
