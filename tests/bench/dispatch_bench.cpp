// What the dispatcher costs beside libcurl alone, over as many kept connections to the same sink. Every ratio is a
// median over interleaved rounds of one run; the outbox is SQLite at FULL durability.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <stdlib.h>

#include "bare_outbox.hpp"
#include "curl_peer.hpp"
#include "figures.hpp"
#include "hirenow/adapters/smtp.hpp"
#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/dispatcher.hpp"
#include "smtp_sink.hpp"

namespace bench {
namespace {

using namespace hirenow;
using namespace std::chrono_literals;

constexpr std::size_t mails = 4000;
constexpr int rounds = 5;
constexpr sys_seconds monday{seconds{1772442000}};

/// An engine whose outbox is filled and ready to be emptied.
struct filled_outbox {
  explicit filled_outbox(const std::string& file)
      : store(std::move(open_sqlite_store(file)).value()),
        rules(retake_policy::parse(R"({"hirenow_policy": 1, "version": "bench", "rules": []})").value()),
        host(*store, key_ring::from_json(new_key_document(key_algorithm::hs256, "bench")).value(), rules,
             {.link_base = "https://jobs.acme.example/interview", .clock = &clock}) {}

  void fill() {
    std::vector<std::jthread> recruiters;
    std::atomic<std::size_t> next{0};
    for (int n = 0; n < 16; ++n)
      recruiters.emplace_back([&] {
        for (auto k = next.fetch_add(1); k < mails; k = next.fetch_add(1)) {
          const std::string id = std::to_string(round) + "-" + std::to_string(k);
          host.schedule({.applicant = {.id = id, .email = "ada@example.org", .name = "Ada Lovelace", .locale = "en"},
                         .track = "backend-2026/technical"},
                        recruiter)
              .value();
        }
      });
    recruiters.clear();
    ++round;
  }

  manual_clock clock{monday};
  std::unique_ptr<hirenow::store> store;
  retake_policy rules;
  engine host;
  actor recruiter{.id = "rita", .tenant = "acme", .roles = role::recruiter};
  int round = 0;
};

double run_dispatcher(filled_outbox& outbox, const smtp_sink& sink, std::size_t connections) {
  outbox.fill();
  smtp_options options;
  options.host = "127.0.0.1";
  options.port = sink.port();
  options.security = smtp_security::plaintext;
  options.max_idle_connections = connections;
  const auto smtp = std::move(open_smtp_mailer(options)).value();
  std::atomic<std::size_t> settled{0};
  std::stop_source stop;
  dispatcher_options how{.sender = {"jobs@acme.example", "Acme Jobs"}};
  how.on_event = [&](const dispatch_event& e) {
    if (++settled == mails || e.state != message_state::accepted) stop.request_stop();
  };
  dispatcher sends(outbox.host, *smtp, how);
  const auto start = std::chrono::steady_clock::now();
  const auto report = sends.run(connections, stop.get_token());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (report.accepted != mails) throw std::runtime_error("the dispatcher did not send everything");
  return took.count();
}

/// libcurl, and the least that a dispatcher must do with its database.
double run_bare(const smtp_sink& sink, std::size_t connections, const std::string& file, const std::string& finished) {
  bare_outbox outbox(bare_sqlite(file, connections, mails), connections, mails, 28 * connections);
  const auto start = std::chrono::steady_clock::now();
  run_curl_peer(
      sink.port(), connections, mails, finished, [&](std::size_t n) { outbox.before(n); },
      [&](std::size_t n) { outbox.after(n); });
  outbox.finish();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double run_mailer(const smtp_sink& sink, std::size_t connections, const outgoing_mail& mail, std::size_t count) {
  smtp_options options;
  options.host = "127.0.0.1";
  options.port = sink.port();
  options.security = smtp_security::plaintext;
  options.max_idle_connections = connections;
  const auto smtp = std::move(open_smtp_mailer(options)).value();
  std::atomic<std::size_t> next{0};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::jthread> threads;
  for (std::size_t n = 0; n < connections; ++n)
    threads.emplace_back([&] {
      while (next.fetch_add(1) < count)
        if (smtp->send(mail).outcome != delivery_outcome::accepted) std::terminate();
    });
  threads.clear();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A mail as the dispatcher sends it: the default invitation.
outgoing_mail usual_mail() {
  const message_view view{.applicant_name = "Ada Lovelace",
                          .company_name = "Acme Jobs",
                          .track = "backend-2026/technical",
                          .link = "https://jobs.acme.example/interview#" + std::string(420, 'x'),
                          .start_by = monday,
                          .time_limit = seconds{86400}};
  const auto message = message_templates().render(message_kind::invitation, "en", view).value();
  return {.message_id = "019cacde-0000-7000-8000-000000000000.invitation.1@acme.example",
          .from_address = "jobs@acme.example",
          .from_name = "Acme Jobs",
          .to_address = "ada@example.org",
          .to_name = "Ada Lovelace",
          .subject = message.subject,
          .text = message.text,
          .html = message.html,
          .language = message.language};
}

void measure(std::size_t connections, std::chrono::milliseconds takes_a_mail, filled_outbox& outbox,
             const std::string& folder) {
  const smtp_sink sink(takes_a_mail);
  const outgoing_mail mail = usual_mail();
  run_mailer(sink, 1, mail, 1);
  // Finished, and as many bytes as the mailer sends.
  const std::string finished = std::string(sink.bytes() - 2, 'x') + "\r\n";
  std::vector<double> alone, through_mailer, dispatched, mailer_ratio, bare_ratio, ratio;
  for (int round = -1; round < rounds; ++round) {
    const double peer = run_curl_peer(sink.port(), connections, mails, finished).count();
    const double mailer = run_mailer(sink, connections, mail, mails);
    const std::string file = folder + "/bare-" + std::to_string(connections) + "-" +
                             std::to_string(takes_a_mail.count()) + "-" + std::to_string(round) + ".db";
    const double bare = run_bare(sink, connections, file, finished);
    const double ours = run_dispatcher(outbox, sink, connections);
    if (round < 0) continue;
    alone.push_back(mails / peer);
    through_mailer.push_back(mails / mailer);
    dispatched.push_back(mails / ours);
    mailer_ratio.push_back(peer / mailer);
    bare_ratio.push_back(peer / bare);
    ratio.push_back(peer / ours);
  }
  if (sink.mails() != 1 + 4 * mails * static_cast<std::size_t>(rounds + 1))
    throw std::runtime_error("the sink did not see every mail");
  const std::string on = " over " + std::to_string(connections) + " connection" + (connections == 1 ? "" : "s") +
                         (takes_a_mail.count() == 0 ? "" : ", " + std::to_string(takes_a_mail.count()) + " ms a mail");
  print_row("dispatcher (SQLite), times libcurl," + on, median(ratio), ">=", 0.8);
  print_note("bare claim, look and settle (SQLite), times libcurl," + on, median(bare_ratio), "");
  print_note("SMTP mailer, times libcurl," + on, median(mailer_ratio), "");
  print_note("  libcurl alone," + on, median(alone), "mails a second");
  print_note("  SMTP mailer," + on, median(through_mailer), "mails a second");
  print_note("  dispatcher," + on, median(dispatched), "mails a second");
}

}  // namespace
}  // namespace bench

int main() {
  using namespace bench;
  std::string folder = (std::filesystem::temp_directory_path() / "hirenow-dispatch-XXXXXX").string();
  if (!mkdtemp(folder.data())) return EXIT_FAILURE;
  bool failed = false;
  try {
    std::printf("%zu mails a round, medians of %d interleaved rounds; SQLite at FULL.\n", mails, rounds);
    std::printf("%-78s | %8s | %s\n", "what", "reached", "target");
    filled_outbox outbox(folder + "/ats.db");
    for (const std::size_t connections : {1U, 8U}) measure(connections, 0ms, outbox, folder);
    // A server that answers at once has sink, libcurl and dispatcher share the cores, and shows what a mail costs of
    // them; one that stores a mail before it answers shows how fast mail leaves.
    measure(8, 2ms, outbox, folder);
  } catch (const std::exception& e) {
    std::cerr << "dispatch_bench: " << e.what() << "\n";
    failed = true;
  }
  std::filesystem::remove_all(folder);
  return failed ? EXIT_FAILURE : ending();
}
