// SpecReader: takes typed values out of a JSON object and collects what is wrong, each with its path. A member nobody
// asked for is an error when the reader is done: a word misspelt is never passed over.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/time.h"
#include "base/core/time_text.h"
#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "base/json/value.h"

namespace margay::bgpd {

class SpecReader {
 public:
  // `value` should be an object; what else it is is said as an error.
  SpecReader(const json::Value& value, std::string path, FieldErrors& errors);

  // Absent and null leave `out` as it is.
  void read(std::string_view name, bool& out);
  void read(std::string_view name, std::string& out);
  void read(std::string_view name, Duration& out);  // "90s"
  void read(std::string_view name, Asn& out);       // a number or text
  template <class T>
  void read(std::string_view name, std::optional<T>& out) {
    if (!has(name)) return;
    T value{};
    read(name, value);
    out = value;
  }
  template <class T>
  void read_text(std::string_view name, std::optional<T>& out) {
    const std::string* const text = string_at(name);
    if (text == nullptr || text->empty()) return;
    auto parsed = T::parse(*text);
    if (parsed.ok()) {
      out = *parsed;
    } else {
      fail(name, parsed.error().message);
    }
  }
  void read_number(std::string_view name, std::int64_t min, std::int64_t max, std::int64_t& out);
  template <class T>
  void read_number(std::string_view name, std::int64_t min, std::int64_t max, std::optional<T>& out) {
    if (!has(name)) return;
    std::int64_t value = min;
    read_number(name, min, max, value);
    out = static_cast<T>(value);
  }
  // The elements of a list, or the one value that stands in its place.
  void each(std::string_view name, const std::function<void(const json::Value&, const std::string& path)>& visit);
  // The members of an object.
  void each_member(
      std::string_view name,
      const std::function<void(const std::string& key, const json::Value&, const std::string& path)>& visit);
  // The member, if it is there and no null; counts as asked for.
  const json::Value* member(std::string_view name);
  void fail(std::string_view name, std::string message, FieldError::Kind kind = FieldError::Kind::kInvalid);
  // To be called last.
  void finish();
  [[nodiscard]] std::string path_of(std::string_view name) const;

 private:
  bool has(std::string_view name) { return member(name) != nullptr; }
  const std::string* string_at(std::string_view name);

  const json::Object* object_ = nullptr;
  std::string path_;
  FieldErrors& errors_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace margay::bgpd
