// Makes the canonical form of attributes (attributes.h) from attributes on the wire. What already stands there as it
// should is copied in runs. For bgp/wire's own use.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes/reader.h"
#include "bgp/wire/attribute_value.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/big_endian.h"

namespace margay::bgp::wire {

// Without initial values: an array of it costs nothing until it is filled.
struct WireAttribute {
  const std::uint8_t* start;  // of its header
  std::uint16_t value_size;
  std::uint8_t header_size;
  std::uint8_t type;
  std::uint8_t flags;  // canonical, without Extended Length
  ValueForm form;

  [[nodiscard]] bytes::View value() const { return {start + header_size, value_size}; }
  [[nodiscard]] const std::uint8_t* end() const { return start + header_size + value_size; }
};

// What an old speaker sends beside the attributes it shortens (RFC 6793 §4.2.3); empty: absent.
struct As4Attributes {
  bytes::View path;
  bytes::View aggregator;
};

class CanonicalAttributes {
 public:
  // At most one of each type; `value_size` at most what an attribute can have.
  void add(const WireAttribute& attribute);
  // Appends all of them.
  void write(const As4Attributes& as4, std::string& out);

 private:
  void sort();

  std::size_t count_ = 0;
  bool is_sorted_ = true;
  std::array<WireAttribute, 256> items_;
};

// The attribute at the front of canonical bytes; nullopt at the end, and where bytes are cut short.
struct FrontAttribute {
  std::uint8_t type = 0;
  bytes::View whole;  // header included
  bytes::View value;
};
inline std::optional<FrontAttribute> front_of(bytes::View attributes) {
  if (attributes.size() < 3) return std::nullopt;
  const std::size_t head = (attributes[0] & kFlagExtendedLength) != 0 ? 4 : 3;
  if (attributes.size() < head) return std::nullopt;
  const std::size_t size = head == 4 ? load16(attributes.data() + 2) : attributes[2];
  if (attributes.size() - head < size) return std::nullopt;
  return FrontAttribute{attributes[1], attributes.first(head + size), attributes.subspan(head, size)};
}

// Appends the header and the value of one attribute. A value longer than an attribute can be is cut: such a set is too
// large for any message, which encode_reach says.
void append_attribute(std::uint8_t flags, std::uint8_t type, bytes::View value, std::string& out);
// Sorts the elements of `size` bytes in out[start, end), and drops repeated ones. `size`: 4, 8, 12 or 20.
void sort_elements(std::string& out, std::size_t start, std::size_t size);

}  // namespace margay::bgp::wire
