// What is checked on the text of a YAML stream itself, beside yaml-cpp: it is laxer than YAML in some places, and its
// messages name what its scanner missed. Private to base/json.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/core/result.h"

namespace margay::json::detail {

// What YAML forbids before there is any syntax: broken UTF-8, control characters, directives inside of documents.
Status check_yaml_text(std::string_view text);

// Whether the text means JSON: then its parser has the better words for what is wrong.
bool looks_like_json(std::string_view text);

// Whether the scalar at `offset`, perhaps with tag and anchor before it, is not quoted or has its closing quote.
bool quote_ends(std::string_view text, std::size_t offset);

// Whether the key at `offset` of a mapping in block style is followed by ':' or stands behind '?'.
bool key_is_marked(std::string_view text, std::size_t offset);

// Whether a document may begin at `offset`: at "---", or anywhere after "...".
bool begins_a_document(std::string_view text, std::size_t offset);

// An error for yaml-cpp's message, in words that help.
Error explain_yaml(std::string_view text, std::size_t offset, std::string_view message);

}  // namespace margay::json::detail
