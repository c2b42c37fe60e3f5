#include <array>

#include "base/core/text.h"
#include "ctl/render/go_template_ast.h"
#include "ctl/render/go_template_lexer.h"

namespace margay::render::go_template {
namespace {

using Kind = Token::Kind;

constexpr int kDepthMax = 50;  // nested blocks and parentheses; links of an else-if chain

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

  Result<Block> run() {
    MARGAY_ASSIGN_OR_RETURN(Block block, this->block());
    if (next_ < tokens_.size()) return error(concat("unexpected {{", peek().text, "}}"));
    return block;
  }

 private:
  const Token& peek(std::size_t ahead = 0) const {
    static const Token kEnd{Kind::kClose, "the end of the template", 0, false};
    return next_ + ahead < tokens_.size() ? tokens_[next_ + ahead] : kEnd;
  }
  bool is_word(std::string_view word, std::size_t ahead = 0) const {
    return peek(ahead).kind == Kind::kWord && peek(ahead).text == word;
  }
  bool at_end() const { return next_ >= tokens_.size(); }
  Error error(std::string_view message) const {
    const std::size_t offset = at_end() ? text_.size() : peek().offset;
    return invalid(concat(place_in(text_, offset), ": ", message));
  }
  Status expect(Kind kind, std::string_view what) {
    if (at_end() || peek().kind != kind) return error(concat("expected ", what, ", found ", quoted(peek().text)));
    ++next_;
    return ok_status();
  }

  // Up to the {{end}} or {{else}} that belongs to whoever called, or the end; does not take it.
  Result<Block> block() {
    if (++depth_ > kDepthMax) return error("nested too deeply");
    Block block;
    while (!at_end() && !(peek().kind == Kind::kOpen && (is_word("end", 1) || is_word("else", 1)))) {
      MARGAY_ASSIGN_OR_RETURN(Node node, this->node());
      block.nodes.push_back(std::move(node));
    }
    if (depth_ > 1 && at_end()) return error("{{end}} is missing");
    --depth_;
    if (depth_ == 0 && !at_end()) ++next_;  // a stray {{end}}: run() says so
    return block;
  }

  Result<Node> node() {
    if (peek().kind == Kind::kText) return Node{Text{tokens_[next_++].text}};
    MARGAY_RETURN_IF_ERROR(expect(Kind::kOpen, "{{"));
    for (const char* word : {"define", "template", "block", "break", "continue"}) {
      if (is_word(word)) return error(concat("{{", word, "}} is not supported; see netctl help output"));
    }
    if (is_word("if")) return branch(Branch::Kind::kIf);
    if (is_word("range")) return branch(Branch::Kind::kRange);
    if (is_word("with")) return branch(Branch::Kind::kWith);
    MARGAY_ASSIGN_OR_RETURN(Pipeline pipeline, this->pipeline(Kind::kClose));
    return Node{Action{std::move(pipeline)}};
  }

  // At the word "if", "range" or "with"; takes the {{end}} too.
  Result<Node> branch(Branch::Kind kind) {
    ++next_;
    Branch branch{kind, {}, {}, {}};
    MARGAY_ASSIGN_OR_RETURN(branch.pipeline, pipeline(Kind::kClose));
    if (branch.pipeline.variables.size() > 1 && kind != Branch::Kind::kRange)
      return error("two variables are for range");
    MARGAY_ASSIGN_OR_RETURN(branch.then, block());
    MARGAY_RETURN_IF_ERROR(expect(Kind::kOpen, "{{end}}"));
    if (is_word("else")) {
      ++next_;
      if (is_word("if") || is_word("with")) {
        const auto inner = is_word("if") ? Branch::Kind::kIf : Branch::Kind::kWith;
        if (++depth_ > kDepthMax) return error("nested too deeply");
        MARGAY_ASSIGN_OR_RETURN(Node chained, this->branch(inner));  // its {{end}} is ours too
        --depth_;
        branch.otherwise.nodes.push_back(std::move(chained));
        return Node{std::move(branch)};
      }
      MARGAY_RETURN_IF_ERROR(expect(Kind::kClose, "}}"));
      MARGAY_ASSIGN_OR_RETURN(branch.otherwise, block());
      MARGAY_RETURN_IF_ERROR(expect(Kind::kOpen, "{{end}}"));
    }
    if (!is_word("end")) return error(concat("expected {{end}}, found {{", peek().text, "}}"));
    ++next_;
    MARGAY_RETURN_IF_ERROR(expect(Kind::kClose, "}}"));
    return Node{std::move(branch)};
  }

  // Takes the token that ends it, too.
  Result<Pipeline> pipeline(Kind end) {
    Pipeline pipeline;
    pipeline.offset = peek().offset;
    MARGAY_RETURN_IF_ERROR(variables(pipeline));
    while (true) {
      MARGAY_ASSIGN_OR_RETURN(Command command, this->command());
      const bool is_piped_value = !pipeline.commands.empty() && !std::holds_alternative<Function>(command.front().base);
      if (is_piped_value) return error("a value cannot be piped into something that is not a function");
      pipeline.commands.push_back(std::move(command));
      if (peek().kind != Kind::kPipe || at_end()) break;
      ++next_;
    }
    MARGAY_RETURN_IF_ERROR(expect(end, end == Kind::kClose ? "}}" : ")"));
    return pipeline;
  }

  Status variables(Pipeline& pipeline) {
    if (peek().kind != Kind::kVariable) return ok_status();
    const bool is_pair = peek(1).kind == Kind::kComma && peek(2).kind == Kind::kVariable;
    const Kind sign = peek(is_pair ? 3 : 1).kind;
    if (sign != Kind::kDeclare && sign != Kind::kAssign) return ok_status();
    pipeline.variables.push_back(peek().text);
    if (is_pair) pipeline.variables.push_back(peek(2).text);
    pipeline.is_assignment = sign == Kind::kAssign;
    next_ += is_pair ? 4 : 2;
    return ok_status();
  }

  Result<Command> command() {
    Command command;
    while (!at_end()) {
      const Kind kind = peek().kind;
      if (kind == Kind::kPipe || kind == Kind::kClose || kind == Kind::kRight) break;
      MARGAY_ASSIGN_OR_RETURN(Operand operand, this->operand());
      command.push_back(std::move(operand));
    }
    if (command.empty()) return error("a value is missing");
    if (command.size() > 1 && !std::holds_alternative<Function>(command.front().base)) {
      return error("only a function takes arguments");
    }
    return command;
  }

  Result<Operand> operand() {
    MARGAY_ASSIGN_OR_RETURN(Operand operand, base());
    while (!at_end() && peek().kind == Kind::kField && !peek().after_blank)
      operand.fields.push_back(tokens_[next_++].text);
    return operand;
  }

  Result<Operand> base() {
    const Token token = peek();
    if (token.kind == Kind::kField) return Operand{Dot{}, {tokens_[next_++].text}};
    if (token.kind == Kind::kLeft) {
      if (++depth_ > kDepthMax) return error("nested too deeply");
      ++next_;
      MARGAY_ASSIGN_OR_RETURN(Pipeline inner, pipeline(Kind::kRight));
      --depth_;
      return Operand{Parenthesis{std::make_shared<const Pipeline>(std::move(inner))}, {}};
    }
    if (token.kind == Kind::kDot) return taken(Operand{Dot{}, {}});
    if (token.kind == Kind::kVariable) return taken(Operand{Variable{token.text}, {}});
    if (token.kind == Kind::kString) return taken(Operand{Literal{json::Value(token.text)}, {}});
    if (token.kind == Kind::kNumber) return number(token.text);
    if (token.kind == Kind::kWord) return word(token.text);
    return error(concat("unexpected ", quoted(token.text)));
  }

  Operand taken(Operand operand) {
    ++next_;
    return operand;
  }

  Result<Operand> number(const std::string& text) {
    // JSON's grammar for numbers is near enough; a leading "+" is the only other form people write.
    const auto value = json::parse(text.starts_with('+') ? text.substr(1) : text);
    if (!value.ok()) return error(concat(quoted(text), " is not a number"));
    return taken(Operand{Literal{*value}, {}});
  }

  Result<Operand> word(const std::string& text) {
    if (text == "true" || text == "false") return taken(Operand{Literal{json::Value(text == "true")}, {}});
    if (text == "nil") return taken(Operand{Literal{json::Value()}, {}});
    if (!is_function(text)) {
      return error(concat("function ", quoted(text), " is not supported; there are ", function_list()));
    }
    return taken(Operand{Function{text}, {}});
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<std::shared_ptr<const Block>> parse(std::string_view text) {
  MARGAY_ASSIGN_OR_RETURN(std::vector<Token> tokens, tokenize(text));
  MARGAY_ASSIGN_OR_RETURN(Block block, Parser(text, std::move(tokens)).run());
  block.text = std::make_shared<const std::string>(text);
  return std::make_shared<const Block>(std::move(block));
}

}  // namespace margay::render::go_template
