// Tokens of the selector language, with their places.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace margay::selector {

enum class TokenKind {
  kEnd,
  kLabel,
  kText,
  kEqual,
  kNotEqual,
  kContains,
  kStartsWith,
  kEndsWith,
  kIn,
  kNotIn,
  kHas,
  kAll,
  kGlobal,
  kNot,
  kAnd,
  kOr,
  kOpenParen,
  kCloseParen,
  kOpenBrace,
  kCloseBrace,
  kComma,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t start = 0;    // offset of its first byte
  std::string_view source;  // as written
  std::string_view value;   // of kLabel, kText (without quotes) and kHas (its label)
};

// Reads one token after the other; what a word means depends on the token before it: after a label it is an operator.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  // At the end: kEnd, again and again.
  Result<Token> next();

  // "column 8: found "x", expected …"
  [[nodiscard]] Error error_at(std::size_t offset, std::string_view found, std::string_view expected) const;
  [[nodiscard]] Error error_at(const Token& token, std::string_view expected) const;

 private:
  void skip_blanks();
  [[nodiscard]] char peek(std::size_t ahead = 0) const;
  [[nodiscard]] std::string_view word_at(std::size_t offset) const;
  Token take(TokenKind kind, std::size_t size);
  Result<Token> read_symbol();
  Result<Token> read_pair(char second, TokenKind kind);
  Result<Token> read_text();
  Result<Token> read_operator();
  Result<Token> read_two_word_operator(std::string_view second, TokenKind kind);
  Result<Token> read_word();
  Result<Token> read_call(TokenKind kind, std::string_view name);

  std::string_view text_;
  std::size_t position_ = 0;
  TokenKind last_ = TokenKind::kEnd;
};

}  // namespace margay::selector
