#include "bgp/session/transport.h"

#include "base/core/text.h"

namespace margay::bgp::session {

std::string SocketAddress::to_string() const {
  if (address.is_v6()) return concat("[", address.to_string(), "]:", port);
  return concat(address.to_string(), ":", port);
}

}  // namespace margay::bgp::session
