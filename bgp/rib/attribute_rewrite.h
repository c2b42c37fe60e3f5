// The two changes that nearly every relayed route needs, on the bytes themselves: AttributeEditor does the same (test:
// equal results), for ten times the cost. Canonical form in and out. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes/reader.h"
#include "base/ip/asn.h"

namespace margay::bgp::rib {

// As AttributeEditor's remove_for_ebgp(), set_local_pref(nullopt), set_med(nullopt), prepend(asn). False, with `out`
// of no meaning, for attributes that only the editor knows to handle.
bool rewrite_for_external(bytes::View attributes, Asn asn, std::string& out);
// As its set_local_pref(local_pref).
void rewrite_local_pref(bytes::View attributes, std::uint32_t local_pref, std::string& out);

}  // namespace margay::bgp::rib
