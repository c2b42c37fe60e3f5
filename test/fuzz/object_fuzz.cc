// API objects: the first byte picks a kind, the rest is JSON. Whatever it says, it is answered with errors or taken;
// what is taken without an error comes back from encode as it was, and a second pass changes nothing.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/core/check.h"
#include "base/json/value.h"
#include "base/json/view.h"
#include "datastore/codec/any_kind.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/defaults.h"
#include "datastore/codec/legacy.h"
#include "datastore/codec/validate.h"

namespace margay {
namespace {

template <class T>
void round_trip(const json::Value& document, T object) {
  json::Document parser;
  const auto view = parser.parse(json::dump(document));
  if (!view.ok()) return;
  if (!codec::decode(*view, object).empty()) return;
  json::Value merged = document;
  codec::encode(object, merged);
  json::Document again_parser;
  const auto again_view = again_parser.parse(json::dump(merged));
  MARGAY_CHECK(again_view.ok());
  T again;
  MARGAY_CHECK(codec::decode(*again_view, again).empty());
  MARGAY_CHECK(again == object);
}

}  // namespace
}  // namespace margay

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace margay;
  if (size == 0) return 0;
  const auto kinds = model::all_kinds();
  const model::Kind kind = kinds[data[0] % kinds.size()].kind;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto document = json::parse(text);
  if (!document.ok()) return 0;
  for (const FieldError& error : codec::check(kind, *document)) MARGAY_CHECK(!error.message.empty());
  json::Value defaulted = *document;
  codec::apply_defaults(kind, defaulted);
  (void)codec::explain_legacy(*document);
  codec::visit_kind(kind, [&](auto object) { round_trip(*document, std::move(object)); });
  return 0;
}
