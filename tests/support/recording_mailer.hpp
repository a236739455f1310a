#pragma once
/// A mailer that keeps what it is given and answers as the test says: for what no mail server does on demand.
///
/// Threads: `send` serves any thread, and so must `answer`; `mails()` may be called at any time.

#include <functional>
#include <map>
#include <mutex>
#include <regex>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "hirenow/dispatcher.hpp"
#include "hirenow/mailer.hpp"

namespace hirenow::test {

class recording_mailer : public mailer {
 public:
  delivery send(const outgoing_mail& mail) override {
    {
      const std::lock_guard lock(mutex_);
      mails_.push_back(mail);
    }
    return answer ? answer(mail) : delivery{delivery_outcome::accepted, 250, "250 taken"};
  }
  std::vector<outgoing_mail> mails() const {
    const std::lock_guard lock(mutex_);
    return mails_;
  }
  std::size_t count() const { return mails().size(); }
  outgoing_mail last() const {
    const auto all = mails();
    REQUIRE_FALSE(all.empty());
    return all.back();
  }
  /// How often each Message-ID came.
  std::map<std::string, int> copies() const {
    std::map<std::string, int> out;
    for (const auto& mail : mails()) ++out[mail.message_id];
    return out;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    mails_.clear();
  }

  std::function<delivery(const outgoing_mail&)> answer{};

 private:
  mutable std::mutex mutex_{};
  std::vector<outgoing_mail> mails_{};
};

/// The link in a text, as a reader would copy it; empty where there is none.
inline std::string link_in(const std::string& text) {
  static const std::regex link(R"(https?://[^\s"<]+#[A-Za-z0-9_.-]+)");
  std::smatch found;
  return std::regex_search(text, found, link) ? found.str() : std::string();
}

/// Who the mails of these tests come from.
inline dispatcher_options dispatch_options() {
  dispatcher_options options;
  options.sender = {"jobs@acme.example", "Acme Jobs"};
  return options;
}

}  // namespace hirenow::test
