#include <algorithm>

#include "bgp/wire/as_path.h"
#include "bgp/wire/attribute_rule.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/big_endian.h"
#include "bgp/wire/canonical.h"

namespace margay::bgp {
namespace {

using wire::front_of;
using wire::store32;
using wire::store64;

constexpr std::size_t kSegmentNumbersMax = 255;

std::string bytes_of(std::uint32_t number) {
  std::string bytes(4, '\0');
  store32(bytes.data(), number);
  return bytes;
}

std::string bytes_of(const LargeCommunity& community) {
  return bytes_of(community.global) + bytes_of(community.local1) + bytes_of(community.local2);
}

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
void insert_sorted(std::string& list, std::string_view element) {
  std::size_t at = 0;
  while (at < list.size() && list.compare(at, element.size(), element) < 0) at += element.size();
  if (at < list.size() && list.compare(at, element.size(), element) == 0) return;
  list.insert(at, element);
}

// RFC 4360 §6: bit 0x40 of an extended community's type says that it stays inside the AS.
void erase_non_transitive(std::string& list, std::size_t size) {
  for (std::size_t at = 0; at < list.size();) {
    if ((static_cast<std::uint8_t>(list[at]) & 0x40) != 0) {
      list.erase(at, size);
    } else {
      at += size;
    }
  }
}

std::string segment_of(std::span<const Asn> numbers) {
  std::string segment{static_cast<char>(SegmentType::kSequence), static_cast<char>(numbers.size())};
  for (const Asn asn : numbers) segment += bytes_of(asn.value());
  return segment;
}

// How many numbers the first segment can take before it: 0 unless it is a sequence.
std::size_t room_in_front(const std::string& path) {
  if (path.size() < 2 || static_cast<SegmentType>(path[0]) != SegmentType::kSequence) return 0;
  return kSegmentNumbersMax - static_cast<std::uint8_t>(path[1]);
}

}  // namespace

AttributeEditor::AttributeEditor(AttributeView from) {
  bytes::View rest = from.bytes();
  for (auto front = front_of(rest); front; front = front_of(rest)) {
    const std::uint8_t flags = front->whole[0] & static_cast<std::uint8_t>(~kFlagExtendedLength);
    attributes_.push_back({flags, front->type, std::string(bytes::text_of(front->value))});
    rest = rest.subspan(front->whole.size());
  }
}

AttributeEditor::Attribute& AttributeEditor::attribute(AttributeType type) {
  const auto number = static_cast<std::uint8_t>(type);
  const auto at = std::lower_bound(attributes_.begin(), attributes_.end(), number,
                                   [](const Attribute& each, std::uint8_t wanted) { return each.type < wanted; });
  if (at != attributes_.end() && at->type == number) return *at;
  const wire::AttributeRule rule = wire::rule_of(number);
  const std::uint8_t flags = rule.is_known ? rule.flags : rule.flags | kFlagPartial;
  return *attributes_.insert(at, {flags, number, {}});
}

void AttributeEditor::set(AttributeType type, bytes::View value) {
  std::string& stored = attribute(type).value;
  stored = bytes::text_of(value);
  if (const std::size_t size = sorted_element_size(type)) wire::sort_elements(stored, 0, size);
}

void AttributeEditor::remove(AttributeType type) {
  std::erase_if(attributes_, [&](const Attribute& each) { return each.type == static_cast<std::uint8_t>(type); });
}

void AttributeEditor::remove_for_ebgp() {
  const auto stays_inside = [](const Attribute& each) {
    const bool is_non_transitive = (each.flags & kFlagTransitive) == 0;
    return is_non_transitive || each.type == static_cast<std::uint8_t>(AttributeType::kLocalPref) ||
           each.type == static_cast<std::uint8_t>(AttributeType::kPrefixSid);  // RFC 8669 §5
  };
  std::erase_if(attributes_, stays_inside);
  for (Attribute& each : attributes_) {
    if (each.type == 16) erase_non_transitive(each.value, 8);
    if (each.type == 25) erase_non_transitive(each.value, 20);
  }
  std::erase_if(attributes_,
                [](const Attribute& each) { return (each.type == 16 || each.type == 25) && each.value.empty(); });
}

void AttributeEditor::set_origin(Origin origin) {
  attribute(AttributeType::kOrigin).value.assign(1, static_cast<char>(origin));
}

void AttributeEditor::set_as_path(std::span<const Asn> sequence) {
  attribute(AttributeType::kAsPath).value.clear();
  prepend(sequence);
}

// RFC 4271 §5.1.2: a segment that would pass 255 numbers is left alone, and a new one begun.
void AttributeEditor::prepend(std::span<const Asn> numbers) {
  std::string& path = attribute(AttributeType::kAsPath).value;
  while (!numbers.empty()) {
    const std::size_t room = room_in_front(path);
    const std::size_t count = std::min(room > 0 ? room : kSegmentNumbersMax, numbers.size());
    const std::string segment = segment_of(numbers.last(count));
    if (room > 0) {
      path[1] = static_cast<char>(static_cast<std::uint8_t>(path[1]) + count);
      path.insert(2, segment, 2);
    } else {
      path.insert(0, segment);
    }
    numbers = numbers.first(numbers.size() - count);
  }
}

void AttributeEditor::set_med(std::optional<std::uint32_t> med) {
  if (!med) return remove(AttributeType::kMultiExitDisc);
  attribute(AttributeType::kMultiExitDisc).value = bytes_of(*med);
}

void AttributeEditor::set_local_pref(std::optional<std::uint32_t> local_pref) {
  if (!local_pref) return remove(AttributeType::kLocalPref);
  attribute(AttributeType::kLocalPref).value = bytes_of(*local_pref);
}

void AttributeEditor::set_originator_id(RouterId id) {
  attribute(AttributeType::kOriginatorId).value = bytes_of(id.value());
}

void AttributeEditor::prepend_cluster(RouterId cluster) {
  attribute(AttributeType::kClusterList).value.insert(0, bytes_of(cluster.value()));
}

void AttributeEditor::add_community(std::uint32_t community) {
  insert_sorted(attribute(AttributeType::kCommunities).value, bytes_of(community));
}

void AttributeEditor::remove_community(std::uint32_t community) {
  std::string& list = attribute(AttributeType::kCommunities).value;
  const std::string element = bytes_of(community);
  for (std::size_t at = 0; at < list.size(); at += element.size()) {
    if (list.compare(at, element.size(), element) == 0) {
      list.erase(at, element.size());
      break;
    }
  }
  if (list.empty()) remove(AttributeType::kCommunities);
}

void AttributeEditor::add_community(const LargeCommunity& community) {
  insert_sorted(attribute(AttributeType::kLargeCommunities).value, bytes_of(community));
}

void AttributeEditor::add_extended_community(std::uint64_t community) {
  std::string element(8, '\0');
  store64(element.data(), community);
  insert_sorted(attribute(AttributeType::kExtendedCommunities).value, element);
}

std::string AttributeEditor::finish() const {
  std::string out;
  for (const Attribute& each : attributes_)
    wire::append_attribute(each.flags, each.type, bytes::view_of(each.value), out);
  return out;
}

}  // namespace margay::bgp
