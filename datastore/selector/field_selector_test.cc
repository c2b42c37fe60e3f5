#include "datastore/selector/field_selector.h"

#include <map>

#include "gtest/gtest.h"

namespace margay::selector {
namespace {

std::string value_of(std::string_view field) {
  const std::map<std::string, std::string, std::less<>> fields{
      {"metadata.name", "a"}, {"spec.nodeName", "n,1"}, {"metadata.namespace", "x=y\\z"}};
  const auto found = fields.find(field);
  return found == fields.end() ? "" : found->second;
}

TEST(FieldSelector, ComparesEveryTerm) {
  struct Case {
    const char* selector;
    bool expected;
  };
  const Case cases[] = {
      {"", true},
      {"metadata.name=a", true},
      {"metadata.name==a", true},
      {"metadata.name!=a", false},
      {"metadata.name=a,spec.nodeName!=b", true},
      {"spec.nodeName=n\\,1", true},
      {"metadata.namespace=x\\=y\\\\z", true},
      {"status.phase=", true},
      {"status.phase!=", false},
      {"metadata.name=a,", true},
  };
  for (const Case& c : cases) {
    const auto selector = FieldSelector::parse(c.selector);
    ASSERT_TRUE(selector.ok()) << c.selector;
    EXPECT_EQ(selector->matches(value_of), c.expected) << c.selector;
    EXPECT_EQ(FieldSelector::parse(selector->to_string()).value(), *selector) << c.selector;
  }
}

TEST(FieldSelector, BadTermsAreNamed) {
  EXPECT_EQ(FieldSelector::parse("metadata.name").error().message,
            "found \"metadata.name\", expected field=value, field==value or field!=value");
  EXPECT_EQ(FieldSelector::parse("a=b=c").error().message, "in \"b=c\": write \"\\=\" for a \"=\" in a value");
  for (const char* bad : {"=a", "a=\\x", "a=\\", "!=a", "a!b", "a! =b", "a !  = b"})
    EXPECT_FALSE(FieldSelector::parse(bad).ok()) << bad;
  EXPECT_FALSE(FieldSelector::parse(std::string(70'000, 'a')).ok());
}

}  // namespace
}  // namespace margay::selector
