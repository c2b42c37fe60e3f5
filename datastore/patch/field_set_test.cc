#include "datastore/patch/field_set.h"

#include <set>

#include "base/core/random.h"
#include "base/core/text.h"
#include "datastore/patch/field_element.h"
#include "datastore/patch/test_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::patch {
namespace {

using json::Value;
using test::parsed_set;
using test::printed;
using testing::ElementsAre;

TEST(FieldSet, ReadsAndWritesFieldsV1) {
  const struct Case {
    const char* why;
    const char* in;
    const char* out;
  } cases[] = {
      {"nothing", "{}", "{}"},
      {"members", R"({"f:spec":{"f:b":{},"f:a":{}}})", R"({"f:spec":{"f:a":{},"f:b":{}}})"},
      {"an object and what is in it", R"({"f:spec":{"f:a":{},".":{}}})", R"({"f:spec":{".":{},"f:a":{}}})"},
      {"a dot alone is the same as nothing", R"({"f:spec":{".":{}}})", R"({"f:spec":{}})"},
      {"keys in any order and spelling", R"({"k:{ \"b\":1.0, \"a\":\"x\"}":{}})", R"({"k:{\"a\":\"x\",\"b\":1}":{}})"},
      {"values", R"({"v:\"x\"":{},"v: 10":{},"v:true":{}})", R"({"v:\"x\"":{},"v:10":{},"v:true":{}})"},
      {"an index", R"({"i:3":{}})", R"({"i:3":{}})"},
      {"two spellings of one element", R"({"v:1":{},"v:1.0":{"f:a":{}}})", R"({"v:1":{".":{},"f:a":{}}})"},
      {"names that look like elements", R"({"f:f:a":{},"f:.":{},"f:":{}})", R"({"f:":{},"f:.":{},"f:f:a":{}})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const auto set = FieldSet::parse(json::parse(c.in).value());
    ASSERT_TRUE(set.ok()) << set.error().message;
    EXPECT_EQ(printed(*set), c.out);
    EXPECT_EQ(parsed_set(c.out), *set);
  }
}

TEST(FieldSet, RefusesWhatIsNoFieldsV1) {
  const struct Case {
    const char* in;
    const char* message;
  } cases[] = {
      {"[]", "FieldsV1 must be an object, found array"},
      {R"({"spec":{}})", R"("spec" is no path element of FieldsV1)"},
      {R"({"f:a":1})", R"("f:a" must be an object)"},
      {R"({"f:a":{"x:b":{}}})", R"("x:b" is no path element of FieldsV1)"},
      {R"({"i:x":{}})", R"("i:x" is no path element of FieldsV1)"},
      {R"({"k:[1]":{}})", R"("k:[1]": keys must be an object)"},
      {R"({"":{}})", R"("" is no path element of FieldsV1)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.in);
    const auto set = FieldSet::parse(json::parse(c.in).value());
    ASSERT_FALSE(set.ok());
    EXPECT_EQ(set.error().message, c.message);
  }
  EXPECT_FALSE(FieldSet::parse(json::parse(R"({"v:{":{}})").value()).ok());
}

TEST(FieldSet, NamesItsPlaces) {
  EXPECT_THAT(parsed_set(R"({"f:spec":{"f:a":{},"f:ports":{"k:{\"name\":\"m\",\"port\":80}":{".":{},"f:x":{}}},
                         "f:set":{"v:\"w\"":{}},"f:list":{"i:3":{}}}})")
                  .paths(),
              ElementsAre(".spec.a", ".spec.list[3]", R"(.spec.ports[name="m",port=80])",
                          R"(.spec.ports[name="m",port=80].x)", R"(.spec.set[="w"])"));
}

TEST(FieldSet, UnionDifferenceIntersection) {
  const FieldSet a = parsed_set(R"({"f:x":{".":{},"f:a":{},"f:b":{}},"f:y":{}})");
  const FieldSet b = parsed_set(R"({"f:x":{"f:b":{},"f:c":{}},"f:z":{}})");
  EXPECT_EQ(printed(union_of(a, b)), R"({"f:x":{".":{},"f:a":{},"f:b":{},"f:c":{}},"f:y":{},"f:z":{}})");
  EXPECT_EQ(printed(difference_of(a, b)), R"({"f:x":{".":{},"f:a":{}},"f:y":{}})");
  EXPECT_EQ(printed(intersection_of(a, b)), R"({"f:x":{"f:b":{}}})");
  EXPECT_TRUE(difference_of(a, a).empty());
  // The place alone, not what is below it.
  EXPECT_EQ(printed(difference_of(a, parsed_set(R"({"f:x":{}})"))), R"({"f:x":{"f:a":{},"f:b":{}},"f:y":{}})");
}

TEST(FieldSet, ContainsPlacesNotTheirParents) {
  const FieldSet set = parsed_set(R"({"f:x":{"f:a":{}}})");
  EXPECT_TRUE(set.contains(std::vector<std::string>{"f:x", "f:a"}));
  EXPECT_FALSE(set.contains(std::vector<std::string>{"f:x"}));
  EXPECT_FALSE(set.contains(std::vector<std::string>{"f:x", "f:a", "f:b"}));
  EXPECT_FALSE(set.contains(std::vector<std::string>{}));
}

TEST(FieldSet, ParentsAreMembersOnlyNotElements) {
  EXPECT_EQ(printed(parsed_set(R"({"f:spec":{"f:m":{"k:{\"n\":1}":{"f:x":{}}}}})").with_parents()),
            R"({"f:spec":{".":{},"f:m":{".":{},"k:{\"n\":1}":{"f:x":{}}}}})");
}

TEST(FieldSet, ErasesOnePlace) {
  FieldSet set = parsed_set(R"({"f:x":{".":{},"f:a":{"f:b":{}}},"f:y":{"f:c":{}}})");
  set.erase(std::vector<std::string>{"f:x"}, FieldSet::Below::kStays);
  EXPECT_EQ(printed(set), R"({"f:x":{"f:a":{"f:b":{}}},"f:y":{"f:c":{}}})");
  set.erase(std::vector<std::string>{"f:x", "f:a"}, FieldSet::Below::kGoes);
  EXPECT_EQ(printed(set), R"({"f:y":{"f:c":{}}})");
  set.erase(std::vector<std::string>{"f:none", "f:a"}, FieldSet::Below::kGoes);
  EXPECT_EQ(printed(set), R"({"f:y":{"f:c":{}}})");
}

// The same operations on sets of path texts, which need no tree.
std::set<std::string> reference(const FieldSet& set) {
  const auto paths = set.paths();
  return {paths.begin(), paths.end()};
}

FieldSet random_set(Random& random, int depth_max) {
  std::vector<FieldSet::Entry> entries;
  for (std::uint64_t n = random.below(4); n > 0; --n) {
    FieldSet below = depth_max > 0 ? random_set(random, depth_max - 1) : FieldSet{};
    entries.push_back({concat("f:", random.below(4)), random.below(2) == 0, std::move(below)});
  }
  return FieldSet::of(std::move(entries));
}

TEST(FieldSet, IsTheSetOfItsPaths) {
  SeededRandom random(11);
  for (int round = 0; round < 3000; ++round) {
    SCOPED_TRACE(round);
    const FieldSet a = random_set(random, 3);
    const FieldSet b = random_set(random, 3);
    std::set<std::string> both = reference(a);
    std::set<std::string> only_a;
    std::set<std::string> common;
    for (const std::string& path : reference(a)) (reference(b).contains(path) ? common : only_a).insert(path);
    both.merge(reference(b));
    ASSERT_EQ(reference(union_of(a, b)), both);
    ASSERT_EQ(reference(difference_of(a, b)), only_a);
    ASSERT_EQ(reference(intersection_of(a, b)), common);
    ASSERT_EQ(FieldSet::parse(a.to_value()).value(), a);
  }
}

TEST(ListElements, AreNamedByKeysOrValues) {
  const ListType map{ListType::Kind::kMap, {{"port", std::nullopt}, {"protocol", Value("TCP")}}};
  const ListType set{ListType::Kind::kSet, {}};
  const auto elements = [](std::string_view text, const ListType& type) {
    const auto result = list_elements(*json::parse(text).value().as_array(), type);
    return result.ok() ? join(*result, " ") : result.error().message;
  };
  EXPECT_EQ(elements(R"([{"port":1},{"protocol":"UDP","port":1}])", map),
            R"(k:{"port":1,"protocol":"TCP"} k:{"port":1,"protocol":"UDP"})");
  EXPECT_EQ(elements(R"([{"port":1},{"port":1,"protocol":"TCP"}])", map),
            R"(duplicate entries for key [port=1,protocol="TCP"])");
  EXPECT_EQ(
      elements(R"([{"port":1},{"x":1}])", map),
      R"(element 1: associative list with keys has an element that omits key field "port" (and doesn't have default value))");
  EXPECT_EQ(elements("[7]", map), "element 0: associative list with keys may not have an element that is integer");
  EXPECT_EQ(elements(R"(["a",1,true])", set), R"(v:"a" v:1 v:true)");
  EXPECT_EQ(elements(R"(["a","b","a"])", set), R"(duplicate entries for key [="a"])");
  EXPECT_EQ(elements("[{}]", set), "element 0: associative list without keys has an element that is object");
}

}  // namespace
}  // namespace margay::patch
