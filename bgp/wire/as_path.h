// AS_PATH as bytes, with numbers of two octets (towards old speakers) or four (RFC 4271 §4.3, RFC 6793). For bgp/wire's
// own use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes/reader.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/big_endian.h"

namespace margay::bgp::wire {

enum class AsWidth : std::size_t { kTwo = 2, kFour = 4 };

struct PathSegment {
  SegmentType type = SegmentType::kSequence;
  bytes::View numbers;  // whole ones
};

// Takes the first segment off `path`; nullopt at the end, and where the rest is cut short (see is_whole).
inline std::optional<PathSegment> take_segment(bytes::View& path, AsWidth width) {
  if (path.size() < 2) return std::nullopt;
  const std::size_t size = std::size_t{path[1]} * static_cast<std::size_t>(width);
  if (path.size() - 2 < size) return std::nullopt;
  const PathSegment segment{static_cast<SegmentType>(path[0]), path.subspan(2, size)};
  path = path.subspan(2 + size);
  return segment;
}

inline std::uint32_t number_at(const PathSegment& segment, AsWidth width, std::size_t index) {
  const std::uint8_t* at = segment.numbers.data() + index * static_cast<std::size_t>(width);
  return width == AsWidth::kFour ? load32(at) : load16(at);
}
inline std::size_t number_count(const PathSegment& segment, AsWidth width) {
  return segment.numbers.size() / static_cast<std::size_t>(width);
}

// What is wrong with a path as received, or "" (RFC 7606 §7.2, RFC 7607, RFC 9774). Confederation segments are wrong:
// we are in none (RFC 5065 §5).
std::string_view path_fault(bytes::View path, AsWidth width, bool allow_as_set);
// RFC 6793 §6: what an AS4_PATH must be to be used; its confederation segments are only left out.
bool is_usable_as4_path(bytes::View path);
bool contains_set(bytes::View path, AsWidth width);
// The number of the neighbour: the first of the path, when that begins with a sequence.
std::optional<std::uint32_t> first_number(bytes::View path, AsWidth width);

// RFC 6793 §4.2.3: the path in four-octet form from an old speaker's AS_PATH, and its AS4_PATH (empty: none). Appends.
void append_merged_path(bytes::View two_octet, bytes::View as4_path, std::string& out);
// RFC 6793 §4.2.2: for an old speaker. Appends; true when AS_TRANS stands for a number, so that AS4_PATH is needed.
bool append_two_octet_path(bytes::View path, std::string& out);

}  // namespace margay::bgp::wire
