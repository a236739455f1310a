#pragma once
/// A proxy before the tests' PostgreSQL: it counts what a client says, and cuts the connection where a test wants it.
///
/// Threads: one of its own; the counters and `cut` serve any thread.

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/postgres.hpp"
#include "support/temporary_folder.hpp"

namespace hirenow::test {

class postgres_proxy {
 public:
  explicit postgres_proxy(const std::string& url = postgres_url()) {
    // postgresql://hirenow@/postgres?host=FOLDER&port=NUMBER
    const auto host = url.find("host=") + 5, port = url.find("&port=", host);
    const std::string number = url.substr(port + 6);
    server_ = url.substr(host, port - host) + "/.s.PGSQL." + number;
    url_ = url.substr(0, host) + folder_.path().string() + "&port=" + number;
    const auto name = folder_.path() / (".s.PGSQL." + number);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = address_of(name.string());
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 64) != 0)
      throw std::runtime_error("the proxy cannot listen");
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  }
  ~postgres_proxy() {
    thread_.request_stop();
    thread_.join();
    for (auto& p : pairs_) p.close();
    ::close(listener_);
  }
  postgres_proxy(const postgres_proxy&) = delete;
  postgres_proxy& operator=(const postgres_proxy&) = delete;

  const std::string& url() const { return url_; }
  /// How often clients asked for all answers (Sync): round trips.
  std::uint64_t syncs() const { return syncs_; }
  /// How many messages clients sent.
  std::uint64_t messages() const { return messages_; }
  std::uint64_t connections() const { return connections_; }

  /// Cuts the connection that sends the n-th message from now, counted from 1. `after`: the server still gets it, and
  /// has time to act on it; the client gets no answer any more.
  void cut(std::uint64_t n, bool after) {
    after_ = after;
    cut_at_ = messages_ + n;
  }
  bool has_cut() const { return cut_at_ == 0; }
  void do_not_cut() { cut_at_ = 0; }
  /// From the next cut on the server cannot be reached, until it is said that it can.
  void then_stay_away() { stays_away_ = true; }
  void come_back() { is_away_ = stays_away_ = false; }

 private:
  struct pair {
    int client = -1, server = -1;
    bool started = false;
    std::string from_client{};
    void close() {
      if (client >= 0) ::close(client);
      if (server >= 0) ::close(server);
      client = server = -1;
    }
  };

  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un a{};
    a.sun_family = AF_UNIX;
    path.copy(a.sun_path, sizeof a.sun_path - 1);
    return a;
  }
  static bool write_all(int to, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  void accept_one() {
    pair p;
    p.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (is_away_) {
      p.close();
      return;
    }
    p.server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = address_of(server_);
    if (::connect(p.server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      p.close();
      return;
    }
    ++connections_;
    pairs_.push_back(std::move(p));
  }

  /// Hands on whole messages. Returns false where the connection was cut.
  bool hand_on(pair& p) {
    std::string out;
    for (;;) {
      const std::size_t type = p.started ? 1 : 0;  // the first message has none
      if (p.from_client.size() < type + 4) break;
      std::uint32_t length = 0;
      for (std::size_t n = 0; n < 4; ++n) length = length << 8U | static_cast<unsigned char>(p.from_client[type + n]);
      if (p.from_client.size() < type + length) break;
      const bool counts = p.started;
      if (counts) {
        ++messages_;
        if (p.from_client[0] == 'S') ++syncs_;
      }
      const bool cuts = counts && cut_at_ != 0 && messages_ >= cut_at_;
      if (!cuts || after_) out += p.from_client.substr(0, type + length);
      p.from_client.erase(0, type + length);
      p.started = true;
      if (!cuts) continue;
      write_all(p.server, out);
      if (after_) {
        // The server answers as soon as it has something to say; what it does with the rest, it does by itself.
        pollfd answer{p.server, POLLIN, 0};
        ::poll(&answer, 1, 20);
      }
      is_away_ = stays_away_.load();
      cut_at_ = 0;
      return false;
    }
    return write_all(p.server, out);
  }

  void work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> all{{listener_, POLLIN, 0}};
      for (const auto& p : pairs_) {
        all.push_back({p.client, POLLIN, 0});
        all.push_back({p.server, POLLIN, 0});
      }
      if (::poll(all.data(), all.size(), 20) <= 0) continue;
      std::size_t at = 1;
      for (auto p = pairs_.begin(); p != pairs_.end(); at += 2) {
        bool lives = true;
        char bytes[16384];
        if (all[at].revents) {
          const auto n = ::read(p->client, bytes, sizeof bytes);
          if (n > 0) p->from_client.append(bytes, static_cast<std::size_t>(n));
          lives = n > 0 && hand_on(*p);
        }
        if (lives && all[at + 1].revents) {
          const auto n = ::read(p->server, bytes, sizeof bytes);
          lives = n > 0 && write_all(p->client, {bytes, static_cast<std::size_t>(n)});
        }
        if (!lives) {
          p->close();
          p = pairs_.erase(p);
        } else {
          ++p;
        }
      }
      if (all[0].revents) accept_one();
    }
  }

  temporary_folder folder_{};
  std::string server_{}, url_{};
  int listener_ = -1;
  std::list<pair> pairs_{};
  std::atomic<std::uint64_t> syncs_{0}, messages_{0}, connections_{0}, cut_at_{0};
  std::atomic<bool> after_{false}, stays_away_{false}, is_away_{false};
  std::jthread thread_{};
};

}  // namespace hirenow::test
