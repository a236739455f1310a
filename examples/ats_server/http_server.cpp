#include "http_server.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace ats {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using steady = std::chrono::steady_clock;

constexpr std::uint64_t largest_body = 512 * 1024;  // an applicant's answers, url-encoded
constexpr std::uint32_t largest_header = 16 * 1024;
constexpr auto patience = std::chrono::seconds(30);

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// The last of a list of addresses: the one that our own proxy put there.
std::string last_of(std::string_view addresses, const std::string& otherwise) {
  const auto comma = addresses.rfind(',');
  const auto from = addresses.find_first_not_of(' ', comma == std::string_view::npos ? 0 : comma + 1);
  return from == std::string_view::npos ? otherwise : std::string(addresses.substr(from));
}

}  // namespace

struct http_server::parts {
  explicit parts(server_options told) : options(std::move(told)), pool(options.handlers) {
    const tcp::endpoint at{asio::ip::make_address(options.address), options.port};
    acceptor.open(at.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.bind(at);
    acceptor.listen();
    if (!options.access_log.empty()) log.open(options.access_log, std::ios::app);
  }

  /// Who asked for what, and what came of it; never a body, a cookie, a header, or what was searched for.
  void write_log(const std::string& peer, std::string_view method, std::string_view path, unsigned status,
                 steady::duration took) {
    if (!log.is_open()) return;
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 32> when{};
    std::strftime(when.data(), when.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    const std::lock_guard lock(log_mutex);
    log << when.data() << " " << peer << " " << method << " " << path << " " << status << " " << ms << " ms\n"
        << std::flush;
  }

  response handle(const request& asked) {
    try {
      return handler(asked);
    } catch (const std::exception& e) {
      std::cerr << "ats_server: " << asked.path << ": " << e.what() << "\n";
      response out;
      out.status = 500;
      out.content_type = "text/plain; charset=utf-8";
      out.body = "Something went wrong on our side. Please try again.\n";
      return out;
    }
  }

  /// Runs something that may block on the pool, and comes back on the connection's own executor.
  template <class Work>
  asio::awaitable<std::invoke_result_t<Work>> on_pool(Work work) {
    const auto home = co_await asio::this_coro::executor;
    co_await asio::post(asio::bind_executor(pool.get_executor(), asio::use_awaitable));
    auto out = work();
    co_await asio::post(asio::bind_executor(home, asio::use_awaitable));
    co_return out;
  }

  void put_headers(http::fields& to, const response& from) {
    to.set(http::field::content_type, from.content_type);
    to.set("Content-Security-Policy",
           "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
           "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    to.set("X-Content-Type-Options", "nosniff");
    to.set("X-Frame-Options", "DENY");
    to.set("Referrer-Policy", "same-origin");
    to.set("Cross-Origin-Opener-Policy", "same-origin");
    to.set("Cross-Origin-Resource-Policy", "same-origin");
    to.set("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
    if (options.is_secure) to.set("Strict-Transport-Security", "max-age=31536000");
    to.set(http::field::cache_control, from.cacheable_for.count() > 0
                                           ? "private, max-age=" + std::to_string(from.cacheable_for.count())
                                           : std::string("no-store"));
    if (!from.location.empty()) to.set(http::field::location, from.location);
    for (const auto& cookie : from.cookies) to.insert(http::field::set_cookie, cookie);
  }

  /// Events until the visitor leaves. Each round ends with a comment where there is nothing to say, by which a visitor
  /// who has left is noticed.
  asio::awaitable<void> send_events(beast::tcp_stream& stream, response what) {
    http::response<http::empty_body> head{http::status::ok, 11};
    what.content_type = "text/event-stream";
    put_headers(head, what);
    head.set(http::field::connection, "close");
    http::response_serializer<http::empty_body> serializer{head};
    stream.expires_after(patience);
    co_await http::async_write_header(stream, serializer, asio::use_awaitable);
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
      const auto news = co_await on_pool([&]() -> std::optional<std::string> {
        try {
          return what.events();
        } catch (const std::exception& e) {
          std::cerr << "ats_server: events: " << e.what() << "\n";
          return std::nullopt;
        }
      });
      const std::string text = news ? "data: " + *news + "\n\n" : std::string(": \n\n");
      stream.expires_after(patience);
      co_await asio::async_write(stream, asio::buffer(text), asio::use_awaitable);
      timer.expires_after(std::chrono::seconds(1));
      co_await timer.async_wait(asio::use_awaitable);
    }
  }

  asio::awaitable<void> converse(tcp::socket socket) {
    boost::system::error_code nobody;
    const auto peer = socket.remote_endpoint(nobody);
    const std::string address = nobody ? std::string() : peer.address().to_string();
    socket.set_option(tcp::no_delay(true), nobody);
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer;
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(largest_body);
      parser.header_limit(largest_header);
      stream.expires_after(patience);
      boost::system::error_code failed;
      co_await http::async_read(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, failed));
      if (failed == http::error::body_limit || failed == http::error::header_limit) {
        http::response<http::string_body> too_large{http::status::payload_too_large, 11, "too large\n"};
        too_large.keep_alive(false);
        too_large.prepare_payload();
        co_await http::async_write(stream, too_large, asio::use_awaitable);
        break;
      }
      if (failed) break;
      const auto began = steady::now();
      auto message = parser.release();
      const std::string target(view(message.target()));

      response answer;
      const bool is_read = message.method() == http::verb::get || message.method() == http::verb::head;
      if (!is_read && message.method() != http::verb::post) {
        answer.status = 405;
      } else {
        request asked;
        asked.is_post = !is_read;
        const auto question = std::min(target.find('?'), target.size());
        asked.path = target.substr(0, question);
        asked.target = target;
        asked.query = fields::of_form(std::string_view(target).substr(std::min(question + 1, target.size())));
        asked.cookies = fields::of_cookies(view(message[http::field::cookie]));
        asked.origin = std::string(view(message[http::field::origin]));
        asked.fetch_site = std::string(view(message["Sec-Fetch-Site"]));
        asked.languages = std::string(view(message[http::field::accept_language]));
        asked.peer_address = options.is_proxied ? last_of(view(message["X-Forwarded-For"]), address) : address;
        if (asked.is_post) asked.form = fields::of_form(message.body());
        answer = co_await on_pool([&] { return handle(asked); });
      }
      if (answer.takes_at_least.count() > 0) {
        asio::steady_timer timer(co_await asio::this_coro::executor, began + answer.takes_at_least);
        co_await timer.async_wait(asio::use_awaitable);
      }
      write_log(address, view(message.method_string()), std::string_view(target).substr(0, target.find('?')),
                answer.status, steady::now() - began);
      if (answer.events) {
        co_await send_events(stream, std::move(answer));
        break;
      }
      http::response<http::string_body> out{static_cast<http::status>(answer.status), message.version()};
      put_headers(out, answer);
      out.keep_alive(message.keep_alive());
      const bool head_only = message.method() == http::verb::head;
      out.body() = std::move(answer.body);
      out.prepare_payload();
      if (head_only) out.body().clear();
      stream.expires_after(patience);
      co_await http::async_write(stream, out, asio::use_awaitable);
      if (!out.keep_alive()) break;
    }
    stream.socket().shutdown(tcp::socket::shutdown_send, nobody);
  }

  asio::awaitable<void> listen() {
    for (;;) {
      boost::system::error_code failed;
      auto socket =
          co_await acceptor.async_accept(asio::make_strand(io), asio::redirect_error(asio::use_awaitable, failed));
      if (failed == asio::error::operation_aborted) co_return;
      if (failed) {  // no file descriptors, for one: wait until there are some
        asio::steady_timer timer(io, std::chrono::milliseconds(50));
        co_await timer.async_wait(asio::use_awaitable);
        continue;
      }
      const auto strand = socket.get_executor();
      // Whoever breaks off in the middle ends a conversation with an exception; nobody has to hear of it.
      asio::co_spawn(strand, converse(std::move(socket)), [](const std::exception_ptr&) {});
    }
  }

  server_options options;
  asio::io_context io{2};
  tcp::acceptor acceptor{io};
  asio::thread_pool pool;
  std::function<response(const request&)> handler{};
  std::mutex log_mutex{};
  std::ofstream log{};
};

http_server::http_server(server_options options) : parts_(std::make_unique<parts>(std::move(options))) {}
http_server::~http_server() = default;

std::uint16_t http_server::port() const { return parts_->acceptor.local_endpoint().port(); }

void http_server::run(std::function<response(const request&)> handler) {
  parts_->handler = std::move(handler);
  asio::signal_set signals(parts_->io, SIGINT, SIGTERM);
  signals.async_wait([this](boost::system::error_code, int) { parts_->io.stop(); });
  asio::co_spawn(parts_->io, parts_->listen(), asio::detached);
  std::jthread second([this] { parts_->io.run(); });
  parts_->io.run();
  second.join();
  parts_->pool.stop();
  parts_->pool.join();
}

}  // namespace ats
