// Reading and writing single values, for archive.h. A value's kind decides:
//
//   numbers, bool, texts, StringMap, Duration, WallTime        here
//   enumerations of the model (NamedEnum)                       by their words
//   Textual: has parse() and to_string()                        as a string; MaybeNumber: also as a JSON number
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/core/result.h"
#include "base/core/shared_text.h"
#include "base/core/string_map.h"
#include "base/core/time.h"
#include "base/ip/asn.h"
#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "base/json/value.h"
#include "datastore/codec/input.h"
#include "datastore/model/enum.h"
#include "datastore/model/values.h"

namespace margay::codec {

// Where a value is to be written; what is there may be kept.
struct Output {
  json::Value& value;
};

template <class T>
concept Textual = requires(const T& value, std::string_view text) {
  { T::parse(text) } -> std::same_as<Result<T>>;
  { value.to_string() } -> std::convertible_to<std::string>;
}
&&!std::same_as<T, Port> && !std::same_as<T, IpPrefix>;

// Written as a number where their text is one.
template <class T>
inline constexpr bool kMaybeNumber =
    std::is_same_v<T, Asn> || std::is_same_v<T, PortRange> || std::is_same_v<T, model::PortOrName> ||
    std::is_same_v<T, model::Protocol> || std::is_same_v<T, model::Dscp>;

void read(const Input& input, bool& value);
void read(const Input& input, std::uint8_t& value);
void read(const Input& input, std::int32_t& value);
void read(const Input& input, std::uint32_t& value);
void read(const Input& input, std::int64_t& value);
void read(const Input& input, double& value);
void read(const Input& input, std::string& value);
void read(const Input& input, SharedText& value);
void read(const Input& input, StringMap& value);
void read(const Input& input, Duration& value);
void read(const Input& input, WallTime& value);
void read(const Input& input, Port& value);
void read(const Input& input, std::optional<IpPrefix>& value);

void write(Output to, bool value);
void write(Output to, std::uint8_t value);
void write(Output to, std::int32_t value);
void write(Output to, std::uint32_t value);
void write(Output to, std::int64_t value);
void write(Output to, double value);
void write(Output to, const std::string& value);
void write(Output to, const SharedText& value);
void write(Output to, const StringMap& value);
void write(Output to, Duration value);
void write(Output to, WallTime value);
void write(Output to, Port value);
void write(Output to, const IpPrefix& value);

// The index of the word that is there, or an error that lists the words.
std::optional<std::size_t> read_word(const Input& input, std::span<const std::string_view> words, bool in_any_case);
// The text of a Textual: a string, or a number where one may stand.
std::optional<std::string_view> read_text(const Input& input, bool maybe_number, std::string& buffer);
// `text` as a string, or as a number if it is one and may be.
void write_text(Output to, std::string text, bool maybe_number);
std::string_view text_in(const json::Value& value, std::string& buffer);

template <model::NamedEnum E>
constexpr bool is_any_case() {
  return requires { model::EnumText<E>::kAnyCase; };
}

template <model::NamedEnum E>
void read(const Input& input, E& value) {
  const auto index = read_word(input, model::EnumText<E>::kWords, is_any_case<E>());
  if (index) value = static_cast<E>(*index);
}

template <model::NamedEnum E>
void write(Output to, const E& value) {
  const std::string* present = to.value.as_string();
  if (present != nullptr && model::parse_enum<E>(*present) == value) return;
  to.value = json::Value(model::to_string(value));
}

template <Textual T>
void read(const Input& input, std::optional<T>& value) {
  std::string buffer;
  const auto text = read_text(input, kMaybeNumber<T>, buffer);
  if (!text || text->empty()) return;  // "" is what Go programs write for none
  Result<T> parsed = T::parse(*text);
  if (!parsed.ok()) return input.error(FieldError::Kind::kInvalid, parsed.error().message);
  value = std::move(parsed).value();
}

template <Textual T>
void write(Output to, const T& value) {
  std::string buffer;
  const Result<T> present = T::parse(text_in(to.value, buffer));
  if (present.ok() && *present == value) return;
  write_text(to, value.to_string(), kMaybeNumber<T>);
}

}  // namespace margay::codec
