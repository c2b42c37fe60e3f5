// Values as the text of a table's cell.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/json/value.h"

namespace margay::render {

// A string as it is, other scalars as JSON, lists and objects as compact JSON; null and absent as `absent`.
std::string cell_text(const json::Value* value, std::string_view absent);

// The same of the value at a path.
std::string cell_at(const json::Value& object, std::initializer_list<std::string_view> path, std::string_view absent);

// Elements of a list (as cell_text) with commas between; `absent` when there are none.
std::string joined(const json::Value* list, std::string_view absent);

// "a=b,c=d" of an object, in order of names.
std::string labels_text(const json::Value* labels, std::string_view absent);

// A Kubernetes label selector: "app=web,tier in (a,b),!old"; `all` for one that selects everything.
std::string label_selector_text(const json::Value* selector, std::string_view all);

}  // namespace margay::render
