#include "bgp/wire/as_path.h"

#include <algorithm>

#include "base/core/text.h"
#include "bgp/wire/message.h"

namespace margay::bgp {
namespace wire {
namespace {

bool is_set(SegmentType type) { return type == SegmentType::kSet || type == SegmentType::kConfedSet; }
bool is_confederation(SegmentType type) {
  return type == SegmentType::kConfedSequence || type == SegmentType::kConfedSet;
}

std::string_view segment_fault(const PathSegment& segment, AsWidth width, bool allow_as_set) {
  const auto type = static_cast<std::uint8_t>(segment.type);
  if (type == 0 || type > 4) return "AS_PATH: unknown segment type";
  if (is_confederation(segment.type)) return "AS_PATH: confederation segment from outside a confederation";
  if (segment.numbers.empty()) return "AS_PATH: empty segment";
  if (segment.type == SegmentType::kSet && !allow_as_set) return "AS_PATH: AS_SET (RFC 9774)";
  for (std::size_t i = 0; i < number_count(segment, width); ++i) {
    if (number_at(segment, width, i) == 0) return "AS_PATH: AS 0";
  }
  return {};
}

// As it counts for the merge: sets are one, confederation segments none.
std::size_t counted_length(bytes::View path, AsWidth width) {
  std::size_t length = 0;
  while (const auto segment = take_segment(path, width)) {
    if (is_confederation(segment->type)) continue;
    length += is_set(segment->type) ? 1 : number_count(*segment, width);
  }
  return length;
}

void append_number(std::uint32_t number, std::string& out) {
  char bytes[4];
  store32(bytes, number);
  out.append(bytes, sizeof bytes);
}

// The first `count` numbers of a segment, in four-octet form.
void append_widened(const PathSegment& segment, std::size_t count, std::string& out) {
  out.push_back(static_cast<char>(segment.type));
  out.push_back(static_cast<char>(count));
  for (std::size_t i = 0; i < count; ++i) append_number(number_at(segment, AsWidth::kTwo, i), out);
}

// The leading part of a two-octet path that counts `length`.
void append_leading(bytes::View path, std::size_t length, std::string& out) {
  while (length > 0) {
    const auto segment = take_segment(path, AsWidth::kTwo);
    if (!segment) return;
    const std::size_t numbers = number_count(*segment, AsWidth::kTwo);
    const std::size_t taken = is_set(segment->type) ? numbers : std::min(length, numbers);
    append_widened(*segment, taken, out);
    if (!is_confederation(segment->type)) length -= is_set(segment->type) ? 1 : taken;
  }
}

// RFC 6793 §6: confederation segments in AS4_PATH are discarded.
void append_without_confederation(bytes::View path, std::string& out) {
  for (bytes::View rest = path;;) {
    const bytes::View before = rest;
    const auto segment = take_segment(rest, AsWidth::kFour);
    if (!segment) return;
    if (!is_confederation(segment->type)) out.append(bytes::text_of(before.first(before.size() - rest.size())));
  }
}

// Two sequences that meet where the parts were joined are one.
void join_sequences(std::string& out, std::size_t second, std::size_t first) {
  if (first == second || second >= out.size() || out[first] != out[second]) return;
  if (static_cast<SegmentType>(out[first]) != SegmentType::kSequence) return;
  const std::size_t sum =
      static_cast<std::uint8_t>(out[first + 1]) + std::size_t{static_cast<std::uint8_t>(out[second + 1])};
  if (sum > 255) return;
  out[first + 1] = static_cast<char>(sum);
  out.erase(second, 2);
}

// Where the last segment of out[start, end) begins; `end` for none.
std::size_t last_segment(const std::string& out, std::size_t start, std::size_t end) {
  std::size_t last = end;
  for (std::size_t at = start; at < end; at += 2 + 4 * std::size_t{static_cast<std::uint8_t>(out[at + 1])}) last = at;
  return last;
}

}  // namespace

std::string_view path_fault(bytes::View path, AsWidth width, bool allow_as_set) {
  while (const auto segment = take_segment(path, width)) {
    const std::string_view fault = segment_fault(*segment, width, allow_as_set);
    if (!fault.empty()) return fault;
  }
  return path.empty() ? std::string_view{} : "AS_PATH: segment runs past the end";
}

bool is_usable_as4_path(bytes::View path) {
  if (path.size() < 6) return false;
  while (const auto segment = take_segment(path, AsWidth::kFour)) {
    const auto type = static_cast<std::uint8_t>(segment->type);
    if (type == 0 || type > 4 || segment->numbers.empty()) return false;
    for (std::size_t i = 0; i < number_count(*segment, AsWidth::kFour); ++i) {
      if (number_at(*segment, AsWidth::kFour, i) == 0) return false;
    }
  }
  return path.empty();
}

bool contains_set(bytes::View path, AsWidth width) {
  while (const auto segment = take_segment(path, width)) {
    if (is_set(segment->type)) return true;
  }
  return false;
}

std::optional<std::uint32_t> first_number(bytes::View path, AsWidth width) {
  const auto segment = take_segment(path, width);
  if (!segment || segment->type != SegmentType::kSequence || segment->numbers.empty()) return std::nullopt;
  return number_at(*segment, width, 0);
}

void append_merged_path(bytes::View two_octet, bytes::View as4_path, std::string& out) {
  const std::size_t length = counted_length(two_octet, AsWidth::kTwo);
  const std::size_t known = counted_length(as4_path, AsWidth::kFour);
  const std::size_t start = out.size();
  // An AS4_PATH longer than the path was left over by somebody who cut the path: not to be believed.
  if (known == 0 || known > length) return append_leading(two_octet, length, out);
  append_leading(two_octet, length - known, out);
  const std::size_t joint = out.size();
  append_without_confederation(as4_path, out);
  join_sequences(out, joint, last_segment(out, start, joint));
}

bool append_two_octet_path(bytes::View path, std::string& out) {
  bool has_large = false;
  while (const auto segment = take_segment(path, AsWidth::kFour)) {
    const std::size_t count = number_count(*segment, AsWidth::kFour);
    out.push_back(static_cast<char>(segment->type));
    out.push_back(static_cast<char>(count));
    for (std::size_t i = 0; i < count; ++i) {
      const Asn asn(number_at(*segment, AsWidth::kFour, i));
      has_large = has_large || !asn.fits_two_octets();
      char bytes[2];
      store16(bytes, static_cast<std::uint16_t>(asn.fits_two_octets() ? asn.value() : kAsTrans.value()));
      out.append(bytes, sizeof bytes);
    }
  }
  return has_large;
}

}  // namespace wire

namespace {
using wire::AsWidth;
using wire::PathSegment;
using wire::take_segment;

std::size_t count_of(const PathSegment& segment) { return wire::number_count(segment, AsWidth::kFour); }
std::uint32_t number(const PathSegment& segment, std::size_t index) {
  return wire::number_at(segment, AsWidth::kFour, index);
}
}  // namespace

std::size_t AsPathView::length() const {
  bytes::View rest = value_;
  return wire::counted_length(rest, AsWidth::kFour);
}

std::optional<Asn> AsPathView::first() const {
  const auto found = wire::first_number(value_, AsWidth::kFour);
  return found ? std::optional(Asn(*found)) : std::nullopt;
}

std::optional<Asn> AsPathView::last() const {
  bytes::View rest = value_;
  std::optional<Asn> last;
  while (const auto segment = take_segment(rest, AsWidth::kFour)) {
    if (!segment->numbers.empty()) last = Asn(number(*segment, count_of(*segment) - 1));
  }
  return last;
}

std::size_t AsPathView::count(Asn asn) const {
  bytes::View rest = value_;
  std::size_t found = 0;
  while (const auto segment = take_segment(rest, AsWidth::kFour)) {
    for (std::size_t i = 0; i < count_of(*segment); ++i) found += number(*segment, i) == asn.value() ? 1U : 0U;
  }
  return found;
}

bool AsPathView::starts_with(std::span<const Asn> prefix) const {
  bytes::View rest = value_;
  while (!prefix.empty()) {
    const auto segment = take_segment(rest, AsWidth::kFour);
    if (!segment || segment->type != SegmentType::kSequence) return false;
    const std::size_t compared = std::min(prefix.size(), count_of(*segment));
    for (std::size_t i = 0; i < compared; ++i) {
      if (number(*segment, i) != prefix[i].value()) return false;
    }
    prefix = prefix.subspan(compared);
  }
  return true;
}

std::vector<Asn> AsPathView::numbers() const {
  bytes::View rest = value_;
  std::vector<Asn> all;
  while (const auto segment = take_segment(rest, AsWidth::kFour)) {
    for (std::size_t i = 0; i < count_of(*segment); ++i) all.emplace_back(number(*segment, i));
  }
  return all;
}

std::string AsPathView::to_string() const {
  bytes::View rest = value_;
  std::string text;
  while (const auto segment = take_segment(rest, AsWidth::kFour)) {
    const bool set = wire::is_set(segment->type);
    const bool confederation = wire::is_confederation(segment->type);
    if (!text.empty()) text += ' ';
    if (confederation) text += set ? "[" : "(";
    if (set && !confederation) text += '{';
    for (std::size_t i = 0; i < count_of(*segment); ++i) {
      if (i > 0) text += set ? ',' : ' ';
      text += Asn(number(*segment, i)).to_string();
    }
    if (confederation) text += set ? "]" : ")";
    if (set && !confederation) text += '}';
  }
  return text;
}

}  // namespace margay::bgp
