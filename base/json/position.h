// Line and column of a byte in a text, for error messages. Private to base/json.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace margay::json::detail {

// 1-based. Columns count characters (UTF-8 sequences), as editors do; an offset past the end is the place after the
// last.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};

Place place_of(std::string_view text, std::size_t offset);

// "line 3, column 7: message"
std::string at_place(const Place& place, std::string_view message);

// Printable ASCII of the few bytes that end before `offset`, in quotes; "" when there are none.
std::string excerpt_before(std::string_view text, std::size_t offset);

}  // namespace margay::json::detail
