// The editor keeps canonical bytes and edits them in place: most routes are changed in one or two attributes.

#include <algorithm>

#include "bgp/wire/as_path.h"
#include "bgp/wire/attribute_rule.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/big_endian.h"
#include "bgp/wire/canonical.h"

namespace margay::bgp {
namespace {

using wire::front_of;
using wire::store16;
using wire::store32;
using wire::store64;
using wire::store8;

constexpr std::size_t kSegmentNumbersMax = 255;
constexpr std::size_t kAttributeSizeMax = 0xffff;
constexpr std::size_t kRoomToGrow = 48;  // so that the first changes need no new memory

// An attribute inside the bytes, or where it belongs.
struct Place {
  std::size_t start = 0;
  std::size_t head = 3;
  std::size_t size = 0;
  bool is_there = false;

  [[nodiscard]] std::size_t value() const { return start + head; }
};

Place place_of(const std::string& bytes, AttributeType type) {
  const auto wanted = static_cast<std::uint8_t>(type);
  bytes::View rest = bytes::view_of(bytes);
  for (auto front = front_of(rest); front && front->type <= wanted; front = front_of(rest)) {
    const std::size_t start = bytes.size() - rest.size();
    if (front->type == wanted) return {start, front->whole.size() - front->value.size(), front->value.size(), true};
    rest = rest.subspan(front->whole.size());
  }
  return {.start = bytes.size() - rest.size()};
}

// The place, with an empty attribute put there if there was none.
Place made_place(std::string& bytes, AttributeType type) {
  Place place = place_of(bytes, type);
  if (place.is_there) return place;
  const wire::AttributeRule rule = wire::rule_of(static_cast<std::uint8_t>(type));
  const char head[] = {static_cast<char>(rule.is_known ? rule.flags : rule.flags | kFlagPartial),
                       static_cast<char>(type), 0};
  bytes.insert(place.start, head, sizeof head);
  place.is_there = true;
  return place;
}

void write_size(std::string& bytes, const Place& place, std::size_t size) {
  const bool is_long = size > 255;
  if (is_long && place.head == 3) bytes.insert(place.start + 2, 1, '\0');
  if (!is_long && place.head == 4) bytes.erase(place.start + 2, 1);
  char* const at = bytes.data() + place.start;
  const auto flags = static_cast<std::uint8_t>(static_cast<std::uint8_t>(*at) & ~kFlagExtendedLength);
  store8(at, flags | (is_long ? kFlagExtendedLength : 0));
  if (is_long) {
    store16(at + 2, static_cast<std::uint16_t>(size));
  } else {
    store8(at + 2, static_cast<std::uint8_t>(size));
  }
}

// What is put into a value in place of `erased` bytes at `at`.
struct Change {
  std::size_t at = 0;
  std::size_t erased = 0;
  std::string_view inserted;
};

// A value longer than an attribute can be is cut: such a set is too large for any message, which encode_reach says.
void change_value(std::string& bytes, const Place& place, const Change& change) {
  bytes.replace(place.value() + change.at, change.erased, change.inserted);
  std::size_t size = place.size - change.erased + change.inserted.size();
  if (size > kAttributeSizeMax) {
    bytes.erase(place.value() + kAttributeSizeMax, size - kAttributeSizeMax);
    size = kAttributeSizeMax;
  }
  write_size(bytes, place, size);
}

void set_value(std::string& bytes, AttributeType type, std::string_view value) {
  const Place place = made_place(bytes, type);
  change_value(bytes, place, {0, place.size, value});
}

void erase_attribute(std::string& bytes, AttributeType type) {
  const Place place = place_of(bytes, type);
  if (place.is_there) bytes.erase(place.start, place.head + place.size);
}

struct Octets4 {
  char bytes[4];
  explicit Octets4(std::uint32_t number) { store32(bytes, number); }
  [[nodiscard]] std::string_view text() const { return {bytes, sizeof bytes}; }
};

// Size of the elements that are kept sorted and single; 0: the value is no such list.
std::size_t sorted_element_size(AttributeType type) {
  switch (static_cast<std::uint8_t>(type)) {
    case 8: return 4;
    case 16: return 8;
    case 25: return 20;
    case 32: return 12;
    default: return 0;
  }
}

// Puts `element` into a list of sorted elements of its size.
void insert_sorted(std::string& bytes, AttributeType type, std::string_view element) {
  const Place place = made_place(bytes, type);
  const std::string_view list(bytes.data() + place.value(), place.size);
  std::size_t at = 0;
  while (at < list.size() && list.substr(at, element.size()) < element) at += element.size();
  if (at < list.size() && list.substr(at, element.size()) == element) return;
  change_value(bytes, place, {at, 0, element});
}

// RFC 4360 §6: bit 0x40 of an extended community's type says that it stays inside the AS.
void erase_non_transitive(std::string& bytes, AttributeType type) {
  const Place place = place_of(bytes, type);
  const std::size_t size = sorted_element_size(type);
  std::string kept;
  for (std::size_t at = 0; at + size <= place.size; at += size) {
    const char* const element = bytes.data() + place.value() + at;
    if ((static_cast<std::uint8_t>(*element) & 0x40) == 0) kept.append(element, size);
  }
  if (!place.is_there || kept.size() == place.size) return;
  if (kept.empty()) return erase_attribute(bytes, type);
  change_value(bytes, place, {0, place.size, kept});
}

std::string segment_of(std::span<const Asn> numbers) {
  std::string segment{static_cast<char>(SegmentType::kSequence), static_cast<char>(numbers.size())};
  for (const Asn asn : numbers) segment += Octets4(asn.value()).text();
  return segment;
}

// How many numbers the first segment can take before it: 0 unless it is a sequence.
std::size_t room_in_front(const std::string& bytes, const Place& path) {
  if (path.size < 2 || static_cast<SegmentType>(bytes[path.value()]) != SegmentType::kSequence) return 0;
  return kSegmentNumbersMax - static_cast<std::uint8_t>(bytes[path.value() + 1]);
}

bool stays_inside(std::uint8_t flags, std::uint8_t type) {
  const bool is_non_transitive = (flags & kFlagTransitive) == 0;
  return is_non_transitive || type == static_cast<std::uint8_t>(AttributeType::kLocalPref) ||
         type == static_cast<std::uint8_t>(AttributeType::kPrefixSid);  // RFC 8669 §5
}

}  // namespace

AttributeEditor::AttributeEditor(AttributeView from) {
  bytes::View rest = from.bytes();
  while (const auto front = front_of(rest)) rest = rest.subspan(front->whole.size());
  bytes_.reserve(from.bytes().size() + kRoomToGrow);
  bytes_ = bytes::text_of(from.bytes().first(from.bytes().size() - rest.size()));
}

void AttributeEditor::set(AttributeType type, bytes::View value) {
  const std::size_t size = sorted_element_size(type);
  if (size == 0) return set_value(bytes_, type, bytes::text_of(value));
  std::string sorted(bytes::text_of(value));
  wire::sort_elements(sorted, 0, size);
  set_value(bytes_, type, sorted);
}

void AttributeEditor::remove(AttributeType type) { erase_attribute(bytes_, type); }

void AttributeEditor::remove_for_ebgp() {
  for (std::size_t at = 0; at < bytes_.size();) {
    const auto front = front_of(bytes::view_of(bytes_).subspan(at));
    if (!front) break;
    if (stays_inside(front->whole[0], front->type)) {
      bytes_.erase(at, front->whole.size());
    } else {
      at += front->whole.size();
    }
  }
  erase_non_transitive(bytes_, AttributeType::kExtendedCommunities);
  erase_non_transitive(bytes_, AttributeType::kIpv6ExtendedCommunities);
}

void AttributeEditor::set_origin(Origin origin) {
  const char value = static_cast<char>(origin);
  set_value(bytes_, AttributeType::kOrigin, {&value, 1});
}

void AttributeEditor::set_as_path(std::span<const Asn> sequence) {
  set_value(bytes_, AttributeType::kAsPath, {});
  prepend(sequence);
}

// RFC 4271 §5.1.2: a segment that would pass 255 numbers is left alone, and a new one begun.
void AttributeEditor::prepend(std::span<const Asn> numbers) {
  if (numbers.empty()) made_place(bytes_, AttributeType::kAsPath);
  while (!numbers.empty()) {
    const Place path = made_place(bytes_, AttributeType::kAsPath);
    const std::size_t room = room_in_front(bytes_, path);
    const std::size_t count = std::min(room > 0 ? room : kSegmentNumbersMax, numbers.size());
    const std::string segment = segment_of(numbers.last(count));
    if (room > 0) {
      char& first_count = bytes_[path.value() + 1];
      first_count = static_cast<char>(static_cast<std::uint8_t>(first_count) + count);
      change_value(bytes_, path, {2, 0, std::string_view(segment).substr(2)});
    } else {
      change_value(bytes_, path, {0, 0, segment});
    }
    numbers = numbers.first(numbers.size() - count);
  }
}

void AttributeEditor::set_med(std::optional<std::uint32_t> med) {
  if (!med) return remove(AttributeType::kMultiExitDisc);
  set_value(bytes_, AttributeType::kMultiExitDisc, Octets4(*med).text());
}

void AttributeEditor::set_local_pref(std::optional<std::uint32_t> local_pref) {
  if (!local_pref) return remove(AttributeType::kLocalPref);
  set_value(bytes_, AttributeType::kLocalPref, Octets4(*local_pref).text());
}

void AttributeEditor::set_originator_id(RouterId id) {
  set_value(bytes_, AttributeType::kOriginatorId, Octets4(id.value()).text());
}

void AttributeEditor::prepend_cluster(RouterId cluster) {
  const Place place = made_place(bytes_, AttributeType::kClusterList);
  change_value(bytes_, place, {0, 0, Octets4(cluster.value()).text()});
}

void AttributeEditor::add_community(std::uint32_t community) {
  insert_sorted(bytes_, AttributeType::kCommunities, Octets4(community).text());
}

void AttributeEditor::remove_community(std::uint32_t community) {
  const Place place = place_of(bytes_, AttributeType::kCommunities);
  const Octets4 element(community);
  for (std::size_t at = 0; at + 4 <= place.size; at += 4) {
    if (bytes_.compare(place.value() + at, 4, element.text()) != 0) continue;
    if (place.size == 4) return erase_attribute(bytes_, AttributeType::kCommunities);
    return change_value(bytes_, place, {at, 4, {}});
  }
}

void AttributeEditor::add_community(const LargeCommunity& community) {
  char element[12];
  store32(store32(store32(element, community.global), community.local1), community.local2);
  insert_sorted(bytes_, AttributeType::kLargeCommunities, {element, sizeof element});
}

void AttributeEditor::add_extended_community(std::uint64_t community) {
  char element[8];
  store64(element, community);
  insert_sorted(bytes_, AttributeType::kExtendedCommunities, {element, sizeof element});
}

std::string AttributeEditor::finish() const { return bytes_; }

}  // namespace margay::bgp
