// OPEN and the other messages but UPDATE: what decodes is encoded, and decodes to the same again.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/core/check.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"

namespace {

using namespace margay;
using namespace margay::bgp;

void try_open(bytes::View message) {
  const auto open = decode_open(message);
  if (!open.ok()) return;
  (void)open->capabilities.to_strings();
  Open expected = *open;
  // What an OPEN of ours never says: long names, codes we do not know.
  expected.capabilities.unknown.clear();
  if (expected.capabilities.software_version.size() > 64) expected.capabilities.software_version.resize(64);
  if (expected.capabilities.hostname.size() > 253) expected.capabilities.hostname.resize(253);
  std::string bytes;
  encode_open(expected, bytes);
  const auto again = decode_open(bytes::view_of(bytes));
  MARGAY_CHECK(again.ok());
  MARGAY_CHECK(again->router_id == expected.router_id && again->hold_time_s == expected.hold_time_s);
  MARGAY_CHECK(again->capabilities.hostname == expected.capabilities.hostname);
  MARGAY_CHECK(again->capabilities.four_octet_asn == expected.capabilities.four_octet_asn);
}

void try_notification(bytes::View message) {
  const auto notification = decode_notification(message);
  if (!notification.ok()) return;
  for (const char each : notification->to_string()) MARGAY_CHECK(each != '\n' && each != '\x1b');
  std::string bytes;
  encode_notification(*notification, bytes);
  const auto again = decode_notification(bytes::view_of(bytes));
  MARGAY_CHECK(again.ok() && again->code == notification->code);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMessageSizeMax) return 0;
  const bytes::View message(data, size);
  DecodeContext context;
  context.extended_message = true;
  const auto header = decode_header(message, context);
  MARGAY_CHECK(!header.ok() || !header->has_value() || (*header)->size >= kHeaderSize);
  try_open(message);
  try_notification(message);
  (void)decode_route_refresh(message);
  return 0;
}
