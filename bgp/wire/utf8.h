// UTF-8 from strangers, made fit for a log and a terminal. For bgp/wire's own use.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace margay::bgp::wire {

// Control characters (also those of U+0080 to U+009F, and what turns the direction of writing) become a space; what is
// no UTF-8 becomes "?".
std::string printable(std::string_view text);
// The first whole characters, at most `size_max` bytes.
std::string_view cut_at_character(std::string_view text, std::size_t size_max);

}  // namespace margay::bgp::wire
