// Encoding: messages to bytes. Appends to a string that the caller keeps, so that many messages become one packet.
#pragma once

#include <span>
#include <string>

#include "base/bytes/reader.h"
#include "base/core/result.h"
#include "bgp/wire/message.h"

namespace margay::bgp {

// What was negotiated, as far as it changes bytes. Sessions with equal contexts can share packets.
struct EncodeContext {
  bool four_octet_as = true;
  bool extended_message = false;
  PerFamily<bool> add_path;
  PerFamily<bool> extended_next_hop;
  friend constexpr auto operator<=>(const EncodeContext&, const EncodeContext&) = default;
};

// Parameters longer than 255 bytes take the form of RFC 9072; an AS number that does not fit two octets is AS_TRANS.
void encode_open(const Open& open, std::string& out);
void encode_keepalive(std::string& out);
void encode_notification(const Notification& notification, std::string& out);  // data cut to what fits
void encode_route_refresh(const RouteRefresh& refresh, std::string& out);

// As few UPDATEs as hold all of `nlri` (of one family), each with these attributes (canonical form). IPv4 with an IPv4
// next hop goes in the classic fields, all else in MP_REACH_NLRI, which comes first (RFC 7606 §5.1). Towards a speaker
// of two-octet numbers AS4_PATH and AS4_AGGREGATOR are added (RFC 6793 §4.2.2). kLimitExceeded, with nothing appended,
// when attributes and one destination do not fit a message: the caller must withdraw them. The number of messages.
Result<std::size_t> encode_reach(const EncodeContext& context, bytes::View attributes, const NextHop& next_hop,
                                 std::span<const Nlri> nlri, std::string& out);
// As few UPDATEs as withdraw all of `nlri` (of one family). The number of messages.
std::size_t encode_withdraw(const EncodeContext& context, std::span<const Nlri> nlri, std::string& out);
void encode_end_of_rib(Family family, std::string& out);  // RFC 4724 §2

}  // namespace margay::bgp
