#include <algorithm>
#include <cmath>
#include <optional>

#include "base/core/base64.h"
#include "base/core/text.h"
#include "ctl/render/go_template_ast.h"
#include "ctl/render/go_template_format.h"

namespace margay::render::go_template {
namespace {

using json::Value;
using Found = const Value*;

Value copied(Found value) { return value == nullptr ? Value() : *value; }

std::optional<double> number_of(Found value) {
  if (value == nullptr) return std::nullopt;
  if (const std::int64_t* integer = value->as_integer()) return static_cast<double>(*integer);
  if (const double* real = value->as_double()) return *real;
  return std::nullopt;
}

// Below zero, zero or above: numbers by value, strings by bytes.
Result<int> compared(std::string_view name, Found a, Found b) {
  const auto x = number_of(a);
  const auto y = number_of(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  const std::string* s = a == nullptr ? nullptr : a->as_string();
  const std::string* t = b == nullptr ? nullptr : b->as_string();
  if (s != nullptr && t != nullptr) return s->compare(*t);
  return invalid(concat(name, ": can only compare two numbers or two strings"));
}

bool is_equal(Found a, Found b) { return copied(a) == copied(b); }

Result<Value> logic_and(const Arguments& arguments) {
  const auto first_false = std::find_if(arguments.begin(), arguments.end(), [](Found v) { return !is_true(v); });
  return copied(first_false == arguments.end() ? arguments.back() : *first_false);
}

Result<Value> logic_or(const Arguments& arguments) {
  const auto first_true = std::find_if(arguments.begin(), arguments.end(), is_true);
  return copied(first_true == arguments.end() ? arguments.back() : *first_true);
}

Result<Value> logic_not(const Arguments& arguments) { return Value(!is_true(arguments[0])); }

Result<Value> eq(const Arguments& arguments) {
  const auto same = [&](Found other) { return is_equal(arguments[0], other); };
  return Value(std::any_of(arguments.begin() + 1, arguments.end(), same));
}

Result<Value> ne(const Arguments& arguments) { return Value(!is_equal(arguments[0], arguments[1])); }

Result<Value> lt(const Arguments& arguments) {
  MARGAY_ASSIGN_OR_RETURN(const int order, compared("lt", arguments[0], arguments[1]));
  return Value(order < 0);
}
Result<Value> le(const Arguments& arguments) {
  MARGAY_ASSIGN_OR_RETURN(const int order, compared("le", arguments[0], arguments[1]));
  return Value(order <= 0);
}
Result<Value> gt(const Arguments& arguments) {
  MARGAY_ASSIGN_OR_RETURN(const int order, compared("gt", arguments[0], arguments[1]));
  return Value(order > 0);
}
Result<Value> ge(const Arguments& arguments) {
  MARGAY_ASSIGN_OR_RETURN(const int order, compared("ge", arguments[0], arguments[1]));
  return Value(order >= 0);
}

Result<Found> element(Found of, Found key) {
  if (of == nullptr || of->is_null()) return invalid("index: of nothing");
  if (const json::Array* list = of->as_array()) {
    const std::int64_t* at = key == nullptr ? nullptr : key->as_integer();
    if (at == nullptr) return invalid("index: a list wants a number");
    if (*at < 0 || static_cast<std::size_t>(*at) >= list->size()) {
      return invalid(concat("index: ", *at, " is outside a list of ", list->size()));
    }
    return &(*list)[static_cast<std::size_t>(*at)];
  }
  const std::string* name = key == nullptr ? nullptr : key->as_string();
  if (of->as_object() == nullptr) return invalid(concat("index: ", json::to_string(of->type()), " has no elements"));
  if (name == nullptr) return invalid("index: an object wants a string");
  return of->find(*name);
}

Result<Value> index(const Arguments& arguments) {
  Found value = arguments[0];
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    MARGAY_ASSIGN_OR_RETURN(value, element(value, arguments[i]));
  }
  return copied(value);
}

// As kubectl has it: whether all steps of an index are there.
Result<Value> exists(const Arguments& arguments) {
  Found value = arguments[0];
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto next = element(value, arguments[i]);
    if (!next.ok() || *next == nullptr) return Value(false);
    value = *next;
  }
  return Value(value != nullptr);
}

Result<Value> len(const Arguments& arguments) {
  const Value value = copied(arguments[0]);
  std::size_t size = 0;
  if (const std::string* text = value.as_string()) {
    size = text->size();
  } else if (const json::Array* list = value.as_array()) {
    size = list->size();
  } else if (const json::Object* object = value.as_object()) {
    size = object->size();
  } else {
    return invalid(concat("len of ", json::to_string(value.type()), " is not possible"));
  }
  return Value(static_cast<std::int64_t>(size));
}

// Go's Sprint puts a blank between two operands when neither is a string.
Result<Value> print(const Arguments& arguments) {
  std::string out;
  bool after_string = true;
  for (const Found argument : arguments) {
    const bool is_string = argument != nullptr && argument->as_string() != nullptr;
    if (!after_string && !is_string) out.push_back(' ');
    out.append(printed(argument));
    after_string = is_string;
  }
  return Value(std::move(out));
}

Result<Value> println(const Arguments& arguments) {
  std::vector<std::string> parts;
  for (const Found argument : arguments) parts.push_back(printed(argument));
  return Value(join(parts, " ") + "\n");
}

Result<Value> print_formatted(const Arguments& arguments) {
  const std::string* format = arguments[0] == nullptr ? nullptr : arguments[0]->as_string();
  if (format == nullptr) return invalid("printf: the first argument is the format");
  MARGAY_ASSIGN_OR_RETURN(std::string text, formatted(*format, Arguments(arguments.begin() + 1, arguments.end())));
  return Value(std::move(text));
}

Result<Value> decode_base64(const Arguments& arguments) {
  const std::string* text = arguments[0] == nullptr ? nullptr : arguments[0]->as_string();
  if (text == nullptr) return invalid("base64decode: wants a string");
  auto decoded = margay::base64_decode(*text);
  if (!decoded.ok()) return decoded.error().within("base64decode");
  return Value(*std::move(decoded));
}

struct FunctionSpec {
  std::string_view name;
  Result<Value> (*run)(const Arguments& arguments);
  std::size_t arguments_min;
  std::size_t arguments_max;
};

constexpr std::size_t kAny = 1000;
constexpr FunctionSpec kFunctions[] = {
    {"and", logic_and, 1, kAny},
    {"or", logic_or, 1, kAny},
    {"not", logic_not, 1, 1},
    {"eq", eq, 2, kAny},
    {"ne", ne, 2, 2},
    {"lt", lt, 2, 2},
    {"le", le, 2, 2},
    {"gt", gt, 2, 2},
    {"ge", ge, 2, 2},
    {"index", index, 1, kAny},
    {"len", len, 1, 1},
    {"print", print, 0, kAny},
    {"printf", print_formatted, 1, kAny},
    {"println", println, 0, kAny},
    {"exists", exists, 1, kAny},
    {"base64decode", decode_base64, 1, 1},
};

const FunctionSpec* find_function(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                         [&](const FunctionSpec& function) { return function.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

}  // namespace

bool is_function(std::string_view name) { return find_function(name) != nullptr; }

std::string function_list() {
  std::vector<std::string> names;
  for (const FunctionSpec& function : kFunctions) names.emplace_back(function.name);
  return join(names, ", ");
}

Result<Value> call(std::string_view name, const Arguments& arguments) {
  const FunctionSpec* function = find_function(name);
  MARGAY_CHECK(function != nullptr);
  if (arguments.size() < function->arguments_min) {
    return invalid(concat(name, " wants ", function->arguments_max == function->arguments_min ? "" : "at least ",
                          function->arguments_min, " arguments, found ", arguments.size()));
  }
  if (arguments.size() > function->arguments_max) {
    return invalid(concat(name, " wants ", function->arguments_max, " arguments, found ", arguments.size()));
  }
  return function->run(arguments);
}

bool is_true(Found value) {
  if (value == nullptr || value->is_null()) return false;
  if (const bool* flag = value->as_bool()) return *flag;
  if (const auto number = number_of(value)) return std::fpclassify(*number) != FP_ZERO;
  if (const std::string* text = value->as_string()) return !text->empty();
  if (const json::Array* list = value->as_array()) return !list->empty();
  return !value->as_object()->empty();
}

}  // namespace margay::render::go_template
