#pragma once
/// libcurl alone, as somebody would use it who has nothing but finished mails: the peer of the dispatcher.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace bench {

/// Sends as many mails, all with the given text, over as many kept connections to a server on the loopback; one thread
/// and one easy handle each. Returns how long it took, connecting included.
/// Throws std::runtime_error where one was not accepted.
std::chrono::duration<double> run_curl_peer(std::uint16_t port, std::size_t connections, std::size_t mails,
                                            const std::string& mail);

/// The same, with something done before and after each mail, on the thread that sends it: its number is handed in.
std::chrono::duration<double> run_curl_peer(std::uint16_t port, std::size_t connections, std::size_t mails,
                                            const std::string& mail, const std::function<void(std::size_t)>& before,
                                            const std::function<void(std::size_t)>& after);

}  // namespace bench
