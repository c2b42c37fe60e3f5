// Cuts a Go template into text and the tokens of its actions. Not for use outside this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace margay::render::go_template {

struct Token {
  enum class Kind {
    kText,      // between actions, already trimmed
    kOpen,      // {{
    kClose,     // }}
    kField,     // .name
    kDot,       // .
    kVariable,  // $x
    kWord,      // range, eq, true
    kString,    // its value
    kNumber,
    kDeclare,  // :=
    kAssign,   // =
    kPipe,     // |
    kComma,
    kLeft,   // (
    kRight,  // )
  };
  Kind kind = Kind::kText;
  std::string text;
  std::size_t offset = 0;
  bool after_blank = false;  // something separates it from the token before: ". a" is not ".a"
};

Result<std::vector<Token>> tokenize(std::string_view text);

}  // namespace margay::render::go_template
