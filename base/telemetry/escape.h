// Escaping of text for logs and metrics; for base/telemetry's own use.
#pragma once

#include <string>
#include <string_view>

namespace margay::telemetry {

// `text` without its quotes, escaped as in a JSON string (RFC 8259 §7), with U+FFFD for bytes that are not UTF-8.
void append_json_escaped(std::string& out, std::string_view text);

// The same text as valid UTF-8: U+FFFD for each byte that is not.
std::string valid_utf8(std::string_view text);

// At most `size_max` bytes of it, cut between characters.
std::string_view cut_at_character(std::string_view text, std::size_t size_max);

}  // namespace margay::telemetry
