// Values as text, as Go's fmt has them. Not for use outside this folder.
#pragma once

#include <string>
#include <string_view>

#include "base/core/result.h"
#include "ctl/render/go_template_ast.h"

namespace margay::render::go_template {

// printf: %s %v %d %q %t %x %%, with "-", "0" and a width before the verb, and ".N" to cut a string. Too few or too
// many arguments are errors, where Go would print %!s(MISSING).
Result<std::string> formatted(std::string_view format, const Arguments& arguments);

}  // namespace margay::render::go_template
