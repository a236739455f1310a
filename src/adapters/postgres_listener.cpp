/// Listens for what PostgreSQL stores announce.

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hirenow/adapters/postgres.hpp"
#include "hirenow/detail/guarded.hpp"
#include "postgres_schema.hpp"

namespace hirenow {
namespace {

using connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

class postgres_listener final : public mail_listener {
 public:
  postgres_listener(std::string conninfo, std::string schema, std::function<void()> wake)
      : conninfo_(std::move(conninfo)),
        schema_(std::move(schema)),
        wake_(std::move(wake)),
        end_(::eventfd(0, EFD_CLOEXEC)) {
    if (end_ < 0) throw exception(detail::fail(errc::store_unavailable, "there is no file descriptor left"));
    thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  }
  ~postgres_listener() override {
    if (detail::fork_count().load(std::memory_order_relaxed) != forks_) {
      thread_.detach();  // it is the parent's
    } else {
      thread_.request_stop();
      const std::uint64_t one = 1;
      static_cast<void>(::write(end_, &one, sizeof one));
      thread_.join();
    }
    ::close(end_);
  }
  postgres_listener(const postgres_listener&) = delete;
  postgres_listener& operator=(const postgres_listener&) = delete;

 private:
  /// Waits for the server, or for the end.
  void wait(int server, int milliseconds) const {
    std::array<pollfd, 2> both{{{end_, POLLIN, 0}, {server, POLLIN, 0}}};
    ::poll(both.data(), server < 0 ? 1 : 2, milliseconds);
  }

  void work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      listen(stop);
      if (!stop.stop_requested()) wait(-1, 500);
    }
  }

  /// Listens until the connection breaks.
  void listen(const std::stop_token& stop) {
    const char* const keywords[] = {"fallback_application_name", "connect_timeout", "dbname", nullptr};
    const char* const values[] = {"hirenow listener", "5", conninfo_.c_str(), nullptr};
    const connection c(PQconnectdbParams(keywords, values, 1), PQfinish);
    if (!c || PQstatus(c.get()) != CONNECTION_OK) return;
    PQsetNoticeReceiver(c.get(), [](void*, const PGresult*) {}, nullptr);
    const std::string text = "LISTEN " + std::string(detail::mail_channel);
    if (PQsendQuery(c.get(), text.c_str()) != 1) return;
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (PQisBusy(c.get()) == 1) {
      if (stop.stop_requested() || std::chrono::steady_clock::now() >= give_up) return;
      wait(PQsocket(c.get()), 1000);
      if (PQconsumeInput(c.get()) != 1) return;
    }
    bool listens = false;
    while (PGresult* const r = PQgetResult(c.get())) {
      listens = PQresultStatus(r) == PGRES_COMMAND_OK;
      PQclear(r);
    }
    if (!listens) return;
    wake_();  // for what was said while nobody listened
    while (!stop.stop_requested()) {
      wait(PQsocket(c.get()), -1);
      if (PQconsumeInput(c.get()) != 1) return;
      bool is_for_us = false;
      while (PGnotify* const said = PQnotifies(c.get())) {
        is_for_us = is_for_us || schema_ == said->extra;
        PQfreemem(said);
      }
      if (is_for_us) wake_();
    }
  }

  const std::string conninfo_;
  const std::string schema_;
  const std::function<void()> wake_;
  const unsigned forks_ = detail::fork_count().load(std::memory_order_relaxed);
  int end_;
  std::jthread thread_{};
};

}  // namespace

result<std::unique_ptr<mail_listener>> listen_for_mail(const std::string& conninfo, const std::string& schema,
                                                       std::function<void()> wake) {
  if (conninfo.find('\0') != std::string::npos || !wake)
    return detail::fail(errc::invalid_argument, "a listener needs a connection string and somebody to wake");
  return detail::guarded([&]() -> result<std::unique_ptr<mail_listener>> {
    detail::check_schema_name(schema);
    return std::unique_ptr<mail_listener>(std::make_unique<postgres_listener>(conninfo, schema, std::move(wake)));
  });
}

}  // namespace hirenow
