#include "agent/render/marks.h"

#include <bit>
#include <charconv>

#include "base/core/text.h"

namespace margay::render {
namespace {

constexpr int kBits = 4;

std::string hex(std::uint32_t value) {
  char buffer[8];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, 16).ptr;
  return concat("0x", std::string_view(buffer, static_cast<std::size_t>(end - buffer)));
}

std::string value_and_mask(std::uint32_t value, std::uint32_t mask) { return concat(hex(value), '/', hex(mask)); }

// Takes the lowest bit out of `mask`.
std::uint32_t take_lowest(std::uint32_t& mask) {
  const std::uint32_t bit = mask & (~mask + 1);
  mask &= ~bit;
  return bit;
}

}  // namespace

Result<Marks> Marks::of(std::uint32_t mask) {
  if (std::popcount(mask) < kBits) {
    return invalid(concat(hex(mask), " has ", std::popcount(mask), " bits, at least ", kBits, " are needed"));
  }
  Marks out;
  out.accept = take_lowest(mask);
  out.pass = take_lowest(mask);
  out.scratch0 = take_lowest(mask);
  out.scratch1 = take_lowest(mask);
  return out;
}

std::string set_mark(std::uint32_t bits) { return set_mark(bits, bits); }

std::string set_mark(std::uint32_t bits, std::uint32_t mask) {
  return concat("-j MARK --set-xmark ", value_and_mask(bits, mask));
}

std::string clear_mark(std::uint32_t bits) { return set_mark(0, bits); }

std::string has_mark(std::uint32_t bits) { return concat("-m mark --mark ", value_and_mask(bits, bits)); }

std::string has_no_mark(std::uint32_t bits) { return concat("-m mark --mark ", value_and_mask(0, bits)); }

std::string has_some_mark(std::uint32_t bits) { return concat("-m mark ! --mark ", value_and_mask(0, bits)); }

}  // namespace margay::render
