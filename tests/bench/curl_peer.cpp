#include "curl_peer.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <curl/curl.h>

namespace bench {
namespace {

struct reader {
  const std::string& mail;
  std::size_t at = 0;
};

std::size_t read_mail(char* to, std::size_t, std::size_t room, void* context) {
  auto* const from = static_cast<reader*>(context);
  const std::size_t count = std::min(room, from->mail.size() - from->at);
  std::memcpy(to, from->mail.data() + from->at, count);
  from->at += count;
  return count;
}

}  // namespace

std::chrono::duration<double> run_curl_peer(std::uint16_t port, std::size_t connections, std::size_t mails,
                                            const std::string& mail) {
  return run_curl_peer(port, connections, mails, mail, {}, {});
}

std::chrono::duration<double> run_curl_peer(std::uint16_t port, std::size_t connections, std::size_t mails,
                                            const std::string& mail, const std::function<void(std::size_t)>& before,
                                            const std::function<void(std::size_t)>& after) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::string url = "smtp://127.0.0.1:" + std::to_string(port) + "/localhost";
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::jthread> threads;
  for (std::size_t n = 0; n < connections; ++n)
    threads.emplace_back([&, n] {
      const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
      const std::unique_ptr<curl_slist, void (*)(curl_slist*)> recipients(curl_slist_append(nullptr, "ada@example.org"),
                                                                          curl_slist_free_all);
      reader text{mail};
      curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
      curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
      curl_easy_setopt(handle.get(), CURLOPT_MAIL_FROM, "jobs@acme.example");
      curl_easy_setopt(handle.get(), CURLOPT_MAIL_RCPT, recipients.get());
      curl_easy_setopt(handle.get(), CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(handle.get(), CURLOPT_READFUNCTION, read_mail);
      curl_easy_setopt(handle.get(), CURLOPT_READDATA, &text);
      curl_easy_setopt(handle.get(), CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(mail.size()));
      while (next.fetch_add(1) < mails) {
        text.at = 0;
        if (before) before(n);
        if (curl_easy_perform(handle.get()) != CURLE_OK) failed = true;
        if (after) after(n);
      }
    });
  threads.clear();
  if (failed) throw std::runtime_error("libcurl could not send a mail");
  return std::chrono::steady_clock::now() - start;
}

}  // namespace bench
