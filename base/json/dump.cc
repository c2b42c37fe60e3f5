#include <charconv>
#include <cmath>
#include <limits>

#include "base/core/check.h"
#include "base/json/value.h"

namespace margay::json {
namespace {

constexpr int kCompact = -1;

void append_integer(std::string& out, std::int64_t value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, static_cast<std::size_t>(end - buffer));
}

// JSON has no word for infinities and NaN; null is what other writers put there. Numbers that no int64 holds are
// written with an exponent, so that readers do not take them for integers that overflow.
void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out.append("null");
    return;
  }
  char buffer[32];
  const auto end = std::abs(value) < 0x1p63
                       ? std::to_chars(buffer, buffer + sizeof buffer, value).ptr
                       : std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  out.append(buffer, static_cast<std::size_t>(end - buffer));
}

void append_escape(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\b': out.append("\\b"); return;
    case '\f': out.append("\\f"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out.append("\\u00");
  out.push_back(kHex[byte >> 4]);
  out.push_back(kHex[byte & 0xf]);
}

// Writes one value; `indent` is the depth in pretty form, kCompact in compact form.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void write(const Value& value, int indent) {
    switch (value.type()) {
      case Type::kNull: out_.append("null"); return;
      case Type::kBool: out_.append(*value.as_bool() ? "true" : "false"); return;
      case Type::kInteger: append_integer(out_, *value.as_integer()); return;
      case Type::kDouble: append_double(out_, *value.as_double()); return;
      case Type::kString: append_quoted(out_, *value.as_string()); return;
      case Type::kArray: write_array(*value.as_array(), indent); return;
      case Type::kObject: write_object(*value.as_object(), indent); return;
    }
    MARGAY_CHECK(!"json::Type out of range");
  }

 private:
  void write_array(const Array& array, int indent) {
    if (array.empty()) {
      out_.append("[]");
      return;
    }
    char separator = '[';
    for (const Value& element : array) {
      open_item(separator, indent);
      write(element, inner(indent));
      separator = ',';
    }
    close(']', indent);
  }

  void write_object(const Object& object, int indent) {
    if (object.empty()) {
      out_.append("{}");
      return;
    }
    char separator = '{';
    for (const Member& member : object) {
      open_item(separator, indent);
      append_quoted(out_, member.name);
      out_.append(indent == kCompact ? ":" : ": ");
      write(member.value, inner(indent));
      separator = ',';
    }
    close('}', indent);
  }

  static int inner(int indent) { return indent == kCompact ? kCompact : indent + 1; }

  void new_line(int indent) {
    out_.push_back('\n');
    out_.append(static_cast<std::size_t>(indent) * 2, ' ');
  }

  void open_item(char separator, int indent) {
    out_.push_back(separator);
    if (indent != kCompact) new_line(indent + 1);
  }

  void close(char bracket, int indent) {
    if (indent != kCompact) new_line(indent);
    out_.push_back(bracket);
  }

  std::string& out_;
};

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;  // start of what needs no escape
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(plain, i - plain));
    append_escape(out, c);
    plain = i + 1;
  }
  out.append(text.substr(plain));
  out.push_back('"');
}

void dump_to(std::string& out, const Value& value) { JsonWriter(out).write(value, kCompact); }

std::string dump(const Value& value) {
  std::string out;
  dump_to(out, value);
  return out;
}

std::string dump_pretty(const Value& value) {
  std::string out;
  JsonWriter(out).write(value, 0);
  out.push_back('\n');
  return out;
}

}  // namespace margay::json
