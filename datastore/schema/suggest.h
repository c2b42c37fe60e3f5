// The nearest of several names, for "did you mean".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace margay::schema {

// The candidate that a person who typed `name` most probably meant: equal but for case, or a few letters away (insert,
// delete, replace, swap neighbours). nullopt when none is close. The first of equally near ones.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string_view>& candidates);

}  // namespace margay::schema
