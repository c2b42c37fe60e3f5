#include "datastore/selector/field_selector.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::selector {
namespace {

constexpr std::size_t kFieldSelectorBytesMax = 65'536;
constexpr std::string_view kEscapable = "\\,=";

// Pieces between commas that no backslash protects; escapes stay in them.
std::vector<std::string_view> terms(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == ',') {
      out.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  out.push_back(text.substr(start));
  return out;
}

Result<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      if (i == text.size() || kEscapable.find(text[i]) == std::string_view::npos) {
        return invalid(concat("in ", quoted(text), ": \"\\\" may stand only before \"\\\", \",\" or \"=\""));
      }
    } else if (text[i] == '=') {
      return invalid(concat("in ", quoted(text), ": write \"\\=\" for a \"=\" in a value"));
    }
    out.push_back(text[i]);
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (kEscapable.find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

Result<FieldRequirement> parse_term(std::string_view term) {
  for (std::size_t i = 0; i < term.size(); ++i) {
    const bool is_negated = term.substr(i, 2) == "!=";
    if (!is_negated && term[i] != '=') continue;
    const std::size_t size = is_negated || term.substr(i, 2) == "==" ? 2 : 1;
    FieldRequirement out{std::string(trim(term.substr(0, i))), {}, is_negated};
    // "a! =b" would be written as "a!=b".
    if (out.field.empty() || out.field.ends_with('!')) break;
    MARGAY_ASSIGN_OR_RETURN(out.value, unescaped(term.substr(i + size)));
    return out;
  }
  return invalid(concat("found ", quoted(term), ", expected field=value, field==value or field!=value"));
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  if (text.size() > kFieldSelectorBytesMax) {
    return Error{ErrorCode::kLimitExceeded,
                 concat("the selector has ", text.size(), " bytes, at most ", kFieldSelectorBytesMax, " are allowed")};
  }
  FieldSelector selector;
  for (const std::string_view term : terms(text)) {
    if (term.empty()) continue;
    MARGAY_ASSIGN_OR_RETURN(FieldRequirement requirement, parse_term(term));
    selector.requirements_.push_back(std::move(requirement));
  }
  std::sort(selector.requirements_.begin(), selector.requirements_.end());
  return selector;
}

bool FieldSelector::matches(const std::function<std::string(std::string_view)>& field_value) const {
  return std::all_of(requirements_.begin(), requirements_.end(), [&](const FieldRequirement& requirement) {
    return (field_value(requirement.field) == requirement.value) != requirement.is_negated;
  });
}

std::string FieldSelector::to_string() const {
  std::string out;
  for (const FieldRequirement& requirement : requirements_) {
    if (!out.empty()) out.push_back(',');
    out.append(requirement.field).append(requirement.is_negated ? "!=" : "=").append(escaped(requirement.value));
  }
  return out;
}

}  // namespace margay::selector
