// The PostgreSQL store beside a hand-written libpq pipeline of the same statements, at default durability on this
// machine's disk, and at two sizes of the database. Ratios are medians over interleaved rounds of one run.
//
//   postgres_bench [retakes|wake|dispatch|claims|sizes]
//
// HIRENOW_BENCH_INTERVIEWS: how many interviews, or waiting messages, the large database has (1,000,000).

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "bare_outbox.hpp"
#include "bare_postgres.hpp"
#include "curl_peer.hpp"
#include "figures.hpp"
#include "hirenow/adapters/postgres.hpp"
#include "hirenow/adapters/smtp.hpp"
#include "hirenow/dispatcher.hpp"
#include "smtp_sink.hpp"
#include "support/postgres_bulk.hpp"

namespace bench {
namespace {

using namespace hirenow;
using namespace std::chrono_literals;
using test::plain_postgres;
using stopwatch = std::chrono::steady_clock;

constexpr int rounds = 5;

/// A server of the benchmark's own, on the disk.
class server {
 public:
  server() {
    setenv("HIRENOW_POSTGRES_IN", std::filesystem::temp_directory_path().c_str(), 1);
    if (std::system((script + " start " + file + " " + std::to_string(::getpid()) + " >/dev/null").c_str()) != 0)
      throw std::runtime_error("PostgreSQL does not start");
    std::ifstream in(file);
    std::getline(in, url);
  }
  ~server() { static_cast<void>(std::system((script + " stop " + file).c_str())); }
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  std::string url;

 private:
  const std::string script = HIRENOW_SOURCE_DIR "/tests/support/postgres.sh";
  const std::string file =
      (std::filesystem::temp_directory_path() / ("hirenow-bench-" + std::to_string(::getpid()))).string();
};

/// A database of its own on the server, filled.
struct database {
  database(const server& s, const std::string& name, long long interviews, int attempts)
      : url([&] {
          plain_postgres(s.url).run("CREATE DATABASE " + name);
          std::string u = s.url;
          return u.replace(u.find("/postgres?"), 10, "/" + name + "?");
        }()),
        applicants(interviews / attempts) {
    open_postgres_store(url).value();
    plain_postgres sql(url);
    test::bulk{.applicants = applicants, .attempts = attempts}.write(sql, "hirenow");
    sql.run("VACUUM ANALYZE");
    sql.run("CHECKPOINT");
    order.resize(static_cast<std::size_t>(applicants));
    for (long long n = 0; n < applicants; ++n) order[static_cast<std::size_t>(n)] = n + 1;
    std::shuffle(order.begin(), order.end(), std::mt19937_64(7));
  }

  /// Applicants that nobody has retaken yet.
  std::vector<bare_subject> take(std::size_t count) {
    if (next + count > order.size()) throw std::runtime_error("the database is too small");
    std::string list;
    for (std::size_t n = 0; n < count; ++n) list += (n ? ", " : "") + std::to_string(order[next + n] + 64);
    next += count;
    plain_postgres sql(url);
    PGresult* const r =
        PQexec(sql.handle(),
               ("SELECT applicant_no, track_no, attempt, encode(interview, 'hex') FROM hirenow.hirenow_interview "
                "WHERE tenant_no = 1 AND slot = 0 AND applicant_no IN (" +
                list + ") ORDER BY random()")
                   .c_str());
    if (PQntuples(r) != static_cast<int>(count)) throw std::runtime_error("somebody is missing");
    std::vector<bare_subject> out;
    for (int n = 0; n < PQntuples(r); ++n) {
      const std::string hex = PQgetvalue(r, n, 3);
      std::string id;
      for (std::size_t at = 0; at < hex.size(); at += 2)
        id.push_back(static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16)));
      out.push_back({PQgetvalue(r, n, 0), PQgetvalue(r, n, 1), PQgetvalue(r, n, 2), id});
    }
    PQclear(r);
    return out;
  }

  std::string url;
  long long applicants;
  std::vector<long long> order{};
  std::size_t next = 0;
};

const actor recruiter{.id = "rita", .tenant = "acme", .roles = role::recruiter};

/// A host with so many connections.
struct host {
  host(const std::string& url, std::size_t connections)
      : store(open_postgres_store(url, {.connections = connections}).value()),
        e(*store, key_ring::from_json(new_key_document(key_algorithm::hs256, "k1")).value(),
          retake_policy::parse(R"({"hirenow_policy": 1, "version": "bench", "rules": []})").value(),
          {.link_base = "https://jobs.acme.example/go"}) {}

  std::unique_ptr<hirenow::store> store;
  engine e;
};

/// Does it for all, from so many threads. Returns how many a second.
template <class Work>
double rate(std::size_t threads, const std::vector<bare_subject>& all, Work work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto start = stopwatch::now();
  {
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < threads; ++t)
      workers.emplace_back([&, t] {
        try {
          for (auto n = next.fetch_add(1); n < all.size(); n = next.fetch_add(1)) work(t, all[n]);
        } catch (const std::exception& e) {
          std::cerr << e.what() << "\n";
          failed = true;
        }
      });
  }
  if (failed) throw std::runtime_error("a retake failed");
  return static_cast<double>(all.size()) / std::chrono::duration<double>(stopwatch::now() - start).count();
}

void retake(host& of, const bare_subject& who) {
  interview_id id;
  std::copy(who.interview.begin(), who.interview.end(), id.begin());
  of.e.retake(id, recruiter, {.idempotency_key = to_string(id)}).value();
}

void measure_retakes(database& in) {
  for (const std::size_t connections : {1U, 4U, 16U}) {
    const std::size_t count = connections == 1 ? 300 : 800;
    host ours(in.url, connections);
    std::vector<std::unique_ptr<bare_postgres>> bare;
    for (std::size_t n = 0; n < connections; ++n) bare.push_back(std::make_unique<bare_postgres>(in.url));
    std::vector<double> ratios, rates;
    for (int round = -1; round < rounds; ++round) {
      const auto for_bare = in.take(count), for_us = in.take(count);
      const double by_hand = rate(connections, for_bare, [&](std::size_t t, const auto& who) { bare[t]->retake(who); });
      const double reached = rate(connections, for_us, [&](std::size_t, const auto& who) { retake(ours, who); });
      if (round < 0) continue;
      ratios.push_back(reached / by_hand);
      rates.push_back(reached);
    }
    const std::string at = ", " + std::to_string(connections) + (connections == 1 ? " connection" : " connections");
    print_row("engine.retake / a pipeline by hand of the same statements" + at, median(ratios), ">=", 0.8);
    print_note("  retakes a second" + at, median(rates), "/s");
  }
}

long long large_size() {
  const char* const told = std::getenv("HIRENOW_BENCH_INTERVIEWS");
  return told ? std::stoll(told) : 1'000'000;
}

/// Claims of 256 while few and while very many messages wait. What was claimed is given back.
void measure_claims(const server& s) {
  const auto waiting = [&](const std::string& name, long long many) {
    plain_postgres(s.url).run("CREATE DATABASE " + name);
    std::string url = s.url;
    url.replace(url.find("/postgres?"), 10, "/" + name + "?");
    auto store = open_postgres_store(url, {.connections = 2}).value();
    plain_postgres sql(url);
    test::bulk{.applicants = many, .is_waiting = true}.write(sql, "hirenow");
    sql.run("VACUUM ANALYZE");
    sql.run("CHECKPOINT");
    return store;
  };
  const long long large = large_size();
  const auto few = waiting("few", 10'000), many = waiting("many", large);
  const auto claim = [](store& from) {
    const sys_seconds now = system_clock().now();
    lease_token token{};
    random_bytes(token);
    const auto begun = stopwatch::now();
    const auto claimed = from.claim({now, seconds{600}, 256, token}).value();
    const double took = std::chrono::duration<double, std::milli>(stopwatch::now() - begun).count();
    if (claimed.size() != 256) throw std::runtime_error("not a claim");
    return took;
  };
  std::vector<double> of_few, of_many;
  for (int n = -3; n < 30; ++n) {
    const double small = claim(*few), big = claim(*many);
    if (n < 0) continue;
    of_few.push_back(small);
    of_many.push_back(big);
  }
  print_row("a claim of 256: " + std::to_string(large) + " waiting / 10,000 waiting", median(of_many) / median(of_few),
            "<=", 1.5);
  print_note("  such a claim at the larger", median(of_many), "ms");
}

void measure_sizes(const server& s) {
  const long long interviews = large_size();
  database small(s, "small", 10'000, 10), large(s, "large", interviews, 10);
  for (const std::size_t connections : {1U, 4U}) {
    host of_small(small.url, connections), of_large(large.url, connections);
    std::vector<double> ratios, rates;
    for (int round = -1; round < rounds; ++round) {
      const auto few = small.take(70), many = large.take(70);
      const double of_few = rate(connections, few, [&](std::size_t, const auto& who) { retake(of_small, who); });
      const double of_many = rate(connections, many, [&](std::size_t, const auto& who) { retake(of_large, who); });
      if (round < 0) continue;
      ratios.push_back(of_few / of_many);
      rates.push_back(of_many);
    }
    const std::string at = ", " + std::to_string(connections) + (connections == 1 ? " connection" : " connections");
    print_row("retakes a second: 10,000 interviews / " + std::to_string(interviews) + at, median(ratios), "<=", 1.5);
    print_note("  retakes a second at the larger" + at, median(rates), "/s");
  }
}

/// libcurl, and the least that a dispatcher must do with its database.
double run_bare(const smtp_sink& sink, const std::string& url, std::size_t connections, std::size_t mails,
                const std::string& finished) {
  bare_outbox outbox(bare_server(url, connections, mails), connections, mails, 28 * connections);
  const auto begun = stopwatch::now();
  run_curl_peer(
      sink.port(), connections, mails, finished, [&](std::size_t n) { outbox.before(n); },
      [&](std::size_t n) { outbox.after(n); });
  outbox.finish();
  return std::chrono::duration<double>(stopwatch::now() - begun).count();
}

void measure_dispatch(const server& s) {
  plain_postgres(s.url).run("CREATE DATABASE mail");
  std::string url = s.url;
  url.replace(url.find("/postgres?"), 10, "/mail?");
  open_postgres_store(url).value();
  int filled = 0;
  // Why twice over eight: see dispatch_bench.cpp.
  for (const auto& [connections, takes_a_mail] :
       {std::pair(std::size_t{1}, 0ms), std::pair(std::size_t{8}, 0ms), std::pair(std::size_t{8}, 2ms)}) {
    // A second or so, so that what is done once, as planning statements, does not count.
    const std::size_t mails = connections == 8 && takes_a_mail == 0ms ? 10'000 : 4'000;
    const smtp_sink sink(takes_a_mail);
    host of(url, connections + 2);
    std::vector<double> ratios, bare_ratios, rates;
    std::string finished;
    // Two processors have little to spare for whatever else a machine does: single rounds differ by a quarter.
    const int times = connections == 8 && takes_a_mail == 0ms ? 2 * rounds - 1 : rounds;
    for (int round = -1; round < times; ++round) {
      {
        plain_postgres sql(url);
        // A tenant for each round; what was sent before stays.
        test::bulk{.tenant = "tenant-" + std::to_string(++filled),
                   .applicants = static_cast<long long>(mails),
                   .is_waiting = true}
            .write(sql, "hirenow");
        sql.run("VACUUM ANALYZE");
        sql.run("CHECKPOINT");
      }
      smtp_options options;
      options.host = "127.0.0.1";
      options.port = sink.port();
      options.security = smtp_security::plaintext;
      options.max_idle_connections = connections;
      const auto smtp = open_smtp_mailer(options).value();
      std::atomic<std::size_t> settled{0};
      std::stop_source stop;
      dispatcher_options how{.sender = {"jobs@acme.example", "Acme Jobs"}};
      how.on_event = [&](const dispatch_event& e) {
        if (++settled == mails || e.state != message_state::accepted) stop.request_stop();
      };
      dispatcher d(of.e, *smtp, how);
      const auto begun = stopwatch::now();
      const auto report = d.run(connections, stop.get_token());
      const double took = std::chrono::duration<double>(stopwatch::now() - begun).count();
      if (report.accepted != mails) throw std::runtime_error("the dispatcher did not send everything");
      if (finished.empty()) finished = std::string(sink.bytes() / sink.mails() - 2, 'x') + "\r\n";
      const double alone = run_curl_peer(sink.port(), connections, mails, finished).count();
      const double bare = run_bare(sink, url, connections, mails, finished);
      if (round < 0) continue;
      ratios.push_back(alone / took);
      bare_ratios.push_back(alone / bare);
      rates.push_back(static_cast<double>(mails) / took);
    }
    const std::string at =
        ", " + std::to_string(connections) + (connections == 1 ? " connection" : " connections") +
        (takes_a_mail.count() == 0 ? "" : ", " + std::to_string(takes_a_mail.count()) + " ms a mail");
    print_row("dispatcher (PostgreSQL), times libcurl alone" + at, median(ratios), ">=", 0.8);
    print_note("  mails a second" + at, median(rates), "/s");
    print_note("  bare claim, look and settle, times libcurl alone" + at, median(bare_ratios), "");
  }
}

/// From the end of the commit that promised a mail to the mail server's answer, with and without announcements.
void measure_wake_up(const server& s) {
  plain_postgres(s.url).run("CREATE DATABASE wake");
  std::string url = s.url;
  url.replace(url.find("/postgres?"), 10, "/wake?");
  const smtp_sink sink;
  smtp_options to;
  to.host = "127.0.0.1";
  to.port = sink.port();
  to.security = smtp_security::plaintext;
  // Notes when the server took a mail.
  struct noting final : mailer {
    explicit noting(std::unique_ptr<mailer> m) : next(std::move(m)) {}
    delivery send(const outgoing_mail& mail) override {
      auto said = next->send(mail);
      taken = stopwatch::now().time_since_epoch().count();
      return said;
    }
    std::unique_ptr<mailer> next;
    std::atomic<stopwatch::rep> taken{0};
  };
  for (const bool announces : {true, false}) {
    noting smtp(open_smtp_mailer(to).value());
    const auto store = open_postgres_store(url, {.connections = 4, .announces_mail = announces}).value();
    engine e(*store, key_ring::from_json(new_key_document(key_algorithm::hs256, "k1")).value(),
             retake_policy::standard(), {.link_base = "https://jobs.acme.example/go"});
    dispatcher d(e, smtp, {.sender = {"jobs@acme.example", "Acme Jobs"}});
    std::jthread running([&](std::stop_token stop) { d.run(1, std::move(stop)); });
    const auto listener = listen_for_mail(url, "hirenow", [&] { d.wake(); }).value();
    std::vector<double> waits;
    for (int n = 0; n < (announces ? 200 : 40); ++n) {
      smtp.taken = 0;
      const std::string id = std::string(announces ? "a" : "b") + std::to_string(n);
      e.schedule({.applicant = {.id = id, .email = "ada@example.org", .name = "Ada"}, .track = "t"}, recruiter).value();
      const auto committed = stopwatch::now();
      while (smtp.taken == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
      const stopwatch::time_point taken{stopwatch::duration(smtp.taken)};
      waits.push_back(std::chrono::duration<double, std::milli>(taken - committed).count());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (announces)
      print_row("milliseconds from commit to the mail server's answer, announced, median", median(waits), "<=", 20);
    else
      print_note("  the same with polls every 200 ms alone", median(waits), "ms");
  }
}

}  // namespace
}  // namespace bench

int main(int count, char** arguments) {
  using namespace bench;
  const auto wants = [&](const char* part) { return count < 2 || std::string(arguments[1]) == part; };
  try {
    const server s;
    std::printf("synchronous_commit = %s, fsync = %s, on %s\n",
                plain_postgres(s.url).value("SHOW synchronous_commit").c_str(),
                plain_postgres(s.url).value("SHOW fsync").c_str(), std::filesystem::temp_directory_path().c_str());
    std::printf("%-78s | %8s | %s\n", "what", "reached", "target");
    if (wants("retakes")) {
      database in(s, "retakes", 80'000, 2);
      measure_retakes(in);
    }
    if (wants("wake")) measure_wake_up(s);
    if (wants("dispatch")) measure_dispatch(s);
    if (wants("claims")) measure_claims(s);
    if (wants("sizes")) measure_sizes(s);
  } catch (const std::exception& e) {
    std::cerr << "postgres_bench: " << e.what() << "\n";
    return EXIT_FAILURE;
  }
  return ending();
}
