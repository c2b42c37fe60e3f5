// decoded<T>: a struct of the model from one object that is not parsed yet, or that a client has answered with. For
// single objects: who reads many keeps a json::Document and calls decode() (codec.h).
//
// The error names the first field that is wrong.
#pragma once

#include <string_view>

#include "base/core/result.h"
#include "base/core/text.h"
#include "base/json/value.h"
#include "base/json/view.h"
#include "datastore/codec/codec.h"

namespace margay::codec {

template <class T>
Result<T> decoded(std::string_view text) {
  json::Document document;
  MARGAY_ASSIGN_OR_RETURN(const json::View view, document.parse(text));
  T out;
  const FieldErrors errors = decode(view, out);
  if (!errors.empty()) return invalid(concat(errors.front().path, ": ", errors.front().message));
  return out;
}

template <class T>
Result<T> decoded(const json::Value& object) {
  return decoded<T>(std::string_view(json::dump(object)));
}

}  // namespace margay::codec
