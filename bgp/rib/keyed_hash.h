// Hashes of what peers send. With a key that nobody outside knows: who chooses what is hashed could otherwise choose
// it so that everything lands in one place, and each look there takes a step for each thing (IdIndex). Nothing that is
// told or shown depends on the key.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/bytes/reader.h"
#include "base/core/random.h"

namespace margay::bgp::rib {

struct HashKey {
  std::uint64_t first = system_seed();
  std::uint64_t second = system_seed();
};

// The halves of the product, together: every bit of both has a say (the step of wyhash; public domain, Wang Yi 2019).
constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Product = unsigned __int128;
  const Product product = static_cast<Product>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_bytes(bytes::View bytes, const HashKey& key) {
  std::uint64_t hash = key.first ^ bytes.size();
  std::uint64_t words[2];
  for (; bytes.size() > sizeof words; bytes = bytes.subspan(sizeof words)) {
    std::memcpy(words, bytes.data(), sizeof words);
    hash = fold(words[0] ^ key.second, words[1] ^ hash);
  }
  words[0] = words[1] = 0;
  if (!bytes.empty()) std::memcpy(words, bytes.data(), bytes.size());
  return fold(fold(words[0] ^ key.second, words[1] ^ hash), key.first | 1);
}

}  // namespace margay::bgp::rib
