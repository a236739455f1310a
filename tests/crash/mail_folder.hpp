#pragma once
/// What a mail server kept (smtp_server.py), read without a line of the library.

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace crash {

/// A link as it was delivered: what the token in it says, read without a line of the library.
struct delivered_link {
  std::string interview;
  std::string generation;
};

/// The member of a JSON object, as text without quotes.
inline std::string member_of(const std::string& json, const std::string& name) {
  const auto at = json.find("\"" + name + "\":");
  if (at == std::string::npos) return {};
  const auto from = json.find_first_not_of("\" ", at + name.size() + 3);
  return json.substr(from, json.find_first_of("\",}", from) - from);
}

inline std::string without_dashes(std::string id) {
  std::erase(id, '-');
  return id;
}

inline std::string base64url_decoded(const std::string& text) {
  static const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    bits = bits << 6 | static_cast<unsigned>(letters.find(c));
    if ((count += 6) >= 8) bytes.push_back(static_cast<char>(bits >> (count -= 8)));
  }
  return bytes;
}

/// Message-IDs of the mails that came since the last look, and the links in them.
class mail_folder {
 public:
  explicit mail_folder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::vector<delivered_link> links{};  // of the last `take`

  std::map<std::string, int> take() {
    std::map<std::string, int> copies;
    links.clear();
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().extension() != ".eml" || !seen_.insert(entry.path()).second) continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        if (line.starts_with("Message-ID: <")) ++copies[line.substr(13, line.find('>') - 13)];
        const auto link = line.find("https://jobs.example/go#");
        if (link != std::string::npos) read(line.substr(link + 24));
      }
    }
    return copies;
  }

 private:
  void read(const std::string& token) {
    const auto from = token.find('.') + 1;
    const std::string claims = base64url_decoded(token.substr(from, token.find('.', from) - from));
    links.push_back({member_of(claims, "interview_id"), member_of(claims, "generation")});
  }

  std::filesystem::path folder_;
  std::set<std::filesystem::path> seen_{};
};

}  // namespace crash
