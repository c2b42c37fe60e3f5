// JSON: whatever parses must survive a round trip, and both parsers must agree on what is a document.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/core/check.h"
#include "base/json/value.h"
#include "base/json/view.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = margay::json::parse(text);
  if (value.ok()) {
    const auto again = margay::json::parse(margay::json::dump(*value));
    MARGAY_CHECK(again.ok() && *again == *value);
  } else {
    MARGAY_CHECK(!value.error().message.empty());
  }

  margay::json::Document document;
  const auto view = document.parse(text);
  if (value.ok() && view.ok()) MARGAY_CHECK(view->to_value() == *value);
  return 0;
}
