// Numbers in network byte order at an address. For bgp/wire's own use: the caller has checked that the bytes are there.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace margay::bgp::wire {

static_assert(std::endian::native == std::endian::little, "the swaps below are for little-endian machines");

inline std::uint16_t load16(const std::uint8_t* at) {
  std::uint16_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap16(value);
}
inline std::uint32_t load32(const std::uint8_t* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap32(value);
}
inline std::uint64_t load64(const std::uint8_t* at) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap64(value);
}

// Each returns the place after what it wrote.
inline char* store8(char* at, std::uint8_t value) {
  *at = static_cast<char>(value);
  return at + 1;
}
inline char* store16(char* at, std::uint16_t value) {
  value = __builtin_bswap16(value);
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}
inline char* store32(char* at, std::uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}
inline char* store64(char* at, std::uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

}  // namespace margay::bgp::wire
