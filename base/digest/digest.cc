#include "base/digest/digest.h"

#include <openssl/evp.h>

#include <cstddef>

#include "base/core/check.h"

namespace margay::digest {
namespace {

template <std::size_t kSize>
std::array<std::uint8_t, kSize> hash(std::string_view text, const EVP_MD* algorithm) {
  std::array<std::uint8_t, kSize> out = {};
  unsigned int size = 0;
  MARGAY_CHECK(EVP_Digest(text.data(), text.size(), out.data(), &size, algorithm, nullptr) == 1);
  MARGAY_CHECK(size == kSize);
  return out;
}

}  // namespace

std::array<std::uint8_t, 20> sha1(std::string_view text) { return hash<20>(text, EVP_sha1()); }
std::array<std::uint8_t, 28> sha224(std::string_view text) { return hash<28>(text, EVP_sha224()); }
std::array<std::uint8_t, 32> sha256(std::string_view text) { return hash<32>(text, EVP_sha256()); }

std::string to_hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

}  // namespace margay::digest
