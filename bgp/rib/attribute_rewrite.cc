#include "bgp/rib/attribute_rewrite.h"

#include "bgp/wire/attributes.h"

namespace margay::bgp::rib {
namespace {

struct Attribute {
  AttributeType type = AttributeType::kOrigin;
  std::uint8_t flags = 0;
  bytes::View value;
  bytes::View whole;
};

// The first of `rest`, which is in canonical form and not empty.
Attribute first_of(bytes::View rest) {
  const bool is_extended = (rest[0] & kFlagExtendedLength) != 0;
  const std::size_t header = is_extended ? 4 : 3;
  const std::size_t size = is_extended ? std::size_t{rest[2]} << 8 | rest[3] : rest[2];
  return {static_cast<AttributeType>(rest[1]), rest[0], rest.subspan(header, size), rest.first(header + size)};
}

void append_u32(std::uint32_t value, std::string& out) {
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(value >> shift));
}

// RFC 4271 §5.1.2 b; false where a new segment would be needed.
bool append_path(bytes::View value, Asn asn, std::string& out) {
  constexpr auto kSequence = static_cast<std::uint8_t>(SegmentType::kSequence);
  const bool is_new = value.empty();
  if (!is_new && (value[0] != kSequence || value[1] == 255)) return false;
  const std::size_t size = value.size() + (is_new ? 6 : 4);
  if (size > 0xffff) return false;
  if (size > 255) {
    out.push_back(static_cast<char>(kFlagTransitive | kFlagExtendedLength));
    out.push_back(static_cast<char>(AttributeType::kAsPath));
    out.push_back(static_cast<char>(size >> 8));
  } else {
    out.push_back(static_cast<char>(kFlagTransitive));
    out.push_back(static_cast<char>(AttributeType::kAsPath));
  }
  out.push_back(static_cast<char>(size & 0xff));
  out.push_back(static_cast<char>(kSequence));
  out.push_back(static_cast<char>(is_new ? 1 : value[1] + 1));
  append_u32(asn.value(), out);
  if (!is_new) out.append(bytes::text_of(value.subspan(2)));
  return true;
}

bool passes_unchanged(AttributeType type) {
  return type == AttributeType::kOrigin || type == AttributeType::kAtomicAggregate ||
         type == AttributeType::kAggregator || type == AttributeType::kCommunities ||
         type == AttributeType::kLargeCommunities;
}

}  // namespace

bool rewrite_for_external(bytes::View attributes, Asn asn, std::string& out) {
  out.clear();
  bool has_path = false;
  while (!attributes.empty()) {
    const Attribute attribute = first_of(attributes);
    attributes = attributes.subspan(attribute.whole.size());
    if ((attribute.flags & kFlagTransitive) == 0 || attribute.type == AttributeType::kLocalPref) continue;
    if (attribute.type == AttributeType::kAsPath) {
      if (!append_path(attribute.value, asn, out)) return false;
      has_path = true;
    } else if (passes_unchanged(attribute.type)) {
      out.append(bytes::text_of(attribute.whole));
    } else {
      return false;
    }
  }
  return has_path;
}

void rewrite_local_pref(bytes::View attributes, std::uint32_t local_pref, std::string& out) {
  out.clear();
  bool is_written = false;
  const auto write = [&] {
    if (is_written) return;
    is_written = true;
    out.push_back(static_cast<char>(kFlagTransitive));
    out.push_back(static_cast<char>(AttributeType::kLocalPref));
    out.push_back(4);
    append_u32(local_pref, out);
  };
  while (!attributes.empty()) {
    const Attribute attribute = first_of(attributes);
    attributes = attributes.subspan(attribute.whole.size());
    if (attribute.type >= AttributeType::kLocalPref) write();
    if (attribute.type != AttributeType::kLocalPref) out.append(bytes::text_of(attribute.whole));
  }
  write();
}

}  // namespace margay::bgp::rib
