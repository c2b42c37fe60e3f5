#include "datastore/patch/merge_patch.h"

#include <set>

#include "base/core/text.h"
#include "base/json/random_value.h"
#include "datastore/patch/test_values.h"
#include "gtest/gtest.h"

namespace margay::patch {
namespace {

using json::Value;
using test::parsed;

// RFC 7396, appendix A, each row as it stands there.
TEST(MergePatch, DoesWhatTheRfcShows) {
  const struct Case {
    const char* original;
    const char* patch;
    const char* result;
  } cases[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(concat(c.original, " with ", c.patch));
    EXPECT_EQ(dump(merge_patch(parsed(c.original), parsed(c.patch))), c.result);
  }
}

TEST(MergePatch, MembersKeepTheirPlaces) {
  EXPECT_EQ(dump(merge_patch(parsed(R"({"z":1,"y":{"b":1,"a":2},"x":3})"), parsed(R"({"n":0,"y":{"a":5},"z":2})"))),
            R"({"z":2,"y":{"b":1,"a":5},"x":3,"n":0})");
}

TEST(MakeMergePatch, SaysOnlyWhatDiffers) {
  const struct Case {
    const char* why;
    const char* before;
    const char* after;
    const char* patch;
  } cases[] = {
      {"equal documents", R"({"a":1,"b":[1]})", R"({"b":[1],"a":1})", R"({})"},
      {"a changed member", R"({"a":1,"b":2})", R"({"a":1,"b":3})", R"({"b":3})"},
      {"a removed and a new member", R"({"a":1})", R"({"b":{"c":1}})", R"({"a":null,"b":{"c":1}})"},
      {"deeper", R"({"s":{"a":1,"b":2}})", R"({"s":{"b":2}})", R"({"s":{"a":null}})"},
      {"a list is one value", R"({"l":[1,2]})", R"({"l":[2,1]})", R"({"l":[2,1]})"},
      {"an object in place of a scalar", R"({"a":1})", R"({"a":{}})", R"({"a":{}})"},
      {"a scalar in place of an object", R"({"a":{"b":1}})", R"({"a":1})", R"({"a":1})"},
      {"no objects", "[1]", "[2]", "[2]"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(dump(make_merge_patch(parsed(c.before), parsed(c.after))), c.patch);
  }
}

// A merge patch cannot say null, so documents with null are not part of the claim.
Value without_nulls(const Value& value) {
  if (value.is_null()) return "was null";
  if (const json::Array* array = value.as_array()) {
    json::Array out;
    for (const Value& element : *array) out.push_back(without_nulls(element));
    return out;
  }
  if (const json::Object* object = value.as_object()) {
    json::Object out;
    for (const json::Member& member : *object) out[member.name] = without_nulls(member.value);
    return out;
  }
  return value;
}

TEST(MakeMergePatch, LeadsFromAnyDocumentToAnyOther) {
  SeededRandom random(7396);
  std::size_t objects = 0;
  for (int round = 0; round < 3000; ++round) {
    SCOPED_TRACE(round);
    const Value before = without_nulls(json::random_value(random, 4));
    Value after = without_nulls(json::random_value(random, 4));
    // Half of the rounds change a document rather than replace it.
    if (round % 2 == 0) after = without_nulls(merge_patch(before, after));
    const Value patch = make_merge_patch(before, after);
    ASSERT_EQ(merge_patch(before, patch), after) << dump(before) << "\n" << dump(patch) << "\n" << dump(after);
    objects += patch.as_object() != nullptr ? 1U : 0U;
  }
  EXPECT_GT(objects, 500U);
}

TEST(MergePatch, WideObjectsTakeLinearTime) {
  Value before;
  Value after;
  json::Object& old_members = before.make_object();
  json::Object& new_members = after.make_object();
  constexpr int kMembers = 50'000;
  for (int i = 0; i < kMembers; ++i) {
    old_members.append_new(concat("member", i), i);
    new_members.append_new(concat("member", kMembers - i), i);
  }
  const Value patch = make_merge_patch(before, after);
  EXPECT_EQ(merge_patch(before, patch).as_object()->size(), after.as_object()->size());
}

TEST(ThreeWayMergePatch, LeavesAloneWhatOthersAdded) {
  const struct Case {
    const char* why;
    const char* original;
    const char* modified;
    const char* current;
    const char* patch;
  } cases[] = {
      {"nothing to do", R"({"a":1})", R"({"a":1})", R"({"a":1,"status":{}})", R"({})"},
      {"a value of ours drifted", R"({"a":1})", R"({"a":1})", R"({"a":2})", R"({"a":1})"},
      {"we removed ours", R"({"a":1,"b":1})", R"({"b":1})", R"({"a":1,"b":1})", R"({"a":null})"},
      {"somebody else's stays", R"({"a":1})", R"({"a":1})", R"({"a":1,"b":1})", R"({})"},
      {"removed by us, already gone", R"({"a":1})", R"({})", R"({})", R"({})"},
      {"deeper", R"({"m":{"l":{"x":"1","y":"1"}}})", R"({"m":{"l":{"y":"2"}}})",
       R"({"m":{"l":{"x":"1","y":"1","z":"1"}}})", R"({"m":{"l":{"x":null,"y":"2"}}})"},
      {"a whole object of ours", R"({"a":{"b":1}})", R"({})", R"({"a":{"b":1,"c":2}})", R"({"a":null})"},
      {"null in the configuration removes", R"({})", R"({"a":null})", R"({"a":1,"b":1})", R"({"a":null})"},
      {"an empty object is something to add", R"({})", R"({"a":{}})", R"({})", R"({"a":{}})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    EXPECT_EQ(dump(make_three_way_merge_patch(parsed(c.original), parsed(c.modified), parsed(c.current))), c.patch);
  }
}

}  // namespace
}  // namespace margay::patch
