#include "smtp_sink.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {
namespace {

int checked(int value, const char* what) {
  if (value < 0) throw std::system_error(errno, std::generic_category(), what);
  return value;
}

void send_all(int to, std::string_view text) {
  while (!text.empty()) {
    const auto sent = send(to, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the client is gone; the next read says so
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

struct client {
  std::string waiting{};
  bool in_body = false;
};

}  // namespace

smtp_sink::smtp_sink(std::chrono::milliseconds takes_a_mail) : takes_a_mail_(takes_a_mail) {
  listener_ = checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  checked(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
  checked(listen(listener_, 128), "listen");
  socklen_t size = sizeof address;
  checked(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  port_ = ntohs(address.sin_port);
  epoll_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
  stop_ = checked(eventfd(0, EFD_CLOEXEC), "eventfd");
  for (const int fd : {listener_, stop_}) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = fd;
    checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &wanted), "epoll_ctl");
  }
  thread_ = std::thread([this] { serve(); });
}

smtp_sink::~smtp_sink() {
  const std::uint64_t one = 1;
  if (write(stop_, &one, sizeof one) != sizeof one) std::terminate();
  thread_.join();
  for (const int fd : {listener_, epoll_, stop_}) close(fd);
}

void smtp_sink::serve() {
  std::map<int, client> clients;
  std::array<epoll_event, 64> events;
  std::array<char, 65536> buffer;
  using steady = std::chrono::steady_clock;
  std::deque<std::pair<steady::time_point, int>> to_answer;  // in the order of their instants
  constexpr std::string_view taken = "250 thrown away\r\n";
  for (;;) {
    int wait = -1;
    if (!to_answer.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(to_answer.front().first - steady::now()).count();
      wait = static_cast<int>(std::max<std::int64_t>(left, 0));
    }
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
    for (; !to_answer.empty() && to_answer.front().first <= steady::now(); to_answer.pop_front())
      if (clients.contains(to_answer.front().second)) send_all(to_answer.front().second, taken);
    for (int n = 0; n < count; ++n) {
      const int fd = events[static_cast<std::size_t>(n)].data.fd;
      if (fd == stop_) {
        for (const auto& [open, state] : clients) close(open);
        return;
      }
      if (fd == listener_) {
        const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (peer < 0) continue;
        const int on = 1;
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event wanted{};
        wanted.events = EPOLLIN;
        wanted.data.fd = peer;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, peer, &wanted);
        clients[peer];
        ++connections_;
        send_all(peer, "220 sink\r\n");
        continue;
      }
      client& from = clients[fd];
      const auto got = recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) {
        clients.erase(fd);
        close(fd);
        continue;
      }
      from.waiting.append(buffer.data(), static_cast<std::size_t>(got));
      std::string replies;  // to all that came at once
      for (;;) {
        if (from.in_body) {
          const auto end = from.waiting.find("\r\n.\r\n");
          if (end == std::string::npos) {
            if (from.waiting.size() > 4) {
              bytes_ += from.waiting.size() - 4;
              from.waiting.erase(0, from.waiting.size() - 4);
            }
            break;
          }
          from.waiting.erase(0, end + 5);
          bytes_ += end + 2;
          from.in_body = false;
          ++mails_;
          if (takes_a_mail_.count() == 0)
            replies += taken;
          else
            to_answer.emplace_back(steady::now() + takes_a_mail_, fd);
          continue;
        }
        const auto end = from.waiting.find("\r\n");
        if (end == std::string::npos) break;
        const std::string verb = from.waiting.substr(0, 4);
        from.waiting.erase(0, end + 2);
        from.in_body = verb == "DATA";
        replies += from.in_body     ? "354 go on\r\n"
                   : verb == "QUIT" ? "221 bye\r\n"
                   : verb == "EHLO" ? "250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
                                    : "250 ok\r\n";
      }
      send_all(fd, replies);
    }
  }
}

}  // namespace bench
