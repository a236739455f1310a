// The host's own transaction: a row of the host's and an interview commit together, or neither does.

#include <chrono>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>

#include <sqlite3.h>

#include "hirenow/adapters/host_connection.hpp"
#include "hirenow/hirenow.hpp"

using namespace std::chrono_literals;

// What any host has: a way to run its own SQL.
void run(sqlite3* db, const std::string& sql) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    throw std::runtime_error(sqlite3_errmsg(db));
}

int main() {
  const auto file = std::filesystem::temp_directory_path() / "hirenow-host-transaction.db";
  for (const auto* part : {"", "-wal", "-shm", "-hirenow-lock"}) std::filesystem::remove(file.string() + part);
  auto store = hirenow::open_sqlite_store(file.string()).value();
  auto ring = hirenow::key_ring::from_json(new_key_document(hirenow::key_algorithm::hs256, "2026-03")).value();
  hirenow::engine engine{
      *store, ring, hirenow::retake_policy::standard(), {.link_base = "https://interviews.acme.example/go"}};
  const hirenow::actor recruiter{"rosa", "acme", hirenow::role::recruiter};
  const hirenow::applicant ada{.id = "ada", .email = "ada@applicants.example", .name = "Ada", .locale = "en"};

  sqlite3* db = nullptr;
  sqlite3_open(file.c_str(), &db);
  run(db, "PRAGMA wal_autocheckpoint = 0; CREATE TABLE application (applicant TEXT, stage TEXT)");

  {
    // [join]
    auto connection = hirenow::host_connection_of(db);  // or a driver of your own
    auto joined = hirenow::join_transaction(*connection).value();

    const auto invite = [&](const std::string& stage) {
      run(db, "BEGIN IMMEDIATE");
      run(db, "INSERT INTO application VALUES ('ada', '" + stage + "')");
      auto invited = engine.on(*joined).schedule({.applicant = ada, .track = "backend/technical"}, recruiter);
      run(db, invited ? "COMMIT" : "ROLLBACK");
      return invited;
    };
    // [/join]

    std::cout << "first: " << (invite("first") ? "committed" : "refused") << "\n";
    std::cout << "second: " << to_string(invite("second").error().code) << "\n";
    const auto rows = connection->execute("SELECT stage FROM application", {}).value().rows;
    for (const auto& row : rows) std::cout << "the host has: " << std::get<std::string>(row[0]) << "\n";
    std::cout << "interviews: " << engine.list({}, recruiter).value().rows.size() << "\n";
    std::cout << "messages: " << engine.read_messages({}, recruiter).value().size() << "\n";
  }
  sqlite3_close(db);
}
