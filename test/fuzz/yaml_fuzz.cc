// YAML: no crash, bounded memory, and what was read can be written and read again.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/core/check.h"
#include "base/json/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto documents = margay::json::parse_yaml(text);
  if (!documents.ok()) {
    MARGAY_CHECK(!documents.error().message.empty());
    return 0;
  }
  for (const auto& document : *documents) {
    if (document.value.is_null()) continue;
    const auto again = margay::json::parse_yaml(margay::json::dump_yaml(document.value));
    MARGAY_CHECK(again.ok() && again->size() == 1);
    MARGAY_CHECK(again->front().value == document.value);
  }
  return 0;
}
