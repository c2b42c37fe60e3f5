// Selectors of all three languages: what parses prints a text that reads back as the same.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/core/check.h"
#include "datastore/selector/field_selector.h"
#include "datastore/selector/label_selector.h"
#include "datastore/selector/restrictions.h"
#include "datastore/selector/selector.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace margay::selector;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto selector = Selector::parse(text); selector.ok()) {
    const auto again = Selector::parse(selector->canonical());
    MARGAY_CHECK(again.ok() && *again == *selector);
    (void)restrictions_of(*selector);
    (void)selector->matches(margay::StringMap{{"a", "b"}});
  }
  if (const auto selector = LabelSelector::parse(text); selector.ok()) {
    const auto again = LabelSelector::parse(selector->to_string());
    MARGAY_CHECK(again.ok() && *again == *selector);
  }
  if (const auto selector = FieldSelector::parse(text); selector.ok()) {
    const auto again = FieldSelector::parse(selector->to_string());
    MARGAY_CHECK(again.ok() && *again == *selector);
  }
  return 0;
}
