#include "datastore/patch/object_fields.h"

#include "base/core/text.h"
#include "base/json/random_value.h"
#include "datastore/patch/test_lists.h"
#include "datastore/patch/test_values.h"
#include "gtest/gtest.h"

namespace margay::patch {
namespace {

using json::Value;
using test::parsed;
using test::printed;

// Everything below spec.
Value object_of(std::string_view spec) { return parsed(concat(R"({"spec":)", spec, "}")); }
std::string printed_spec(const FieldSet& set) {
  const FieldSet::Entry* spec = set.find("f:spec");
  return spec == nullptr ? "{}" : printed(spec->children);
}

TEST(FieldsOf, AreTheLeavesAndTheElements) {
  const struct Case {
    const char* why;
    const char* spec;
    const char* fields;
  } cases[] = {
      {"scalars and null", R"({"a":1,"b":null})", R"({"f:a":{},"f:b":{}})"},
      {"objects go deeper", R"({"o":{"p":{"q":1}}})", R"({"f:o":{"f:p":{"f:q":{}}}})"},
      {"what is empty is a leaf", R"({"o":{},"set":[],"list":[]})", R"({"f:list":{},"f:o":{},"f:set":{}})"},
      {"a list is one value", R"({"list":[{"a":1}]})", R"({"f:list":{}})"},
      {"an atomic object too", R"({"atom":{"a":1}})", R"({"f:atom":{}})"},
      {"a set", R"({"set":["y","x"]})", R"({"f:set":{"v:\"x\"":{},"v:\"y\"":{}}})"},
      {"a map: the elements themselves are owned", R"({"map":[{"name":"m","x":{"y":1}}]})",
       R"({"f:map":{"k:{\"name\":\"m\",\"port\":80}":{".":{},"f:name":{},"f:x":{"f:y":{}}}}})"},
      {"an element twice: one value", R"({"set":["x","x"],"map":[{"name":"m"},{"name":"m"}]})",
       R"({"f:map":{},"f:set":{}})"},
      {"an object where a list belongs", R"({"set":{"a":1}})", R"({"f:set":{"f:a":{}}})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(printed_spec(fields_of(object_of(c.spec), TestLists())), c.fields);
  }
}

TEST(FieldsOf, MetadataHasItsOwnLists) {
  const Value object = parsed(R"({"metadata":{"finalizers":["a"],"labels":{"l":"1"},
      "ownerReferences":[{"uid":"u","name":"n"}]},"template":{"metadata":{"finalizers":["a"]}}})");
  EXPECT_EQ(
      printed(fields_of(object, AtomicLists())),
      R"({"f:metadata":{"f:finalizers":{"v:\"a\"":{}},"f:labels":{"f:l":{}},"f:ownerReferences":{"k:{\"uid\":\"u\"}":{}}},"f:template":{"f:metadata":{"f:finalizers":{}}}})");
}

TEST(FieldsOf, EndAtADepthThatCanBeReadAgain) {
  Value object = 1;
  for (int i = 0; i < 99; ++i) object = Value(json::Object{{"a", std::move(object)}});
  const std::string text = printed(fields_of(object, AtomicLists()));
  EXPECT_TRUE(json::parse(concat(R"({"metadata":{"managedFields":[{"fieldsV1":)", text, "}]}}")).ok());
}

TEST(CompareFields, TellsAddedModifiedRemoved) {
  const struct Case {
    const char* why;
    const char* before;
    const char* after;
    const char* added;
    const char* modified;
    const char* removed;
  } cases[] = {
      {"equal", R"({"a":1,"set":["x"]})", R"({"set":["x"],"a":1.0})", "{}", "{}", "{}"},
      {"scalars", R"({"a":1,"b":1})", R"({"a":2,"c":1})", R"({"f:c":{}})", R"({"f:a":{}})", R"({"f:b":{}})"},
      {"a new object with all that is in it", "{}", R"({"o":{"p":{"q":1}}})",
       R"({"f:o":{".":{},"f:p":{".":{},"f:q":{}}}})", "{}", "{}"},
      {"a removed object", R"({"o":{"p":1}})", "{}", "{}", "{}", R"({"f:o":{".":{},"f:p":{}}})"},
      {"an object becomes empty", R"({"o":{"p":1}})", R"({"o":{}})", "{}", "{}", R"({"f:o":{"f:p":{}}})"},
      {"an empty object fills", R"({"o":{}})", R"({"o":{"p":1}})", R"({"f:o":{"f:p":{}}})", "{}", "{}"},
      {"an object in place of a scalar", R"({"o":1})", R"({"o":{"p":1}})", R"({"f:o":{"f:p":{}}})", R"({"f:o":{}})",
       "{}"},
      {"a scalar in place of an object", R"({"o":{"p":1}})", R"({"o":1})", "{}", R"({"f:o":{}})",
       R"({"f:o":{"f:p":{}}})"},
      {"null in place of an object", R"({"o":{"p":1}})", R"({"o":null})", "{}", R"({"f:o":{}})",
       R"({"f:o":{"f:p":{}}})"},
      {"an atomic list", R"({"list":[1,2]})", R"({"list":[2,1]})", "{}", R"({"f:list":{}})", "{}"},
      {"an atomic object", R"({"atom":{"a":1}})", R"({"atom":{"a":2}})", "{}", R"({"f:atom":{}})", "{}"},
      {"a set, order does not count", R"({"set":["x","y"]})", R"({"set":["z","x"]})", R"({"f:set":{"v:\"z\"":{}}})",
       "{}", R"({"f:set":{"v:\"y\"":{}}})"},
      {"a map", R"({"map":[{"name":"a","x":1},{"name":"b"}]})", R"({"map":[{"name":"c"},{"name":"a","x":2}]})",
       R"({"f:map":{"k:{\"name\":\"c\",\"port\":80}":{".":{},"f:name":{}}}})",
       R"({"f:map":{"k:{\"name\":\"a\",\"port\":80}":{"f:x":{}}}})",
       R"({"f:map":{"k:{\"name\":\"b\",\"port\":80}":{".":{},"f:name":{}}}})"},
      {"a set that is none any more", R"({"set":["x"]})", R"({"set":["x","x"]})", "{}", R"({"f:set":{}})",
       R"({"f:set":{"v:\"x\"":{}}})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const Comparison result = compare_fields(object_of(c.before), object_of(c.after), TestLists());
    EXPECT_EQ(printed_spec(result.added), c.added);
    EXPECT_EQ(printed_spec(result.modified), c.modified);
    EXPECT_EQ(printed_spec(result.removed), c.removed);
  }
}

TEST(MergeFields, ConfigurationWinsAndLiveKeepsItsPlaces) {
  const struct Case {
    const char* why;
    const char* live;
    const char* config;
    const char* merged;
  } cases[] = {
      {"objects", R"({"b":1,"a":{"x":1,"y":2}})", R"({"c":3,"a":{"y":5}})", R"({"b":1,"a":{"x":1,"y":5},"c":3})"},
      {"an empty object takes nothing away", R"({"a":{"x":1}})", R"({"a":{}})", R"({"a":{"x":1}})"},
      {"an atomic list is replaced", R"({"list":[1,2]})", R"({"list":[3]})", R"({"list":[3]})"},
      {"an atomic object is replaced", R"({"atom":{"a":1}})", R"({"atom":{"b":1}})", R"({"atom":{"b":1}})"},
      {"a set is joined", R"({"set":["x","y"]})", R"({"set":["z","y"]})", R"({"set":["x","y","z"]})"},
      {"a map is merged by key", R"({"map":[{"name":"m","port":80,"x":1},{"name":"n","port":1}]})",
       R"({"map":[{"name":"o"},{"name":"m","y":2}]})",
       R"({"map":[{"name":"m","port":80,"x":1,"y":2},{"name":"n","port":1},{"name":"o"}]})"},
      {"another type replaces", R"({"a":{"x":1}})", R"({"a":[1]})", R"({"a":[1]})"},
      {"null replaces", R"({"a":{"x":1}})", R"({"a":null})", R"({"a":null})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(dump(*merge_fields(object_of(c.live), object_of(c.config), TestLists()).find("spec")), c.merged);
  }
}

TEST(RemoveFields, TakesPlacesAndAllBelow) {
  const Value object =
      object_of(R"({"a":1,"o":{"p":1,"q":2},"set":["x","y"],"list":[1],"map":[{"name":"m","x":1},{"name":"n"}]})");
  const FieldSet fields = FieldSet::parse(parsed(R"({"f:spec":{"f:a":{},"f:o":{"f:p":{}},"f:set":{"v:\"x\"":{}},
      "f:list":{"i:0":{}},"f:none":{},"f:map":{"k:{\"name\":\"m\",\"port\":80}":{"f:x":{}},
      "k:{\"name\":\"n\",\"port\":80}":{".":{},"f:name":{}}}}})"))
                              .value();
  EXPECT_EQ(dump(remove_fields(object, fields, TestLists())),
            R"({"spec":{"o":{"q":2},"set":["y"],"list":[1],"map":[{"name":"m"}]}})");
}

TEST(CheckLists, NamesThePlace) {
  const auto problem = [](std::string_view spec) {
    const Status status = check_lists(object_of(spec), TestLists());
    return status.ok() ? "" : status.error().message;
  };
  EXPECT_EQ(problem(R"({"set":["a","b"],"list":[1,1],"map":[{"name":"a"},{"name":"a","port":1}]})"), "");
  EXPECT_EQ(problem(R"({"set":["a","a"]})"), R"(.spec.set: duplicate entries for key [="a"])");
  EXPECT_EQ(
      problem(R"({"map":[{"port":1}]})"),
      R"(.spec.map: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value))");
}

// Laws that hold whatever the objects are.
TEST(Fields, MergingRemovingAndComparingAgree) {
  SeededRandom random(5);
  const TestLists types;
  int different = 0;
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(round);
    const Value a = json::Object{{"spec", json::random_value(random, 4)}, {"x", json::random_value(random, 2)}};
    const Value b = json::Object{{"spec", json::random_value(random, 4)}, {"y", json::random_value(random, 2)}};
    ASSERT_TRUE(compare_fields(a, a, types).is_same());
    ASSERT_EQ(compare_fields(a, b, types).is_same(), a == b);
    ASSERT_EQ(compare_fields(a, b, types).added, compare_fields(b, a, types).removed);
    ASSERT_EQ(compare_fields(a, b, types).modified, compare_fields(b, a, types).modified);
    const Value merged = merge_fields(a, b, types);
    ASSERT_EQ(merge_fields(merged, b, types), merged);
    ASSERT_EQ(merge_fields(json::Object{}, b, types), b);
    ASSERT_EQ(dump(remove_fields(a, fields_of(a, types).with_parents(), types)), "{}");
    different += a == b ? 0 : 1;
  }
  EXPECT_GT(different, 1900);
}

}  // namespace
}  // namespace margay::patch
