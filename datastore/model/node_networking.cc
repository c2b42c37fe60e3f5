#include "datastore/model/node_networking.h"

#include <algorithm>

#include "base/core/base64.h"
#include "base/core/text.h"

namespace margay::model {

Result<WireguardKey> WireguardKey::parse(std::string_view text) {
  const Result<std::string> decoded = base64_decode(text);
  WireguardKey key;
  if (!decoded.ok() || decoded->size() != key.bytes.size()) {
    return invalid(concat(quoted(text), " is not a WireGuard key: 32 bytes in base64"));
  }
  std::transform(decoded->begin(), decoded->end(), key.bytes.begin(),
                 [](char c) { return static_cast<std::uint8_t>(c); });
  return key;
}

std::string WireguardKey::to_string() const {
  std::string raw(bytes.size(), '\0');
  std::transform(bytes.begin(), bytes.end(), raw.begin(), [](std::uint8_t byte) { return static_cast<char>(byte); });
  return base64_encode(raw);
}

}  // namespace margay::model
