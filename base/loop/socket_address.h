// Socket addresses and the errors of socket calls, for the files of this folder.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/core/error.h"
#include "base/core/result.h"
#include "base/loop/stream.h"
#include "base/loop/unique_fd.h"

namespace margay::loop {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
  // "127.0.0.1:4711", "[::1]:4711", "unix".
  [[nodiscard]] std::string to_string() const;
  // Of kind kTcp; for a unix address the path is left to the caller.
  [[nodiscard]] Endpoint to_endpoint() const;
};

// Blocks while a name is looked up when `is_numeric_only` is false (getaddrinfo).
Result<std::vector<SocketAddress>> look_up(const std::string& host, std::uint16_t port, bool is_numeric_only);
SocketAddress unix_address(const std::string& path);
// Non-blocking, close-on-exec, with no delay and keep-alive when it is TCP.
Result<UniqueFd> open_socket(int family);
void set_connection_options(int fd, int family);
// `what` says what was tried: "connect to tcp://…".
Error socket_error(int error_number, std::string_view what);

}  // namespace margay::loop
