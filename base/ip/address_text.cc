#include "base/ip/address_text.h"

#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "base/core/text.h"

namespace margay {
namespace {

constexpr std::size_t kGroups = 8;

std::optional<std::uint32_t> read_v4_number(std::string_view text) {
  if (text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  const std::optional<std::uint8_t> value = parse_number<std::uint8_t>(text);
  return value ? std::optional<std::uint32_t>(*value) : std::nullopt;
}

Result<std::uint32_t, std::string> read_v4(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '.');
  if (parts.size() != 4) return std::string("expected four numbers separated by dots, or an IPv6 address");
  std::uint32_t value = 0;
  for (const std::string_view part : parts) {
    const std::optional<std::uint32_t> number = read_v4_number(part);
    if (!number) return concat(quoted(part), " is not a number from 0 to 255 without leading zeros");
    value = value << 8 | *number;
  }
  return value;
}

std::optional<std::uint16_t> read_group(std::string_view text) {
  std::uint16_t value = 0;
  const char* end = text.data() + text.size();
  if (text.empty() || text.size() > 4) return std::nullopt;
  const auto [stop, failure] = std::from_chars(text.data(), end, value, 16);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// The groups between colons; the last may be an IPv4 address, which is two groups.
Result<std::vector<std::uint16_t>, std::string> read_groups(std::string_view text, bool v4_may_end_it) {
  std::vector<std::uint16_t> groups;
  if (text.empty()) return groups;
  const std::vector<std::string_view> parts = split(text, ':');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool is_last = i + 1 == parts.size();
    if (is_last && v4_may_end_it && parts[i].find('.') != std::string_view::npos) {
      const Result<std::uint32_t, std::string> v4 = read_v4(parts[i]);
      if (!v4.ok()) return v4.error();
      groups.push_back(static_cast<std::uint16_t>(*v4 >> 16));
      groups.push_back(static_cast<std::uint16_t>(*v4 & 0xffff));
      continue;
    }
    const std::optional<std::uint16_t> group = read_group(parts[i]);
    if (!group) return concat("group ", quoted(parts[i]), " is not one to four hexadecimal digits");
    groups.push_back(*group);
  }
  return groups;
}

Bits from_groups(const std::array<std::uint16_t, kGroups>& groups) {
  Bits bits;
  for (std::size_t i = 0; i < kGroups; ++i) {
    std::uint64_t& half = i < 4 ? bits.high : bits.low;
    half = half << 16 | groups[i];
  }
  return bits;
}

std::uint16_t group_at(const Bits& bits, std::size_t index) {
  const std::uint64_t half = index < 4 ? bits.high : bits.low;
  return static_cast<std::uint16_t>(half >> (48 - 16 * (index % 4)));
}

struct Run {
  std::size_t start = kGroups;
  std::size_t size = 0;
};

// RFC 5952 §4.2: the longest run of at least two zero groups, the first of equals.
Run longest_zero_run(const Bits& bits) {
  Run best;
  Run current;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (group_at(bits, i) != 0) {
      current = Run{};
      continue;
    }
    if (current.size == 0) current.start = i;
    ++current.size;
    if (current.size > best.size) best = current;
  }
  return best.size >= 2 ? best : Run{};
}

void append_hex(std::string& out, std::uint16_t value) {
  char buffer[4];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, 16).ptr);
}

}  // namespace

Result<Bits, std::string> parse_v4_text(std::string_view text) {
  const Result<std::uint32_t, std::string> value = read_v4(text);
  if (!value.ok()) return value.error();
  return Bits{.high = std::uint64_t{*value} << 32, .low = 0};
}

Result<Bits, std::string> parse_v6_text(std::string_view text) {
  if (text.find('%') != std::string_view::npos) return std::string("a zone is not allowed");
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  if (has_gap && text.find("::", gap + 1) != std::string_view::npos) return std::string("\"::\" may stand only once");
  const Result<std::vector<std::uint16_t>, std::string> left = read_groups(text.substr(0, gap), !has_gap);
  if (!left.ok()) return left.error();
  const Result<std::vector<std::uint16_t>, std::string> right =
      read_groups(has_gap ? text.substr(gap + 2) : std::string_view(), true);
  if (!right.ok()) return right.error();
  const std::size_t found = left->size() + right->size();
  if (has_gap ? found >= kGroups : found != kGroups) {
    return concat("found ", found, " groups, expected ", has_gap ? "at most 7 beside \"::\"" : "8");
  }
  std::array<std::uint16_t, kGroups> groups{};
  std::copy(left->begin(), left->end(), groups.begin());
  std::copy_backward(right->begin(), right->end(), groups.end());
  return from_groups(groups);
}

std::string print_v4_text(std::uint32_t value) {
  return concat(value >> 24, '.', (value >> 16) & 0xff, '.', (value >> 8) & 0xff, '.', value & 0xff);
}

std::string print_v6_text(const Bits& bits) {
  if (bits.high == 0 && bits.low >> 32 == 0xffff) {
    return concat("::ffff:", print_v4_text(static_cast<std::uint32_t>(bits.low)));
  }
  const Run gap = longest_zero_run(bits);
  std::string out;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (i == gap.start) {
      out.append("::");
      i += gap.size - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out.push_back(':');
    append_hex(out, group_at(bits, i));
  }
  return out;
}

}  // namespace margay
