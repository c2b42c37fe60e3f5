// The header of a message being written (RFC 4271 §4.1). For bgp/wire's own use.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "bgp/wire/big_endian.h"
#include "bgp/wire/message.h"

namespace margay::bgp::wire {

// Appends a header and room for `body_size` bytes; returns where the body begins. The whole must fit 65535 bytes.
inline char* append_message(MessageType type, std::size_t body_size, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + kHeaderSize + body_size);
  char* at = out.data() + start;
  std::memset(at, 0xff, 16);
  at = store16(at + 16, static_cast<std::uint16_t>(kHeaderSize + body_size));
  return store8(at, static_cast<std::uint8_t>(type));
}

}  // namespace margay::bgp::wire
