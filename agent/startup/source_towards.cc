// Which source address the kernel takes: connect(2) of a UDP socket chooses it and sends nothing (udp(7)).
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "agent/startup/autodetection.h"
#include "base/core/text.h"
#include "base/loop/unique_fd.h"

namespace margay::startup {
namespace {

constexpr const char* kAnyPort = "80";

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> look_up(const std::string& name, IpFamily family) {
  addrinfo hints{};
  hints.ai_family = family == IpFamily::kV4 ? AF_INET : AF_INET6;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(name.c_str(), kAnyPort, &hints, &list);
  if (failure != 0) return Error{ErrorCode::kNotFound, concat(quoted(name), ": ", gai_strerror(failure))};
  return Addresses(list);
}

Result<IpAddress> local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return Error{ErrorCode::kInternal, concat("getsockname: ", std::strerror(errno))};
  }
  std::uint8_t bytes[16] = {};
  std::size_t count = 4;
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &storage, sizeof address);
    count = sizeof bytes;
    std::memcpy(bytes, &address.sin6_addr, count);
  } else {
    sockaddr_in address{};
    std::memcpy(&address, &storage, sizeof address);
    std::memcpy(bytes, &address.sin_addr, count);
  }
  const auto found = IpAddress::from_bytes(std::span<const std::uint8_t>(bytes, count));
  if (!found) return Error{ErrorCode::kInternal, "getsockname gave no address"};
  return *found;
}

}  // namespace

Result<IpAddress> kernel_source_towards(const std::string& destination, IpFamily family) {
  MARGAY_ASSIGN_OR_RETURN(const Addresses addresses, look_up(destination, family));
  Error last{ErrorCode::kNotFound, concat(quoted(destination), " has no address")};
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    const loop::UniqueFd fd(::socket(each->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (fd.is_open() && ::connect(fd.get(), each->ai_addr, each->ai_addrlen) == 0) return local_address(fd.get());
    last = Error{ErrorCode::kNotFound, concat("no route to ", destination, ": ", std::strerror(errno))};
  }
  return last;
}

}  // namespace margay::startup
