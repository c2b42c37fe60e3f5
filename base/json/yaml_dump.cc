// dump_yaml(): block style as kubectl writes it, sequences at the indentation of their key.
#include "base/core/text.h"
#include "base/json/yaml.h"
#include "base/json/yaml_scalar.h"

namespace margay::json {
namespace {

constexpr std::size_t kStep = 2;
// YAML readers give up on "key:" when the ':' is more than 1024 characters away; then "? key" is needed.
constexpr std::size_t kSimpleKeyBytesMax = 1000;

bool is_empty_container(const Value& value) {
  if (const Array* array = value.as_array()) return array->empty();
  if (const Object* object = value.as_object()) return object->empty();
  return false;
}

// In double quotes, with the escapes that JSON and YAML share, and those characters escaped that some YAML readers take
// for a line break or strip.
void append_double_quoted(std::string& out, std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {{"\xc2\x85", "\\u0085"},
                                                                        {"\u2028", "\\u2028"},
                                                                        {"\u2029", "\\u2029"},
                                                                        {"\ufeff", "\\ufeff"},
                                                                        {"\x7f", "\\u007f"}};
  std::string quoted_text;
  append_quoted(quoted_text, text);
  for (const auto& [character, escape] : kEscapes) {
    for (std::size_t at = quoted_text.find(character); at != std::string::npos; at = quoted_text.find(character, at)) {
      quoted_text.replace(at, character.size(), escape);
    }
  }
  out.append(quoted_text);
}

// Whether a literal block shows the text as it is: more than one line, no blanks where they would count as indentation
// or go unseen.
bool fits_literal_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text[0] == '\n' || text[0] == ' ') return false;
  if (text.find(" \n") != std::string_view::npos || text.back() == ' ') return false;
  return !detail::has_odd_character(text);
}

class YamlWriter {
 public:
  explicit YamlWriter(std::string& out) : out_(out) {}

  void write(const Value& value) {
    if (is_empty_container(value)) {
      write_line(value, 0);
    } else if (const Object* object = value.as_object()) {
      write_members(*object, 0, false);
    } else if (const Array* array = value.as_array()) {
      write_elements(*array, 0, false);
    } else {
      write_line(value, kStep);
    }
  }

 private:
  void indent_to(std::size_t column) { out_.append(column, ' '); }

  // `is_inline`: the first one continues the line of the "- " it belongs to.
  void write_members(const Object& object, std::size_t column, bool is_inline) {
    for (const Member& member : object) {
      if (!is_inline) indent_to(column);
      is_inline = false;
      write_key(member.name, column);
      write_member_value(member.value, column);
    }
  }

  void write_key(std::string_view name, std::size_t column) {
    if (name.size() <= kSimpleKeyBytesMax) {
      write_text(name);
    } else {
      out_.append("? ");
      write_text(name);
      out_.push_back('\n');
      indent_to(column);
    }
    out_.push_back(':');
  }

  void write_member_value(const Value& value, std::size_t column) {
    const Object* object = value.as_object();
    const Array* array = value.as_array();
    if (object != nullptr && !object->empty()) {
      out_.push_back('\n');
      write_members(*object, column + kStep, false);
    } else if (array != nullptr && !array->empty()) {
      out_.push_back('\n');
      write_elements(*array, column, false);
    } else {
      out_.push_back(' ');
      write_line(value, column + kStep);
    }
  }

  void write_elements(const Array& array, std::size_t column, bool is_inline) {
    for (const Value& element : array) {
      if (!is_inline) indent_to(column);
      is_inline = false;
      out_.append("- ");
      const Object* object = element.as_object();
      const Array* inner = element.as_array();
      if (object != nullptr && !object->empty()) {
        write_members(*object, column + kStep, true);
      } else if (inner != nullptr && !inner->empty()) {
        write_elements(*inner, column + kStep, true);
      } else {
        write_line(element, column + kStep);
      }
    }
  }

  // The rest of a line (a literal block: of several, indented to `column`), with its end.
  void write_line(const Value& value, std::size_t column) {
    const std::string* text = value.as_string();
    if (text == nullptr) {
      dump_to(out_, value);
    } else if (fits_literal_block(*text)) {
      write_literal_block(*text, column);
      return;
    } else {
      write_text(*text);
    }
    out_.push_back('\n');
  }

  void write_text(std::string_view text) {
    if (detail::needs_quotes(text)) {
      append_double_quoted(out_, text);
    } else {
      out_.append(text);
    }
  }

  void write_literal_block(std::string_view text, std::size_t column) {
    const bool ends_line = text.back() == '\n';
    if (!ends_line) {
      out_.append("|-\n");
    } else {
      out_.append(text.ends_with("\n\n") ? "|+\n" : "|\n");
      text.remove_suffix(1);
    }
    for (const std::string_view line : split(text, '\n')) {
      if (!line.empty()) indent_to(column);
      out_.append(line).push_back('\n');
    }
  }

  std::string& out_;
};

}  // namespace

std::string dump_yaml(const Value& value) {
  std::string out;
  YamlWriter(out).write(value);
  return out;
}

}  // namespace margay::json
