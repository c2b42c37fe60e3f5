// Capabilities as bytes (RFC 5492 §4). For bgp/wire's own use.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes/reader.h"
#include "bgp/wire/capability.h"

namespace margay::bgp::wire {

// Adds those of one optional parameter to `out`. What is wrong, or nullopt. Names for people (73, 75) are never a
// reason to refuse a session: a malformed one is left out.
std::optional<std::string_view> decode_capabilities(bytes::View parameter, Capabilities& out);
// Appends code, length and value of each that is set.
void encode_capabilities(const Capabilities& capabilities, std::string& out);

}  // namespace margay::bgp::wire
