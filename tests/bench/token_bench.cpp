// What a link costs beside its bare signature: mint and verify against OpenSSL on the same bytes, with a key that is
// set once and a context that is kept. Nothing here touches a disk, so no durability setting matters.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "figures.hpp"
#include "hirenow/token.hpp"

namespace {

using namespace hirenow;

const token_claims claims{.issuer = "https://ats.example.com",
                          .audience = "interview",
                          .subject = "applicant-204711",
                          .tenant = "acme-europe",
                          .interview = new_interview_id(sys_seconds{seconds{1'790'000'000}}),
                          .generation = 2,
                          .attempt = 3,
                          .issued_at = sys_seconds{seconds{1'790'000'000}},
                          .not_before = sys_seconds{seconds{1'790'000'000}},
                          .expires_at = sys_seconds{seconds{1'790'259'200}}};
const token_expectation expected{claims.issuer, claims.audience};

struct subject {
  explicit subject(key_algorithm algorithm)
      : ring(key_ring::from_json(new_key_document(algorithm, "2026-03")).value()),
        token(mint_token(ring, "2026-03", claims).value()),
        signing_input(token.substr(0, token.rfind('.'))) {}
  key_ring ring;
  std::string token;
  std::string signing_input;
};

const subject& hs256() {
  static const subject s(key_algorithm::hs256);
  return s;
}
const subject& ed25519() {
  static const subject s(key_algorithm::ed25519);
  return s;
}

template <const subject& (*Of)()>
void mint(benchmark::State& state) {
  for (auto _ : state) {
    auto token = mint_token(Of().ring, "2026-03", claims);
    if (!token) state.SkipWithError("no token");
    benchmark::DoNotOptimize(token);
  }
  state.SetItemsProcessed(state.iterations());
}

template <const subject& (*Of)()>
void verify(benchmark::State& state) {
  for (auto _ : state) {
    auto read = verify_token(Of().ring, Of().token, expected);
    if (!read) state.SkipWithError("not verified");
    benchmark::DoNotOptimize(read);
  }
  state.SetItemsProcessed(state.iterations());
}

const unsigned char* octets(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void bare_hmac(benchmark::State& state) {
  const std::string& input = hs256().signing_input;
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
  const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(EVP_MAC_CTX_new(hmac.get()),
                                                                          EVP_MAC_CTX_free);
  char name[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                   OSSL_PARAM_construct_end()};
  const std::array<unsigned char, 32> key{1, 2, 3};
  std::array<unsigned char, 32> mac{};
  std::size_t size = 0;
  EVP_MAC_init(context.get(), key.data(), key.size(), parameters);
  for (auto _ : state) {
    if (EVP_MAC_init(context.get(), nullptr, 0, nullptr) != 1 ||
        EVP_MAC_update(context.get(), octets(input), input.size()) != 1 ||
        EVP_MAC_final(context.get(), mac.data(), &size, mac.size()) != 1)
      state.SkipWithError("no MAC");
    benchmark::DoNotOptimize(mac);
  }
  state.SetItemsProcessed(state.iterations());
}

struct bare_pair {
  bare_pair() {
    std::size_t size = signature.size();
    const std::string& input = ed25519().signing_input;
    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get());
    EVP_DigestSign(context.get(), signature.data(), &size, octets(input), input.size());
  }
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"),
                                                          EVP_PKEY_free};
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  std::array<unsigned char, 64> signature{};
};

void bare_ed25519_sign(benchmark::State& state) {
  bare_pair pair;
  const std::string& input = ed25519().signing_input;
  for (auto _ : state) {
    std::size_t size = pair.signature.size();
    if (EVP_DigestSignInit(pair.context.get(), nullptr, nullptr, nullptr, pair.key.get()) != 1 ||
        EVP_DigestSign(pair.context.get(), pair.signature.data(), &size, octets(input), input.size()) != 1)
      state.SkipWithError("no signature");
    benchmark::DoNotOptimize(pair.signature);
  }
  state.SetItemsProcessed(state.iterations());
}

void bare_ed25519_verify(benchmark::State& state) {
  bare_pair pair;
  const std::string& input = ed25519().signing_input;
  for (auto _ : state)
    if (EVP_DigestVerifyInit(pair.context.get(), nullptr, nullptr, nullptr, pair.key.get()) != 1 ||
        EVP_DigestVerify(pair.context.get(), pair.signature.data(), pair.signature.size(), octets(input),
                         input.size()) != 1)
      state.SkipWithError("not verified");
  state.SetItemsProcessed(state.iterations());
}

void new_id(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(new_interview_id(claims.issued_at));
  state.SetItemsProcessed(state.iterations());
}

/// Keeps every round's rate by name, and prints what the rounds amount to.
class collector : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    std::vector<Run> shown;
    for (const auto& run : runs) {
      failed |= run.error_occurred;
      if (run.run_type == Run::RT_Aggregate || run.error_occurred)
        shown.push_back(run);
      else
        rates[run.benchmark_name()].push_back(run.counters.at("items_per_second"));
    }
    if (!shown.empty()) ConsoleReporter::ReportRuns(shown);
  }

  double median(const std::string& name) const { return bench::median(rates.at(name)); }

  std::map<std::string, std::vector<double>> rates{};
  bool failed = false;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::RegisterBenchmark("bare_hmac", bare_hmac);
  benchmark::RegisterBenchmark("hs256_mint", mint<hs256>);
  benchmark::RegisterBenchmark("hs256_verify", verify<hs256>);
  benchmark::RegisterBenchmark("bare_ed25519_sign", bare_ed25519_sign);
  benchmark::RegisterBenchmark("ed25519_mint", mint<ed25519>);
  benchmark::RegisterBenchmark("bare_ed25519_verify", bare_ed25519_verify);
  benchmark::RegisterBenchmark("ed25519_verify", verify<ed25519>);
  benchmark::RegisterBenchmark("new_interview_id", new_id);
  benchmark::RegisterBenchmark("bare_hmac", bare_hmac)->Threads(2)->UseRealTime();
  benchmark::RegisterBenchmark("hs256_mint", mint<hs256>)->Threads(2)->UseRealTime();
  benchmark::RegisterBenchmark("hs256_verify", verify<hs256>)->Threads(2)->UseRealTime();

  // Rounds of all, interleaved, so that a noisy minute falls on every one alike. The caller's arguments come last.
  std::vector<std::string> arguments{argv[0], "--benchmark_repetitions=9", "--benchmark_min_time=0.1",
                                     "--benchmark_enable_random_interleaving=true"};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::vector<char*> pointers;
  for (auto& a : arguments) pointers.push_back(a.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return EXIT_FAILURE;
  collector seen;
  benchmark::RunSpecifiedBenchmarks(&seen);
  if (seen.failed) return EXIT_FAILURE;
  if (seen.rates.size() < 11) return EXIT_SUCCESS;  // a filter was given: nothing to compare

  const auto ratio = [&](const char* bare, const char* ours) { return seen.median(bare) / seen.median(ours); };
  const auto gain = [&](const std::string& name) {
    return seen.median(name + "/real_time/threads:2") / seen.median(name);
  };
  std::printf("\nA token of %zu bytes; medians of %zu interleaved rounds.\n", hs256().token.size(),
              seen.rates.begin()->second.size());
  std::printf("%-78s | %8s | %s\n", "what", "reached", "target");
  bench::print_row("HS256 mint, times a keyed, reused HMAC", ratio("bare_hmac", "hs256_mint"), "<=", 1.7);
  bench::print_row("HS256 verify, times the same", ratio("bare_hmac", "hs256_verify"), "<=", 2.6);
  bench::print_row("Ed25519 mint, times the bare signature", ratio("bare_ed25519_sign", "ed25519_mint"), "<=", 1.08);
  bench::print_row("Ed25519 verify, times the bare check", ratio("bare_ed25519_verify", "ed25519_verify"), "<=", 1.08);
  bench::print_row("gain of a second thread, mint over bare HMAC", gain("hs256_mint") / gain("bare_hmac"), ">=", 0.9);
  bench::print_row("gain of a second thread, verify over bare HMAC", gain("hs256_verify") / gain("bare_hmac"),
                   ">=", 0.9);
  return bench::ending();
}
