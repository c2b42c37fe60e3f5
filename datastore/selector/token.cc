#include "datastore/selector/token.h"

#include <algorithm>

#include "base/core/text.h"
#include "datastore/selector/selector.h"

namespace margay::selector {
namespace {

constexpr std::size_t kLabelBytesMax = 512;
constexpr std::size_t kShownBytesMax = 40;
constexpr std::string_view kOperators = "==, !=, in, not in, contains, starts with or ends with";

bool is_label_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '/' || c == '-';
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string shown(std::string_view text) {
  if (text.empty()) return "the end";
  if (text.size() <= kShownBytesMax) return quoted(text);
  return quoted(concat(text.substr(0, kShownBytesMax), "..."));
}

}  // namespace

bool is_label_name(std::string_view text) {
  return !text.empty() && text.size() <= kLabelBytesMax && std::all_of(text.begin(), text.end(), is_label_byte);
}

Error Tokenizer::error_at(std::size_t offset, std::string_view found, std::string_view expected) const {
  return invalid(concat("column ", offset + 1, ": found ", shown(found), ", expected ", expected));
}

Error Tokenizer::error_at(const Token& token, std::string_view expected) const {
  return error_at(token.start, token.source, expected);
}

char Tokenizer::peek(std::size_t ahead) const {
  return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
}

void Tokenizer::skip_blanks() {
  while (position_ < text_.size() && is_blank(text_[position_])) ++position_;
}

std::string_view Tokenizer::word_at(std::size_t offset) const {
  std::size_t end = offset;
  while (end < text_.size() && is_label_byte(text_[end])) ++end;
  return text_.substr(offset, end - offset);
}

Token Tokenizer::take(TokenKind kind, std::size_t size) {
  const Token token{kind, position_, text_.substr(position_, size), text_.substr(position_, size)};
  position_ += size;
  last_ = kind;
  return token;
}

Result<Token> Tokenizer::next() {
  skip_blanks();
  if (position_ == text_.size()) return take(TokenKind::kEnd, 0);
  if (!is_label_byte(peek())) return read_symbol();
  return last_ == TokenKind::kLabel ? read_operator() : read_word();
}

Result<Token> Tokenizer::read_symbol() {
  switch (peek()) {
    case '(': return take(TokenKind::kOpenParen, 1);
    case ')': return take(TokenKind::kCloseParen, 1);
    case '{': return take(TokenKind::kOpenBrace, 1);
    case '}': return take(TokenKind::kCloseBrace, 1);
    case ',': return take(TokenKind::kComma, 1);
    case '=': return read_pair('=', TokenKind::kEqual);
    case '&': return read_pair('&', TokenKind::kAnd);
    case '|': return read_pair('|', TokenKind::kOr);
    case '!':
      if (peek(1) == '=') return take(TokenKind::kNotEqual, 2);
      return take(TokenKind::kNot, 1);
    case '"':
    case '\'': return read_text();
    default: break;
  }
  if (last_ == TokenKind::kLabel) return error_at(position_, text_.substr(position_, 1), kOperators);
  return error_at(position_, text_.substr(position_, 1), "a label, has(), all(), \"!\" or \"(\"");
}

Result<Token> Tokenizer::read_pair(char second, TokenKind kind) {
  if (peek(1) == second) return take(kind, 2);
  return error_at(position_, text_.substr(position_, 1), concat("\"", second, second, "\""));
}

Result<Token> Tokenizer::read_text() {
  const char quote = peek();
  const std::size_t end = text_.find(quote, position_ + 1);
  if (end == std::string_view::npos) {
    return error_at(position_, text_.substr(position_), concat("a closing ", quote, " after it"));
  }
  Token token = take(TokenKind::kText, end + 1 - position_);
  token.value = token.source.substr(1, token.source.size() - 2);
  return token;
}

// A word after a label. `a notin"b"` is as good as `a not in "b"`, but `a inside` is no operator.
Result<Token> Tokenizer::read_operator() {
  const std::string_view word = word_at(position_);
  if (word == "in") return take(TokenKind::kIn, word.size());
  if (word == "notin") return take(TokenKind::kNotIn, word.size());
  if (word == "contains") return take(TokenKind::kContains, word.size());
  if (word == "startswith") return take(TokenKind::kStartsWith, word.size());
  if (word == "endswith") return take(TokenKind::kEndsWith, word.size());
  if (word == "not") return read_two_word_operator("in", TokenKind::kNotIn);
  if (word == "starts") return read_two_word_operator("with", TokenKind::kStartsWith);
  if (word == "ends") return read_two_word_operator("with", TokenKind::kEndsWith);
  return error_at(position_, word, kOperators);
}

Result<Token> Tokenizer::read_two_word_operator(std::string_view second, TokenKind kind) {
  const std::string_view first = word_at(position_);
  std::size_t start = position_ + first.size();
  while (start < text_.size() && is_blank(text_[start])) ++start;
  const std::string_view found = word_at(start);
  if (found != second) return error_at(start, found, concat("\"", second, "\" after \"", first, "\""));
  return take(kind, start + second.size() - position_);
}

Result<Token> Tokenizer::read_word() {
  const std::string_view word = word_at(position_);
  const bool is_call = peek(word.size()) == '(';
  if (is_call && word == "has") return read_call(TokenKind::kHas, word);
  if (is_call && word == "all") return read_call(TokenKind::kAll, word);
  if (is_call && word == "global") return read_call(TokenKind::kGlobal, word);
  if (word.size() > kLabelBytesMax) {
    return error_at(position_, word, concat("a label of at most ", kLabelBytesMax, " characters"));
  }
  return take(TokenKind::kLabel, word.size());
}

Result<Token> Tokenizer::read_call(TokenKind kind, std::string_view name) {
  const std::size_t start = position_;
  position_ += name.size() + 1;
  skip_blanks();
  const std::string_view argument = kind == TokenKind::kHas ? word_at(position_) : std::string_view{};
  if (kind == TokenKind::kHas && !is_label_name(argument)) {
    return error_at(position_, text_.substr(position_, std::max<std::size_t>(argument.size(), 1)),
                    "the name of a label in has(...)");
  }
  position_ += argument.size();
  skip_blanks();
  if (peek() != ')') return error_at(position_, text_.substr(position_, 1), concat("\")\" after ", name, "("));
  const std::size_t size = position_ + 1 - start;
  position_ = start;
  Token token = take(kind, size);
  token.value = argument;
  return token;
}

}  // namespace margay::selector
