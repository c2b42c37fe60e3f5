#include "ctl/render/format.h"

#include <algorithm>
#include <iterator>

#include "base/core/text.h"

namespace margay::render {
namespace {

enum class Takes { kNothing, kText, kFile };

struct Word {
  std::string_view word;
  FormatKind kind;
  Takes takes = Takes::kNothing;
};

constexpr Word kWords[] = {
    {"table", FormatKind::kTable},
    {"ps", FormatKind::kTable},  // calicoctl's name
    {"wide", FormatKind::kWide},
    {"yaml", FormatKind::kYaml},
    {"json", FormatKind::kJson},
    {"jsonl", FormatKind::kJsonLines},
    {"name", FormatKind::kName},
    {"jsonpath", FormatKind::kJsonPath, Takes::kText},
    {"jsonpath-file", FormatKind::kJsonPath, Takes::kFile},
    {"custom-columns", FormatKind::kCustomColumns, Takes::kText},
    {"custom-columns-file", FormatKind::kCustomColumns, Takes::kFile},
    {"go-template", FormatKind::kGoTemplate, Takes::kText},
    {"go-template-file", FormatKind::kGoTemplate, Takes::kFile},
};

// The columns of a file stand under each other: headers in its first line, paths in its second.
Result<std::string> columns_of_file(std::string_view text) {
  std::vector<std::vector<std::string>> lines;
  for (const std::string_view line : split(text, '\n')) {
    std::vector<std::string> words;
    for (const std::string_view word : split(line, ' ')) {
      if (!trim(word).empty()) words.emplace_back(trim(word));
    }
    if (!words.empty()) lines.push_back(std::move(words));
  }
  if (lines.size() != 2 || lines[0].size() != lines[1].size()) {
    return invalid("a file of custom columns has a line of headers and a line with as many paths");
  }
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < lines[0].size(); ++i) columns.push_back(concat(lines[0][i], ':', lines[1][i]));
  return join(columns, ",");
}

}  // namespace

Result<Format> parse_format(std::string_view text, const ReadFile& read_file) {
  const auto parts = split_once(text, '=');
  const std::string_view name = parts ? parts->first : text;
  const auto* const word =
      std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& w) { return w.word == name; });
  if (word == std::end(kWords)) {
    return invalid(concat("output format ", quoted(name), " is not one of ", join(format_words(), ", ")));
  }
  if (word->takes == Takes::kNothing) {
    if (parts) return invalid(concat("output format ", name, " takes no argument"));
    return Format{word->kind, {}};
  }
  if (!parts || parts->second.empty())
    return invalid(concat("output format ", name, " needs an argument: ", name, "=…"));
  if (word->takes == Takes::kText) return Format{word->kind, std::string(parts->second)};
  MARGAY_ASSIGN_OR_RETURN(std::string content, read_file(std::string(parts->second)));
  if (word->kind != FormatKind::kCustomColumns) return Format{word->kind, std::move(content)};
  MARGAY_ASSIGN_OR_RETURN(std::string columns, columns_of_file(content));
  return Format{word->kind, std::move(columns)};
}

std::vector<std::string> format_words() {
  std::vector<std::string> words;
  for (const Word& word : kWords) words.push_back(concat(word.word, word.takes == Takes::kNothing ? "" : "="));
  return words;
}

}  // namespace margay::render
