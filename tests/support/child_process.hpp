#pragma once
/// A program that a test starts, talks to by its standard input and output, and ends.
///
/// Threads: one at a time.

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern char** environ;

namespace hirenow::testing {

/// A running program. Whatever happens, it is gone and waited for when this object dies.
class child_process {
 public:
  /// Starts the program `argv[0]` (a path, or a name to be looked up). Its standard error is the test's.
  /// Throws std::runtime_error where it cannot be started.
  explicit child_process(const std::vector<std::string>& argv) {
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    // A socket, because writing to one that nobody reads can be told not to raise SIGPIPE.
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0) throw std::runtime_error("no socket");
    if (pipe2(out, O_CLOEXEC) != 0) {
      close(in[0]);
      close(in[1]);
      throw std::runtime_error("no pipe");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::vector<char*> words;
    for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const int failed = posix_spawnp(&pid_, words[0], &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    output_ = out[0];
    if (failed != 0) {
      pid_ = -1;
      close_input();
      close(output_);
      throw std::runtime_error("cannot start " + argv[0]);
    }
  }
  child_process(child_process&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)),
        input_(std::exchange(other.input_, -1)),
        output_(std::exchange(other.output_, -1)),
        unread_(std::move(other.unread_)) {}
  child_process& operator=(child_process&&) = delete;
  ~child_process() {
    close_input();
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    if (output_ >= 0) close(output_);
  }

  /// The process id, for looking at.
  pid_t pid() const { return pid_; }

  /// The next line of its output, without the line end; nothing where it closed its output or the time is over.
  std::optional<std::string> read_line(std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    for (;;) {
      if (const auto at = unread_.find('\n'); at != std::string::npos) {
        std::string line = unread_.substr(0, at);
        unread_.erase(0, at + 1);
        return line;
      }
      if (!read_some(end)) return std::nullopt;
    }
  }

  /// All of its output up to the end; what there is where the time is over before.
  std::string read_all(std::chrono::milliseconds patience = std::chrono::seconds(60)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (read_some(end)) {
    }
    return std::exchange(unread_, {});
  }

  /// Writes to its standard input. Returns false where it does not read any more.
  bool write(std::string_view text) {
    while (!text.empty()) {
      const auto written = ::send(input_, text.data(), text.size(), MSG_NOSIGNAL);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  /// Ends its standard input.
  void close_input() {
    if (input_ >= 0) close(std::exchange(input_, -1));
  }

  /// Sends a signal.
  void kill(int signal = SIGKILL) {
    if (pid_ > 0) ::kill(pid_, signal);
  }

  /// Waits for its end. Returns the exit status as a shell has it: the code, or 128 and the signal's number.
  int wait() {
    if (pid_ <= 0) return status_;
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return status_;
  }

 private:
  bool read_some(std::chrono::steady_clock::time_point end) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready{output_, POLLIN, 0};
    const int found = poll(&ready, 1, left.count() < 0 ? 0 : static_cast<int>(left.count()));
    if (found < 0 && errno == EINTR) return true;
    if (found <= 0) return false;
    char buffer[4096];
    const auto count = ::read(output_, buffer, sizeof buffer);
    if (count <= 0) return false;
    unread_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  int status_ = -1;
  std::string unread_;
};

}  // namespace hirenow::testing
