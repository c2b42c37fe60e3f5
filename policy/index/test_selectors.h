// For tests: selectors from their texts, which must be right.
#pragma once

#include <string_view>

#include "datastore/selector/selector.h"

namespace margay::policy::test {

inline selector::Selector parsed(std::string_view text) { return selector::Selector::parse(text).value(); }

}  // namespace margay::policy::test
