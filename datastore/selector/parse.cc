#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "datastore/selector/selector.h"
#include "datastore/selector/token.h"

namespace margay::selector {
namespace {

constexpr std::pair<TokenKind, Node::Kind> kTextOperators[] = {
    {TokenKind::kEqual, Node::Kind::kEqual},       {TokenKind::kNotEqual, Node::Kind::kNotEqual},
    {TokenKind::kContains, Node::Kind::kContains}, {TokenKind::kStartsWith, Node::Kind::kStartsWith},
    {TokenKind::kEndsWith, Node::Kind::kEndsWith},
};

// Recursive descent with one token of look-ahead. Only parentheses recurse, so their depth bounds the stack.
class Parser {
 public:
  Parser(std::string_view text, const ParseLimits& limits) : tokens_(text), limits_(limits) {}

  Result<Node> parse() {
    MARGAY_RETURN_IF_ERROR(advance());
    if (token_.kind == TokenKind::kEnd) return Node{};
    MARGAY_ASSIGN_OR_RETURN(Node root, expression());
    if (token_.kind != TokenKind::kEnd) return tokens_.error_at(token_, "&&, || or the end");
    return root;
  }

 private:
  Status advance() {
    MARGAY_ASSIGN_OR_RETURN(token_, tokens_.next());
    return ok_status();
  }

  Result<Node> expression() { return operands(TokenKind::kOr, Node::Kind::kOr, &Parser::conjunction); }
  Result<Node> conjunction() { return operands(TokenKind::kAnd, Node::Kind::kAnd, &Parser::factor); }

  Result<Node> operands(TokenKind separator, Node::Kind kind, Result<Node> (Parser::*operand)()) {
    MARGAY_ASSIGN_OR_RETURN(Node first, (this->*operand)());
    if (token_.kind != separator) return first;
    Node all{kind, {}, {}, {}};
    all.operands.push_back(std::move(first));
    while (token_.kind == separator) {
      MARGAY_RETURN_IF_ERROR(advance());
      MARGAY_ASSIGN_OR_RETURN(Node next, (this->*operand)());
      all.operands.push_back(std::move(next));
    }
    return all;
  }

  Result<Node> factor() {
    bool is_negated = false;
    while (token_.kind == TokenKind::kNot) {
      is_negated = !is_negated;
      MARGAY_RETURN_IF_ERROR(advance());
    }
    MARGAY_ASSIGN_OR_RETURN(Node node, operation());
    if (!is_negated) return node;
    if (node.kind == Node::Kind::kNot) {  // !(!x), as !!x, is x
      Node inner = std::move(node.operands.front());
      return inner;
    }
    Node negation{Node::Kind::kNot, {}, {}, {}};
    negation.operands.push_back(std::move(node));
    return negation;
  }

  Result<Node> operation() {
    if (token_.kind == TokenKind::kOpenParen) return parenthesis();
    if (token_.kind == TokenKind::kLabel) return comparison();
    Node node;
    if (token_.kind == TokenKind::kHas) {
      node = {Node::Kind::kHas, std::string(token_.value), {}, {}};
    } else if (token_.kind == TokenKind::kGlobal) {
      node.kind = Node::Kind::kGlobal;
    } else if (token_.kind != TokenKind::kAll) {
      return tokens_.error_at(token_, "a label, has(), all(), \"!\" or \"(\"");
    }
    MARGAY_RETURN_IF_ERROR(advance());
    return node;
  }

  Result<Node> parenthesis() {
    const std::size_t start = token_.start;
    if (++depth_ > limits_.depth_max) {
      return Error{ErrorCode::kLimitExceeded,
                   concat("column ", start + 1, ": parentheses are nested deeper than ", limits_.depth_max)};
    }
    MARGAY_RETURN_IF_ERROR(advance());
    MARGAY_ASSIGN_OR_RETURN(Node inner, expression());
    if (token_.kind != TokenKind::kCloseParen) {
      return tokens_.error_at(token_, concat("&&, || or a \")\" for the \"(\" at column ", start + 1));
    }
    --depth_;
    MARGAY_RETURN_IF_ERROR(advance());
    return inner;
  }

  Result<Node> comparison() {
    const std::string label(token_.value);
    MARGAY_RETURN_IF_ERROR(advance());
    for (const auto& [token, node] : kTextOperators) {
      if (token_.kind == token) return with_text(node, label);
    }
    if (token_.kind == TokenKind::kIn) return with_set(Node::Kind::kIn, label);
    if (token_.kind == TokenKind::kNotIn) return with_set(Node::Kind::kNotIn, label);
    return tokens_.error_at(
        token_, concat("==, !=, in, not in, contains, starts with or ends with after label ", quoted(label)));
  }

  Result<Node> with_text(Node::Kind kind, const std::string& label) {
    MARGAY_RETURN_IF_ERROR(advance());
    if (token_.kind != TokenKind::kText) return tokens_.error_at(token_, "a text in quotes");
    Node node{kind, label, {std::string(token_.value)}, {}};
    MARGAY_RETURN_IF_ERROR(advance());
    return node;
  }

  Result<Node> with_set(Node::Kind kind, const std::string& label) {
    MARGAY_RETURN_IF_ERROR(advance());
    if (token_.kind != TokenKind::kOpenBrace) return tokens_.error_at(token_, "a set, as in {'a', 'b'}");
    MARGAY_RETURN_IF_ERROR(advance());
    Node node{kind, label, {}, {}};
    while (token_.kind == TokenKind::kText) {
      node.values.emplace_back(token_.value);
      MARGAY_RETURN_IF_ERROR(advance());
      if (token_.kind != TokenKind::kComma) break;
      MARGAY_RETURN_IF_ERROR(advance());
    }
    if (token_.kind != TokenKind::kCloseBrace) return tokens_.error_at(token_, "a text in quotes, \",\" or \"}\"");
    MARGAY_RETURN_IF_ERROR(advance());
    std::sort(node.values.begin(), node.values.end());
    node.values.erase(std::unique(node.values.begin(), node.values.end()), node.values.end());
    return node;
  }

  Tokenizer tokens_;
  ParseLimits limits_;
  Token token_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<Selector> Selector::parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Error{ErrorCode::kLimitExceeded,
                 concat("the selector has ", text.size(), " bytes, at most ", limits.bytes_max, " are allowed")};
  }
  MARGAY_ASSIGN_OR_RETURN(Node root, Parser(text, limits).parse());
  return Selector(std::move(root));
}

}  // namespace margay::selector
