// NetlinkSocket: one AF_NETLINK socket, by system calls alone: the CNI plugin is linked statically and runs on hosts
// that have none of our libraries.
//
// Source: netlink(7), include/uapi/linux/netlink.h. Errors leave errno as the kernel set it where a method says so.
// One thread at a time.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/core/result.h"
#include "dataplane/netlink/netlink.h"

struct nlmsghdr;

namespace margay::netlink {

// Not filled: a process that does one thing pays for the pages that answers touch alone.
struct MessageBuffer {
  static constexpr std::size_t kSize = 256 * 1024;
  std::unique_ptr<char[]> bytes{new char[kSize]};
  [[nodiscard]] std::string_view first(ssize_t count) const { return {bytes.get(), static_cast<std::size_t>(count)}; }
};

class NetlinkSocket {
 public:
  // Bound to a port of the kernel's choice, with room for `receive_bytes` of answers where that is allowed.
  static Result<NetlinkSocket> open(int protocol, int receive_bytes);

  NetlinkSocket(NetlinkSocket&& other) noexcept;
  NetlinkSocket& operator=(NetlinkSocket&&) = delete;
  ~NetlinkSocket();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint32_t port() const { return port_; }

  // False: see errno.
  [[nodiscard]] bool set(int option, int value) const;
  [[nodiscard]] bool send(std::string_view messages) const;
  // How many bytes of messages are in the buffer now, from the kernel; what anybody else sent is left out. -1: see
  // errno; ENOSPC is a message longer than the buffer.
  [[nodiscard]] ssize_t receive(MessageBuffer& buffer) const;

 private:
  NetlinkSocket(int fd, std::uint32_t port) : fd_(fd), port_(port) {}

  int fd_;  // -1: moved from
  std::uint32_t port_;
};

// The payload, without the head; of whole messages only (see for_each_message).
bytes::View payload_of(const nlmsghdr& head);

// The next whole message in the bytes, which are taken from the front; null when there is none.
const nlmsghdr* take_message(std::string_view& bytes);

}  // namespace margay::netlink
