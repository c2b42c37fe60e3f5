#include "bgp/wire/attribute_value.h"

#include <cstring>

#include "bgp/wire/as_path.h"
#include "bgp/wire/big_endian.h"

namespace margay::bgp::wire {
namespace {

constexpr CheckedValue keep(ValueForm form = ValueForm::kAsIs) { return {Outcome::kKeep, form, {}}; }
constexpr CheckedValue drop() { return {Outcome::kDrop, ValueForm::kAsIs, {}}; }
constexpr CheckedValue discard(std::string_view what) { return {Outcome::kDiscard, ValueForm::kAsIs, what}; }
constexpr CheckedValue withdraw(std::string_view what) { return {Outcome::kWithdraw, ValueForm::kAsIs, what}; }
constexpr CheckedValue withdraw_unless(bool good, std::string_view what) { return good ? keep() : withdraw(what); }

CheckedValue check_origin(bytes::View value) {
  if (value.size() != 1) return withdraw("ORIGIN: length is not 1");
  return withdraw_unless(value[0] <= 2, "ORIGIN: unknown value");
}

CheckedValue check_as_path(bytes::View value, const DecodeContext& context) {
  const AsWidth width = context.four_octet_as ? AsWidth::kFour : AsWidth::kTwo;
  const std::string_view fault = path_fault(value, width, context.allow_as_set);
  if (!fault.empty()) return withdraw(fault);
  if (!context.is_internal && context.enforce_first_as) {
    // An old speaker shows itself as AS_TRANS when its number does not fit.
    const Asn shown = context.four_octet_as || context.peer_asn.fits_two_octets() ? context.peer_asn : kAsTrans;
    if (first_number(value, width) != shown.value()) return withdraw("AS_PATH: does not begin with the neighbour's AS");
  }
  return keep(context.four_octet_as ? ValueForm::kAsIs : ValueForm::kWidenAsPath);
}

CheckedValue check_aggregator(bytes::View value, bool four_octet_as) {
  if (value.size() != (four_octet_as ? 8U : 6U)) return discard("AGGREGATOR: wrong length");
  const std::uint32_t asn = four_octet_as ? load32(value.data()) : load16(value.data());
  if (asn == 0) return discard("AGGREGATOR: AS 0");
  return keep(four_octet_as ? ValueForm::kAsIs : ValueForm::kWidenAggregator);
}

// Only what comes from our own AS is believed (RFC 7606 §7.5, 7.9, 7.10).
CheckedValue check_internal(const DecodeContext& context, bool good, std::string_view what) {
  if (!context.is_internal) return discard("attribute from outside the AS");
  return withdraw_unless(good, what);
}

template <std::size_t kSize>
bool is_less(const std::uint8_t* a, const std::uint8_t* b) {
  if constexpr (kSize == 4) return load32(a) < load32(b);
  if constexpr (kSize == 8) return load64(a) < load64(b);
  return std::memcmp(a, b, kSize) < 0;
}

template <std::size_t kSize>
bool is_sorted_without_repeats(bytes::View value) {
  for (std::size_t at = kSize; at < value.size(); at += kSize) {
    if (!is_less<kSize>(value.data() + at - kSize, value.data() + at)) return false;
  }
  return true;
}

template <std::size_t kSize>
CheckedValue check_list(bytes::View value, ValueForm form, std::string_view what) {
  if (value.empty() || value.size() % kSize != 0) return withdraw(what);
  return keep(is_sorted_without_repeats<kSize>(value) ? ValueForm::kAsIs : form);
}

// A sequence of TLVs that ends where the value ends. `kLengthSize` bytes of length after `kTypeSize` of type.
template <std::size_t kTypeSize, std::size_t kLengthSize, class Check>
bool walk_tlvs(bytes::View value, Check check) {
  constexpr std::size_t kHead = kTypeSize + kLengthSize;
  while (!value.empty()) {
    if (value.size() < kHead) return false;
    const std::size_t size = kLengthSize == 2 ? load16(value.data() + kTypeSize) : value[kTypeSize];
    if (value.size() - kHead < size || !check(value[0], value.subspan(kHead, size))) return false;
    value = value.subspan(kHead + size);
  }
  return true;
}

// RFC 9012 §13: sub-TLVs of a type from 128 have two octets of length.
bool are_sub_tlvs(bytes::View value) {
  while (!value.empty()) {
    const std::size_t head = value[0] < 128 ? 2 : 3;
    if (value.size() < head) return false;
    const std::size_t size = head == 2 ? value[1] : load16(value.data() + 1);
    if (value.size() - head < size) return false;
    value = value.subspan(head + size);
  }
  return true;
}

CheckedValue check_tunnel(bytes::View value) {
  const bool good = !value.empty() && walk_tlvs<2, 2>(value, [](auto, bytes::View tlv) { return are_sub_tlvs(tlv); });
  return withdraw_unless(good, "Tunnel Encapsulation: malformed");
}

// RFC 8669 §3, §5, §6: Label-Index is 7 bytes, the SRGB one has ranges of 6; not accepted from outside the AS.
CheckedValue check_prefix_sid(bytes::View value, const DecodeContext& context) {
  const bool good = !value.empty() && walk_tlvs<1, 2>(value, [](std::uint8_t type, bytes::View tlv) {
    if (type == 1) return tlv.size() == 7;
    return type != 3 || (tlv.size() >= 8 && (tlv.size() - 2) % 6 == 0);
  });
  if (!good) return discard("Prefix-SID: malformed");
  return context.is_internal ? keep() : discard("Prefix-SID: from outside the AS");
}

// RFC 7311 §3: we have no session with AIGP switched on, so that even a good one is not taken.
CheckedValue check_aigp(bytes::View value) {
  std::size_t left = value.size();
  for (const std::uint8_t* at = value.data(); left > 0;) {
    const std::size_t size = left < 3 ? 0 : load16(at + 1);
    if (size < 3 || size > left || (*at == 1 && size != 11)) return discard("AIGP: malformed");
    at += size;
    left -= size;
  }
  return value.empty() ? discard("AIGP: malformed") : drop();
}

CheckedValue check_bgp_ls(bytes::View value) {
  const bool good = !value.empty() && walk_tlvs<2, 2>(value, [](auto, auto) { return true; });
  return good ? drop() : discard("BGP-LS: malformed");
}

CheckedValue check_as4(const DecodeContext& context, bool good, std::string_view what) {
  if (context.four_octet_as) return discard("AS4_*: from a speaker of four-octet numbers");  // RFC 6793 §4.1
  return good ? keep() : discard(what);
}

CheckedValue check_otc(bytes::View value) {
  return withdraw_unless(value.size() == 4 && load32(value.data()) != 0, "Only to Customer: malformed");
}

}  // namespace

CheckedValue check_value(std::uint8_t type, bytes::View value, const DecodeContext& context) {
  const std::size_t size = value.size();
  switch (type) {
    case 1: return check_origin(value);
    case 2: return check_as_path(value, context);
    case 4: return withdraw_unless(size == 4, "MULTI_EXIT_DISC: length is not 4");
    case 5: return check_internal(context, size == 4, "LOCAL_PREF: length is not 4");
    case 6: return size == 0 ? keep() : discard("ATOMIC_AGGREGATE: length is not 0");
    case 7: return check_aggregator(value, context.four_octet_as);
    case 8: return check_list<4>(value, ValueForm::kSort4, "COMMUNITIES: length is no multiple of 4");
    case 9: return check_internal(context, size == 4, "ORIGINATOR_ID: length is not 4");
    case 10: return check_internal(context, size != 0 && size % 4 == 0, "CLUSTER_LIST: length is no multiple of 4");
    case 16: return check_list<8>(value, ValueForm::kSort8, "EXTENDED COMMUNITIES: length is no multiple of 8");
    case 17: return check_as4(context, is_usable_as4_path(value), "AS4_PATH: malformed");
    case 18: return check_as4(context, size == 8 && load32(value.data()) != 0, "AS4_AGGREGATOR: malformed");
    case 22: return withdraw_unless(size >= 5, "PMSI_TUNNEL: shorter than 5");
    case 23: return check_tunnel(value);
    case 25: return check_list<20>(value, ValueForm::kSort20, "IPv6 EXTENDED COMMUNITIES: length is no multiple of 20");
    case 26: return check_aigp(value);
    case 29: return check_bgp_ls(value);
    case 32: return check_list<12>(value, ValueForm::kSort12, "LARGE_COMMUNITY: length is no multiple of 12");
    case 35: return check_otc(value);
    case 40: return check_prefix_sid(value, context);
    default: return keep();  // unknown: whatever is inside is for others
  }
}

}  // namespace margay::bgp::wire
