#include "base/core/field_error.h"

#include <algorithm>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay {
namespace {

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '$';
}

}  // namespace

std::string_view cause_reason(FieldError::Kind kind) {
  switch (kind) {
    case FieldError::Kind::kRequired: return "FieldValueRequired";
    case FieldError::Kind::kInvalid: return "FieldValueInvalid";
    case FieldError::Kind::kNotSupported: return "FieldValueNotSupported";
    case FieldError::Kind::kDuplicate: return "FieldValueDuplicate";
    case FieldError::Kind::kForbidden: return "FieldValueForbidden";
    case FieldError::Kind::kTooLong: return "FieldValueTooLong";
    case FieldError::Kind::kTooMany: return "FieldValueTooMany";
    case FieldError::Kind::kTypeInvalid: return "FieldValueTypeInvalid";
    case FieldError::Kind::kUnknown: return "FieldValueInvalid";
  }
  MARGAY_CHECK(!"FieldError::Kind out of range");
}

std::string to_string(const FieldErrors& errors) {
  std::string out;
  for (const FieldError& error : errors) {
    if (!out.empty()) out.append("; ");
    if (!error.path.empty()) out.append(error.path).append(": ");
    out.append(error.message);
  }
  return out;
}

void append_member_path(std::string& path, std::string_view name) {
  const bool is_word = !name.empty() && std::all_of(name.begin(), name.end(), is_word_character);
  if (!is_word) {
    path.append("[").append(name).append("]");
    return;
  }
  if (!path.empty()) path.push_back('.');
  path.append(name);
}

void append_element_path(std::string& path, std::size_t index) { path.append(concat("[", index, "]")); }

}  // namespace margay
