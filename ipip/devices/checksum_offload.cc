#include "ipip/devices/checksum_offload.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/core/text.h"
#include "dataplane/netlink/netlink.h"

namespace margay::ipip {
namespace {

constexpr std::pair<int, int> kMended{5, 7};
constexpr std::string_view kFeature = "ChecksumOffloadBroken";

struct OpenSocket {
  int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  OpenSocket() = default;
  OpenSocket(const OpenSocket&) = delete;
  OpenSocket& operator=(const OpenSocket&) = delete;
  ~OpenSocket() {
    if (fd >= 0) close(fd);
  }
};

Result<ethtool_value> call(const std::string& interface, std::uint32_t command, std::uint32_t data) {
  const OpenSocket socket;
  if (socket.fd < 0) return netlink::error_of(errno, "socket");
  ethtool_value value{.cmd = command, .data = data};
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (ioctl(socket.fd, SIOCETHTOOL, &request) == 0) return value;
  const int error = errno;
  Error out = netlink::error_of(error, concat("checksum offload of ", interface));
  if (error == EOPNOTSUPP) out.code = ErrorCode::kUnsupported;
  return out;
}

// The number that the text begins with.
std::optional<int> leading_number(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  return parse_number<int>(text.substr(0, end));
}

}  // namespace

bool is_checksum_offload_broken(std::string_view kernel_release) {
  const auto parts = split(kernel_release, '.');
  if (parts.size() < 2) return false;
  const auto major = leading_number(parts[0]), minor = leading_number(parts[1]);
  return major && minor && std::pair(*major, *minor) < kMended;
}

bool is_checksum_offload_broken() {
  utsname names{};
  return uname(&names) == 0 && is_checksum_offload_broken(names.release);
}

std::optional<bool> checksum_offload_override(std::string_view feature_detect_override) {
  std::optional<bool> out;
  for (const std::string_view each : split(feature_detect_override, ',')) {
    const auto words = split(trim(each), '=');
    if (words.size() != 2 || trim(words[0]) != kFeature) continue;
    if (trim(words[1]) == "true") out = true;
    if (trim(words[1]) == "false") out = false;
  }
  return out;
}

Result<bool> has_checksum_offload(const std::string& interface) {
  MARGAY_ASSIGN_OR_RETURN(const ethtool_value value, call(interface, ETHTOOL_GTXCSUM, 0));
  return value.data != 0;
}

Status set_checksum_offload(const std::string& interface, bool is_on) {
  MARGAY_ASSIGN_OR_RETURN(const ethtool_value value, call(interface, ETHTOOL_STXCSUM, is_on ? 1 : 0));
  static_cast<void>(value);
  return ok_status();
}

}  // namespace margay::ipip
