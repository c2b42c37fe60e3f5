#include "datastore/schema/describe.h"

namespace margay::schema {
namespace {

constexpr std::size_t kShownBytesMax = 80;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string describe(const json::Value& value) {
  if (value.as_object() != nullptr) return "an object";
  if (value.as_array() != nullptr) return "an array";
  const std::string* text = value.as_string();
  if (text == nullptr || text->size() <= kShownBytesMax) return json::dump(value);
  std::size_t end = kShownBytesMax;
  while (end > 0 && continues_character((*text)[end])) --end;
  return json::dump(text->substr(0, end) + "…");
}

}  // namespace margay::schema
