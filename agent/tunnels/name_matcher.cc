#include <memory>

#include "agent/tunnels/mtu.h"
#include "base/core/text.h"
#include "re2/re2.h"

namespace margay::agent {

Result<std::function<bool(std::string_view)>> name_matcher(std::string_view expression) {
  auto compiled =
      std::make_shared<const re2::RE2>(re2::StringPiece(expression.data(), expression.size()), re2::RE2::Quiet);
  if (!compiled->ok()) return invalid(concat(quoted(expression), " is no regular expression: ", compiled->error()));
  return std::function<bool(std::string_view)>([compiled](std::string_view name) {
    return re2::RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), *compiled);
  });
}

}  // namespace margay::agent
