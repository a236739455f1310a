// What a use case costs through the engine beside bare SQLite doing the same in a minimal schema of its own, in files
// of 1,000,000 interviews at 4 KiB pages. A retake through the engine loads the record, holds it against the policy,
// signs a token, chains the audit and commits; the bare one only writes. Every ratio is a median over interleaved
// rounds of one run; durability is said in each row. The files are those of sqlite_bench.

#include "hirenow/hirenow.hpp"
#include "large_files.hpp"

namespace bench {
namespace {

constexpr int rounds = 7;

const actor recruiter{"rita", "acme", role::recruiter};

/// An engine over the store, at the files' "now". Its key is the one that the files' links name.
struct subject {
  subject(store& s, const hirenow::clock& time)
      : engine(s, ring,
               retake_policy::parse(R"({"hirenow_policy": 1, "version": "1", "rules": [
                 {"rule": "wait", "id": "wait", "after": ["PT1S"]},
                 {"rule": "most", "id": "ever", "attempts": 1001},
                 {"rule": "most", "id": "window", "attempts": 1000, "in": "P365D"}]})")
                   .value(),
               {.link_base = "https://jobs.example/go", .clock = &time}) {}

  key_ring ring = key_ring::from_json(new_key_document(key_algorithm::hs256, "2026-03")).value();
  hirenow::engine engine;
};

/// `time` goes on from call to call: instants that stood in the file already would fall into full pages, and the bare
/// side's never do.
void measure_retakes(applicants& who, manual_clock& time, const std::string& store_path, const std::string& bare_path,
                     sqlite_durability durability, const char* word) {
  const auto opened = open(store_path, durability), elsewhere = open(store_path, durability);
  subject ours(*opened, time);
  bare_connection db(bare_path, durability == sqlite_durability::full);
  bare_retake bare(db);
  std::vector<double> ratios, per_second;
  static int key = 0;
  for (int round = -1; round < rounds; ++round) {
    constexpr std::size_t count = 2400;  // two checkpoints cover that many, so that each round pays for them
    // The same applicants on both sides; what the bare side writes is made before its clock runs.
    const auto work = prepare(*elsewhere, who, count);
    const auto retake_all = [&](std::span<const retake> some) {
      time.advance(seconds{1});
      const auto begin = stopwatch::now();
      for (const auto& one : some)
        ours.engine.retake(one.set.interviews[0].after.id, recruiter, {.idempotency_key = "k" + std::to_string(++key)})
            .value();
      return seconds_since(begin);
    };
    const auto spent = by_turns(work, retake_all, [&](auto some) { return write_alone(bare, some); });
    if (round < 0) continue;  // caches fill
    ratios.push_back(spent.ours / spent.bare);
    per_second.push_back(static_cast<double>(count) / spent.ours);
  }
  print_row(std::string("one retake through the engine / bare prepared statements, ") + word, median(ratios),
            "<=", 1.25);
  print_note(std::string("  retakes of one caller through the engine, ") + word, median(per_second), "/s");
}

void measure_resume(const std::string& store_path, const std::string& bare_path) {
  const auto opened = open(store_path, sqlite_durability::full);
  manual_clock time(epoch);
  subject ours(*opened, time);
  bare_connection db(bare_path, true);
  bare_read bare(db);
  // Open interviews are the tenth of the first applicants.
  const auto ids = bare.some_interviews(10, "applicant_no <= " + std::to_string(large.open));
  std::vector<std::string> tokens;
  for (const auto& id : ids) {
    const auto record = opened->load({.tenant = "acme", .who = id}).value().record;
    const auto link = ours.engine.link_of("acme", record.person.id, *find_interview(record, id)).value();
    tokens.push_back(link.substr(link.find('#') + 1));
  }
  std::vector<double> ratios, micros;
  std::mt19937_64 random(5);
  std::int64_t sum = 0;
  for (int round = -1; round < rounds; ++round) {
    std::vector<std::size_t> picked;
    for (int n = 0; n < 2000; ++n) picked.push_back(random() % ids.size());
    std::size_t at = 0;
    const double engine_time = time_of(2000, [&] {
      if (ours.engine.inspect(tokens[picked[at++]]).value().verdict != verdict::valid)
        throw std::runtime_error("a link that does not work");
    });
    at = 0;
    const double bare_time = time_of(2000, [&] { sum += bare.read(ids[picked[at++]]); });
    if (round < 0) continue;
    ratios.push_back(engine_time / bare_time);
    micros.push_back(engine_time * 1e6);
  }
  if (sum == 0) throw std::runtime_error("nothing was read");
  print_row("token check and record of 10 through the engine / bare read", median(ratios), "<=", 1.5);
  print_note("  token check and record of 10", median(micros), "us");
}

}  // namespace
}  // namespace bench

int main() {
  using namespace bench;
  try {
    const working_copy of_store(store_file()), of_bare(bare_file());
    applicants who;
    measure_resume(of_store.path(), of_bare.path());
    manual_clock time(epoch + seconds{86400});  // the last lives in the files end a little after their "now"
    measure_retakes(who, time, of_store.path(), of_bare.path(), sqlite_durability::full, "FULL");
    measure_retakes(who, time, of_store.path(), of_bare.path(), sqlite_durability::normal, "NORMAL");
  } catch (const std::exception& e) {
    std::cerr << "engine_bench: " << e.what() << "\n";
    return EXIT_FAILURE;
  }
  return ending();
}
