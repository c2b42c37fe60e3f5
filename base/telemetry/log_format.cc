#include "base/telemetry/log_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "base/telemetry/escape.h"

namespace margay::telemetry {
namespace {

constexpr std::string_view kReserved[] = {"ts", "level", "msg"};

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

std::string clean_key(std::string_view key) {
  std::string out(key);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_key_character(c); }, '_');
  if (out.empty() || std::find(std::begin(kReserved), std::end(kReserved), out) != std::end(kReserved)) {
    out.push_back('_');
  }
  return out;
}

std::string number_text(double value) {
  char buffer[32];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

struct Text {
  std::string text;
  bool is_bare;  // a number or bool: no quotes in JSON
};

Text text_of(const FieldValue& value) {
  struct Visitor {
    Text operator()(bool b) const { return {b ? "true" : "false", true}; }
    Text operator()(std::int64_t n) const { return {concat(n), true}; }
    Text operator()(std::uint64_t n) const { return {concat(n), true}; }
    Text operator()(double n) const { return {number_text(n), std::isfinite(n)}; }
    Text operator()(const std::string& text) const { return {text, false}; }
  };
  return std::visit(Visitor{}, value.data());
}

void append_escaped_and_cut(std::string& out, std::string_view text) {
  const std::string_view shown = cut_at_character(text, kValueSizeMax);
  append_json_escaped(out, shown);
  if (shown.size() < text.size()) out.append("…");
}

bool needs_quotes(std::string_view text) {
  const auto is_plain = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f && c != '"' && c != '=' && c != '\\';
  };
  return text.empty() || text.size() > kValueSizeMax || !std::all_of(text.begin(), text.end(), is_plain);
}

class Line {
 public:
  explicit Line(LogFormat format) : is_json_(format == LogFormat::kJson) {}

  void add(std::string_view key, const Text& value) {
    if (is_json_) {
      out_.append(out_.empty() ? "{\"" : ",\"").append(key).append("\":");
    } else {
      if (!out_.empty()) out_.push_back(' ');
      out_.append(key).push_back('=');
    }
    const bool is_quoted = is_json_ ? !value.is_bare : needs_quotes(value.text);
    if (is_quoted) out_.push_back('"');
    append_escaped_and_cut(out_, value.text);
    if (is_quoted) out_.push_back('"');
  }

  std::string take() {
    if (is_json_) out_.push_back('}');
    return std::move(out_);
  }

 private:
  bool is_json_;
  std::string out_;
};

// All fields under their clean keys, without those that a later one of the same key replaces.
std::vector<std::pair<std::string, const FieldValue*>> fields_of(const Record& record) {
  std::vector<std::pair<std::string, const FieldValue*>> out;
  for (const auto& fields : {record.logger_fields, record.call_fields}) {
    for (const Field& field : fields) {
      std::string key = clean_key(field.key);
      std::erase_if(out, [&key](const auto& earlier) { return earlier.first == key; });
      out.emplace_back(std::move(key), &field.value);
    }
  }
  return out;
}

}  // namespace

Result<LogFormat> parse_log_format(std::string_view text) {
  if (text == "logfmt" || text == "text") return LogFormat::kLogfmt;
  if (text == "json") return LogFormat::kJson;
  return invalid(concat(quoted(text), " is not one of logfmt, json"));
}

std::string format_record(const Record& record, LogFormat format) {
  Line line(format);
  line.add("ts", {format_timestamp(record.time, FractionDigits::kMilliseconds), false});
  line.add("level", {std::string(to_string(record.level)), false});
  line.add("msg", {std::string(record.message), false});
  for (const auto& [key, value] : fields_of(record)) line.add(key, text_of(*value));
  return line.take();
}

}  // namespace margay::telemetry
