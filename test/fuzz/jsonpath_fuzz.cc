// JSONPath: an expression or template, a NUL, and the document it is asked about (without one, a small Pod is). What is
// found is part of the document; braces around an expression change nothing; a template finds the same twice.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>

#include "base/core/check.h"
#include "base/core/text.h"
#include "base/json/value.h"
#include "datastore/schema/jsonpath.h"

namespace {

using margay::json::Value;
using margay::schema::JsonPath;
using margay::schema::JsonPathTemplate;

constexpr std::string_view kPod =
    R"({"metadata":{"name":"a","labels":{"app.kubernetes.io/name":"web"}},"spec":{"ports":[{"name":"http","port":80},)"
    R"({"name":"dns","port":53}],"order":1.5,"on":true,"none":null},"status":{"conditions":[{"type":"Ready"}]}})";

void collect(const Value& value, std::set<const Value*>& all) {
  all.insert(&value);
  if (const auto* array = value.as_array())
    for (const Value& element : *array) collect(element, all);
  if (const auto* object = value.as_object())
    for (const auto& member : *object) collect(member.value, all);
}

void check_expression(std::string_view text, const Value& document) {
  const auto path = JsonPath::parse(text);
  if (!path.ok()) {
    MARGAY_CHECK(!path.error().message.empty());
    return;
  }
  std::set<const Value*> parts;
  collect(document, parts);
  const auto found = path->find(document);
  MARGAY_CHECK(std::all_of(found.begin(), found.end(), [&](const Value* value) { return parts.contains(value); }));
  // A backslash at the end would take the brace.
  if (text.find_first_of("{\\") != std::string_view::npos) return;
  const auto in_braces = JsonPath::parse(margay::concat("{", text, "}"));
  MARGAY_CHECK(in_braces.ok() && in_braces->find(document) == found);
}

void check_template(std::string_view text, const Value& document) {
  const auto parsed = JsonPathTemplate::parse(text);
  if (!parsed.ok()) {
    MARGAY_CHECK(!parsed.error().message.empty());
    return;
  }
  const auto rendered = parsed->render(document);
  if (!rendered.ok()) return;
  MARGAY_CHECK(*parsed->render(document) == *rendered);
  const bool is_expression = text.starts_with('.') || text.starts_with('$');
  if (!is_expression && text.find('{') == std::string_view::npos) MARGAY_CHECK(*rendered == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(input.find('\0'), input.size());
  const auto document = margay::json::parse(cut == input.size() ? kPod : input.substr(cut + 1));
  if (!document.ok()) return 0;
  check_expression(input.substr(0, cut), *document);
  check_template(input.substr(0, cut), *document);
  return 0;
}
