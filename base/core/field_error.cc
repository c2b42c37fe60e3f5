#include "base/core/field_error.h"

#include "base/core/check.h"

namespace margay {

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

}  // namespace margay
