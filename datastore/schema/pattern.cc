#include "datastore/schema/pattern.h"

#include "base/core/text.h"
#include "re2/re2.h"

namespace margay::schema {

class Pattern {
 public:
  explicit Pattern(std::string_view text) : regex_(re2::StringPiece(text.data(), text.size()), options()) {}
  [[nodiscard]] const re2::RE2& regex() const { return regex_; }

 private:
  static re2::RE2::Options options() {
    re2::RE2::Options options;
    options.set_log_errors(false);
    return options;
  }

  re2::RE2 regex_;
};

Result<std::shared_ptr<const Pattern>> compile_pattern(std::string_view text) {
  auto pattern = std::make_shared<const Pattern>(text);
  if (!pattern->regex().ok()) return invalid(concat("bad pattern ", quoted(text), ": ", pattern->regex().error()));
  return std::shared_ptr<const Pattern>(std::move(pattern));
}

bool matches(const Pattern& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern.regex());
}

std::string_view text_of(const Pattern& pattern) { return pattern.regex().pattern(); }

}  // namespace margay::schema
