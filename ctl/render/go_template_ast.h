// The parsed form of a Go template, and its two halves: parse and execute. Not for use outside this folder.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::render::go_template {

struct Pipeline;

using Fields = std::vector<std::string>;  // ".a.b"

struct Literal {
  json::Value value;
};
// What stands before the fields: the dot, a variable, or a pipeline in parentheses.
struct Dot {};
struct Variable {
  std::string name;  // "$", "$x"
};
struct Parenthesis {
  std::shared_ptr<const Pipeline> pipeline;
};
struct Function {
  std::string name;
};

struct Operand {
  std::variant<Literal, Dot, Variable, Parenthesis, Function> base;
  Fields fields;
};

using Command = std::vector<Operand>;  // a function with its arguments, or one operand

struct Pipeline {
  std::vector<std::string> variables;  // "$x := …", "$i, $x := …" (range)
  bool is_assignment = false;          // "$x = …"
  std::vector<Command> commands;
  std::size_t offset = 0;  // in the template's text
};

struct Node;

struct Block {
  std::vector<Node> nodes;
  std::shared_ptr<const std::string> text;  // of the whole template, for places in errors; root only
};

struct Text {
  std::string text;
};
struct Action {
  Pipeline pipeline;
};
struct Branch {
  enum class Kind { kIf, kRange, kWith };
  Kind kind;
  Pipeline pipeline;
  Block then;
  Block otherwise;
};

struct Node {
  std::variant<Text, Action, Branch> what;
};

// "line 2, column 7".
std::string place_in(std::string_view text, std::size_t offset);

Result<std::shared_ptr<const Block>> parse(std::string_view text);

// Functions ----------------------------------------------------------------------------------------------------------

using Arguments = std::vector<const json::Value*>;  // nullptr: there is no such value

bool is_function(std::string_view name);
std::string function_list();
// `and` and `or` too: their arguments have no effects, so that all may be evaluated.
Result<json::Value> call(std::string_view name, const Arguments& arguments);
// As {{if}} sees it: false, 0, "", empty lists and objects, null and absent are not true.
bool is_true(const json::Value* value);
// As {{.}} prints it.
std::string printed(const json::Value* value);

}  // namespace margay::render::go_template
