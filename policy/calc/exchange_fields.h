// How single values and lists are written in the exchange between the halves, and read back. Readers take anything: a
// value that is not as written is false. For this folder's own .cc files.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/value.h"
#include "datastore/model/enum.h"
#include "policy/calc/exchange.h"

namespace margay::policy::exchange {

json::Value put(bool value);
json::Value put(double value);
json::Value put(std::int32_t value);
json::Value put(std::uint32_t value);
json::Value put(const std::string& value);
json::Value put(const SharedText& value);
json::Value put(const StringMap& value);
json::Value put(const IpPrefix& value);
json::Value put(const PortRange& value);
json::Value put(const IpSetMember& value);
json::Value put(const ObjectKey& value);
json::Value put(model::Protocol value);
json::Value put(IpFamily value);

bool get(const json::Value& from, bool& value);
bool get(const json::Value& from, double& value);
bool get(const json::Value& from, std::int32_t& value);
bool get(const json::Value& from, std::uint32_t& value);
bool get(const json::Value& from, std::string& value);
bool get(const json::Value& from, SharedText& value);
bool get(const json::Value& from, StringMap& value);
bool get(const json::Value& from, IpPrefix& value);
bool get(const json::Value& from, PortRange& value);
bool get(const json::Value& from, IpSetMember& value);
bool get(const json::Value& from, ObjectKey& value);
bool get(const json::Value& from, model::Protocol& value);
bool get(const json::Value& from, IpFamily& value);

// "GlobalNetworkPolicy//name" for what has no namespace.
std::string text_of(const ObjectKey& key);
std::optional<ObjectKey> key_of(std::string_view text);

// Structs of the exchange have fields(archive, struct), one list for both directions; see exchange_json.cc.
class Writer {
 public:
  // What is empty, zero or false is left out. Enumerations never are: their first value need not be the default.
  template <class T>
  void operator()(std::string_view name, const T& value);
  json::Value value = json::Object();
};

class Reader {
 public:
  explicit Reader(const json::Value& from) : from_(from), ok_(from.as_object() != nullptr) {}
  template <class T>
  void operator()(std::string_view name, T& value);
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  const json::Value& from_;
  bool ok_;
};

template <class T>
concept Fields = requires(Writer& writer, T& value) {
  fields(writer, value);
};

template <model::NamedEnum E>
json::Value put(E value) {
  return json::Value(model::to_string(value));
}
template <model::NamedEnum E>
bool get(const json::Value& from, E& value) {
  const std::string* text = from.as_string();
  const std::optional<E> parsed = text == nullptr ? std::nullopt : model::parse_enum<E>(*text);
  if (parsed) value = *parsed;
  return parsed.has_value();
}

template <Fields T>
json::Value put(const T& value) {
  Writer writer;
  fields(writer, value);
  return std::move(writer.value);
}
template <Fields T>
bool get(const json::Value& from, T& value) {
  Reader reader(from);
  fields(reader, value);
  return reader.ok();
}

template <class T>
json::Value put(const std::optional<T>& value) {
  return value ? put(*value) : json::Value();
}
template <class T>
bool get(const json::Value& from, std::optional<T>& value) {
  if (from.is_null()) return true;
  return get(from, value.emplace());
}
template <class T>
json::Value put(const std::shared_ptr<const T>& value) {
  return value == nullptr ? json::Value() : put(*value);
}
template <class T>
bool get(const json::Value& from, std::shared_ptr<const T>& value) {
  if (from.is_null()) return true;
  T out;
  if (!get(from, out)) return false;
  value = std::make_shared<const T>(std::move(out));
  return true;
}

template <class T>
json::Value put(const std::vector<T>& list) {
  json::Array out;
  out.reserve(list.size());
  for (const T& element : list) out.push_back(put(element));
  return json::Value(std::move(out));
}
template <class T>
T blank() {
  if constexpr (std::is_same_v<T, PortRange>) {
    return PortRange::all();
  } else {
    return T{};
  }
}
template <class T>
bool get(const json::Value& from, std::vector<T>& list) {
  if (from.as_array() == nullptr) return false;
  for (const json::Value& element : *from.as_array()) {
    T value = blank<T>();
    if (!get(element, value)) return false;
    list.push_back(std::move(value));
  }
  return true;
}
template <class T>
json::Value put(const std::set<T>& set) {
  return put(std::vector<T>(set.begin(), set.end()));
}
template <class T>
bool get(const json::Value& from, std::set<T>& set) {
  std::vector<T> list;
  if (!get(from, list)) return false;
  set.insert(list.begin(), list.end());
  return true;
}

inline std::string name_of(const std::string& key) { return key; }
inline std::string name_of(const SharedText& key) { return std::string(key.view()); }
inline std::string name_of(const ObjectKey& key) { return text_of(key); }
template <class Text>
bool read_name(const std::string& text, Text& key) {
  key = Text(text);
  return true;
}
bool read_name(const std::string& text, ObjectKey& key);
template <class K, class V>
json::Value put(const std::map<K, V>& map) {
  json::Object out;
  for (const auto& [key, value] : map) out.append_new(name_of(key), put(value));
  return json::Value(std::move(out));
}
template <class K, class V>
bool get(const json::Value& from, std::map<K, V>& map) {
  if (from.as_object() == nullptr) return false;
  for (const json::Member& member : *from.as_object()) {
    K key;
    if (!read_name(member.name, key) || !get(member.value, map[key])) return false;
  }
  return true;
}

template <class T>
void Writer::operator()(std::string_view name, const T& field) {
  if constexpr (std::equality_comparable<T> && !std::is_enum_v<T>) {
    if (field == T{}) return;
  }
  value.as_object()->append_new(std::string(name), put(field));
}
template <class T>
void Reader::operator()(std::string_view name, T& field) {
  if (!ok_) return;
  const json::Value* found = from_.find(name);
  if (found != nullptr) ok_ = get(*found, field);
}

}  // namespace margay::policy::exchange
