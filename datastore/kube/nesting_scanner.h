// NestingScanner: finds the end of one JSON object or array at memory speed, in bytes that arrive in any pieces.
//
//   {"a":"}","b":[{}]}   ^ the end: where as many brackets are closed as were opened, strings aside
//
// It looks at brackets, quotes and backslashes only, 64 bytes at a time; whether the value is well formed (a ']' that
// closes a '{', a missing comma) is the parser's business, who reads the bytes afterwards. Pure, no recursion: nesting
// of any depth costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace margay::kube {

class NestingScanner {
 public:
  static constexpr std::size_t kNotYet = static_cast<std::size_t>(-1);

  // Forgets what was scanned: the next byte is the opening bracket of a new value.
  void reset() { *this = NestingScanner(); }

  // How many of these bytes belong to the value when it ends in them, its last bracket included; kNotYet when it goes
  // on behind them. The first byte after reset() must be the opening bracket.
  std::size_t scan(std::string_view bytes);

 private:
  std::size_t scan_block(const char* block, std::size_t size);

  std::uint64_t depth_ = 0;
  std::uint64_t in_string_ = 0;   // all ones inside a string
  std::uint64_t is_escaped_ = 0;  // 1: the next byte follows a backslash
};

// The end of the bracketed value `text` begins with, or kNotYet.
inline std::size_t end_of_nested(std::string_view text) { return NestingScanner().scan(text); }

}  // namespace margay::kube
