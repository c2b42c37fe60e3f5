// UPDATE: one pass over the attributes, then what needs all of them together. Everything that RFC 7606 lets live ends
// as a Fault; a Failure is a NOTIFICATION.

#include <algorithm>
#include <bitset>

#include "base/core/text.h"
#include "bgp/wire/as_path.h"
#include "bgp/wire/attribute_rule.h"
#include "bgp/wire/canonical.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/next_hop_codec.h"
#include "bgp/wire/nlri_codec.h"

namespace margay::bgp {
namespace {

using wire::load16;

constexpr std::size_t kFaultsMax = 16;
constexpr std::size_t kLongestAttributeShown = 256;  // in the data of a NOTIFICATION
constexpr std::size_t kLengthFields = 4;             // the two of an UPDATE

// RFC 4271 §6.3.
enum class Subcode : std::uint8_t {
  kMalformedAttributeList = 1,
  kUnrecognizedWellKnown = 2,
  kOptionalAttribute = 9,
  kInvalidNetworkField = 10,
};

// What must reset the session.
struct Failure {
  Subcode subcode = Subcode::kMalformedAttributeList;
  std::string_view what;
  bytes::View data;  // the attribute at fault
};
using MaybeFailure = std::optional<Failure>;

Failure malformed(std::string_view what) { return {Subcode::kMalformedAttributeList, what, {}}; }

class UpdateDecoder {
 public:
  UpdateDecoder(const DecodeContext& context, Update& update) : context_(context), update_(update) {}

  MaybeFailure decode(bytes::View body);

 private:
  struct Attribute {
    std::uint8_t flags;
    std::uint8_t type;
    std::uint8_t header_size;
    bytes::View whole;  // header included
    [[nodiscard]] bytes::View value() const { return whole.subspan(header_size); }
  };

  MaybeFailure walk(bytes::View attributes);
  MaybeFailure on_cut_short(std::uint8_t type);
  MaybeFailure on_attribute(const Attribute& attribute);
  MaybeFailure on_repeated(const Attribute& attribute);
  MaybeFailure on_unknown(const Attribute& attribute);
  void on_next_hop(bytes::View value);
  MaybeFailure on_mp_reach(const Attribute& attribute);
  MaybeFailure on_mp_unreach(const Attribute& attribute);
  void on_value(const Attribute& attribute);
  void keep(const Attribute& attribute, std::uint8_t flags, wire::ValueForm form);

  MaybeFailure read_classic_withdrawn(bytes::View withdrawn);
  MaybeFailure read_classic_reach(bytes::View nlri);
  MaybeFailure finish();
  void check_together();
  void check_mandatory();
  void check_as4();
  void drop_unroutable();
  void withdraw_all();

  [[nodiscard]] bool is_set(std::uint8_t type) const { return seen_[type]; }
  [[nodiscard]] bool has_reach() const {
    return !update_.reach[Family::kIpv4Unicast].nlri.empty() || !update_.reach[Family::kIpv6Unicast].nlri.empty();
  }
  void fault(FaultAction action, std::uint8_t type, std::string_view what);

  const DecodeContext& context_;
  Update& update_;
  std::bitset<256> seen_;
  wire::CanonicalAttributes canonical_;
  wire::As4Attributes as4_;
  FaultAction worst_ = FaultAction::kIgnore;
  bool encodes_reach_ = false;  // also of families that are not ours
  bool has_classic_reach_ = false;
  bool has_others_ = false;  // attributes besides MP_UNREACH_NLRI
  std::optional<IpAddress> classic_next_hop_;
  std::uint16_t aggregator_as_ = 0;  // of an old speaker; 0: none
};

void UpdateDecoder::fault(FaultAction action, std::uint8_t type, std::string_view what) {
  worst_ = std::max(worst_, action);
  if (update_.faults.size() < kFaultsMax) {
    update_.faults.push_back({action, type, what});
  } else if (update_.faults.back().action < action) {
    update_.faults.back() = {action, type, what};
  }
}

MaybeFailure UpdateDecoder::decode(bytes::View body) {
  const std::size_t withdrawn_size = load16(body.data());
  if (withdrawn_size + kLengthFields > body.size()) return malformed("withdrawn routes run past the end");
  const std::size_t attributes_size = load16(body.data() + 2 + withdrawn_size);
  if (withdrawn_size + attributes_size + kLengthFields > body.size()) {
    return malformed("path attributes run past the end");
  }
  const bytes::View withdrawn = body.subspan(2, withdrawn_size);
  const bytes::View attributes = body.subspan(kLengthFields + withdrawn_size, attributes_size);
  const bytes::View nlri = body.subspan(kLengthFields + withdrawn_size + attributes_size);

  if (body.size() == kLengthFields) {  // RFC 4724 §2
    if (context_.families[Family::kIpv4Unicast]) update_.end_of_rib = Family::kIpv4Unicast;
    return std::nullopt;
  }
  if (MaybeFailure failure = read_classic_withdrawn(withdrawn)) return failure;
  if (MaybeFailure failure = walk(attributes)) return failure;
  if (MaybeFailure failure = read_classic_reach(nlri)) return failure;
  return finish();
}

MaybeFailure UpdateDecoder::read_classic_withdrawn(bytes::View withdrawn) {
  if (withdrawn.empty()) return std::nullopt;
  if (!context_.families[Family::kIpv4Unicast]) {
    fault(FaultAction::kIgnore, 0, "withdrawn routes: family not of this session");
    return std::nullopt;
  }
  const wire::NlriForm form{Family::kIpv4Unicast, context_.add_path[Family::kIpv4Unicast]};
  if (wire::decode_nlri(withdrawn, form, update_.withdrawn[Family::kIpv4Unicast])) return std::nullopt;
  return Failure{Subcode::kInvalidNetworkField, "withdrawn routes: malformed prefix", {}};
}

// RFC 7606 §4: what cannot be walked through is treat-as-withdraw; the NLRI field is found by the total length.
MaybeFailure UpdateDecoder::walk(bytes::View attributes) {
  while (!attributes.empty()) {
    const bool is_long = (attributes[0] & kFlagExtendedLength) != 0;
    const std::uint8_t header_size = is_long ? 4 : 3;
    const std::uint8_t type = attributes.size() > 1 ? attributes[1] : std::uint8_t{0};
    if (attributes.size() < header_size) return on_cut_short(type);
    const std::size_t size = is_long ? load16(attributes.data() + 2) : attributes[2];
    if (attributes.size() - header_size < size) return on_cut_short(type);
    const Attribute attribute{attributes[0], type, header_size, attributes.first(header_size + size)};
    if (MaybeFailure failure = on_attribute(attribute)) return failure;
    attributes = attributes.subspan(header_size + size);
  }
  return std::nullopt;
}

MaybeFailure UpdateDecoder::on_cut_short(std::uint8_t type) {
  has_others_ = true;
  // Destinations are inside that cannot be read, so they cannot be withdrawn either (RFC 7606 §3 j).
  if (type == 14 || type == 15) return malformed("MP_REACH_NLRI or MP_UNREACH_NLRI runs past the attributes");
  fault(FaultAction::kTreatAsWithdraw, type, "attribute runs past the attributes");
  return std::nullopt;
}

MaybeFailure UpdateDecoder::on_attribute(const Attribute& attribute) {
  has_others_ = has_others_ || attribute.type != 15;
  if (seen_[attribute.type]) return on_repeated(attribute);
  seen_[attribute.type] = true;
  const wire::AttributeRule rule = wire::rule_of(attribute.type);
  if (!rule.is_known) return on_unknown(attribute);
  if ((attribute.flags & (kFlagOptional | kFlagTransitive)) != rule.flags) {
    const auto action = rule.discards_wrong_flags ? FaultAction::kDiscardAttribute : FaultAction::kTreatAsWithdraw;
    fault(action, attribute.type, "flags contradict the type");
    // The destinations in MP_* are needed all the same.
    if (attribute.type != 14 && attribute.type != 15) return std::nullopt;
  }
  switch (attribute.type) {
    case 3: on_next_hop(attribute.value()); return std::nullopt;
    case 14: return on_mp_reach(attribute);
    case 15: return on_mp_unreach(attribute);
    default: on_value(attribute); return std::nullopt;
  }
}

// RFC 7606 §3 g.
MaybeFailure UpdateDecoder::on_repeated(const Attribute& attribute) {
  if (attribute.type == 14 || attribute.type == 15) return malformed("MP_REACH_NLRI or MP_UNREACH_NLRI twice");
  fault(FaultAction::kDiscardAttribute, attribute.type, "repeated: the first one counts");
  return std::nullopt;
}

MaybeFailure UpdateDecoder::on_unknown(const Attribute& attribute) {
  if ((attribute.flags & kFlagOptional) == 0) {
    return Failure{Subcode::kUnrecognizedWellKnown, "unknown well-known attribute", attribute.whole};
  }
  if ((attribute.flags & kFlagTransitive) == 0) return std::nullopt;  // RFC 4271 §5: quietly ignored
  keep(attribute, kFlagOptional | kFlagTransitive | kFlagPartial, wire::ValueForm::kAsIs);
  return std::nullopt;
}

void UpdateDecoder::keep(const Attribute& attribute, std::uint8_t flags, wire::ValueForm form) {
  canonical_.add({attribute.whole.data(), static_cast<std::uint16_t>(attribute.whole.size() - attribute.header_size),
                  attribute.header_size, attribute.type, flags, form});
}

void UpdateDecoder::on_value(const Attribute& attribute) {
  const wire::CheckedValue checked = wire::check_value(attribute.type, attribute.value(), context_);
  switch (checked.outcome) {
    case wire::Outcome::kDrop: return;
    case wire::Outcome::kDiscard: return fault(FaultAction::kDiscardAttribute, attribute.type, checked.what);
    case wire::Outcome::kWithdraw: return fault(FaultAction::kTreatAsWithdraw, attribute.type, checked.what);
    case wire::Outcome::kKeep: break;
  }
  if (attribute.type == 17) {
    as4_.path = attribute.value();
  } else if (attribute.type == 18) {
    as4_.aggregator = attribute.value();
  } else {
    if (checked.form == wire::ValueForm::kWidenAggregator) aggregator_as_ = load16(attribute.value().data());
    const std::uint8_t flags = wire::rule_of(attribute.type).flags;
    const bool may_be_partial = flags == (kFlagOptional | kFlagTransitive);
    keep(attribute, flags | (may_be_partial ? attribute.flags & kFlagPartial : 0), checked.form);
  }
}

void UpdateDecoder::on_next_hop(bytes::View value) {
  if (value.size() != 4) {
    fault(FaultAction::kTreatAsWithdraw, 3, "NEXT_HOP: length is not 4");
    return;
  }
  classic_next_hop_ = IpAddress::v4(wire::load32(value.data()));
}

// RFC 4760 §3: AFI, SAFI, length of next hop, next hop, reserved, NLRI.
MaybeFailure UpdateDecoder::on_mp_reach(const Attribute& attribute) {
  const bytes::View value = attribute.value();
  constexpr std::size_t kFixed = 5;
  if (value.size() < kFixed || value.size() - kFixed < value[3]) {
    return Failure{Subcode::kOptionalAttribute, "MP_REACH_NLRI: too short", attribute.whole};
  }
  const bytes::View next_hop = value.subspan(4, value[3]);
  const bytes::View nlri = value.subspan(kFixed + next_hop.size());
  const std::optional<Family> family = family_of(AfiSafi{load16(value.data()), value[2]});
  encodes_reach_ = encodes_reach_ || !nlri.empty();
  if (!family || !context_.families[*family]) {
    fault(FaultAction::kIgnore, 14, "MP_REACH_NLRI: family not of this session");
    return std::nullopt;
  }
  // RFC 7606 §7.11: with a next hop of an unexpected length nobody knows where the destinations begin.
  const auto decoded = wire::decode_next_hop(*family, next_hop);
  if (!decoded) return Failure{Subcode::kOptionalAttribute, "MP_REACH_NLRI: length of next hop", attribute.whole};
  Reach& reach = update_.reach[*family];
  if (!wire::decode_nlri(nlri, {*family, context_.add_path[*family]}, reach.nlri)) {
    return Failure{Subcode::kOptionalAttribute, "MP_REACH_NLRI: malformed prefix", attribute.whole};
  }
  reach.next_hop = *decoded;
  if (wire::is_martian(*decoded)) fault(FaultAction::kTreatAsWithdraw, 14, "MP_REACH_NLRI: impossible next hop");
  if (*family == Family::kIpv4Unicast && decoded->address.is_v6() && !context_.extended_next_hop[*family]) {
    fault(FaultAction::kTreatAsWithdraw, 14, "MP_REACH_NLRI: IPv6 next hop was not agreed on");
  }
  return std::nullopt;
}

MaybeFailure UpdateDecoder::on_mp_unreach(const Attribute& attribute) {
  const bytes::View value = attribute.value();
  constexpr std::size_t kFixed = 3;
  if (value.size() < kFixed) return Failure{Subcode::kOptionalAttribute, "MP_UNREACH_NLRI: too short", attribute.whole};
  const std::optional<Family> family = family_of(AfiSafi{load16(value.data()), value[2]});
  if (!family || !context_.families[*family]) {
    fault(FaultAction::kIgnore, 15, "MP_UNREACH_NLRI: family not of this session");
    return std::nullopt;
  }
  const bytes::View nlri = value.subspan(kFixed);
  if (!wire::decode_nlri(nlri, {*family, context_.add_path[*family]}, update_.withdrawn[*family])) {
    return Failure{Subcode::kOptionalAttribute, "MP_UNREACH_NLRI: malformed prefix", attribute.whole};
  }
  if (nlri.empty()) update_.end_of_rib = *family;  // finish() takes it back when anything else is here
  return std::nullopt;
}

MaybeFailure UpdateDecoder::read_classic_reach(bytes::View nlri) {
  if (nlri.empty()) return std::nullopt;
  encodes_reach_ = true;
  if (!context_.families[Family::kIpv4Unicast]) {
    fault(FaultAction::kIgnore, 0, "NLRI: family not of this session");
    return std::nullopt;
  }
  has_classic_reach_ = true;
  Reach& reach = update_.reach[Family::kIpv4Unicast];
  const bool has_mp = !reach.nlri.empty();
  if (!wire::decode_nlri(nlri, {Family::kIpv4Unicast, context_.add_path[Family::kIpv4Unicast]}, reach.nlri)) {
    return Failure{Subcode::kInvalidNetworkField, "NLRI: malformed prefix", {}};
  }
  if (!classic_next_hop_) return std::nullopt;
  const NextHop next_hop{*classic_next_hop_, std::nullopt};
  if (has_mp && next_hop != reach.next_hop) {
    fault(FaultAction::kTreatAsWithdraw, 3, "NEXT_HOP: differs from the one in MP_REACH_NLRI of the same family");
  }
  reach.next_hop = next_hop;
  if (wire::is_martian(next_hop)) fault(FaultAction::kTreatAsWithdraw, 3, "NEXT_HOP: impossible address");
  return std::nullopt;
}

// RFC 7606 §3 d.
void UpdateDecoder::check_mandatory() {
  constexpr FaultAction kWithdraw = FaultAction::kTreatAsWithdraw;
  if (!is_set(1)) fault(kWithdraw, 1, "ORIGIN: missing");
  if (!is_set(2)) fault(kWithdraw, 2, "AS_PATH: missing");
  if (has_classic_reach_ && !is_set(3)) fault(kWithdraw, 3, "NEXT_HOP: missing");
  if (context_.is_internal && !is_set(5)) fault(kWithdraw, 5, "LOCAL_PREF: missing");
}

// RFC 6793 §4.2.3: an AGGREGATOR that an old speaker made itself shows that the AS4 attributes are older than it.
void UpdateDecoder::check_as4() {
  if (aggregator_as_ != 0 && aggregator_as_ != kAsTrans.value() && !as4_.aggregator.empty()) as4_ = {};
  if (!context_.allow_as_set && !as4_.path.empty() && wire::contains_set(as4_.path, wire::AsWidth::kFour)) {
    fault(FaultAction::kTreatAsWithdraw, 17, "AS4_PATH: AS_SET (RFC 9774)");
  }
}

void UpdateDecoder::check_together() {
  if (!context_.four_octet_as) check_as4();
  if (has_reach()) check_mandatory();
}

void UpdateDecoder::drop_unroutable() {
  for (const Family family : kFamilies) {
    const auto is_unroutable = [](const Nlri& nlri) { return wire::is_unroutable(nlri.prefix); };
    Reach& reach = update_.reach[family];
    if (std::erase_if(reach.nlri, is_unroutable) > 0) {
      fault(FaultAction::kIgnore, 0, "NLRI: multicast, loopback or link-local prefix");
    }
    if (reach.nlri.empty()) reach.next_hop = {};
  }
}

void UpdateDecoder::withdraw_all() {
  for (const Family family : kFamilies) {
    std::vector<Nlri>& nlri = update_.reach[family].nlri;
    update_.withdrawn[family].insert(update_.withdrawn[family].end(), nlri.begin(), nlri.end());
    nlri.clear();
    update_.reach[family].next_hop = {};
  }
}

MaybeFailure UpdateDecoder::finish() {
  check_together();
  const bool withdraws = worst_ == FaultAction::kTreatAsWithdraw;
  // RFC 7606 §5.2: without destinations nobody can be sure that the faulty attributes did not hide some.
  if (withdraws && has_others_ && !encodes_reach_) {
    return malformed("attribute error in an UPDATE that announces nothing");
  }
  if (update_.end_of_rib && (has_others_ || !update_.withdrawn[Family::kIpv4Unicast].empty() || encodes_reach_)) {
    update_.end_of_rib.reset();
  }
  if (withdraws) {
    withdraw_all();
    return std::nullopt;
  }
  drop_unroutable();
  if (has_reach()) canonical_.write(as4_, update_.attributes);
  return std::nullopt;
}

DecodeError error_of(const Failure& failure, const Update& update) {
  DecodeError error{{3, static_cast<std::uint8_t>(failure.subcode), {}}, concat("UPDATE: ", failure.what)};
  error.notification.data = bytes::text_of(failure.data.first(std::min(failure.data.size(), kLongestAttributeShown)));
  for (const Fault& fault : update.faults) {
    if (fault.action == FaultAction::kTreatAsWithdraw) {
      return DecodeError{error.notification,
                         concat(error.what, ": attribute ", unsigned{fault.attribute}, ": ", fault.what)};
    }
  }
  return error;
}

}  // namespace

void Update::clear() {
  for (const Family family : kFamilies) {
    withdrawn[family].clear();
    reach[family].nlri.clear();
    reach[family].next_hop = {};
  }
  attributes.clear();
  end_of_rib.reset();
  faults.clear();
}

Result<std::monostate, DecodeError> decode_update(bytes::View message, const DecodeContext& context, Update& update) {
  update.clear();
  if (message.size() < kHeaderSize + kLengthFields) return DecodeError{{1, 2, {}}, "UPDATE: shorter than 23 bytes"};
  UpdateDecoder decoder(context, update);
  if (const MaybeFailure failure = decoder.decode(message.subspan(kHeaderSize))) return error_of(*failure, update);
  return std::monostate{};
}

}  // namespace margay::bgp
