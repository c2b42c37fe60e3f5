#include "agent/dataplane/interface_filter.h"

#include <re2/re2.h>

#include <algorithm>
#include <string>

#include "base/core/text.h"

namespace margay::agent {
namespace {

re2::StringPiece piece_of(std::string_view text) { return {text.data(), text.size()}; }

std::string pattern_of(std::string_view word) {
  const bool is_pattern = word.size() > 2 && word.starts_with('/') && word.ends_with('/');
  return is_pattern ? std::string(word.substr(1, word.size() - 2))
                    : concat("^", re2::RE2::QuoteMeta(piece_of(word)), "$");
}

}  // namespace

InterfaceFilter::InterfaceFilter() = default;
InterfaceFilter::InterfaceFilter(InterfaceFilter&&) noexcept = default;
InterfaceFilter& InterfaceFilter::operator=(InterfaceFilter&&) noexcept = default;
InterfaceFilter::~InterfaceFilter() = default;

InterfaceFilter::InterfaceFilter(std::string_view list, FieldErrors& problems) {
  for (const std::string_view part : split(list, ',')) {
    const std::string_view word = trim(part);
    if (word.empty()) continue;
    auto pattern = std::make_unique<re2::RE2>(pattern_of(word), re2::RE2::Quiet);
    if (pattern->ok()) {
      patterns_.push_back(std::move(pattern));
    } else {
      problems.push_back({FieldError::Kind::kInvalid, "spec.interfaceExclude",
                          concat(quoted(word), " is not a regular expression: ", pattern->error())});
    }
  }
}

bool InterfaceFilter::matches(std::string_view name) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [name](const auto& pattern) { return re2::RE2::PartialMatch(piece_of(name), *pattern); });
}

}  // namespace margay::agent
