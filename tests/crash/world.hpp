#pragma once
/// What the crash and race programs and the campaigns share: one tenant's engine over a SQLite file or another store,
/// opened anew in every process.

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/hirenow.hpp"

namespace crash {

using namespace std::chrono_literals;
using hirenow::sys_seconds;

inline const sys_seconds day_one = std::chrono::sys_days{std::chrono::January / 5 / 2026} + 9h;
inline const hirenow::actor recruiter{"rosa", "acme", hirenow::role::recruiter};
inline const hirenow::actor reviewer{"viktor", "acme", hirenow::role::reviewer};
inline const hirenow::actor admin{"alma", "acme", hirenow::role::admin};

/// The same keys in every process.
inline const std::string& key_document() {
  static const std::string text = new_key_document(hirenow::key_algorithm::hs256, "k1");
  return text;
}

/// The value, or an end with the error's words.
template <class T>
T must(hirenow::result<T> r) {
  if (!r) throw std::runtime_error(std::string(to_string(r.error().code)) + ": " + r.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*r);
}

/// How many attempts the worlds' policy allows, ever.
inline constexpr int most_attempts = 4;

/// A store with a defect, over the true one; empty where nothing is planted. See planted.hpp.
inline std::function<std::unique_ptr<hirenow::store>(hirenow::store&)> plant_defect;

/// An engine over a store, at `now` unless it has another clock.
struct world {
  world(const std::string& path, sys_seconds now, const hirenow::sqlite_options& options = {})
      : world(must(hirenow::open_sqlite_store(path, options)), now) {}
  world(std::unique_ptr<hirenow::store> opened, sys_seconds now, const hirenow::clock* other = nullptr)
      : clock(now),
        base(std::move(opened)),
        defect(plant_defect ? plant_defect(*base) : nullptr),
        store(defect ? defect.get() : base.get()),
        engine(*store, must(hirenow::key_ring::from_json(key_document())),
               must(hirenow::retake_policy::parse(R"({"hirenow_policy": 1, "version": "1", "rules": [
                 {"rule": "most", "id": "ever", "attempts": 4}]})")),
               {.link_base = "https://jobs.example/go", .clock = other ? other : &clock}) {}

  hirenow::manual_clock clock;
  std::unique_ptr<hirenow::store> base, defect;
  hirenow::store* store;
  hirenow::engine engine;
};

inline std::string token_of(const std::string& link) { return link.substr(link.find('#') + 1); }

inline hirenow::schedule_request invitation(const std::string& who) {
  hirenow::schedule_request r;
  r.applicant = {.id = who, .email = who + "@applicants.example", .name = who};
  r.track = "backend/technical";
  r.link_lifetime = 72h;
  return r;
}

}  // namespace crash
