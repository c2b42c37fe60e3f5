#include "test/conformance/conformance_data.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::conformance {
namespace {

constexpr std::size_t kBytesMax = std::size_t{256} * 1024 * 1024;

std::string folder() {
  if (const char* named = std::getenv("MARGAY_CONFORMANCE_DIR")) return named;
  const char* source = std::getenv("MARGAY_SOURCE_DIR");
  return concat(source == nullptr ? "." : source, "/../shared/conformance");
}

}  // namespace

std::optional<json::Value> load(std::string_view file) {
  std::ifstream stream(concat(folder(), '/', file));
  if (!stream) return std::nullopt;
  std::stringstream text;
  text << stream.rdbuf();
  json::ParseLimits limits;
  limits.bytes_max = kBytesMax;
  Result<json::Value> value = json::parse(text.str(), limits);
  MARGAY_CHECK(value.ok());
  return std::move(value).value();
}

const json::Value& get(const json::Value& value, std::string_view name) {
  static const json::Value kNull;
  const json::Value* found = value.find(name);
  return found == nullptr ? kNull : *found;
}

}  // namespace margay::conformance
