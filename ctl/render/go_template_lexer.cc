#include "ctl/render/go_template_lexer.h"

#include <algorithm>
#include <optional>

#include "base/core/text.h"
#include "ctl/render/go_template_ast.h"

namespace margay::render::go_template {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trim_right(std::string_view text) { return text.substr(0, text.find_last_not_of(kBlanks) + 1); }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    while (at_ < text_.size()) {
      const std::size_t open = std::min(text_.find("{{", at_), text_.size());
      std::string_view literal = text_.substr(at_, open - at_);
      const bool trims_left =
          text_.substr(open).starts_with("{{-") && open + 3 < text_.size() && is_blank(text_[open + 3]);
      if (trims_left) literal = trim_right(literal);
      if (!literal.empty()) push(Token::Kind::kText, std::string(literal), at_);
      if (open == text_.size()) break;
      at_ = open + (trims_left ? 3 : 2);
      MARGAY_RETURN_IF_ERROR(action(open));
    }
    return std::move(tokens_);
  }

 private:
  Error error(std::string_view message, std::size_t offset) const {
    return invalid(concat(place_in(text_, offset), ": ", message));
  }

  void push(Token::Kind kind, std::string text, std::size_t offset) {
    tokens_.push_back({kind, std::move(text), offset, after_blank_});
    after_blank_ = false;
  }

  // `at_` behind "{{"; ends behind "}}".
  Status action(std::size_t open) {
    if (skip_comment()) return ok_status();
    push(Token::Kind::kOpen, "{{", open);
    while (true) {
      skip_blanks();
      if (at_ >= text_.size()) return error("\"{{\" is not closed", open);
      if (text_.substr(at_).starts_with("-}}") && is_blank(text_[at_ - 1])) return close(3, true);
      if (text_.substr(at_).starts_with("}}")) return close(2, false);
      MARGAY_RETURN_IF_ERROR(token());
    }
  }

  Status close(std::size_t length, bool trims_right) {
    push(Token::Kind::kClose, "}}", at_);
    at_ += length;
    if (trims_right) skip_blanks();
    after_blank_ = false;
    return ok_status();
  }

  // "{{/* … */}}" with optional trim markers; true when it was one.
  bool skip_comment() {
    const std::size_t start = std::min(text_.find_first_not_of(kBlanks, at_), text_.size());
    if (!text_.substr(start).starts_with("/*")) return false;
    const std::size_t end = text_.find("*/", start + 2);
    if (end == std::string_view::npos) return false;
    const std::size_t after = std::min(text_.find_first_not_of(kBlanks, end + 2), text_.size());
    const bool trims = text_.substr(after).starts_with("-}}");
    if (!trims && !text_.substr(after).starts_with("}}")) return false;
    at_ = after + (trims ? 3 : 2);
    if (trims) skip_blanks();
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) {
      ++at_;
      after_blank_ = true;
    }
  }

  Status token() {
    const char c = text_[at_];
    const std::size_t start = at_;
    if (c == '"') return quoted_string();
    if (c == '`') return raw_string();
    if (is_letter(c)) return word(Token::Kind::kWord, 0);
    if (c == '$') return word(Token::Kind::kVariable, 1);
    if (c == '.' && at_ + 1 < text_.size() && is_letter(text_[at_ + 1])) return word(Token::Kind::kField, 1);
    if (is_digit(c) || ((c == '-' || c == '+') && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number();
    if (text_.substr(at_).starts_with(":=")) return symbol(Token::Kind::kDeclare, 2);
    if (c == '.') return symbol(Token::Kind::kDot, 1);
    if (c == '=') return symbol(Token::Kind::kAssign, 1);
    if (c == '|') return symbol(Token::Kind::kPipe, 1);
    if (c == ',') return symbol(Token::Kind::kComma, 1);
    if (c == '(') return symbol(Token::Kind::kLeft, 1);
    if (c == ')') return symbol(Token::Kind::kRight, 1);
    return error(concat("unexpected ", quoted(text_.substr(start, 1))), start);
  }

  Status symbol(Token::Kind kind, std::size_t length) {
    push(kind, std::string(text_.substr(at_, length)), at_);
    at_ += length;
    return ok_status();
  }

  // A name, after `skipped` leading characters ("." is left out of a field's text, "$" is part of a variable's).
  Status word(Token::Kind kind, std::size_t skipped) {
    const std::size_t start = at_;
    at_ += skipped;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    const std::size_t from = kind == Token::Kind::kField ? start + 1 : start;
    push(kind, std::string(text_.substr(from, at_ - from)), start);
    return ok_status();
  }

  Status number() {
    const std::size_t start = at_++;
    while (at_ < text_.size() && (is_digit(text_[at_]) || is_letter(text_[at_]) || text_[at_] == '.')) ++at_;
    push(Token::Kind::kNumber, std::string(text_.substr(start, at_ - start)), start);
    return ok_status();
  }

  Status raw_string() {
    const std::size_t end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos) return error("string is not closed", at_);
    push(Token::Kind::kString, std::string(text_.substr(at_ + 1, end - at_ - 1)), at_);
    at_ = end + 1;
    return ok_status();
  }

  Status quoted_string() {
    const std::size_t start = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      const char c = text_[at_++];
      if (c != '\\') {
        value.push_back(c);
        continue;
      }
      const auto escaped = at_ < text_.size() ? escape(text_[at_++]) : std::nullopt;
      if (!escaped) return error("unknown escape in a string; there are \\n \\t \\r \\\\ \\\" \\'", at_ - 1);
      value.push_back(*escaped);
    }
    if (at_ >= text_.size() || text_[at_] != '"') return error("string is not closed", start);
    ++at_;
    push(Token::Kind::kString, std::move(value), start);
    return ok_status();
  }

  static std::optional<char> escape(char c) {
    switch (c) {
      case 'n': return '\n';
      case 't': return '\t';
      case 'r': return '\r';
      case '\\':
      case '"':
      case '\'': return c;
      default: return std::nullopt;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool after_blank_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::string place_in(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t start = before.rfind('\n');
  const std::size_t column = start == std::string_view::npos ? before.size() + 1 : before.size() - start;
  return concat("line ", line, ", column ", column);
}

Result<std::vector<Token>> tokenize(std::string_view text) { return Lexer(text).run(); }

}  // namespace margay::render::go_template
