#include "datastore/codec/scalars.h"

#include <limits>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::codec {
namespace {

template <class Integer>
void read_integer(const Input& input, Integer& value) {
  const std::optional<std::int64_t> found = input.view.integer();
  if (!found) return input.wrong_type("an integer");
  if (!std::in_range<Integer>(*found)) {
    return input.error(FieldError::Kind::kInvalid,
                       concat(*found, " is not between ", std::numeric_limits<Integer>::min() + 0, " and ",
                              std::numeric_limits<Integer>::max() + 0));
  }
  value = static_cast<Integer>(*found);
}

Result<IpPrefix> parse_prefix(std::string_view text, PrefixForm form) {
  const bool is_address = text.find('/') == std::string_view::npos;
  switch (form) {
    case PrefixForm::kExact: return IpPrefix::parse(text);
    case PrefixForm::kExactOrAddress: return IpPrefix::parse_cidr_or_address(text);
    case PrefixForm::kAny: return IpPrefix::parse_containing(text);
    case PrefixForm::kAnyOrAddress: break;
  }
  return is_address ? IpPrefix::parse_cidr_or_address(text) : IpPrefix::parse_containing(text);
}

template <class T>
void read_parsed(const Input& input, std::string_view expected, Result<T> (*parse)(std::string_view), T& value) {
  const std::optional<std::string_view> text = input.view.string();
  if (!text) return input.wrong_type(expected);
  Result<T> parsed = parse(*text);
  if (!parsed.ok()) return input.error(FieldError::Kind::kInvalid, parsed.error().message);
  value = *parsed;
}

// Leaves a text that means the same as it is.
template <class T>
void write_parsed(Output to, Result<T> (*parse)(std::string_view), T value, std::string text) {
  const std::string* present = to.value.as_string();
  if (present != nullptr) {
    const Result<T> meant = parse(*present);
    if (meant.ok() && *meant == value) return;
  }
  to.value = json::Value(std::move(text));
}

std::string list_of(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) {
    if (!out.empty()) out.append(", ");
    out.append(word.empty() ? "\"\"" : word);
  }
  return out;
}

}  // namespace

void read(const Input& input, bool& value) {
  const std::optional<bool> found = input.view.boolean();
  if (!found) return input.wrong_type("true or false");
  value = *found;
}

void read(const Input& input, std::uint8_t& value) { read_integer(input, value); }
void read(const Input& input, std::int32_t& value) { read_integer(input, value); }
void read(const Input& input, std::uint32_t& value) { read_integer(input, value); }
void read(const Input& input, std::int64_t& value) { read_integer(input, value); }

void read(const Input& input, double& value) {
  const std::optional<double> found = input.view.number();
  if (!found) return input.wrong_type("a number");
  value = *found;
}

void read(const Input& input, std::string& value) {
  const std::optional<std::string_view> found = input.view.string();
  if (!found) return input.wrong_type("a string");
  value.assign(*found);
}

void read(const Input& input, SharedText& value) {
  const std::optional<std::string_view> found = input.view.string();
  if (!found) return input.wrong_type("a string");
  value = input.pool == nullptr ? SharedText(*found) : input.pool->share(*found);
}

void read(const Input& input, StringMap& value) {
  if (input.view.type() != json::Type::kObject) return input.wrong_type("an object of strings");
  std::vector<StringMap::Entry> entries;
  for (const auto& [name, member] : input.view.members()) {
    const std::optional<std::string_view> text = member.string();
    if (text) {
      entries.emplace_back(name, *text);
    } else if (member.is_given()) {
      const Place place{input.place, Place::Step::kKey, name, 0};
      Input{member, &place, input.errors}.wrong_type("a string");
    } else {
      entries.emplace_back(name, std::string_view{});
    }
  }
  value = StringMap::of(std::move(entries));
  if (input.pool != nullptr) value = input.pool->share(value);
}

void read(const Input& input, Duration& value) {
  read_parsed(input, "a duration such as \"90s\"", &parse_duration, value);
}

void read(const Input& input, WallTime& value) {
  read_parsed(input, "a time such as \"2026-08-22T10:00:00Z\"", &parse_timestamp, value);
}

void read(const Input& input, Port& value) {
  const std::optional<std::int64_t> found = input.view.integer();
  if (!found) return input.wrong_type("an integer");
  if (!std::in_range<std::uint16_t>(*found)) {
    return input.error(FieldError::Kind::kInvalid, concat(*found, " is not a port: those are 0 to 65535"));
  }
  value = Port(static_cast<std::uint16_t>(*found));
}

void read(const Input& input, std::optional<IpPrefix>& value) {
  const std::optional<std::string_view> text = input.view.string();
  if (!text) return input.wrong_type("a string such as \"10.0.0.0/8\"");
  if (text->empty()) return;
  const Result<IpPrefix> parsed = parse_prefix(*text, input.prefix_form);
  if (!parsed.ok()) return input.error(FieldError::Kind::kInvalid, parsed.error().message);
  value = *parsed;
}

void write(Output to, bool value) { to.value = json::Value(value); }
void write(Output to, std::uint8_t value) { to.value = json::Value(std::int64_t{value}); }
void write(Output to, std::int32_t value) { to.value = json::Value(std::int64_t{value}); }
void write(Output to, std::uint32_t value) { to.value = json::Value(std::int64_t{value}); }
void write(Output to, std::int64_t value) { to.value = json::Value(value); }

void write(Output to, double value) {
  if (to.value != json::Value(value)) to.value = json::Value(value);
}

void write(Output to, const std::string& value) { to.value = json::Value(value); }
void write(Output to, const SharedText& value) { to.value = json::Value(value.view()); }

void write(Output to, const StringMap& value) {
  json::Object kept;
  if (const json::Object* present = to.value.as_object()) {
    for (const json::Member& member : *present) {
      if (const auto wanted = value.find(member.name)) kept.append_new(member.name, json::Value(*wanted));
    }
  }
  for (const auto& [name, text] : value) {
    if (kept.find(name) == nullptr) kept.append_new(std::string(name), json::Value(text));
  }
  to.value = json::Value(std::move(kept));
}

void write(Output to, Duration value) { write_parsed(to, &parse_duration, value, format_duration(value)); }

void write(Output to, WallTime value) { write_parsed(to, &parse_timestamp, value, format_timestamp(value)); }

void write(Output to, Port value) { to.value = json::Value(std::int64_t{value.value()}); }

void write(Output to, const IpPrefix& value) {
  if (const std::string* present = to.value.as_string()) {
    const Result<IpPrefix> meant = parse_prefix(*present, PrefixForm::kAnyOrAddress);
    if (meant.ok() && *meant == value) return;
  }
  to.value = json::Value(value.to_string());
}

std::optional<std::size_t> read_word(const Input& input, std::span<const std::string_view> words, bool in_any_case) {
  const std::optional<std::string_view> text = input.view.string();
  if (!text) {
    input.wrong_type(concat("one of ", list_of(words)));
    return std::nullopt;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == *text || (in_any_case && equals_ignoring_case(words[i], *text))) return i;
  }
  input.error(FieldError::Kind::kNotSupported, words.size() == 1
                                                   ? concat(quoted(*text), " is not ", words[0])
                                                   : concat(quoted(*text), " is not one of ", list_of(words)));
  return std::nullopt;
}

std::optional<std::string_view> read_text(const Input& input, bool maybe_number, std::string& buffer) {
  if (const auto text = input.view.string()) return text;
  const std::optional<std::int64_t> number = maybe_number ? input.view.integer() : std::nullopt;
  if (!number) {
    input.wrong_type(maybe_number ? "an integer or a string" : "a string");
    return std::nullopt;
  }
  if (*number < 0) {
    input.error(FieldError::Kind::kInvalid, concat(*number, " is negative"));
    return std::nullopt;
  }
  buffer = concat(*number);
  return buffer;
}

void write_text(Output to, std::string text, bool maybe_number) {
  const std::optional<std::int64_t> number = maybe_number ? parse_number<std::int64_t>(text) : std::nullopt;
  if (number) {
    to.value = json::Value(*number);
  } else {
    to.value = json::Value(std::move(text));
  }
}

std::string_view text_in(const json::Value& value, std::string& buffer) {
  if (const std::string* text = value.as_string()) return *text;
  if (const std::int64_t* number = value.as_integer()) buffer = concat(*number);
  return buffer;
}

}  // namespace margay::codec
