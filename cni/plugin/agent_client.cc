#include "cni/plugin/agent_client.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "base/core/text.h"

namespace margay::cni {
namespace {

constexpr std::size_t kAnswerMax = 16 * 1024 * 1024;

Error failure(int number, std::string_view path) {
  const bool is_late = number == EAGAIN || number == EWOULDBLOCK;
  if (is_late) return {ErrorCode::kTimeout, concat("the agent at ", path, " did not answer in time")};
  return {ErrorCode::kUnavailable, concat("no agent at ", path, ": ", std::generic_category().message(number))};
}

std::optional<std::size_t> content_length(std::string_view head) {
  for (const std::string_view line : split(head, '\n')) {
    const auto pair = split_once(line, ':');
    if (pair && equals_ignoring_case(trim(pair->first), "content-length")) {
      return parse_number<std::size_t>(trim(pair->second));
    }
  }
  return std::nullopt;
}

}  // namespace

Result<AgentAnswer> parse_answer(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return Error{ErrorCode::kUnavailable, "the head is not complete"};
  const std::string_view head = bytes.substr(0, end);
  // "HTTP/1.1 200 OK"
  const auto status = head.starts_with("HTTP/1.1 ") ? parse_number<int>(head.substr(9, 3)) : std::nullopt;
  const auto length = content_length(head);
  if (!status || !length) return invalid("what answers on the agent's socket does not speak its protocol");
  const std::string_view body = bytes.substr(end + 4);
  if (body.size() < *length) return Error{ErrorCode::kUnavailable, "the body is not complete"};
  AgentAnswer out;
  out.status = *status;
  if (*length > 0) {
    auto parsed = json::parse(body.substr(0, *length));
    if (!parsed.ok()) return invalid(concat("the agent's answer: ", parsed.error().message));
    out.body = std::move(parsed).value();
  }
  return out;
}

AgentClient::~AgentClient() { close_now(); }

void AgentClient::close_now() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Status AgentClient::connect_once() {
  if (fd_ >= 0) return ok_status();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof(address.sun_path)) return invalid(concat("socket: ", path_, " is too long"));
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0 || connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int number = errno;
    close_now();
    return failure(number, path_);
  }
  return ok_status();
}

Status AgentClient::write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure(errno, path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ok_status();
}

Status AgentClient::send(std::string_view method, std::string_view target, const json::Value& body,
                         int timeout_seconds) {
  MARGAY_RETURN_IF_ERROR(connect_once());
  const timeval limit{timeout_seconds, 0};
  (void)setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  (void)setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  const std::string text = body.is_null() ? "" : json::dump(body);
  return write_all(concat(method, ' ', target, " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
                          "Content-Length: ", text.size(), "\r\n\r\n", text));
}

Result<AgentAnswer> AgentClient::receive() {
  std::string bytes;
  char buffer[16 * 1024];
  while (bytes.size() < kAnswerMax) {
    const ssize_t count = recv(fd_, buffer, sizeof(buffer), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int number = count == 0 ? ECONNRESET : errno;
      close_now();
      return failure(number, path_);
    }
    bytes.append(buffer, static_cast<std::size_t>(count));
    auto answer = parse_answer(bytes);
    const bool is_partial = !answer.ok() && answer.error().code == ErrorCode::kUnavailable;
    if (!is_partial) return answer;
  }
  return Error{ErrorCode::kLimitExceeded, "the agent's answer has no end"};
}

Result<AgentAnswer> AgentClient::call(std::string_view method, std::string_view target, const json::Value& body,
                                      int timeout_seconds) {
  MARGAY_RETURN_IF_ERROR(send(method, target, body, timeout_seconds));
  return receive();
}

}  // namespace margay::cni
