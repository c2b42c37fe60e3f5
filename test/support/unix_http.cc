#include "test/support/unix_http.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::test {

std::string unix_http(const std::string& socket_path, const std::string& method, const std::string& path,
                      const std::string& body) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  MARGAY_CHECK(fd >= 0 && socket_path.size() < sizeof(address.sun_path));
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const std::string request = concat(method, " ", path, " HTTP/1.0\r\nHost: node\r\nContent-Type: application/json\r\n",
                                     "Content-Length: ", body.size(), "\r\n\r\n", body);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    char buffer[1U << 16U];
    for (pollfd waiting{fd, POLLIN, 0}; poll(&waiting, 1, 5000) == 1;) {
      const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      answer.append(buffer, static_cast<std::size_t>(got));
    }
  }
  close(fd);
  const std::size_t head_end = answer.find("\r\n\r\n");
  return head_end == std::string::npos ? "" : answer.substr(head_end + 4);
}

json::Value ask_agent(const std::string& run_dir, const std::string& path) {
  auto parsed = json::parse(unix_http(run_dir + "/node.sock", "GET", path));
  return parsed.ok() ? std::move(parsed).value() : json::Value();
}

bool says_ready(const json::Value& status) {
  const json::Value* ready = status.find("ready");
  return ready != nullptr && ready->as_bool() != nullptr && *ready->as_bool();
}

}  // namespace margay::test
