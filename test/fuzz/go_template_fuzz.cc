// Go templates: a template, a NUL, and the data it is run over (without one, a small List is). Errors name their place,
// running twice gives the same, and text without actions comes out as it went in.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/core/check.h"
#include "base/json/value.h"
#include "ctl/render/go_template.h"

namespace {

constexpr std::string_view kList =
    R"({"kind":"List","items":[{"metadata":{"name":"main","labels":{"b":"2","a":"1"}},"spec":{"order":1.5}},)"
    R"({"metadata":{"name":"spare"},"spec":{"disabled":true,"uses":["Workload","Tunnel"]}}],"nothing":null,"zero":0,)"
    R"("empty":[],"secret":"c2VzYW1l"})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(input.find('\0'), input.size());
  const auto values = margay::json::parse(cut == input.size() ? kList : input.substr(cut + 1));
  if (!values.ok()) return 0;
  const std::string_view text = input.substr(0, cut);
  const auto parsed = margay::render::GoTemplate::parse(text);
  if (!parsed.ok()) {
    MARGAY_CHECK(parsed.error().message.find("line ") != std::string::npos);
    return 0;
  }
  const auto out = parsed->execute(*values);
  const auto again = parsed->execute(*values);
  MARGAY_CHECK(out.ok() == again.ok());
  if (!out.ok()) {
    MARGAY_CHECK(out.error().message == again.error().message);
    return 0;
  }
  MARGAY_CHECK(*out == *again);
  if (text.find("{{") == std::string_view::npos) MARGAY_CHECK(*out == text);
  return 0;
}
