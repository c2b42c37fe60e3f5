#include "datastore/kube/warning_header.h"

#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::kube {
namespace {

std::string read(const std::vector<std::string>& values) {
  http::Headers headers;
  headers.add("Content-Type", "299 - \"not a warning\"");
  for (const std::string& value : values) headers.add("warning", value);
  return join(server_warnings(headers), "|");
}

TEST(WarningHeader, GivesTheTextsOfKubernetes) {
  struct Case {
    const char* why;
    std::vector<std::string> values;
    const char* expected;
  };
  const Case cases[] = {
      {"none", {}, ""},
      {"one", {R"(299 - "policy/v1beta1 is deprecated")"}, "policy/v1beta1 is deprecated"},
      {"quotes and backslashes inside", {R"(299 - "unknown field \"spec.a\\b\"")"}, R"(unknown field "spec.a\b")"},
      {"two in one field", {R"(299 - "a, b", 299 - "c")"}, "a, b|c"},
      {"two fields, in order", {R"(299 - "a")", R"(299 - "b")"}, "a|b"},
      {"with a date", {R"(299 - "a" "Sat, 25 Aug 2012 23:34:45 GMT", 299 - "b")"}, "a|b"},
      {"of a cache", {R"(110 proxy "stale", 299 - "a")"}, "a"},
      {"of another agent", {R"(299 proxy:80 "x")"}, ""},
      {"empty text", {R"(299 - "")"}, ""},
      {"UTF-8", {R"(299 - "größer")"}, "größer"},
      {"no control characters for the terminal", {"299 - \"a\x1b[31m\tb\""}, "a [31m b"},
      {"not closed", {R"(299 - "a)", R"(299 - "b")"}, "b"},
      {"backslash at the end", {"299 - \"a\\"}, ""},
      {"nothing quoted", {"299 - a"}, ""},
      {"rubbish behind the text", {R"(299 - "a"b, 299 - "c")"}, ""},
      {"date not closed", {R"(299 - "a" "Sat)"}, ""},
      {"separators only", {" , ,,", ""}, ""},
  };
  for (const Case& c : cases) EXPECT_EQ(read(c.values), c.expected) << c.why;
}

TEST(WarningHeader, ManyAreCutOff) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += R"(299 - "a",)";
  http::Headers headers;
  headers.add("Warning", many);
  headers.add("Warning", many);
  EXPECT_EQ(server_warnings(headers).size(), 100U);
}

}  // namespace
}  // namespace margay::kube
