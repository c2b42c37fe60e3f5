// The value of one received attribute: whether it is well-formed, and what has to be done to bring it into canonical
// form. One attribute at a time; what needs several (missing ones, AS4_PATH) is decode_update's. For bgp/wire's own
// use.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes/reader.h"
#include "bgp/wire/decode.h"

namespace margay::bgp::wire {

// How the canonical value comes from the one on the wire.
enum class ValueForm : std::uint8_t {
  kAsIs,
  kSort4,        // communities: sorted, without repeats
  kSort8,        // extended communities
  kSort12,       // large communities
  kSort20,       // IPv6 extended communities
  kWidenAsPath,  // two-octet numbers, merged with AS4_PATH
  kWidenAggregator,
};

enum class Outcome : std::uint8_t {
  kKeep,
  kDrop,      // no fault: not for us, and nothing lost
  kDiscard,   // RFC 7606: attribute discard
  kWithdraw,  // RFC 7606: treat-as-withdraw
};

struct CheckedValue {
  Outcome outcome = Outcome::kKeep;
  ValueForm form = ValueForm::kAsIs;
  std::string_view what;  // with kDiscard and kWithdraw
};

// RFC 7606 §7 and the RFCs of each attribute. The flags have been looked at already. Not for NEXT_HOP and MP_*.
CheckedValue check_value(std::uint8_t type, bytes::View value, const DecodeContext& context);

}  // namespace margay::bgp::wire
