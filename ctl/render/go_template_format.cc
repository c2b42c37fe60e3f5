#include "ctl/render/go_template_format.h"

#include <map>
#include <optional>

#include "base/core/text.h"

namespace margay::render::go_template {
namespace {

using json::Value;

constexpr std::size_t kWidthMax = 1000;

std::string printed_list(const json::Array& list) {
  std::vector<std::string> parts;
  for (const Value& element : list) parts.push_back(printed(&element));
  return concat('[', join(parts, " "), ']');
}

std::string printed_object(const json::Object& object) {
  std::map<std::string_view, std::string> ordered;
  for (const json::Member& member : object) ordered[member.name] = printed(&member.value);
  std::vector<std::string> parts;
  for (const auto& [name, text] : ordered) parts.push_back(concat(name, ':', text));
  return concat("map[", join(parts, " "), ']');
}

// One "%-10.3s" behind its "%".
struct Directive {
  bool is_left = false;
  bool has_zeros = false;
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  char verb = 0;
};

std::optional<std::size_t> take_number(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_number<std::size_t>(text.substr(0, digits));
  text.remove_prefix(digits);
  return number && *number <= kWidthMax ? number : std::nullopt;
}

std::optional<Directive> take_directive(std::string_view& text) {
  Directive directive;
  while (!text.empty() && (text[0] == '-' || text[0] == '0')) {
    (text[0] == '-' ? directive.is_left : directive.has_zeros) = true;
    text.remove_prefix(1);
  }
  if (!text.empty() && text[0] >= '1' && text[0] <= '9') {
    const auto width = take_number(text);
    if (!width) return std::nullopt;
    directive.width = *width;
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    directive.precision = take_number(text).value_or(0);
  }
  if (text.empty()) return std::nullopt;
  directive.verb = text[0];
  text.remove_prefix(1);
  return directive;
}

std::string hexadecimal(std::uint64_t number) {
  char buffer[17];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, 16).ptr;
  return {buffer, end};
}

Result<std::string> verb_text(const Directive& directive, const Value* argument) {
  const Value value = argument == nullptr ? Value() : *argument;
  switch (directive.verb) {
    case 's':
    case 'v': return printed(argument);
    case 'q': return value.as_string() == nullptr ? printed(argument) : quoted(*value.as_string());
    case 't':
      if (value.as_bool() == nullptr) return invalid("printf: %t wants true or false");
      return printed(argument);
    case 'd':
      if (value.as_integer() == nullptr) return invalid("printf: %d wants an integer");
      return printed(argument);
    case 'x':
      if (value.as_integer() == nullptr || *value.as_integer() < 0)
        return invalid("printf: %x wants a positive integer");
      return hexadecimal(static_cast<std::uint64_t>(*value.as_integer()));
    default: return invalid(concat("printf: %", directive.verb, " is not supported; there are %s %v %d %q %t %x %%"));
  }
}

std::string padded(std::string text, const Directive& directive) {
  if (directive.precision && (directive.verb == 's' || directive.verb == 'v'))
    text = text.substr(0, *directive.precision);
  const std::size_t missing = directive.width > text.size() ? directive.width - text.size() : 0;
  if (directive.is_left) return text.append(missing, ' ');
  const bool is_number = directive.verb == 'd' || directive.verb == 'x';
  if (!directive.has_zeros || !is_number) return text.insert(0, missing, ' ');
  return text.insert(text.starts_with('-') ? 1 : 0, missing, '0');
}

}  // namespace

std::string printed(const Value* value) {
  if (value == nullptr || value->is_null()) return "<no value>";
  if (const std::string* text = value->as_string()) return *text;
  if (const json::Array* list = value->as_array()) return printed_list(*list);
  if (const json::Object* object = value->as_object()) return printed_object(*object);
  return json::dump(*value);
}

Result<std::string> formatted(std::string_view format, const Arguments& arguments) {
  std::string out;
  std::size_t next = 0;
  while (!format.empty()) {
    const std::size_t percent = format.find('%');
    out.append(format.substr(0, percent));
    if (percent == std::string_view::npos) break;
    format.remove_prefix(percent + 1);
    const auto directive = take_directive(format);
    if (!directive) return invalid("printf: the format ends inside a %");
    if (directive->verb == '%') {
      out.push_back('%');
      continue;
    }
    if (next == arguments.size()) return invalid("printf: more % than arguments");
    MARGAY_ASSIGN_OR_RETURN(std::string text, verb_text(*directive, arguments[next++]));
    out.append(padded(std::move(text), *directive));
  }
  if (next < arguments.size()) return invalid("printf: more arguments than %");
  return out;
}

}  // namespace margay::render::go_template
