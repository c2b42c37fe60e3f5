// Input: a JSON value to be read, and where it stands. For this folder's own .cc files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/field_error.h"
#include "base/core/text_pool.h"
#include "base/json/view.h"

namespace margay::codec {

// One step of a path, on the stack of whoever reads it; written out only for an error.
struct Place {
  enum class Step { kMember, kElement, kKey };
  const Place* parent = nullptr;
  Step step = Step::kMember;
  std::string_view name;  // of kMember and kKey
  std::size_t index = 0;  // of kElement

  // "spec.ingress[0].metadata.annotations[a/b]"
  [[nodiscard]] std::string path() const;
};

// How a prefix may be written.
enum class PrefixForm : std::uint8_t {
  kAnyOrAddress,    // 10.0.0.7/8 is 10.0.0.0/8, 10.0.0.7 is 10.0.0.7/32
  kAny,             // 10.0.0.7/8 is 10.0.0.0/8
  kExactOrAddress,  // no bits after the length; or an address
  kExact,           // no bits after the length
};

struct Input {
  json::View view;
  const Place* place = nullptr;  // nullptr: the object itself
  FieldErrors* errors = nullptr;
  PrefixForm prefix_form = PrefixForm::kAnyOrAddress;
  TextPool* pool = nullptr;  // where shared texts come from, if anywhere

  void error(FieldError::Kind kind, std::string message) const;
  // kTypeInvalid: "found "abc" (string), expected an integer"
  void wrong_type(std::string_view expected) const;
};

}  // namespace margay::codec
