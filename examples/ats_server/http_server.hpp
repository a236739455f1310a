#pragma once
/// The server itself: Boost.Beast and Asio. Two threads read and write; handlers may block, and run on a pool of their
/// own. No thread waits for a visitor.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http.hpp"

namespace ats {

struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  ///< 0: any that is free
  std::size_t handlers = 8;   ///< threads that may block
  std::string access_log{};   ///< a file; empty: none
  bool is_secure = false;     ///< visitors come by https, through a proxy
  bool is_proxied = false;    ///< the last address of X-Forwarded-For is the visitor's
};

/// Serves until SIGINT or SIGTERM.
class http_server {
 public:
  /// Binds the port. Throws where that cannot be.
  explicit http_server(server_options options);
  ~http_server();
  std::uint16_t port() const;
  /// Serves, and comes back when a signal has ended it. What a handler throws is a 500 and a line on stderr.
  void run(std::function<response(const request&)> handler);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace ats
