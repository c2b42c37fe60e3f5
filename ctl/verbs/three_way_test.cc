#include "ctl/verbs/three_way.h"

#include <string>

#include "base/core/random.h"
#include "gtest/gtest.h"

namespace margay::verbs {
namespace {

using json::Value;

Value from(std::string_view text) { return *json::parse(text); }

std::string merged(std::string_view last, std::string_view wanted, std::string_view live) {
  const Value before = from(last);
  return json::dump(three_way_merge(before.is_null() ? nullptr : &before, from(wanted), from(live)));
}

TEST(ThreeWay, MergesByField) {
  const struct {
    const char* why;
    const char* last;
    const char* wanted;
    const char* live;
    const char* expected;
  } cases[] = {
      {"nothing to do", R"({"a":1})", R"({"a":1})", R"({"a":1})", R"({"a":1})"},
      {"changed", R"({"a":1})", R"({"a":2})", R"({"a":1})", R"({"a":2})"},
      {"drift is put right", R"({"a":1})", R"({"a":1})", R"({"a":9})", R"({"a":1})"},
      {"what others set stays", R"({"a":1})", R"({"a":1})", R"({"a":1,"b":2})", R"({"a":1,"b":2})"},
      {"what we no longer say goes", R"({"a":1,"b":2})", R"({"a":1})", R"({"a":1,"b":2})", R"({"a":1})"},
      {"also when others changed it", R"({"a":1,"b":2})", R"({"a":1})", R"({"a":1,"b":7})", R"({"a":1})"},
      {"it may be gone already", R"({"a":1,"b":2})", R"({"a":1})", R"({"a":1})", R"({"a":1})"},
      {"deeper", R"({"s":{"a":1,"b":2}})", R"({"s":{"a":1,"c":3}})", R"({"s":{"a":1,"b":2,"d":4}})",
       R"({"s":{"a":1,"d":4,"c":3}})"},
      {"a whole object goes", R"({"s":{"a":1},"x":1})", R"({"x":1})", R"({"s":{"a":1,"z":1},"x":1})", R"({"x":1})"},
      {"lists are replaced", R"({"l":[1,2]})", R"({"l":[1]})", R"({"l":[1,2,3]})", R"({"l":[1]})"},
      {"null removes", R"({"a":1})", R"({"a":null})", R"({"a":1,"b":2})", R"({"b":2})"},
      {"no last form: nothing is removed", "null", R"({"a":1})", R"({"a":2,"b":2})", R"({"a":1,"b":2})"},
      {"type changes to object", R"({"a":1})", R"({"a":{"x":1}})", R"({"a":1})", R"({"a":{"x":1}})"},
      {"type changes to scalar", R"({"a":{"x":1}})", R"({"a":1})", R"({"a":{"x":1}})", R"({"a":1})"},
      {"null inside a new object is left out", "null", R"({"a":{"x":null,"y":1}})", "{}", R"({"a":{"y":1}})"},
  };
  for (const auto& c : cases) EXPECT_EQ(merged(c.last, c.wanted, c.live), c.expected) << c.why;
}

TEST(LastApplied, IsWrittenAsKubectlWritesIt) {
  const Value object =
      from(R"({"kind":"IPPool","apiVersion":"projectcalico.org/v3","spec":{"cidr":"10.0.0.0/8","b":[{"z":1,"a":"<&>"}]},
    "metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"old"}}})");
  EXPECT_EQ(
      last_applied_text(object),
      "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"IPPool\",\"metadata\":{\"annotations\":{},\"name\":\"a\"},"
      "\"spec\":{\"b\":[{\"a\":\"\\u003c\\u0026\\u003e\",\"z\":1}],\"cidr\":\"10.0.0.0/8\"}}\n");
  EXPECT_EQ(last_applied_text(from("{\"metadata\":{\"annotations\":{\"x\":\"y\"}},\"s\":\"a\u2028b\"}")),
            "{\"metadata\":{\"annotations\":{\"x\":\"y\"}},\"s\":\"a\\u2028b\"}\n");
}

TEST(LastApplied, OfObjectsWithoutItOrWithOneThatCannotBeRead) {
  EXPECT_FALSE(last_applied_of(from("{}")).has_value());
  for (const char* text : {"", "{", "[]", "7"}) {
    Value object = from(R"({"metadata":{"annotations":{}}})");
    object["metadata"]["annotations"][kLastAppliedAnnotation] = text;
    EXPECT_FALSE(last_applied_of(object).has_value()) << text;
  }
}

Value pool(std::string_view spec) {
  Value object = from(R"({"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"a"}})");
  object["spec"] = from(spec);
  return object;
}

// What a server would keep: the object sent, with its own fields.
Value stored(Value object) {
  object["metadata"]["uid"] = "u-1";
  object["metadata"]["resourceVersion"] = "7";
  object["spec"]["blockSize"] = 26;
  return object;
}

TEST(Apply, TwiceTheSameIsNoChange) {
  const Value wanted = pool(R"({"cidr":"10.0.0.0/16"})");
  const Value live = stored(with_last_applied(wanted));
  EXPECT_EQ(applied_to(live, wanted), live);
}

TEST(Apply, FieldsTakenOutOfTheFileAreTakenOutOfTheObject) {
  const Value live = stored(with_last_applied(pool(R"({"cidr":"10.0.0.0/16","disabled":true})")));
  const Value next = applied_to(live, pool(R"({"cidr":"10.0.0.0/16"})"));
  EXPECT_EQ(next.find({"spec", "disabled"}), nullptr);
  EXPECT_NE(next.find({"spec", "blockSize"}), nullptr) << "the server's default stays";
  EXPECT_EQ(next.string_at({"metadata", "resourceVersion"}), "7");
  EXPECT_EQ(next.string_at({"metadata", "annotations", kLastAppliedAnnotation}),
            last_applied_text(pool(R"({"cidr":"10.0.0.0/16"})")));
}

TEST(Apply, AnObjectThatWasCreatedWithoutApplyGetsTheAnnotation) {
  const Value live = stored(pool(R"({"cidr":"10.0.0.0/16"})"));
  const Value next = applied_to(live, pool(R"({"cidr":"10.0.0.0/16"})"));
  EXPECT_NE(next, live);
  EXPECT_TRUE(last_applied_of(next).has_value());
}

TEST(Apply, TheSameInOtherWordsIsNoChange) {
  const Value wanted = pool(R"({"cidr":"10.0.0.0/16","natOutgoing":true})");
  Value live = stored(with_last_applied(wanted));
  live["metadata"]["annotations"][kLastAppliedAnnotation] =
      R"({"spec": {"natOutgoing": true, "cidr": "10.0.0.0/16"}, "metadata": {"name": "a", "annotations": {}},)"
      R"( "kind": "IPPool", "apiVersion": "projectcalico.org/v3"})";
  EXPECT_EQ(applied_to(live, wanted), live);
}

TEST(Apply, AnnotationsOfTheUserComeAndGo) {
  Value first = pool("{}");
  first["metadata"]["annotations"]["note"] = "x";
  Value live = stored(with_last_applied(first));
  live["metadata"]["annotations"]["of-others"] = "y";
  const Value next = applied_to(live, pool("{}"));
  EXPECT_EQ(next.string_at({"metadata", "annotations", "note"}), "");
  EXPECT_EQ(next.string_at({"metadata", "annotations", "of-others"}), "y");
  EXPECT_EQ(applied_to(next, pool("{}")), next);
}

Value random_value(Random& random, int depth) {
  switch (random.below(depth > 2 ? 3 : 5)) {
    case 0: return Value(static_cast<std::int64_t>(random.below(3)));
    case 1: return Value(random.below(2) == 0);
    case 2: return Value("s");
    case 3: return json::Array{Value(static_cast<std::int64_t>(random.below(3)))};
    default: break;
  }
  json::Object object;
  for (const char* name : {"a", "b", "c"}) {
    if (random.below(2) == 0) object[name] = random_value(random, depth + 1);
  }
  return object;
}

// Applying makes the object say what is wanted, and applying again changes nothing, whatever was there before.
TEST(Apply, SettlesAfterOneStepWhateverTheHistory) {
  SeededRandom random(4711);
  for (int i = 0; i < 1000; ++i) {
    Value live = pool("{}");
    live["spec"] = random_value(random, 0);
    if (random.below(2) == 0) {
      Value before = pool("{}");
      before["spec"] = random_value(random, 0);
      live["metadata"]["annotations"][kLastAppliedAnnotation] = last_applied_text(before);
    }
    Value wanted = pool("{}");
    wanted["spec"] = random_value(random, 0);
    const Value once = applied_to(live, wanted);
    ASSERT_EQ(applied_to(once, wanted), once) << json::dump(live) << " <- " << json::dump(wanted);
    ASSERT_EQ(three_way_merge(nullptr, wanted, once), once) << "all that is wanted is there";
    ASSERT_EQ(*last_applied_of(once), *json::parse(last_applied_text(wanted)));
  }
}

}  // namespace
}  // namespace margay::verbs
