// An applicant-tracking back end on hirenow, as an existing one would hold it: its own tables, pages and sessions, and
// the library for everything an interview's life needs. docs/ats_server.md walks through it.
//
//   ats_server [--data FOLDER | --database URL] [--port N] [--base URL] [--interviews N] [--smtp HOST:PORT]
//              [--assets FOLDER] [--handlers N] [--proxy] [--bare]
//
// Mail goes into the built-in inbox, or with --smtp to a mail server; then there is no inbox, and no way to put the
// clock forward. --proxy believes the last address of
// X-Forwarded-For, --base is the address that visitors know the server by. --bare serves one row of SQLite and nothing else,
// which the load test compares with.

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include <sys/stat.h>

#include "hirenow/adapters/postgres.hpp"
#include "hirenow/adapters/smtp.hpp"
#include "hirenow/adapters/sqlite.hpp"
#include "hirenow/dispatcher.hpp"
#include "http_server.hpp"
#include "inbox.hpp"
#include "office.hpp"

namespace fs = std::filesystem;

namespace {

struct arguments {
  std::string data_folder = "ats-data", database{}, base{}, smtp{}, assets = ATS_ASSETS, lifecycle = ATS_LIFECYCLE;
  std::uint16_t port = 8080;
  std::size_t interviews = 400, handlers = 8;
  bool bare = false, proxy = false;
};

arguments read_arguments(int count, char** words) {
  arguments a;
  for (int n = 1; n < count; ++n) {
    const std::string option = words[n];
    if (option == "--bare" || option == "--proxy") {
      (option == "--bare" ? a.bare : a.proxy) = true;
      continue;
    }
    if (n + 1 == count) throw std::runtime_error(option + " needs a value");
    const std::string value = words[++n];
    if (option == "--data")
      a.data_folder = value;
    else if (option == "--database")
      a.database = value;
    else if (option == "--port")
      a.port = static_cast<std::uint16_t>(std::stoul(value));
    else if (option == "--base")
      a.base = value;
    else if (option == "--interviews")
      a.interviews = std::stoul(value);
    else if (option == "--smtp")
      a.smtp = value;
    else if (option == "--assets")
      a.assets = value;
    else if (option == "--handlers")
      a.handlers = std::stoul(value);
    else
      throw std::runtime_error("unknown option " + option);
  }
  return a;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file that only its owner can read; made where it is missing.
std::string secret_file(const fs::path& path, const std::function<std::string()>& make) {
  if (!fs::exists(path)) {
    const auto before = umask(077);
    std::ofstream(path, std::ios::binary) << make();
    umask(before);
  }
  return path.string();
}

/// A picture with the texts that have a word of their own in this language ("picture.…").
std::string in_words(std::string_view picture, const ats::pages& views, ats::language l) {
  std::string out;
  while (!picture.empty()) {
    const auto begin = std::min(picture.find('>') + 1, picture.size());  // 0 where there is none: then all of it
    const auto end = std::min(begin == 0 ? picture.npos : picture.find('<', begin), picture.size());
    const std::string text(picture.substr(begin, end - begin)), key = "picture." + text;
    const std::string word = views.word(l, key);
    out += picture.substr(0, begin);
    out += word == key ? text : word;
    picture.remove_prefix(end);
  }
  return out;
}

std::map<std::string, std::string> read_files(const arguments& a, const ats::pages& views) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(fs::path(a.assets) / "static"))
    files["/static/" + entry.path().filename().string()] = read_file(entry.path());
  // The picture of the lifecycle, once for each state, with that state marked.
  const std::string picture = read_file(a.lifecycle);
  for (std::size_t n = 0; n < hirenow::interview_state_count; ++n) {
    const std::string state(to_string(static_cast<hirenow::interview_state>(n)));
    std::string marked = picture;
    const auto name = marked.find("class=\"state\">" + state + "<");
    const auto box = name == std::string::npos ? name : marked.rfind("class=\"box", name);
    if (box != std::string::npos)
      marked.insert(marked.find('"', box + 7) + 1, " style=\"fill:#1d4ed8;stroke:#0f172a;stroke-width:8\"");
    const auto text = marked.find("class=\"state\">" + state + "<");
    if (text != std::string::npos) marked.insert(text + 13, " style=\"fill:#ffffff\"");
    for (const auto l : {ats::language::english, ats::language::german})
      files["/lifecycle/" + std::string(code_of(l)) + "/" + state + ".svg"] = in_words(marked, views, l);
  }
  return files;
}

int serve(const arguments& a) {
  fs::create_directories(a.data_folder);
  const fs::path folder(a.data_folder);
  const bool is_postgresql = !a.database.empty();

  std::unique_ptr<hirenow::store> store;
  std::string url = a.database;
  if (is_postgresql) {
    // The demonstration's clock can be put forward, so it is this process's that decides when mail is due.
    store = hirenow::open_postgres_store(url, {.clock = hirenow::postgres_clock::caller}).value();
  } else {
    url = (folder / "ats.db").string();
    store = hirenow::open_sqlite_store(url).value();
  }
  ats::database data(url);

  const auto keys = hirenow::key_ring::from_file(secret_file(folder / "keys.json", [] {
                      return new_key_document(hirenow::key_algorithm::ed25519, "2026-11");
                    })).value();
  const ats::sealer seals(
      read_file(secret_file(folder / "server.key", [] { return ats::random_text() + ats::random_text(); })));
  const auto tracks = ats::read_tracks((fs::path(a.assets) / "tracks.json").string());
  const ats::pages views(a.assets);
  const auto files = read_files(a, views);
  const auto policy = hirenow::retake_policy::parse(read_file(fs::path(a.assets) / "policy.json")).value();

  ats::http_server server({.port = a.port,
                           .handlers = a.handlers,
                           .access_log = (folder / "access.log").string(),
                           .is_secure = a.base.starts_with("https://"),
                           .is_proxied = a.proxy});
  const std::string base = a.base.empty() ? "http://127.0.0.1:" + std::to_string(server.port()) : a.base;

  ats::demo_clock clock;
  if (const auto offset = data.setting("clock_offset")) clock.put_forward(hirenow::seconds{std::stoll(*offset)});
  const hirenow::engine_options options{.link_base = base + "/go", .clock = &clock};
  hirenow::engine engine{*store, keys, policy, options};

  if (!data.setting("seeded")) {
    std::cout << "seeding " << a.interviews << " interviews" << std::endl;
    ats::seed(data, keys, policy, tracks, options, clock.now(), a.interviews);
    data.set("seeded", std::to_string(a.interviews));
  } else {
    std::cout << "going on with the data of an earlier run" << std::endl;
  }

  std::unique_ptr<hirenow::mailer> mailer = std::make_unique<ats::inbox_mailer>(data, clock);
  if (!a.smtp.empty()) {
    const auto colon = a.smtp.rfind(':');
    mailer = hirenow::open_smtp_mailer({.host = a.smtp.substr(0, colon),
                                        .port = static_cast<std::uint16_t>(std::stoul(a.smtp.substr(colon + 1))),
                                        .security = hirenow::smtp_security::plaintext,
                                        .clock = &clock})
                 .value();
  }
  hirenow::dispatcher_options sending;
  sending.sender = {"interviews@acme.example", "Acme Hiring"};
  sending.track_title = [&](std::string_view, std::string_view id, std::string_view locale) {
    for (const auto& t : tracks)
      if (t.id == id) return t.title(locale == "de" ? ats::language::german : ats::language::english);
    return std::string(id);
  };
  hirenow::dispatcher dispatcher{engine, *mailer, sending};

  ats::office office{.engine = engine,
                     .keys = keys,
                     .policy = policy,
                     .data = data,
                     .views = views,
                     .tracks = tracks,
                     .seals = seals,
                     .clock = clock,
                     .tenant = "acme",
                     .base = base,
                     .time_zone = "Europe/Berlin",
                     .is_demonstration = a.smtp.empty(),
                     .files = files,
                     .wake = [&] { dispatcher.wake(); }};

  std::jthread sends([&](std::stop_token stop) { dispatcher.run(2, stop); });
  std::jthread sweeps([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      const auto report = engine.sweep();
      if (!report) std::cerr << "sweep: " << report.error().message << "\n";
      for (int n = 0; n < 50 && !stop.stop_requested(); ++n)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  });
  std::cout << "serving on " << base << (a.smtp.empty() ? " (staff: /, mail: /inbox)" : "") << ", data in "
            << a.data_folder << std::endl;
  server.run([&](const ats::request& asked) { return answer_request(office, asked); });
  std::cout << "stopping" << std::endl;
  return 0;
}

/// One row by its key, and nothing else: what Beast and SQLite cost by themselves.
int serve_bare(const arguments& a) {
  ats::database data((fs::path(a.data_folder) / "ats.db").string());
  ats::http_server server({.port = a.port, .handlers = a.handlers});
  std::cout << "serving on http://127.0.0.1:" << server.port() << std::endl;
  server.run([&](const ats::request&) {
    const auto rows = data.lend()->run("SELECT name FROM ats_applicant WHERE id = 'a-100003'");
    ats::response out;
    out.body = rows.empty() ? std::string() : ats::text_of(rows[0][0]);
    return out;
  });
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    const arguments a = read_arguments(count, words);
    return a.bare ? serve_bare(a) : serve(a);
  } catch (const std::exception& e) {
    std::cerr << "ats_server: " << e.what() << "\n";
    return 1;
  }
}
