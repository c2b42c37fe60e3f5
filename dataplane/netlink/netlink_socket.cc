#include "dataplane/netlink/netlink_socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace margay::netlink {
namespace {

sockaddr_nl kernel_address() {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  return address;
}

}  // namespace

Result<NetlinkSocket> NetlinkSocket::open(int protocol, int receive_bytes) {
  NetlinkSocket out(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 0);
  if (out.fd_ < 0) return error_of(errno, "netlink socket");
  sockaddr_nl address = kernel_address();
  socklen_t size = sizeof(address);
  if (::bind(out.fd_, reinterpret_cast<const sockaddr*>(&address), size) < 0) return error_of(errno, "netlink bind");
  if (::getsockname(out.fd_, reinterpret_cast<sockaddr*>(&address), &size) < 0) return error_of(errno, "netlink bind");
  out.port_ = address.nl_pid;
  // The privileged form goes beyond the system's limit; without the right to it the ordinary one does what it can.
  if (::setsockopt(out.fd_, SOL_SOCKET, SO_RCVBUFFORCE, &receive_bytes, sizeof(receive_bytes)) < 0) {
    static_cast<void>(::setsockopt(out.fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes)));
  }
  return out;
}

NetlinkSocket::NetlinkSocket(NetlinkSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), port_(other.port_) {}

NetlinkSocket::~NetlinkSocket() {
  if (fd_ >= 0) ::close(fd_);
}

bool NetlinkSocket::set(int option, int value) const {
  return ::setsockopt(fd_, SOL_NETLINK, option, &value, sizeof(value)) == 0;
}

bool NetlinkSocket::send(std::string_view messages) const {
  const sockaddr_nl kernel = kernel_address();
  return ::sendto(fd_, messages.data(), messages.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                  sizeof(kernel)) >= 0;
}

ssize_t NetlinkSocket::receive(MessageBuffer& buffer) const {
  while (true) {
    sockaddr_nl sender{};
    iovec part{buffer.bytes.get(), MessageBuffer::kSize};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof(sender);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t got = ::recvmsg(fd_, &message, 0);
    if (got < 0) return got;
    if (sender.nl_pid != 0) continue;
    if ((message.msg_flags & MSG_TRUNC) == 0) return got;
    errno = ENOSPC;
    return -1;
  }
}

bytes::View payload_of(const nlmsghdr& head) {
  return {reinterpret_cast<const std::uint8_t*>(&head) + NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN};
}

const nlmsghdr* take_message(std::string_view& bytes) {
  if (bytes.size() < NLMSG_HDRLEN) return nullptr;
  const auto* head = reinterpret_cast<const nlmsghdr*>(bytes.data());
  if (head->nlmsg_len < NLMSG_HDRLEN || head->nlmsg_len > bytes.size()) return nullptr;
  bytes.remove_prefix(std::min<std::size_t>(bytes.size(), NLMSG_ALIGN(head->nlmsg_len)));
  return head;
}

}  // namespace margay::netlink
