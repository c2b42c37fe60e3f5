// UPDATE: whatever a peer sends, what we make of it can be passed on to a peer of another kind, which can read it and
// finds the same destinations and attributes in it. The first byte of the input chooses the kinds.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/core/check.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"

namespace {

using namespace margay;
using namespace margay::bgp;

DecodeContext context_of(std::uint8_t bits) {
  DecodeContext context;
  context.families = {true, true};
  context.extended_message = true;
  context.four_octet_as = (bits & 1) == 0;
  context.is_internal = (bits & 2) != 0;
  context.add_path = {(bits & 4) != 0, (bits & 8) != 0};
  context.extended_next_hop[Family::kIpv4Unicast] = (bits & 16) != 0;
  context.enforce_first_as = (bits & 32) != 0;
  context.allow_as_set = (bits & 64) != 0;
  context.peer_asn = Asn(65001);
  return context;
}

void look_at(AttributeView view) {
  (void)view.as_path().to_string();
  (void)view.as_path().length();
  (void)view.as_path().numbers();
  (void)view.communities();
  (void)view.large_communities();
  (void)view.extended_communities();
  (void)view.cluster_list_length();
}

// What a router does with attributes on their way out.
std::string edited(AttributeView view) {
  AttributeEditor editor(view);
  MARGAY_CHECK(editor.finish() == bytes::text_of(view.bytes()));
  editor.prepend(std::vector{Asn(65000), Asn(70000)});
  editor.add_community(1U);
  editor.set_local_pref(100);
  return editor.finish();
}

void pass_on(const Update& update, const DecodeContext& from, bool four_octet_as) {
  EncodeContext encode;
  encode.extended_message = true;
  encode.four_octet_as = four_octet_as;
  encode.add_path = from.add_path;
  encode.extended_next_hop = from.extended_next_hop;
  DecodeContext decode = from;
  decode.four_octet_as = four_octet_as;
  decode.enforce_first_as = false;
  decode.is_internal = true;
  const std::string attributes = edited(AttributeView(bytes::view_of(update.attributes)));
  Update again;
  for (const Family family : kFamilies) {
    const Reach& reach = update.reach[family];
    std::string bytes;
    const auto count = encode_reach(encode, bytes::view_of(attributes), reach.next_hop, reach.nlri, bytes);
    if (!count.ok()) {
      MARGAY_CHECK(count.error().code == ErrorCode::kLimitExceeded && bytes.empty());
      continue;
    }
    std::size_t destinations = 0;
    for (bytes::View rest = bytes::view_of(bytes); !rest.empty();) {
      const auto header = decode_header(rest, decode);
      MARGAY_CHECK(header.ok() && header->has_value());
      MARGAY_CHECK(decode_update(rest.first((*header)->size), decode, again).ok());
      MARGAY_CHECK(again.faults.empty());
      MARGAY_CHECK(again.attributes == attributes);
      MARGAY_CHECK(again.reach[family].next_hop == reach.next_hop);
      destinations += again.reach[family].nlri.size();
      rest = rest.subspan((*header)->size);
    }
    MARGAY_CHECK(destinations == reach.nlri.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kExtendedMessageSizeMax) return 0;
  const DecodeContext context = context_of(data[0]);
  Update update;
  const auto result = decode_update({data + 1, size - 1}, context, update);
  if (!result.ok()) {
    MARGAY_CHECK(result.error().notification.code == 3 || result.error().notification.code == 1);
    return 0;
  }
  look_at(AttributeView(bytes::view_of(update.attributes)));
  pass_on(update, context, true);
  pass_on(update, context, false);
  for (const Family family : kFamilies) {
    EncodeContext encode;
    encode.add_path = context.add_path;
    std::string bytes;
    encode_withdraw(encode, update.withdrawn[family], bytes);
  }
  return 0;
}
