// JSON pointers (RFC 6901): "/spec/ports/0" names a place in a document; "" is the whole of it; "~1" stands for '/',
// "~0" for '~'.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace margay::patch {

using PointerTokens = std::vector<std::string>;

Result<PointerTokens> parse_pointer(std::string_view text);
std::string format_pointer(const PointerTokens& tokens);

// RFC 6901 §4: decimal without leading zeros; nullopt for anything else, "-" too.
std::optional<std::size_t> parse_array_index(std::string_view token);

}  // namespace margay::patch
