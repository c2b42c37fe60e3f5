// "Did you mean …?": the known word nearest to one that is not known.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace margay::command {

// Edits (insert, delete, change, swap of neighbours) that turn `a` into `b`, without case; counts no further than
// `limit`.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// The candidate within a third of the word's length (at least one edit), or of which the word is the beginning; "" when
// none is that near. The first of equals wins.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean \"get\"?", or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace margay::command
