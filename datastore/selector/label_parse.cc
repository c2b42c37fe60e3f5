// The string form of Kubernetes label selectors, read as kubectl and kube-apiserver read it: `in` and `notin` are
// operators only where an operator can stand, an empty value is a value (`a=`, `a in (,)`), blanks count nowhere.
#include <cstdint>
#include <utility>

#include "base/core/text.h"
#include "datastore/selector/label_selector.h"

namespace margay::selector {
namespace {

using Operator = LabelRequirement::Operator;

constexpr std::size_t kLabelSelectorBytesMax = 65'536;
constexpr std::string_view kSymbols = "=!(),<>";
constexpr std::string_view kOperatorsExpected = "=, ==, !=, in, notin, <, > or \",\"";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class LabelParser {
 public:
  explicit LabelParser(std::string_view text) : text_(text) { advance(); }

  Result<LabelSelector> parse() {
    std::vector<LabelRequirement> requirements;
    while (!token_.empty()) {
      MARGAY_ASSIGN_OR_RETURN(LabelRequirement next, requirement());
      requirements.push_back(std::move(next));
      if (token_.empty()) break;
      if (token_ != ",") return error("\",\" or the end");
      advance();
      if (token_.empty()) return error("a label after \",\"");
    }
    return LabelSelector(std::move(requirements));
  }

 private:
  // The next token: a symbol, a word, or "" at the end.
  void advance() {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
    start_ = position_;
    if (position_ == text_.size()) {
      token_ = {};
    } else if (kSymbols.find(text_[position_]) != std::string_view::npos) {
      const std::string_view two = text_.substr(position_, 2);
      take(two == "==" || two == "!=" ? 2 : 1);
    } else {
      std::size_t end = position_;
      while (end < text_.size() && !is_space(text_[end]) && kSymbols.find(text_[end]) == std::string_view::npos) ++end;
      take(end - position_);
    }
  }

  void take(std::size_t size) {
    token_ = text_.substr(position_, size);
    position_ += size;
  }

  [[nodiscard]] bool is_word() const {
    return !token_.empty() && kSymbols.find(token_.front()) == std::string_view::npos;
  }

  [[nodiscard]] Error error(std::string_view expected) const {
    const std::string found = token_.empty() ? "the end" : quoted(token_);
    return invalid(concat("column ", start_ + 1, ": found ", found, ", expected ", expected));
  }

  [[nodiscard]] Error problem_at(std::size_t start, std::string_view problem) const {
    return invalid(concat("column ", start + 1, ": ", problem));
  }

  Result<LabelRequirement> requirement() {
    LabelRequirement out;
    if (token_ == "!") {
      out.op = Operator::kDoesNotExist;
      advance();
    }
    MARGAY_ASSIGN_OR_RETURN(out.key, key());
    if (out.op == Operator::kDoesNotExist || token_.empty() || token_ == ",") return out;
    const std::string_view op = token_;
    if (op == "=" || op == "==" || op == "!=") {
      advance();
      out.op = op == "!=" ? Operator::kNotIn : Operator::kIn;
      MARGAY_ASSIGN_OR_RETURN(out.values, single_value());
    } else if (op == "<" || op == ">") {
      advance();
      out.op = op == "<" ? Operator::kLessThan : Operator::kGreaterThan;
      MARGAY_ASSIGN_OR_RETURN(out.values, integer());
    } else if (op == "in" || op == "notin") {
      advance();
      out.op = op == "in" ? Operator::kIn : Operator::kNotIn;
      MARGAY_ASSIGN_OR_RETURN(out.values, set());
    } else {
      return error(kOperatorsExpected);
    }
    return out;
  }

  Result<std::string> key() {
    if (!is_word()) return error("a label");
    if (const std::string problem = label_key_problem(token_); !problem.empty()) return problem_at(start_, problem);
    std::string name(token_);
    advance();
    return name;
  }

  // A word, or nothing before "," or the end.
  Result<std::vector<std::string>> single_value() {
    if (token_.empty() || token_ == ",") return std::vector<std::string>{""};
    MARGAY_ASSIGN_OR_RETURN(std::string value, word_value());
    return std::vector<std::string>{std::move(value)};
  }

  Result<std::vector<std::string>> integer() {
    if (!is_word() || !parse_number<std::int64_t>(token_)) return error("an integer");
    MARGAY_ASSIGN_OR_RETURN(std::string value, word_value());
    return std::vector<std::string>{std::move(value)};
  }

  Result<std::string> word_value() {
    if (!is_word()) return error("a value");
    if (const std::string problem = label_value_problem(token_); !problem.empty()) return problem_at(start_, problem);
    std::string value(token_);
    advance();
    return value;
  }

  // "(a,b)"; a place between commas may be empty, the whole may not.
  Result<std::vector<std::string>> set() {
    if (token_ != "(") return error("\"(\"");
    advance();
    if (token_ == ")") return error("at least one value");
    std::vector<std::string> values;
    while (true) {
      if (token_ == "," || token_ == ")") {
        values.emplace_back();
      } else {
        MARGAY_ASSIGN_OR_RETURN(std::string value, word_value());
        values.push_back(std::move(value));
      }
      if (token_ == ")") break;
      if (token_ != ",") return error("\",\" or \")\"");
      advance();
    }
    advance();
    return values;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t start_ = 0;
  std::string_view token_;
};

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  if (text.size() > kLabelSelectorBytesMax) {
    return Error{ErrorCode::kLimitExceeded,
                 concat("the selector has ", text.size(), " bytes, at most ", kLabelSelectorBytesMax, " are allowed")};
  }
  return LabelParser(text).parse();
}

}  // namespace margay::selector
