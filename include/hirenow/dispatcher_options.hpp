#pragma once
/// What a dispatcher is told, and what it tells: its options, the senders of its mail, its events and its backoff.
/// Threads: plain values, pure functions.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "hirenow/message.hpp"
#include "hirenow/message_template.hpp"

namespace hirenow {

/// Who a tenant's mail comes from.
struct mail_sender {
  std::string address;  ///< also gives Message-IDs their domain
  std::string name{};
};

/// What a dispatcher tells of, for logs and screens: what became of a message, or a call that the store failed.
struct dispatch_event {
  std::string tenant;
  std::string applicant_id;
  message_key key{};
  message_state state = message_state::queued;  ///< accepted, withdrawn, dead; queued: it will be tried again
  std::string answer{};                         ///< the server's last words, or why it was withdrawn
  std::optional<sys_seconds> next_try{};
  /// The word under which `dispatch_report` and `prometheus_text` count it: "accepted", "retried", "dead", "withdrawn",
  /// "released", "lost", "put_off"; or "store_error", which is no message's: `answer` has the error's code and words.
  std::string_view outcome{};
};

/// How a dispatcher is to work. A sender is needed; all else has a use as it is.
struct dispatcher_options {
  mail_sender sender;                            ///< needed
  std::map<std::string, mail_sender> senders{};  ///< by tenant, where it differs
  message_templates templates{};
  /// Renders instead of `templates`, where it is set. Called from worker threads, several at once; an error of it, or
  /// what it throws, is a temporary failure. The subject is folded to one line as that of a template is.
  std::function<result<rendered_message>(message_kind kind, std::string_view locale, const message_view& view)>
      renderer{};
  /// The track for readers, in the language of the message: that of the template that renders it, or, where `renderer`
  /// is set, the applicant's locale. Called from worker threads, several at once; what it throws is a temporary failure.
  std::function<std::string(std::string_view tenant, std::string_view track, std::string_view locale)> track_title{};
  std::uint32_t most_tries = 10;  ///< then a message is dead
  seconds first_backoff{30};      ///< doubles with every try
  seconds longest_backoff{6 * 3600};
  seconds lease{30};  ///< a dead worker's messages are free again after this
  seconds renew_every{10};
  std::chrono::milliseconds poll_every{200};  ///< how often an idle dispatcher looks, with jitter
  /// So many mails a minute may leave, spread evenly; 0: as many as can. The store counts, for all dispatchers that have
  /// a limit, so they keep to it together; one that does not (`store::allow`) leaves each to count for itself.
  std::uint32_t most_per_minute = 0;
  /// And so many of one tenant. What a tenant has more is put off to when it may go, so others need not wait for it.
  std::uint32_t most_per_minute_of_tenant = 0;
  /// Told of all that the dispatcher counts, of an answer once it is written down, on the thread that runs the
  /// dispatcher. Must not throw: what it throws is lost.
  std::function<void(const dispatch_event&)> on_event{};
  /// How long something took: by this leases are renewed and stores given a rest. Must never step back; called from any
  /// thread. Empty: the machine's. Waiting is done in real time, so who moves another clock calls `wake()`.
  std::function<std::chrono::steady_clock::time_point()> steady_now{};
};

/// How long to wait after so many tries: the first backoff doubled each time, up to the longest, and of that a random
/// half to whole, so that messages that failed together do not come back together; never less than a second. `chance`
/// lies in [0, 1).
inline seconds backoff_after(std::uint32_t tries, double chance, const dispatcher_options& options) {
  double span = static_cast<double>(options.first_backoff.count());
  const double most = static_cast<double>(options.longest_backoff.count());
  for (std::uint32_t n = 1; n < tries && span < most; ++n) span *= 2;
  span = std::min(span, most);
  return seconds{static_cast<seconds::rep>(std::ceil(span / 2 + span / 2 * chance))};
}

}  // namespace hirenow
