#include "base/json/yaml_text.h"

#include <algorithm>

#include "base/core/text.h"
#include "base/json/position.h"
#include "simdjson.h"
#include "yaml-cpp/exceptions.h"

namespace margay::json::detail {
namespace {

constexpr std::string_view kYamlBlank = " \t\r\n";

bool is_blank_or_comment(std::string_view line) {
  const std::string_view content = trim(line);
  return content.empty() || content[0] == '#';
}

// Whether the last line of `before` that says anything is "..." or a directive behind it.
bool follows_end_mark(std::string_view before) {
  while (!before.empty()) {
    before.remove_suffix(1);
    const std::size_t line_start = before.rfind('\n') + 1;
    const std::string_view line = before.substr(line_start);
    if (line.starts_with("...")) return true;
    if (!is_blank_or_comment(line) && line[0] != '%') return false;
    before = before.substr(0, line_start);
  }
  return false;
}

// Past tag and anchor.
std::size_t skip_properties(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == '!' || text[at] == '&')) {
    at = std::min(text.find_first_of(kYamlBlank, at), text.size());
    at = std::min(text.find_first_not_of(kYamlBlank, at), text.size());
  }
  return at;
}

// Past the closing quote of the scalar that begins at `start`; npos when there is none.
std::size_t end_of_quoted(std::string_view text, std::size_t start) {
  const char quote = text[start];
  for (std::size_t at = start + 1; at < text.size(); ++at) {
    const bool is_escape = quote == '"' ? text[at] == '\\' : text.substr(at, 2) == "''";
    if (is_escape) {
      ++at;
    } else if (text[at] == quote) {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

bool is_quote(char c) { return c == '"' || c == '\''; }

// yaml-cpp skips a line that begins with '%' wherever it stands.
Status check_directives(std::string_view text) {
  bool may_begin = true;  // before the first document, or after one that was ended
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    if (line.starts_with('%') && !may_begin) {
      return invalid(at_place(place_of(text, start), "a line that begins with '%' inside of a document"));
    }
    if (line.starts_with("...")) {
      may_begin = true;
    } else if (!line.starts_with('%') && !is_blank_or_comment(line)) {
      may_begin = false;
    }
    start = end + 1;
  }
  return ok_status();
}

// yaml-cpp's messages in words that help: they name what its scanner missed, not what the writer did.
std::string explained(std::string_view message) {
  struct Explanation {
    std::string_view message;
    std::string_view words;
  };
  const Explanation kExplanations[] = {
      {YAML::ErrorMsg::END_OF_MAP, "this line does not fit the mapping above it: wrong indentation, or ':' is missing"},
      {YAML::ErrorMsg::END_OF_SEQ,
       "this line does not fit the sequence above it: wrong indentation, or '-' is missing"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "'{' without its '}', or ',' is missing"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "'[' without its ']', or ',' is missing"},
      {YAML::ErrorMsg::MAP_VALUE, "a ':' where no key can stand; a text with ': ' in it needs quotes"},
      {YAML::ErrorMsg::MAP_KEY, "a '?' where no key can stand"},
      {YAML::ErrorMsg::BLOCK_ENTRY, "a '- ' where no element can stand; a text beginning with '- ' needs quotes"},
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab in the indentation; YAML indents with spaces"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "a quote without its end"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "a character that cannot begin a value here; a text beginning so needs quotes"},
      {YAML::ErrorMsg::UNKNOWN_ANCHOR, "alias to an anchor that is not there"},
      {YAML::ErrorMsg::BAD_FILE, "nested too deeply"},
  };
  for (const Explanation& explanation : kExplanations) {
    if (message.starts_with(explanation.message)) return std::string(explanation.words);
  }
  std::string printable(message.substr(0, 200));
  std::replace_if(
      printable.begin(), printable.end(), [](char c) { return c < 0x20 || c == 0x7f; }, '?');
  return printable;
}

Status check_characters(std::string_view text) {
  const auto is_control = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  };
  const auto control = std::find_if(text.begin(), text.end(), is_control);
  if (control != text.end()) {
    const auto offset = static_cast<std::size_t>(control - text.begin());
    return invalid(at_place(place_of(text, offset), concat("control character ", quoted(text.substr(offset, 1)))));
  }
  if (simdjson::validate_utf8(text.data(), text.size())) return ok_status();
  std::size_t good = 0;  // the longest valid beginning, line by line
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', good)) {
    if (!simdjson::validate_utf8(text.data() + good, end + 1 - good)) break;
    good = end + 1;
  }
  while (good < text.size() && static_cast<unsigned char>(text[good]) < 0x80) ++good;
  return invalid(at_place(place_of(text, good), "the text from here on is not UTF-8"));
}

}  // namespace

Status check_yaml_text(std::string_view text) {
  MARGAY_RETURN_IF_ERROR(check_characters(text));
  return check_directives(text);
}

bool looks_like_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kYamlBlank);
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
  const std::size_t second = text.find_first_not_of(kYamlBlank, first + 1);
  if (second == std::string_view::npos) return true;  // cut off: JSON's reader says what is missing
  return text[second] == '"' || (text[first] == '[' && text[second] == '{');
}

bool quote_ends(std::string_view text, std::size_t offset) {
  const std::size_t start = skip_properties(text, offset);
  return start >= text.size() || !is_quote(text[start]) || end_of_quoted(text, start) != std::string_view::npos;
}

bool key_is_marked(std::string_view text, std::size_t offset) {
  const std::size_t before = text.substr(0, offset).find_last_not_of(kYamlBlank);
  if (before != std::string_view::npos && text[before] == '?') return true;
  const std::size_t start = skip_properties(text, offset);
  if (start >= text.size()) return false;
  if (is_quote(text[start])) {
    const std::size_t end = end_of_quoted(text, start);
    return end != std::string_view::npos && trim(text.substr(end, text.find('\n', end) - end)).starts_with(':');
  }
  std::string_view line = text.substr(start, text.find('\n', start) - start);
  line = line.substr(0, line.find(" #"));
  return line.find(": ") != std::string_view::npos || line.find(":\t") != std::string_view::npos ||
         trim(line).ends_with(':');
}

// yaml-cpp begins a new document wherever the last one ended, even in the middle of a line.
bool begins_a_document(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::size_t line_start = before.rfind('\n') + 1;
  if (text.substr(line_start, 3) == "---" && trim(before.substr(line_start)).empty()) return true;
  return follows_end_mark(before.substr(0, line_start));
}

Error explain_yaml(std::string_view text, std::size_t offset, std::string_view message) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::size_t line_start = before.rfind('\n') + 1;
  const std::size_t indent_end = std::min(text.find_first_not_of(" \t", line_start), text.size());
  const std::size_t tab = text.substr(0, indent_end).find('\t', line_start);
  if (tab != std::string_view::npos) {
    return invalid(at_place(place_of(text, tab), explained(YAML::ErrorMsg::TAB_IN_INDENTATION)));
  }
  return invalid(at_place(place_of(text, offset), explained(message)));
}

}  // namespace margay::json::detail
