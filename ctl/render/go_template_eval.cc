#include <deque>
#include <map>

#include "base/core/text.h"
#include "ctl/render/go_template.h"
#include "ctl/render/go_template_ast.h"

namespace margay::render {
namespace go_template {
namespace {

// Bytes of output and of computed values, and what running a node costs in their stead: loops in loops multiply, and so
// does a variable that is printed into itself.
constexpr std::size_t kWorkMax = std::size_t{128} * 1024 * 1024;
constexpr std::size_t kWorkOfNode = 64;

using json::Value;
using Found = const Value*;  // nullptr: there is no such value

std::size_t work_of(const Value& value) {
  std::size_t work = 1;
  if (const std::string* text = value.as_string()) work += text->size();
  if (const json::Array* list = value.as_array())
    for (const Value& element : *list) work += work_of(element);
  if (const json::Object* object = value.as_object())
    for (const json::Member& member : *object) work += member.name.size() + work_of(member.value);
  return work;
}

class Evaluator {
 public:
  Evaluator(const std::string& text, const Value& root) : text_(text) { scope_.emplace_back("$", &root); }

  Status run(const Block& block, Found dot) {
    for (const Node& node : block.nodes) {
      if (const Text* text = std::get_if<Text>(&node.what)) {
        MARGAY_RETURN_IF_ERROR(print(text->text));
      } else if (const Action* action = std::get_if<Action>(&node.what)) {
        MARGAY_RETURN_IF_ERROR(this->action(*action, dot));
      } else if (const Branch* branch = std::get_if<Branch>(&node.what)) {
        MARGAY_RETURN_IF_ERROR(in_scope([&] { return this->branch(*branch, dot); }));
      }
      MARGAY_RETURN_IF_ERROR(spend(kWorkOfNode));
    }
    return ok_status();
  }

  std::string take_output() { return std::move(out_); }

 private:
  // Variables declared and values computed inside are gone afterwards.
  template <class Body>
  Status in_scope(const Body& body) {
    const std::size_t variables = scope_.size();
    const std::size_t values = computed_.size();
    Status status = body();
    scope_.resize(variables);
    // A value that was assigned to an outer variable has to stay.
    while (!has_assigned_ && computed_.size() > values) computed_.pop_back();
    return status;
  }

  Status spend(std::size_t work) {
    work_ += work;
    if (work_ <= kWorkMax) return ok_status();
    return Error{ErrorCode::kLimitExceeded, "the template does too much: its output, values and rounds are limited"};
  }
  Status print(std::string_view text) {
    MARGAY_RETURN_IF_ERROR(spend(text.size()));
    out_.append(text);
    return ok_status();
  }

  Result<Found> computed(Value value) {
    MARGAY_RETURN_IF_ERROR(spend(work_of(value)));
    return &computed_.emplace_back(std::move(value));
  }

  Status action(const Action& action, Found dot) {
    MARGAY_ASSIGN_OR_RETURN(const Found value, pipeline(action.pipeline, dot));
    if (action.pipeline.variables.empty()) return print(printed(value));
    return set_variable(action.pipeline, action.pipeline.variables.front(), value);
  }

  Status set_variable(const Pipeline& pipeline, const std::string& name, Found value) {
    if (!pipeline.is_assignment) {
      scope_.emplace_back(name, value);
      return ok_status();
    }
    has_assigned_ = true;
    for (auto entry = scope_.rbegin(); entry != scope_.rend(); ++entry) {
      if (entry->first != name) continue;
      entry->second = value;
      return ok_status();
    }
    return error(pipeline, concat("variable ", name, " is not declared; use :="));
  }

  Status branch(const Branch& branch, Found dot) {
    MARGAY_ASSIGN_OR_RETURN(const Found value, pipeline(branch.pipeline, dot));
    if (branch.kind == Branch::Kind::kRange) return range(branch, value, dot);
    for (const std::string& name : branch.pipeline.variables) {
      MARGAY_RETURN_IF_ERROR(set_variable(branch.pipeline, name, value));
    }
    if (!is_true(value)) return run(branch.otherwise, dot);
    return run(branch.then, branch.kind == Branch::Kind::kWith ? value : dot);
  }

  Status range(const Branch& branch, Found value, Found dot) {
    if (!is_true(value) && (value == nullptr || value->is_null() || is_collection(*value)))
      return run(branch.otherwise, dot);
    if (const json::Array* list = value->as_array()) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        const Value index(static_cast<std::int64_t>(i));
        MARGAY_RETURN_IF_ERROR(in_scope([&] { return round(branch, index, (*list)[i]); }));
      }
      return ok_status();
    }
    if (const json::Object* object = value->as_object()) {
      std::map<std::string_view, Found> ordered;
      for (const json::Member& member : *object) ordered[member.name] = &member.value;
      for (const auto& [name, member] : ordered) {
        const Value key(name);
        const Found element = member;
        MARGAY_RETURN_IF_ERROR(in_scope([&] { return round(branch, key, *element); }));
      }
      return ok_status();
    }
    return error(branch.pipeline, concat("range over ", json::to_string(value->type()), " is not possible"));
  }

  Status round(const Branch& branch, const Value& key, const Value& element) {
    MARGAY_RETURN_IF_ERROR(spend(kWorkOfNode));
    const std::vector<std::string>& names = branch.pipeline.variables;
    if (names.size() == 2) {
      MARGAY_ASSIGN_OR_RETURN(const Found held, computed(key));
      MARGAY_RETURN_IF_ERROR(set_variable(branch.pipeline, names.front(), held));
    }
    if (!names.empty()) MARGAY_RETURN_IF_ERROR(set_variable(branch.pipeline, names.back(), &element));
    return run(branch.then, &element);
  }

  static bool is_collection(const Value& value) { return value.as_array() != nullptr || value.as_object() != nullptr; }

  Result<Found> pipeline(const Pipeline& pipeline, Found dot) {
    Found value = nullptr;
    bool is_first = true;
    for (const Command& command : pipeline.commands) {
      auto result = this->command(command, dot, is_first ? nullptr : &value);
      if (!result.ok()) return is_placed(result.error()) ? result.error() : error(pipeline, result.error().message);
      value = *result;
      is_first = false;
    }
    return value;
  }

  // `piped`: the value of the command before, which becomes the last argument.
  Result<Found> command(const Command& command, Found dot, const Found* piped) {
    const Function* function = std::get_if<Function>(&command.front().base);
    if (function == nullptr) return operand(command.front(), dot);
    Arguments arguments;
    for (std::size_t i = 1; i < command.size(); ++i) {
      MARGAY_ASSIGN_OR_RETURN(const Found argument, operand(command[i], dot));
      arguments.push_back(argument);
    }
    if (piped != nullptr) arguments.push_back(*piped);
    MARGAY_ASSIGN_OR_RETURN(Value value, call(function->name, arguments));
    return computed(std::move(value));
  }

  Result<Found> operand(const Operand& operand, Found dot) {
    MARGAY_ASSIGN_OR_RETURN(const Found base, this->base(operand, dot));
    Found value = base;
    for (const std::string& field : operand.fields) {
      if (value == nullptr || value->is_null()) return Found{nullptr};
      if (value->as_object() == nullptr) {
        return invalid(concat(".", field, ": ", json::to_string(value->type()), " has no fields"));
      }
      value = value->find(field);
    }
    return value;
  }

  Result<Found> base(const Operand& operand, Found dot) {
    if (const Literal* literal = std::get_if<Literal>(&operand.base)) return Found{&literal->value};
    if (const Variable* variable = std::get_if<Variable>(&operand.base)) return look_up(variable->name);
    if (const Parenthesis* inner = std::get_if<Parenthesis>(&operand.base)) return pipeline(*inner->pipeline, dot);
    if (const Function* function = std::get_if<Function>(&operand.base)) {
      MARGAY_ASSIGN_OR_RETURN(Value value, call(function->name, {}));
      return computed(std::move(value));
    }
    return dot;
  }

  Result<Found> look_up(const std::string& name) const {
    for (auto entry = scope_.rbegin(); entry != scope_.rend(); ++entry) {
      if (entry->first == name) return entry->second;
    }
    return invalid(concat("variable ", name, " is not declared"));
  }

  static bool is_placed(const Error& error) { return error.message.starts_with("line "); }
  Error error(const Pipeline& pipeline, std::string_view message) const {
    return invalid(concat(place_in(text_, pipeline.offset), ": ", message));
  }

  const std::string& text_;
  std::vector<std::pair<std::string, Found>> scope_;
  std::deque<Value> computed_;  // its elements do not move
  bool has_assigned_ = false;
  std::size_t work_ = 0;
  std::string out_;
};

}  // namespace
}  // namespace go_template

Result<GoTemplate> GoTemplate::parse(std::string_view text) {
  auto root = go_template::parse(text);
  if (!root.ok()) return root.error().within("go-template");
  return GoTemplate(*root);
}

Result<std::string> GoTemplate::execute(const json::Value& data) const {
  go_template::Evaluator evaluator(*root_->text, data);
  const Status status = evaluator.run(*root_, &data);
  if (!status.ok()) return status.error().within("go-template");
  return evaluator.take_output();
}

}  // namespace margay::render
