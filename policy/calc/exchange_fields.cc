#include "policy/calc/exchange_fields.h"

#include <limits>

#include "base/core/text.h"

namespace margay::policy::exchange {
namespace {

constexpr std::string_view kCalico = "projectcalico.org/v3";

// Through T::parse.
template <class T, class Parse>
bool get_parsed(const json::Value& from, T& value, Parse parse) {
  const std::string* text = from.as_string();
  if (text == nullptr) return false;
  Result<T> parsed = parse(*text);
  if (!parsed.ok()) return false;
  value = *std::move(parsed);
  return true;
}

template <std::integral T>
bool get_integer(const json::Value& from, T& value) {
  const std::int64_t* number = from.as_integer();
  if (number == nullptr || *number < std::numeric_limits<T>::min() || *number > std::numeric_limits<T>::max()) {
    return false;
  }
  value = static_cast<T>(*number);
  return true;
}

}  // namespace

std::string text_of(const ObjectKey& key) {
  return concat(model::info(key.kind).name, "/", key.name_space, "/", key.name);
}

std::optional<ObjectKey> key_of(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '/');
  if (parts.size() != 3) return std::nullopt;
  const std::optional<model::Kind> kind = model::find_kind(kCalico, parts[0]);
  if (!kind) return std::nullopt;
  return ObjectKey{.kind = *kind, .name_space = std::string(parts[1]), .name = std::string(parts[2])};
}

bool read_name(const std::string& text, ObjectKey& key) {
  std::optional<ObjectKey> parsed = key_of(text);
  if (!parsed) return false;
  key = *std::move(parsed);
  return true;
}

json::Value put(bool value) { return {value}; }
json::Value put(double value) { return {value}; }
json::Value put(std::int32_t value) { return {std::int64_t{value}}; }
json::Value put(std::uint32_t value) { return {std::int64_t{value}}; }
json::Value put(const std::string& value) { return {value}; }
json::Value put(const SharedText& value) { return {value.view()}; }
json::Value put(const IpPrefix& value) { return {value.to_string()}; }
json::Value put(const PortRange& value) { return {value.to_string()}; }
json::Value put(const ObjectKey& value) { return {text_of(value)}; }
json::Value put(model::Protocol value) { return {int{value.number()}}; }
json::Value put(IpFamily value) { return {static_cast<int>(value)}; }

json::Value put(const StringMap& value) {
  json::Object out;
  for (const auto& [key, text] : value) out.append_new(std::string(key), json::Value(text));
  return {std::move(out)};
}

// "10.0.0.0/8", "10.0.0.1/32 6 80"
json::Value put(const IpSetMember& value) {
  if (value.protocol == model::Protocol{} && value.port == Port()) return {value.net.to_string()};
  return {concat(value.net.to_string(), ' ', int{value.protocol.number()}, ' ', int{value.port.value()})};
}

bool get(const json::Value& from, bool& value) {
  if (from.as_bool() == nullptr) return false;
  value = *from.as_bool();
  return true;
}
bool get(const json::Value& from, double& value) {
  if (const std::int64_t* integer = from.as_integer()) {
    value = static_cast<double>(*integer);
    return true;
  }
  if (from.as_double() == nullptr) return false;
  value = *from.as_double();
  return true;
}
bool get(const json::Value& from, std::int32_t& value) { return get_integer(from, value); }
bool get(const json::Value& from, std::uint32_t& value) { return get_integer(from, value); }
bool get(const json::Value& from, std::string& value) {
  if (from.as_string() == nullptr) return false;
  value = *from.as_string();
  return true;
}
bool get(const json::Value& from, SharedText& value) {
  if (from.as_string() == nullptr) return false;
  value = SharedText(*from.as_string());
  return true;
}
bool get(const json::Value& from, IpPrefix& value) {
  return get_parsed(from, value, [](std::string_view text) { return IpPrefix::parse(text); });
}
bool get(const json::Value& from, PortRange& value) {
  return get_parsed(from, value, [](std::string_view text) { return PortRange::parse(text); });
}
bool get(const json::Value& from, ObjectKey& value) {
  const std::string* text = from.as_string();
  return text != nullptr && read_name(*text, value);
}
bool get(const json::Value& from, model::Protocol& value) {
  std::uint32_t number = 0;
  if (!get_integer(from, number) || number > 255) return false;
  value = model::Protocol(static_cast<std::uint8_t>(number));
  return true;
}
bool get(const json::Value& from, IpFamily& value) {
  std::uint32_t number = 0;
  if (!get_integer(from, number) || (number != 4 && number != 6)) return false;
  value = number == 4 ? IpFamily::kV4 : IpFamily::kV6;
  return true;
}

bool get(const json::Value& from, StringMap& value) {
  if (from.as_object() == nullptr) return false;
  std::vector<StringMap::Entry> entries;
  for (const json::Member& member : *from.as_object()) {
    if (member.value.as_string() == nullptr) return false;
    entries.emplace_back(member.name, *member.value.as_string());
  }
  value = StringMap::of(std::move(entries));
  return true;
}

bool get(const json::Value& from, IpSetMember& value) {
  const std::string* text = from.as_string();
  if (text == nullptr) return false;
  const std::vector<std::string_view> parts = split(*text, ' ');
  const Result<IpPrefix> net = IpPrefix::parse(parts[0]);
  if (!net.ok()) return false;
  value = IpSetMember{.net = *net, .protocol = {}, .port = {}};
  if (parts.size() == 1) return true;
  if (parts.size() != 3) return false;
  const std::optional<std::uint8_t> protocol = parse_number<std::uint8_t>(parts[1]);
  const std::optional<std::uint16_t> port = parse_number<std::uint16_t>(parts[2]);
  if (!protocol || !port) return false;
  value.protocol = model::Protocol(*protocol);
  value.port = Port(*port);
  return true;
}

}  // namespace margay::policy::exchange
