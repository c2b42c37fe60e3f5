// Dates as HTTP fields write them (RFC 9110 section 5.6.7). Pure.
//
//   Sun, 06 Nov 1994 08:49:37 GMT     the form that is sent
//   Sunday, 06-Nov-94 08:49:37 GMT    obsolete (RFC 850); the century is the one that brings it nearest below now + 50
//   years Sun Nov  6 08:49:37 1994          obsolete (asctime)
#pragma once

#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"

namespace margay::http {

// The day of the week must be one, but not the right one. A leap second counts as the second before it.
Result<WallTime> parse_http_date(std::string_view text, WallTime now);

}  // namespace margay::http
