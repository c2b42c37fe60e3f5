// Base64 (RFC 4648): the standard alphabet with padding (section 4) and the one for URLs without it (section 5).
#pragma once

#include <string>
#include <string_view>

#include "base/core/result.h"

namespace margay {

enum class Base64Alphabet { kStandard, kUrl };

std::string base64_encode(std::string_view bytes, Base64Alphabet alphabet = Base64Alphabet::kStandard);
// Padding is optional; anything else outside the alphabet, or an end that no encoder makes, is kInvalid.
Result<std::string> base64_decode(std::string_view text, Base64Alphabet alphabet = Base64Alphabet::kStandard);

}  // namespace margay
