#include "agent/config/config_file.h"

#include "base/core/text.h"

namespace margay::config {
namespace {

bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

// Up to the closing quote, or up to a comment after a blank.
std::string_view value_of(std::string_view text) {
  if (!text.empty() && is_quote(text[0])) {
    const std::size_t end = text.find(text[0], 1);
    if (end != std::string_view::npos) return text.substr(1, end - 1);
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool is_comment = (text[i] == '#' || text[i] == ';') && (text[i - 1] == ' ' || text[i - 1] == '\t');
    if (is_comment) return trim(text.substr(0, i));
  }
  return text;
}

}  // namespace

FileContent parse_config_file(std::string_view text) {
  FileContent content;
  std::size_t number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[' && line.back() == ']') continue;
    const std::size_t separator = line.find_first_of("=:");
    if (separator == std::string_view::npos || separator == 0) {
      content.bad_lines.push_back(number);
      continue;
    }
    const std::string_view value = trim(line.substr(separator + 1));
    content.entries.push_back({number, std::string(trim(line.substr(0, separator))), std::string(value_of(value))});
  }
  return content;
}

}  // namespace margay::config
