#include "datastore/patch/json_patch.h"

#include "base/core/text.h"
#include "base/json/random_value.h"
#include "datastore/patch/json_pointer.h"
#include "datastore/patch/test_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::patch {
namespace {

using json::Value;
using test::parsed;
using testing::HasSubstr;
using Kind = JsonPatchError::Kind;

Result<Value, JsonPatchError> applied(std::string_view document, std::string_view patch,
                                      const JsonPatchLimits& limits = {}) {
  return apply_json_patch(parsed(document), parsed(patch), limits);
}

// RFC 6902, appendix A: those that succeed.
TEST(JsonPatch, DoesWhatTheRfcShows) {
  const struct Case {
    const char* section;
    const char* document;
    const char* patch;
    const char* result;
  } cases[] = {
      {"A.1 adding an object member", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
       R"({"foo":"bar","baz":"qux"})"},
      {"A.2 adding an array element", R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
       R"({"foo":["bar","qux","baz"]})"},
      {"A.3 removing an object member", R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])",
       R"({"foo":"bar"})"},
      {"A.4 removing an array element", R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
       R"({"foo":["bar","baz"]})"},
      {"A.5 replacing a value", R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
       R"({"baz":"boo","foo":"bar"})"},
      {"A.6 moving a value", R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
       R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
       R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
      {"A.7 moving an array element", R"({"foo":["all","grass","cows","eat"]})",
       R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])", R"({"foo":["all","cows","eat","grass"]})"},
      {"A.8 testing a value: success", R"({"baz":"qux","foo":["a",2,"c"]})",
       R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
       R"({"baz":"qux","foo":["a",2,"c"]})"},
      {"A.10 adding a nested member object", R"({"foo":"bar"})",
       R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])", R"({"foo":"bar","child":{"grandchild":{}}})"},
      {"A.11 ignoring unrecognized elements", R"({"foo":"bar"})",
       R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])", R"({"foo":"bar","baz":"qux"})"},
      {"A.14 ~ escape ordering", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])",
       R"({"/":9,"~1":10})"},
      {"A.16 adding an array value", R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
       R"({"foo":["bar",["abc","def"]]})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.section);
    const auto result = applied(c.document, c.patch);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(dump(*result), c.result);
  }
}

TEST(JsonPatch, DoesWhatTheRfcSaysElsewhere) {
  const struct Case {
    const char* why;
    const char* document;
    const char* patch;
    const char* result;
  } cases[] = {
      {"no operations", R"({"a":1})", "[]", R"({"a":1})"},
      {"add replaces a member that is there", R"({"a":1,"b":2})", R"([{"op":"add","path":"/a","value":null}])",
       R"({"a":null,"b":2})"},
      {"add at the end by index", "[1]", R"([{"op":"add","path":"/1","value":2}])", "[1,2]"},
      {"add of the whole document", "[1]", R"([{"op":"add","path":"","value":{"a":1}}])", R"({"a":1})"},
      {"replace of the whole document", "[1]", R"([{"op":"replace","path":"","value":7}])", "7"},
      {"an empty name is a name", R"({"":1})", R"([{"op":"replace","path":"/","value":2}])", R"({"":2})"},
      {"copy", R"({"a":[1]})", R"([{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/-","value":2}])",
       R"({"a":[1],"b":[1,2]})"},
      {"copy into itself", R"({"a":1})", R"([{"op":"copy","from":"","path":"/a"}])", R"({"a":{"a":1}})"},
      {"move over its parent", R"({"a":{"b":1}})", R"([{"op":"move","from":"/a/b","path":"/a"}])", R"({"a":1})"},
      {"move to where it is", R"({"a":1,"b":2})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1,"b":2})"},
      {"test of null", R"({"a":null})", R"([{"op":"test","path":"/a","value":null}])", R"({"a":null})"},
      {"test: objects without order, numbers by value", R"({"a":{"x":1,"y":2}})",
       R"([{"op":"test","path":"/a","value":{"y":2.0,"x":1}}])", R"({"a":{"x":1,"y":2}})"},
      {"operations see what came before", "{}",
       R"([{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":1},{"op":"test","path":"/a/b","value":1}])",
       R"({"a":{"b":1}})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const auto result = applied(c.document, c.patch);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(dump(*result), c.result);
  }
}

TEST(JsonPatch, ErrorsNameOperationAndPath) {
  const struct Case {
    const char* why;
    const char* document;
    const char* patch;
    Kind kind;
    const char* message;
  } cases[] = {
      {"A.9 testing a value: error", R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])",
       Kind::kTestFailed, R"(operation 0 (test "/baz"): the value there is not the one expected)"},
      {"A.12 adding to a nonexistent target", R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])",
       Kind::kNotApplicable, R"(operation 0 (add "/baz/bat"): there is no "/baz")"},
      {"A.15 comparing strings and numbers", R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])",
       Kind::kTestFailed, R"(operation 0 (test "/~01"): the value there is not the one expected)"},
      {"the second operation", R"({"a":1})", R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}])",
       Kind::kNotApplicable, R"(operation 1 (remove "/a"): there is no "/a")"},
      {"remove beyond the end", "[1]", R"([{"op":"remove","path":"/1"}])", Kind::kNotApplicable,
       R"(operation 0 (remove "/1"): "1" is no index of the array at "", which has 1 elements)"},
      {"'-' names no element", "[1]", R"([{"op":"remove","path":"/-"}])", Kind::kNotApplicable,
       R"(operation 0 (remove "/-"): "-" is no index of the array at "", which has 1 elements)"},
      {"add beyond the end", R"({"l":[1]})", R"([{"op":"add","path":"/l/2","value":1}])", Kind::kNotApplicable,
       R"(operation 0 (add "/l/2"): "2" is no index of the array at "/l", which has 1 elements)"},
      {"leading zero", "[1,2]", R"([{"op":"replace","path":"/01","value":1}])", Kind::kNotApplicable,
       R"(operation 0 (replace "/01"): "01" is no index of the array at "", which has 2 elements)"},
      {"into a scalar", R"({"a":"b"})", R"([{"op":"add","path":"/a/b","value":1}])", Kind::kNotApplicable,
       R"(operation 0 (add "/a/b"): at "/a" is string, which has no "b")"},
      {"replace of nothing", "{}", R"([{"op":"replace","path":"/a","value":1}])", Kind::kNotApplicable,
       R"(operation 0 (replace "/a"): there is no "/a")"},
      {"remove of everything", "{}", R"([{"op":"remove","path":""}])", Kind::kNotApplicable,
       R"(operation 0 (remove ""): the whole document cannot be removed)"},
      {"move from nowhere", "{}", R"([{"op":"move","from":"/x","path":"/y"}])", Kind::kNotApplicable,
       R"(operation 0 (move "/y"): there is no "/x")"},
      {"move into its own child", R"({"a":{"b":{}}})", R"([{"op":"move","from":"/a","path":"/a/b/c"}])",
       Kind::kNotApplicable, R"(operation 0 (move "/a/b/c"): "/a" cannot be moved into itself)"},
      {"no array", "{}", R"({"op":"add"})", Kind::kMalformed, "a JSON patch is an array of operations, found object"},
      {"no operation", "{}", "[1]", Kind::kMalformed, R"(operation 0 ( ""): expected an object, found integer)"},
      {"unknown op", "{}", R"([{"op":"spam","path":"/a"}])", Kind::kMalformed,
       R"(operation 0 (spam "/a"): "op" must be add, remove, replace, move, copy or test, found "spam")"},
      {"no path", "{}", R"([{"op":"add","value":1}])", Kind::kMalformed, R"(operation 0 (add ""): "path" is missing)"},
      {"path of another type", "{}", R"([{"op":"add","path":[],"value":1}])", Kind::kMalformed,
       R"(operation 0 (add ""): "path" must be a string, found array)"},
      {"no value", "{}", R"([{"op":"add","path":"/a"}])", Kind::kMalformed,
       R"(operation 0 (add "/a"): "value" is missing)"},
      {"no from", "{}", R"([{"op":"copy","path":"/a"}])", Kind::kMalformed,
       R"(operation 0 (copy "/a"): "from" is missing)"},
      {"pointer without a slash", "{}", R"([{"op":"add","path":"a","value":1}])", Kind::kMalformed,
       R"(operation 0 (add "a"): "path": "a" is no JSON pointer: it must begin with '/')"},
      {"pointer with a lone tilde", "{}", R"([{"op":"add","path":"/a~2","value":1}])", Kind::kMalformed,
       R"(operation 0 (add "/a~2"): "path": "/a~2" is no JSON pointer: '~' must be followed by 0 or 1)"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.why);
    const auto result = applied(c.document, c.patch);
    ASSERT_FALSE(result.ok()) << dump(*result);
    EXPECT_EQ(result.error().message, c.message);
    EXPECT_EQ(result.error().kind, c.kind);
  }
}

TEST(JsonPatch, ErrorsCarryIndexAndPointer) {
  const auto result =
      applied(R"({"a":1})", R"([{"op":"test","path":"/a","value":1},{"op":"test","path":"/a","value":2}])");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().operation, std::optional<std::size_t>(1));
  EXPECT_EQ(result.error().path, "/a");
}

TEST(JsonPatch, OperationsAreCounted) {
  JsonPatchLimits limits;
  limits.operations_max = 2;
  const std::string_view test = R"({"op":"test","path":"","value":{}})";
  EXPECT_TRUE(applied("{}", concat("[", test, ",", test, "]"), limits).ok());
  const auto refused = applied("{}", concat("[", test, ",", test, ",", test, "]"), limits);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Kind::kLimitExceeded);
  EXPECT_EQ(refused.error().message, "a JSON patch may have at most 2 operations, found 3");
}

std::string repeated(std::string_view operation, int count) {
  std::string patch = "[";
  for (int i = 0; i < count; ++i) patch.append(i == 0 ? "" : ",").append(operation);
  return patch + "]";
}

TEST(JsonPatch, CopiesCannotGrowWithoutBound) {
  // Doubles each time.
  const auto bomb = applied(R"({"a":["0123456789"]})", repeated(R"({"op":"copy","from":"/a","path":"/a/-"})", 60));
  ASSERT_FALSE(bomb.ok());
  EXPECT_EQ(bomb.error().kind, Kind::kLimitExceeded);
  EXPECT_THAT(bomb.error().message, HasSubstr("\"copy\" operations may add at most 3145728 bytes"));
}

TEST(JsonPatch, DocumentsCannotGetDeeperThanTheLimit) {
  JsonPatchLimits limits;
  limits.depth_max = 5;
  EXPECT_TRUE(applied(R"({"a":{"a":{"a":{}}}})", R"([{"op":"add","path":"/a/a/a/a","value":{}}])", limits).ok());
  const auto add = applied(R"({"a":{"a":{"a":{}}}})", R"([{"op":"add","path":"/a/a/a/a","value":[[]]}])", limits);
  ASSERT_FALSE(add.ok());
  EXPECT_EQ(add.error().message, R"(operation 0 (add "/a/a/a/a"): the document would be deeper than 5 levels)");
  EXPECT_FALSE(applied("{}", repeated(R"({"op":"copy","from":"","path":"/a"})", 6), limits).ok());
  EXPECT_TRUE(applied("{}", repeated(R"({"op":"copy","from":"","path":"/a"})", 4), limits).ok());
  EXPECT_FALSE(
      applied(R"({"a":{"a":{"a":{}}},"b":{"b":{}}})", R"([{"op":"move","from":"/b","path":"/a/a/a/b"}])", limits).ok());
}

TEST(JsonPatch, WorkIsBounded) {
  JsonPatchLimits limits;
  limits.work_max = 100;
  const std::string insert = R"({"op":"add","path":"/l/0","value":1})";
  EXPECT_TRUE(applied(R"({"l":[]})", repeated(insert, 5), limits).ok());
  const auto slow = applied(R"({"l":[]})", repeated(insert, 50), limits);
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.error().kind, Kind::kLimitExceeded);
  EXPECT_THAT(slow.error().message, HasSubstr("the patch costs too much to apply"));
}

// A random pointer into `document`, or near it.
std::string random_pointer(Random& random, const Value& document) {
  std::string pointer;
  const Value* at = &document;
  while (at != nullptr && random.below(4) != 0) {
    if (const json::Array* array = at->as_array()) {
      const std::uint64_t index = random.below(array->size() + 1);
      pointer.append(random.below(6) == 0 ? "/-" : concat("/", index));
      at = index < array->size() ? &(*array)[index] : nullptr;
    } else if (const json::Object* object = at->as_object(); object != nullptr && !object->empty()) {
      const auto member = object->begin() + static_cast<std::ptrdiff_t>(random.below(object->size()));
      pointer.append(format_pointer({random.below(5) == 0 ? "new" : member->name}));
      at = &member->value;
    } else {
      break;
    }
  }
  return pointer;
}

Value random_operation(Random& random, const Value& document) {
  constexpr std::string_view kVerbs[] = {"add", "remove", "replace", "move", "copy", "test", "add", "add"};
  const std::string path = random_pointer(random, document);
  json::Object operation{{"op", kVerbs[random.below(std::size(kVerbs))]}, {"path", path}};
  operation["from"] = random_pointer(random, document);
  operation["value"] = json::random_value(random, 2);
  return operation;
}

// Each operation alone gives what the whole patch gives; and where the patch fails, so does that operation alone.
TEST(JsonPatch, IsItsOperationsInOrderOrNothing) {
  SeededRandom random(6902);
  int succeeded = 0;
  int failed_late = 0;
  for (int round = 0; round < 3000; ++round) {
    SCOPED_TRACE(round);
    const Value before = json::random_value(random, 4);
    json::Array patch;
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) patch.push_back(random_operation(random, before));
    const auto whole = apply_json_patch(before, patch);
    Value step_by_step = before;
    std::size_t done = 0;
    while (done < patch.size()) {
      auto one = apply_json_patch(step_by_step, json::Array{patch[done]});
      if (!one.ok()) break;
      step_by_step = std::move(one).value();
      ++done;
    }
    ASSERT_EQ(whole.ok(), done == patch.size()) << dump(patch);
    if (whole.ok()) {
      ASSERT_EQ(*whole, step_by_step) << dump(patch);
      ++succeeded;
    } else {
      ASSERT_EQ(whole.error().operation, std::optional(done)) << whole.error().message;
      failed_late += done > 0 ? 1 : 0;
    }
  }
  EXPECT_GT(succeeded, 300);
  EXPECT_GT(failed_late, 300);
}

TEST(JsonPointer, ReadsAndWrites) {
  // RFC 6901 §5.
  const struct Case {
    const char* text;
    PointerTokens tokens;
  } cases[] = {
      {"", {}},           {"/foo", {"foo"}},         {"/foo/0", {"foo", "0"}}, {"/", {""}},
      {"/a~1b", {"a/b"}}, {"/c%d", {"c%d"}},         {"/m~0n", {"m~n"}},       {"/ ", {" "}},
      {"/~01", {"~1"}},   {"/a//b", {"a", "", "b"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const auto tokens = parse_pointer(c.text);
    ASSERT_TRUE(tokens.ok());
    EXPECT_EQ(*tokens, c.tokens);
    EXPECT_EQ(format_pointer(c.tokens), c.text);
  }
  for (const char* bad : {"a", "a/b", "/~", "/a~", "/~x"}) EXPECT_FALSE(parse_pointer(bad).ok()) << bad;
}

TEST(JsonPointer, IndexesArePlainDecimal) {
  EXPECT_EQ(parse_array_index("0"), std::optional<std::size_t>(0));
  EXPECT_EQ(parse_array_index("12"), std::optional<std::size_t>(12));
  for (const char* bad : {"", "-", "-1", "+1", "00", "01", "1.0", "1e0", " 1", "99999999999999999999"})
    EXPECT_EQ(parse_array_index(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace margay::patch
