// How many columns of a terminal a text takes (UTF-8; Unicode's East Asian wide characters take two, combining marks
// none), and cutting a text to a number of columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace margay::render {

// Bytes that are not UTF-8 count as one column each.
std::size_t display_width(std::string_view text);

// `text`, or its beginning with "..." at the end, in at most `width` columns.
std::string cut_to_width(std::string_view text, std::size_t width);

// On one line and safe for a terminal: control characters become spaces (tab, newline) or "?" (an escape sequence in an
// object's field must not reach the terminal).
std::string on_one_line(std::string_view text);

}  // namespace margay::render
