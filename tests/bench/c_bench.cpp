// What the C interface costs beside the C++ call it makes: the check of a link over the memory store, and a retake in
// SQLite at FULL durability. Every ratio is a median over interleaved rounds of one run. A check takes two microseconds,
// and where a process happens to have its memory moves the ratio by five hundredths either way: so it is measured in
// several processes, of which the median counts.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <stdlib.h>

#include "figures.hpp"
#include "hirenow/adapters/memory.hpp"
#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/c/api.h"
#include "hirenow/engine.hpp"

namespace {

using namespace hirenow;
using bench::median, bench::print_note, bench::print_row;
using stopwatch = std::chrono::steady_clock;

constexpr int rounds = 9;
constexpr int processes = 9;
constexpr const char* rules = R"({"hirenow_policy": 1, "version": "bench", "rules": []})";
constexpr const char* link_base = "https://jobs.acme.example/interview";
const actor recruiter{"rita", "acme", role::recruiter};
const actor reviewer{"victor", "acme", role::reviewer};

double time_of(std::size_t count, const std::function<void(std::size_t)>& work) {
  const auto begin = stopwatch::now();
  for (std::size_t n = 0; n < count; ++n) work(n);
  return std::chrono::duration<double>(stopwatch::now() - begin).count() / static_cast<double>(count);
}

void must(hirenow_status status, hirenow_error* e) {
  if (status != HIRENOW_OK) throw std::runtime_error(hirenow_error_get_message(e));
}

/// An engine behind the C interface.
struct c_engine {
  c_engine(const std::string& url, const std::string& keys) {
    hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
    options.keys_json = keys.c_str();
    options.policy_json = rules;
    options.link_base = link_base;
    hirenow_error* e = nullptr;
    must(hirenow_open(url.c_str(), &options, &handle, &e), e);
    who.id = recruiter.id.c_str();
    who.tenant = recruiter.tenant.c_str();
    who.roles = HIRENOW_ROLE_RECRUITER;
  }
  ~c_engine() { hirenow_engine_free(handle); }
  c_engine(const c_engine&) = delete;
  c_engine& operator=(const c_engine&) = delete;

  hirenow_engine* handle = nullptr;
  hirenow_actor who = HIRENOW_ACTOR_INIT;
};

engine cpp_engine(store& s, const std::string& keys) {
  return engine(s, key_ring::from_json(keys).value(), retake_policy::parse(rules).value(), {.link_base = link_base});
}

schedule_request terms(std::size_t n) {
  return {.applicant = {.id = "applicant-" + std::to_string(n), .email = "ada@example.org"}, .track = "backend"};
}

/// One process's part of it: prints the ratio, and the time of the check in C++.
void measure_check_here(const std::string& keys) {
  const auto memory = open_memory_store();
  engine cpp = cpp_engine(*memory, keys);
  const std::string link = cpp.schedule(terms(0), recruiter).value().link;
  const std::string token = link.substr(link.find('#') + 1);
  c_engine c("memory:", keys);
  hirenow_applicant person = HIRENOW_APPLICANT_INIT;
  person.id = "applicant-0";
  person.email = "ada@example.org";
  hirenow_schedule_request request = HIRENOW_SCHEDULE_REQUEST_INIT;
  request.applicant = &person;
  request.track = "backend";
  hirenow_error* e = nullptr;
  hirenow_interview* invited = nullptr;
  must(hirenow_schedule(c.handle, &request, &c.who, &invited, &e), e);
  const std::string c_link = hirenow_interview_get_link(invited);
  const std::string c_token = c_link.substr(c_link.find('#') + 1);
  hirenow_interview_free(invited);
  std::vector<double> ratios, theirs;
  for (int round = -1; round < rounds; ++round) {
    const double ours = time_of(50'000, [&](std::size_t) {
      hirenow_inspection* seen = nullptr;
      must(hirenow_inspect(c.handle, c_token.c_str(), &seen, nullptr), nullptr);
      if (hirenow_inspection_get_verdict(seen) != HIRENOW_VERDICT_VALID) throw std::runtime_error("a dead link");
      hirenow_inspection_free(seen);
    });
    const double direct = time_of(50'000, [&](std::size_t) {
      if (cpp.inspect(token).value().verdict != verdict::valid) throw std::runtime_error("a dead link");
    });
    if (round < 0) continue;
    ratios.push_back(ours / direct);
    theirs.push_back(direct);
  }
  std::printf("%.6g %.6g\n", median(ratios), median(theirs));
}

void measure_check(const std::string& program) {
  std::vector<double> ratios, theirs;
  for (int n = 0; n < processes; ++n) {
    const std::unique_ptr<FILE, int (*)(FILE*)> said(popen(("'" + program + "' --check-of-a-link").c_str(), "r"),
                                                     pclose);
    double ratio = 0, direct = 0;
    if (!said || std::fscanf(said.get(), "%lf %lf", &ratio, &direct) != 2)
      throw std::runtime_error("a process measured nothing");
    ratios.push_back(ratio);
    theirs.push_back(direct);
  }
  print_row("check of a link, memory store: C / C++", median(ratios), "<=", 1.05);
  print_note("  the check in C++", median(theirs) * 1e6, "us");
}

/// A file with so many failed interviews. Returns their ids.
std::vector<interview_id> prepare(const std::string& path, const std::string& keys, std::size_t count) {
  const auto data = open_sqlite_store(path, {.durability = sqlite_durability::normal}).value();
  engine host = cpp_engine(*data, keys);
  std::vector<interview_id> ids;
  for (std::size_t n = 0; n < count; ++n) {
    const auto invited = host.schedule(terms(n), recruiter).value();
    const auto open =
        host.start(invited.link.substr(invited.link.find('#') + 1), "0123456789abcdef-key").value().session;
    host.submit(open).value();
    host.decide(invited.interview.id, reviewer, {.outcome = outcome::failed}).value();
    ids.push_back(invited.interview.id);
  }
  return ids;
}

void measure_retake(const std::string& folder, const std::string& keys) {
  // Short rounds, many of them: the disk is slower at one moment than at another.
  constexpr std::size_t count = 40;
  constexpr int short_rounds = 45;
  const auto c_ids = prepare(folder + "/c.db", keys, count * (short_rounds + 1));
  const auto cpp_ids = prepare(folder + "/cpp.db", keys, count * (short_rounds + 1));
  c_engine c("sqlite:" + folder + "/c.db", keys);
  const auto data = open_sqlite_store(folder + "/cpp.db").value();
  engine cpp = cpp_engine(*data, keys);
  std::vector<double> ratios, theirs;
  std::size_t at = 0;
  for (int round = -1; round < short_rounds; ++round, at += count) {
    const double ours = time_of(count, [&](std::size_t n) {
      hirenow_retake_options options = HIRENOW_RETAKE_OPTIONS_INIT;
      const std::string key = std::to_string(at + n), id = to_string(c_ids[at + n]);
      options.idempotency_key = key.c_str();
      hirenow_interview* fresh = nullptr;
      hirenow_error* e = nullptr;
      must(hirenow_retake(c.handle, id.c_str(), &c.who, &options, &fresh, &e), e);
      hirenow_interview_free(fresh);
    });
    const double direct = time_of(count, [&](std::size_t n) {
      cpp.retake(cpp_ids[at + n], recruiter, {.idempotency_key = std::to_string(at + n)}).value();
    });
    if (round < 0) continue;
    ratios.push_back(ours / direct);
    theirs.push_back(direct);
  }
  print_row("a retake, SQLite at FULL: C / C++", median(ratios), "<=", 1.05);
  print_note("  the retake in C++", median(theirs) * 1e6, "us");
}

}  // namespace

int main(int count, char** arguments) {
  const std::string keys = new_key_document(key_algorithm::hs256, "bench");
  if (count == 2 && std::string_view(arguments[1]) == "--check-of-a-link") {
    measure_check_here(keys);
    return EXIT_SUCCESS;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "hirenow-c-XXXXXX").string();
  if (!mkdtemp(folder.data())) return EXIT_FAILURE;
  bool failed = false;
  try {
    measure_check(arguments[0]);
    measure_retake(folder, keys);
  } catch (const std::exception& e) {
    std::cerr << "c_bench: " << e.what() << "\n";
    failed = true;
  }
  std::filesystem::remove_all(folder);
  return failed ? EXIT_FAILURE : bench::ending();
}
