// From the texts of files and variables to what objects have.
#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>
#include <vector>

#include "agent/config/setting.h"
#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::config {
namespace {

std::vector<std::string_view> elements_of(std::string_view text) {
  std::vector<std::string_view> elements;
  for (const std::string_view part : split(text, ',')) {
    if (!trim(part).empty()) elements.push_back(trim(part));
  }
  return elements;
}

Result<json::Value> parse_bool(std::string_view text) {
  for (const std::string_view word : {"true", "1", "yes", "y", "t"}) {
    if (equals_ignoring_case(text, word)) return json::Value(true);
  }
  for (const std::string_view word : {"false", "0", "no", "n", "f"}) {
    if (equals_ignoring_case(text, word)) return json::Value(false);
  }
  return invalid(concat(quoted(text), " is not true or false"));
}

std::optional<std::int64_t> parse_digits(std::string_view digits, int base) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// In the notation of Go (strconv.ParseInt with base 0): 0x, 0o, 0b and a leading 0 for octal.
Result<json::Value> parse_integer(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  std::string_view digits = text.starts_with('-') || text.starts_with('+') ? text.substr(1) : text;
  int base = 10;
  const std::string prefix = to_lower(digits.substr(0, 2));
  if (prefix == "0x" || prefix == "0o" || prefix == "0b") {
    base = prefix == "0x" ? 16 : prefix == "0o" ? 8 : 2;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits.starts_with('0')) {
    base = 8;
  }
  const auto value = digits.starts_with('-') ? std::nullopt : parse_digits(digits, base);
  if (!value) return invalid(concat(quoted(text), " is not an integer"));
  return json::Value(is_negative ? -*value : *value);
}

// A number in `unit`, or with its own.
Result<json::Value> parse_time(std::string_view text, Duration unit) {
  constexpr double kNanosecondsMax = 9.2e18;
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc{} && end == text.data() + text.size() && std::isfinite(number)) {
    const double nanoseconds = number * static_cast<double>(unit.count());
    if (std::abs(nanoseconds) < kNanosecondsMax) {
      return json::Value(format_duration(Duration(static_cast<std::int64_t>(std::llround(nanoseconds)))));
    }
  }
  const auto duration = parse_duration(text);
  if (!duration.ok()) return invalid(concat(quoted(text), " is neither a number nor a duration such as 1m30s"));
  return json::Value(format_duration(*duration));
}

Result<json::Value> parse_word(const Setting& setting, std::string_view text) {
  for (const std::string_view word : setting.words) {
    if (equals_ignoring_case(word, text)) return json::Value(word);
  }
  return json::Value(text);  // canonical() knows what is wrong with it
}

// "tcp:22", "tcp:10.0.0.0/8:22", "tcp:[2001:db8::]/64:22" and "tcp:[2001:db8::/64]:22", "22".
Result<json::Value> parse_port(std::string_view text) {
  const std::size_t last = text.rfind(':');
  json::Object port;
  std::string_view number = text;
  if (last != std::string_view::npos) {
    number = text.substr(last + 1);
    const std::string_view front = text.substr(0, last);
    const std::size_t first = front.find(':');
    port["protocol"] = json::Value(trim(front.substr(0, first)));
    if (first != std::string_view::npos) {
      std::string net;
      for (const char c : front.substr(first + 1)) {
        if (c != '[' && c != ']') net.push_back(c);
      }
      port["net"] = json::Value(net);
    }
  } else {
    port["protocol"] = json::Value("TCP");
  }
  const auto value = parse_number<std::int64_t>(trim(number));
  if (!value) return invalid(concat(quoted(text), " is not PROTOCOL:PORT, PROTOCOL:NETWORK:PORT or PORT"));
  port["port"] = json::Value(*value);
  return json::Value(std::move(port));
}

Result<json::Value> parse_table_range(std::string_view text) {
  const auto parts = split_once(text, '-');
  const auto min = parts ? parse_number<std::int64_t>(trim(parts->first)) : std::nullopt;
  const auto max = parts ? parse_number<std::int64_t>(trim(parts->second)) : std::nullopt;
  if (!min || !max) return invalid(concat(quoted(text), " is no range of tables such as 1-250"));
  json::Object range;
  range["min"] = json::Value(*min);
  range["max"] = json::Value(*max);
  return json::Value(std::move(range));
}

Result<json::Value> parse_texts(std::string_view text) { return json::Value(text); }

template <class ParseOne>
Result<json::Value> parse_list(std::string_view text, ParseOne parse_one) {
  json::Array list;
  for (const std::string_view element : elements_of(text)) {
    MARGAY_ASSIGN_OR_RETURN(json::Value value, parse_one(element));
    list.push_back(std::move(value));
  }
  return json::Value(std::move(list));
}

template <class AddOne>
Status for_each_pair(std::string_view text, AddOne add_one) {
  for (const std::string_view element : elements_of(text)) {
    const auto pair = split_once(element, '=');
    if (!pair || trim(pair->first).empty()) return invalid(concat(quoted(element), " is not KEY=VALUE"));
    add_one(trim(pair->first), trim(pair->second));
  }
  return ok_status();
}

Result<json::Value> parse_map(std::string_view text) {
  json::Object map;
  MARGAY_RETURN_IF_ERROR(
      for_each_pair(text, [&map](std::string_view key, std::string_view value) { map[key] = json::Value(value); }));
  return json::Value(std::move(map));
}

// States of connections have capitals in files ("TCPSynSent") and none in front in objects ("tcpSynSent").
Result<json::Value> parse_timeouts(std::string_view text) {
  constexpr std::string_view kStates[] = {"creationGracePeriod", "tcpSynSent", "tcpEstablished", "tcpFinsSeen",
                                          "tcpResetSeen",        "udpTimeout", "genericTimeout", "icmpTimeout"};
  json::Object timeouts;
  std::string unknown;
  MARGAY_RETURN_IF_ERROR(for_each_pair(text, [&](std::string_view key, std::string_view value) {
    for (const std::string_view state : kStates) {
      if (!equals_ignoring_case(state, key)) continue;
      timeouts[state] = json::Value(value);
      return;
    }
    unknown = key;
  }));
  if (!unknown.empty()) return invalid(concat(quoted(unknown), " is no state of a connection"));
  return json::Value(std::move(timeouts));
}

Result<json::Value> parse_named_timeouts(std::string_view text) {
  json::Array timeouts;
  MARGAY_RETURN_IF_ERROR(for_each_pair(text, [&timeouts](std::string_view key, std::string_view value) {
    json::Object one;
    one["name"] = json::Value(key);
    one["timeout"] = json::Value(value);
    timeouts.emplace_back(std::move(one));
  }));
  return json::Value(std::move(timeouts));
}

// "none" as a word: the one that turns the feature off, where there is one.
Result<json::Value> none_of(std::span<const std::string_view> words) {
  for (const std::string_view off : {"None", "Disabled", "Off"}) {
    for (const std::string_view word : words) {
      if (word == off) return json::Value(word);
    }
  }
  return invalid("it cannot be none");
}

Result<json::Value> none(const Setting& setting) {
  if (!setting.may_be_none) return invalid("it cannot be none");
  switch (setting.form) {
    case Form::kBool: return json::Value(false);
    case Form::kInteger: return json::Value(0);
    case Form::kMark:
    case Form::kTableRange: return invalid("it cannot be none");
    case Form::kText:
    case Form::kPattern: return json::Value("");
    case Form::kWord: return none_of(setting.words);
    case Form::kSeconds:
    case Form::kMilliseconds: return json::Value("0s");
    case Form::kTexts:
    case Form::kPorts:
    case Form::kTableRanges:
    case Form::kNamedTimeouts: return json::Value(json::Array());
    case Form::kTextMap:
    case Form::kTimeouts: return json::Value(json::Object());
  }
  return invalid("it cannot be none");
}

}  // namespace

Result<json::Value> parse_text(const Setting& setting, std::string_view given) {
  const std::string_view text = trim(given);
  if (equals_ignoring_case(text, "none")) return none(setting);
  switch (setting.form) {
    case Form::kBool: return parse_bool(text);
    case Form::kInteger:
    case Form::kMark: return parse_integer(text);
    case Form::kText:
    case Form::kPattern: return json::Value(text);
    case Form::kWord: return parse_word(setting, text);
    case Form::kSeconds: return parse_time(text, std::chrono::seconds(1));
    case Form::kMilliseconds: return parse_time(text, std::chrono::milliseconds(1));
    case Form::kTexts: return parse_list(text, parse_texts);
    case Form::kPorts: return parse_list(text, parse_port);
    case Form::kTableRange: return parse_table_range(text);
    case Form::kTableRanges: return parse_list(text, parse_table_range);
    case Form::kTextMap: return parse_map(text);
    case Form::kTimeouts: return parse_timeouts(text);
    case Form::kNamedTimeouts: return parse_named_timeouts(text);
  }
  return invalid("it has no form");
}

}  // namespace margay::config
