// UPDATEs out of canonical attributes: the attributes are laid out once, then each message is attributes and as many
// destinations as fit, its size known before a byte is written.

#include <algorithm>

#include "base/core/text.h"
#include "bgp/wire/as_path.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/canonical.h"
#include "bgp/wire/encode.h"
#include "bgp/wire/message_frame.h"
#include "bgp/wire/next_hop_codec.h"
#include "bgp/wire/nlri_codec.h"

namespace margay::bgp {
namespace {

using wire::Fit;
using wire::front_of;
using wire::store16;
using wire::store8;

constexpr std::size_t kUpdateFixedSize = kHeaderSize + 4;
constexpr std::size_t kMpHeadSizeMax = 4;  // flags, type, length of two octets
constexpr std::size_t kNextHopAttributeSize = 7;
constexpr std::uint8_t kOptional = kFlagOptional;

std::size_t size_max(const EncodeContext& context) {
  return context.extended_message ? kExtendedMessageSizeMax : kMessageSizeMax;
}

std::size_t mp_head_size(std::size_t value_size) { return value_size > 255 ? 4 : 3; }

char* store_mp_head(AttributeType type, std::size_t value_size, char* at) {
  const bool is_long = value_size > 255;
  at = store8(at, kOptional | (is_long ? kFlagExtendedLength : 0));
  at = store8(at, static_cast<std::uint8_t>(type));
  return is_long ? store16(at, static_cast<std::uint16_t>(value_size))
                 : store8(at, static_cast<std::uint8_t>(value_size));
}

char* store_bytes(bytes::View bytes, char* at) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

// RFC 6793 §4.2.2: for a speaker of two-octet numbers.
std::string for_old_speaker(bytes::View attributes) {
  std::string out, path, as4_path, as4_aggregator;
  const auto flush = [&](std::uint8_t before, AttributeType type, std::string& value) {
    if (value.empty() || before <= static_cast<std::uint8_t>(type)) return;
    wire::append_attribute(kFlagOptional | kFlagTransitive, static_cast<std::uint8_t>(type), bytes::view_of(value),
                           out);
    value.clear();
  };
  while (const auto front = front_of(attributes)) {
    flush(front->type, AttributeType::kAs4Path, as4_path);
    flush(front->type, AttributeType::kAs4Aggregator, as4_aggregator);
    if (front->type == 2) {
      if (wire::append_two_octet_path(front->value, path)) as4_path = bytes::text_of(front->value);
      wire::append_attribute(kFlagTransitive, front->type, bytes::view_of(path), out);
    } else if (front->type == 7 && front->value.size() == 8) {
      const Asn asn(wire::load32(front->value.data()));
      char value[6];
      store16(value, static_cast<std::uint16_t>(asn.fits_two_octets() ? asn.value() : kAsTrans.value()));
      std::memcpy(value + 2, front->value.data() + 4, 4);
      wire::append_attribute(front->whole[0], front->type, bytes::view_of({value, sizeof value}), out);
      if (!asn.fits_two_octets()) as4_aggregator = bytes::text_of(front->value);
    } else {
      out.append(bytes::text_of(front->whole));
    }
    attributes = attributes.subspan(front->whole.size());
  }
  flush(255, AttributeType::kAs4Path, as4_path);
  flush(255, AttributeType::kAs4Aggregator, as4_aggregator);
  return out;
}

// How the destinations of a family travel.
struct ReachPlan {
  bytes::View attributes;
  const NextHop* next_hop = nullptr;
  Family family = Family::kIpv4Unicast;
  bool has_path_id = false;
  bool is_classic = false;  // NEXT_HOP and the NLRI field

  [[nodiscard]] std::size_t next_hop_size() const { return wire::encoded_size(*next_hop); }
  // Of MP_REACH_NLRI without destinations.
  [[nodiscard]] std::size_t mp_fixed_size() const { return 5 + next_hop_size(); }
  // All but the destinations, at most.
  [[nodiscard]] std::size_t overhead() const {
    const std::size_t reach = is_classic ? kNextHopAttributeSize : kMpHeadSizeMax + mp_fixed_size();
    return kUpdateFixedSize + attributes.size() + reach;
  }
};

// ORIGIN and AS_PATH stand before NEXT_HOP.
std::size_t size_before_next_hop(bytes::View attributes) {
  bytes::View rest = attributes;
  for (auto front = front_of(rest); front && front->type < 3; front = front_of(rest)) {
    rest = rest.subspan(front->whole.size());
  }
  return attributes.size() - rest.size();
}

void append_classic(const ReachPlan& plan, std::span<const Nlri> nlri, std::size_t nlri_size, std::string& out) {
  const std::size_t size = plan.attributes.size() + kNextHopAttributeSize;
  const std::size_t before = size_before_next_hop(plan.attributes);
  char* at = wire::append_message(MessageType::kUpdate, 4 + size + nlri_size, out);
  at = store16(store16(at, 0), static_cast<std::uint16_t>(size));
  at = store_bytes(plan.attributes.first(before), at);
  at = store8(store8(store8(at, kFlagTransitive), 3), 4);
  at = wire::encode_next_hop(*plan.next_hop, at);
  at = store_bytes(plan.attributes.subspan(before), at);
  wire::encode_nlri(nlri, plan.has_path_id, at);
}

void append_mp(const ReachPlan& plan, std::span<const Nlri> nlri, std::size_t nlri_size, std::string& out) {
  const std::size_t value_size = plan.mp_fixed_size() + nlri_size;
  const std::size_t size = mp_head_size(value_size) + value_size + plan.attributes.size();
  const AfiSafi numbers = afi_safi(plan.family);
  char* at = wire::append_message(MessageType::kUpdate, 4 + size, out);
  at = store16(store16(at, 0), static_cast<std::uint16_t>(size));
  at = store_mp_head(AttributeType::kMpReachNlri, value_size, at);
  at = store8(store8(store16(at, numbers.afi), numbers.safi), static_cast<std::uint8_t>(plan.next_hop_size()));
  at = store8(wire::encode_next_hop(*plan.next_hop, at), 0);
  at = wire::encode_nlri(nlri, plan.has_path_id, at);
  store_bytes(plan.attributes, at);
}

bool fits_each(std::span<const Nlri> nlri, bool has_path_id, std::size_t room) {
  constexpr std::size_t kNlriSizeMax = 4 + 1 + 16;
  return room >= kNlriSizeMax || std::all_of(nlri.begin(), nlri.end(), [&](const Nlri& each) {
           return wire::encoded_size(each, has_path_id) <= room;
         });
}

void append_withdraw(Family family, std::span<const Nlri> nlri, const Fit& fit, bool has_path_id, std::string& out) {
  if (family == Family::kIpv4Unicast) {
    char* at = wire::append_message(MessageType::kUpdate, 4 + fit.bytes, out);
    at = wire::encode_nlri(nlri, has_path_id, store16(at, static_cast<std::uint16_t>(fit.bytes)));
    store16(at, 0);
    return;
  }
  const std::size_t value_size = 3 + fit.bytes;
  const std::size_t size = mp_head_size(value_size) + value_size;
  const AfiSafi numbers = afi_safi(family);
  char* at = wire::append_message(MessageType::kUpdate, 4 + size, out);
  at = store16(store16(at, 0), static_cast<std::uint16_t>(size));
  at = store_mp_head(AttributeType::kMpUnreachNlri, value_size, at);
  wire::encode_nlri(nlri, has_path_id, store8(store16(at, numbers.afi), numbers.safi));
}

Result<std::size_t> append_reach(const EncodeContext& context, const ReachPlan& plan, std::span<const Nlri> nlri,
                                 std::string& out) {
  const std::size_t overhead = plan.overhead();
  const std::size_t room = size_max(context) - std::min(overhead, size_max(context));
  if (!fits_each(nlri, plan.has_path_id, room)) {
    return Error{ErrorCode::kLimitExceeded,
                 concat("attributes of ", plan.attributes.size(), " bytes and a destination do not fit a message of ",
                        size_max(context))};
  }
  std::size_t messages = 0;
  while (!nlri.empty()) {
    const Fit fit = wire::fit_nlri(nlri, plan.has_path_id, room);
    const auto append = plan.is_classic ? append_classic : append_mp;
    append(plan, nlri.first(fit.count), fit.bytes, out);
    nlri = nlri.subspan(fit.count);
    ++messages;
  }
  return messages;
}

}  // namespace

Result<std::size_t> encode_reach(const EncodeContext& context, bytes::View attributes, const NextHop& next_hop,
                                 std::span<const Nlri> nlri, std::string& out) {
  if (nlri.empty()) return std::size_t{0};
  ReachPlan plan{attributes, &next_hop, family_of(nlri.front().prefix.family())};
  plan.has_path_id = context.add_path[plan.family];
  plan.is_classic = plan.family == Family::kIpv4Unicast && next_hop.address.is_v4();
  if (plan.family == Family::kIpv6Unicast && next_hop.address.is_v4()) {
    return invalid("an IPv6 route cannot have an IPv4 next hop");
  }
  if (plan.family == Family::kIpv4Unicast && !plan.is_classic && !context.extended_next_hop[plan.family]) {
    return invalid("an IPv6 next hop for IPv4 routes was not agreed on (RFC 8950)");
  }
  if (context.four_octet_as || plan.overhead() > kExtendedMessageSizeMax) {
    return append_reach(context, plan, nlri, out);
  }
  const std::string shortened = for_old_speaker(attributes);
  plan.attributes = bytes::view_of(shortened);
  return append_reach(context, plan, nlri, out);
}

std::size_t encode_withdraw(const EncodeContext& context, std::span<const Nlri> nlri, std::string& out) {
  if (nlri.empty()) return 0;
  const Family family = family_of(nlri.front().prefix.family());
  const bool has_path_id = context.add_path[family];
  const std::size_t head = family == Family::kIpv4Unicast ? 0 : kMpHeadSizeMax + 3;
  const std::size_t room = size_max(context) - kUpdateFixedSize - head;
  std::size_t messages = 0;
  while (!nlri.empty()) {
    const Fit fit = wire::fit_nlri(nlri, has_path_id, room);
    append_withdraw(family, nlri.first(fit.count), fit, has_path_id, out);
    nlri = nlri.subspan(fit.count);
    ++messages;
  }
  return messages;
}

void encode_end_of_rib(Family family, std::string& out) {
  if (family == Family::kIpv4Unicast) {
    wire::append_message(MessageType::kUpdate, 4, out);  // zeros
    return;
  }
  append_withdraw(family, {}, {}, false, out);
}

}  // namespace margay::bgp
