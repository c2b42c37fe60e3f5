// Cells: the values of a Table's columns, as kube-apiserver prints them.
#pragma once

#include <string>
#include <string_view>

#include "base/core/time.h"
#include "base/json/value.h"

namespace margay::server {

// "5s", "3m20s", "47h", "9d": as kubectl shows ages; "<invalid>" for what lies in the future.
std::string age_text(Duration age);

// Appends the cell's JSON: null when there is no value (nullptr). `type`: string, integer, number, boolean or date.
void append_cell(std::string& out, const json::Value* value, std::string_view type, WallTime now);

}  // namespace margay::server
