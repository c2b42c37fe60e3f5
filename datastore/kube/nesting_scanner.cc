#include "datastore/kube/nesting_scanner.h"

#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace margay::kube {
namespace {

constexpr std::size_t kBlockSize = 64;

// One bit a byte, the first byte lowest.
struct Masks {
  std::uint64_t quotes = 0;
  std::uint64_t backslashes = 0;
  std::uint64_t opens = 0;
  std::uint64_t closes = 0;
};

// '[' and '{', ']' and '}' differ in one bit only.
constexpr char kCaseBit = 0x20;

#if defined(__SSE2__)

std::uint64_t bits_where_equal(__m128i bytes, char wanted) {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(wanted))));
}

Masks classify(const char* block) {
  Masks masks;
  for (unsigned shift = 0; shift < kBlockSize; shift += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + shift));
    const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(kCaseBit));
    masks.quotes |= bits_where_equal(bytes, '"') << shift;
    masks.backslashes |= bits_where_equal(bytes, '\\') << shift;
    masks.opens |= bits_where_equal(folded, '{') << shift;
    masks.closes |= bits_where_equal(folded, '}') << shift;
  }
  return masks;
}

#else

Masks classify(const char* block) {
  Masks masks;
  for (unsigned i = 0; i < kBlockSize; ++i) {
    const char folded = static_cast<char>(block[i] | kCaseBit);
    masks.quotes |= std::uint64_t{block[i] == '"'} << i;
    masks.backslashes |= std::uint64_t{block[i] == '\\'} << i;
    masks.opens |= std::uint64_t{folded == '{'} << i;
    masks.closes |= std::uint64_t{folded == '}'} << i;
  }
  return masks;
}

#endif

// Bit i is the parity of the bits 0…i: between an opening quote and its closing one it is set.
std::uint64_t running_parity(std::uint64_t bits) {
  for (unsigned shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

// The bytes that follow a backslash which is not itself escaped. `carry` comes from the block before and goes to the
// next.
std::uint64_t escaped_bytes(std::uint64_t backslashes, std::size_t size, std::uint64_t& carry) {
  std::uint64_t escaped = carry;
  backslashes &= ~carry;
  carry = 0;
  while (backslashes != 0) {
    const auto at = static_cast<std::size_t>(std::countr_zero(backslashes));
    const std::uint64_t follower = at + 1 < kBlockSize ? std::uint64_t{1} << (at + 1) : 0;
    escaped |= follower;
    if (at + 1 == size) carry = 1;
    backslashes &= backslashes - 1;
    backslashes &= ~follower;
  }
  return escaped;
}

// Without the POPCNT instruction, which the baseline lacks, the compiler would call a function.
std::uint64_t count_bits(std::uint64_t bits) {
  bits -= (bits >> 1) & 0x5555555555555555U;
  bits = (bits & 0x3333333333333333U) + ((bits >> 2) & 0x3333333333333333U);
  bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fU;
  return (bits * 0x0101010101010101U) >> 56;
}

}  // namespace

std::size_t NestingScanner::scan_block(const char* block, std::size_t size) {
  Masks masks = classify(block);
  if ((masks.backslashes | is_escaped_) != 0) {
    masks.quotes &= ~escaped_bytes(masks.backslashes, size, is_escaped_);
  }
  const std::uint64_t inside = running_parity(masks.quotes) ^ in_string_;
  in_string_ = 0 - (inside >> 63);
  masks.opens &= ~inside;
  masks.closes &= ~inside;

  const std::uint64_t close_count = count_bits(masks.closes);
  if (close_count >= depth_) {
    // The value may end in this block: look at each closing bracket. (The depth before it, all that opens ahead of it.)
    std::uint64_t closed = 0;
    for (std::uint64_t rest = masks.closes; rest != 0; rest &= rest - 1) {
      const std::uint64_t ahead = (rest & (0 - rest)) - 1;
      ++closed;
      if (depth_ + count_bits(masks.opens & ahead) == closed) {
        return static_cast<std::size_t>(std::countr_zero(rest)) + 1;
      }
    }
  }
  depth_ += count_bits(masks.opens) - close_count;
  return kNotYet;
}

std::size_t NestingScanner::scan(std::string_view bytes) {
  std::size_t at = 0;
  for (; at + kBlockSize <= bytes.size(); at += kBlockSize) {
    if (const std::size_t end = scan_block(bytes.data() + at, kBlockSize); end != kNotYet) return at + end;
  }
  if (at == bytes.size()) return kNotYet;
  char tail[kBlockSize];
  std::memset(tail, ' ', sizeof tail);
  std::memcpy(tail, bytes.data() + at, bytes.size() - at);
  const std::size_t end = scan_block(tail, bytes.size() - at);
  return end == kNotYet ? kNotYet : at + end;
}

}  // namespace margay::kube
