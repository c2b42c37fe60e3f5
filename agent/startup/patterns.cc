#include "agent/startup/patterns.h"

#include <utility>

#include "base/core/text.h"
#include "re2/re2.h"

namespace margay::startup {
namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Patterns::Patterns() = default;
Patterns::~Patterns() = default;

Result<std::shared_ptr<const Patterns>> Patterns::parse(std::string_view list) {
  std::shared_ptr<Patterns> patterns(new Patterns);
  for (const std::string_view part : split(list, ',')) {
    const std::string_view text = trim(part);
    if (text.empty()) continue;
    auto expression = std::make_unique<re2::RE2>(piece(text), re2::RE2::Quiet);
    if (!expression->ok()) {
      return invalid(concat(quoted(text), " is no regular expression: ", expression->error()));
    }
    patterns->expressions_.push_back(std::move(expression));
  }
  if (patterns->expressions_.empty()) return invalid("there is no expression");
  return std::shared_ptr<const Patterns>(std::move(patterns));
}

std::shared_ptr<const Patterns> Patterns::of(const std::vector<std::string_view>& expressions) {
  std::shared_ptr<Patterns> patterns(new Patterns);
  for (const std::string_view text : expressions) {
    patterns->expressions_.push_back(std::make_unique<re2::RE2>(piece(text)));
    MARGAY_CHECK(patterns->expressions_.back()->ok());
  }
  return patterns;
}

bool Patterns::matches(std::string_view name) const {
  for (const auto& expression : expressions_) {
    if (re2::RE2::PartialMatch(piece(name), *expression)) return true;
  }
  return false;
}

}  // namespace margay::startup
