// The value of -o.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace margay::render {

enum class FormatKind { kTable, kWide, kYaml, kJson, kJsonLines, kName, kJsonPath, kCustomColumns, kGoTemplate };

struct Format {
  FormatKind kind = FormatKind::kTable;
  std::string argument;  // the template, or the columns
};

using ReadFile = std::function<Result<std::string>(const std::string& path)>;

// "wide", "jsonpath={.items}", "custom-columns-file=cols", … `read_file` serves the *-file forms.
Result<Format> parse_format(std::string_view text, const ReadFile& read_file);

// The words parse_format knows, those with an argument with "=" at their end.
std::vector<std::string> format_words();

}  // namespace margay::render
