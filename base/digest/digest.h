// Message digests that names are made of: SHA-1 and SHA-2 (FIPS 180-4), by OpenSSL. For identity, not for secrecy.
//
// Pure; any thread. The result is the raw bytes; base/core/base64.h and to_hex print them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace margay::digest {

std::array<std::uint8_t, 20> sha1(std::string_view text);
std::array<std::uint8_t, 28> sha224(std::string_view text);
std::array<std::uint8_t, 32> sha256(std::string_view text);

// Two lower-case digits a byte.
std::string to_hex(std::span<const std::uint8_t> bytes);

}  // namespace margay::digest
