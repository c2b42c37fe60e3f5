#include "base/json/value.h"

#include <cmath>
#include <limits>

#include "base/core/text.h"
#include "base/json/random_value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::json {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string parse_error(std::string_view text, const ParseLimits& limits = {}) {
  const Result<Value> parsed = parse(text, limits);
  return parsed.ok() ? "accepted" : parsed.error().message;
}

TEST(Object, KeepsOrderAndReplaces) {
  Object object{{"b", 1}, {"a", 2}};
  object["c"] = 3;
  object["b"] = 4;
  EXPECT_EQ(dump(object), R"({"b":4,"a":2,"c":3})");
  EXPECT_TRUE(object.erase("a"));
  EXPECT_FALSE(object.erase("a"));
  EXPECT_EQ(object.size(), 2U);
  EXPECT_EQ(object.find("a"), nullptr);
}

TEST(Object, EqualsInAnyOrder) {
  EXPECT_EQ((Object{{"a", 1}, {"b", 2}}), (Object{{"b", 2}, {"a", 1}}));
  EXPECT_FALSE((Object{{"a", 1}, {"b", 2}}) == (Object{{"b", 2}, {"c", 1}}));
  EXPECT_FALSE((Object{{"a", 1}}) == (Object{{"a", 1}, {"b", 2}}));
}

TEST(Object, WideOnesCompareInAnyOrder) {
  constexpr int kMembers = 20'000;
  Object up;
  Object down;
  for (int i = 0; i < kMembers; ++i) {
    up.append_new(concat("m", i), i);
    down.append_new(concat("m", kMembers - 1 - i), kMembers - 1 - i);
  }
  EXPECT_EQ(up, down);
  down["m7"] = 8;
  EXPECT_FALSE(up == down);
}

TEST(Value, NumbersCompareByValue) {
  EXPECT_EQ(Value(1), Value(1.0));
  EXPECT_FALSE(Value(1) == Value(1.5));
  EXPECT_FALSE(Value(std::int64_t{9007199254740993}) == Value(9007199254740992.0));
  EXPECT_FALSE(Value(std::numeric_limits<std::int64_t>::max()) == Value(0x1p63));
  EXPECT_FALSE(Value(1) == Value("1"));
  EXPECT_FALSE(Value(0) == Value(nullptr));
}

TEST(Value, FindsByPath) {
  const Value value = parse(R"({"metadata":{"name":"a","labels":{}},"n":3})").value();
  EXPECT_TRUE(value.array_at({"metadata"}).empty());
  EXPECT_TRUE(value.array_at({"metadata", "none", "x"}).empty());
  EXPECT_EQ(value.string_at({"metadata", "name"}), "a");
  EXPECT_EQ(value.string_at({"metadata", "none", "x"}), "");
  EXPECT_EQ(value.string_at({"n"}), "");
  EXPECT_EQ(value.find({"metadata", "name", "deeper"}), nullptr);
  EXPECT_EQ(value.find({}), &value);
  Value changed = value;
  *changed.find({"metadata", "name"}) = "b";
  EXPECT_EQ(*changed.find({"metadata", "name"})->as_string(), "b");
  EXPECT_EQ(*value.find({"metadata", "name"})->as_string(), "a");
}

TEST(Value, GrowsFromNull) {
  Value value;
  value["spec"]["nets"].make_array().push_back("a");
  EXPECT_EQ(dump(value), R"({"spec":{"nets":["a"]}})");
}

TEST(ValueDeathTest, MemberOfStringAborts) {
  Value value("text");
  EXPECT_DEATH(value["a"], "check failed");
}

TEST(Parse, ReadsEveryType) {
  const Value value = parse(" {\"a\":[null,true,false,-7,1.5,\"x\\u00e9\\n\\ud83d\\ude00\"],\"b\":{}} \n").value();
  const Array& array = *value.find("a")->as_array();
  EXPECT_EQ(array[0].type(), Type::kNull);
  EXPECT_EQ(array[1], Value(true));
  EXPECT_EQ(array[3].type(), Type::kInteger);
  EXPECT_EQ(array[4].type(), Type::kDouble);
  EXPECT_EQ(*array[5].as_string(), "xé\n😀");
  EXPECT_TRUE(value.find("b")->as_object()->empty());
}

TEST(Parse, IntegersOutsideInt64BecomeDoubles) {
  EXPECT_EQ(parse("9223372036854775807").value().type(), Type::kInteger);
  EXPECT_EQ(parse("-9223372036854775808").value().type(), Type::kInteger);
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "123456789012345678901234567890"}) {
    EXPECT_EQ(parse(text).value().type(), Type::kDouble) << text;
  }
}

TEST(Parse, ErrorsNameTheirPlace) {
  struct Case {
    const char* why;
    std::string_view text;
    const char* place;
    const char* reason;
  };
  const Case cases[] = {
      {"nothing at all", "", "line 1, column 1: ", "unexpected end of input"},
      {"blank only", " \n ", "line 2, column 2: ", "unexpected end of input"},
      {"cut off object", "{\n  \"a\": 1", "line 2, column 9: ", "unexpected end of input"},
      {"cut off string", "{\"a\": \"b", "line 1, column 9: ", "missing closing quote"},
      {"trailing comma", "[1,\n2,\n]", "line 3, column 1: ", "unexpected ']'"},
      {"name without quotes", "{a: 1}", "line 1, column 2: ", "invalid literal"},
      {"no colon", "{\"a\" 1}", "line 1, column 6: ", "unexpected number literal"},
      {"misspelt literal", "[nul]", "line 1, column 5: ", "invalid literal"},
      {"leading zero", "[01]", "line 1, column 3: ", "unexpected number literal"},
      {"leading plus", "[+1]", "line 1, column 2: ", "invalid literal"},
      {"bare point", "[1.]", "line 1, column 4: ", "expected digit after '.'"},
      {"no finite number", "[1e999]", "line 1, column ", "number out of range"},
      {"NaN", "[NaN]", "line 1, column 2: ", "invalid literal"},
      {"comment", "// x\n1", "line 1, column 1: ", "invalid literal"},
      {"second value", "{} {}", "line 1, column 4: ", "expected end of input"},
      {"control character", "\"a\nb\"", "line 1, column 3: ", "control character"},
      {"bad escape", "\"\\x\"", "line 1, column 3: ", "forbidden character after backslash"},
      {"lone surrogate", "\"\\ud800\"", "line 1, column ", "surrogate"},
      {"UTF-8 cut short", "\"a\xc3\"", "line 1, column ", "ill-formed UTF-8"},
      {"overlong UTF-8", "\"\xc0\xaf\"", "line 1, column ", "ill-formed UTF-8"},
      {"columns are characters", "[\"日本\", x]", "line 1, column 8: ", "invalid literal"},
      {"duplicate name", "{\"a\":1,\n \"b\":2, \"a\":3}", "line 2, column 9: ", "\"a\" is there twice"},
      {"duplicate behind an escape", R"({"a\"\\":1,"a\"\u005c":3})", "line 1, column 12: ", "is there twice"},
      {"NUL", std::string_view("[\0]", 3), "line 1, column 2: ", "NUL byte"},
      {"NUL behind the value", std::string_view("{}\0{}", 5), "line 1, column 3: ", "NUL byte"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(parse_error(c.text), AllOf(StartsWith(c.place), HasSubstr(c.reason))) << c.why;
  }
}

TEST(Parse, ErrorsAreShortAndPrintable) {
  const std::string message = parse_error("\"" + std::string(100'000, '\xc3'));
  EXPECT_LT(message.size(), 200U);
  for (const char* text : {"\"\xff\xfe\x01", "[\x80]", "\x1b[31m"}) {
    for (const char c : parse_error(text)) EXPECT_TRUE(c >= 0x20 && c != 0x7f && c > 0) << text;
  }
}

TEST(Parse, DuplicateAmongManyNamesIsFoundWithoutQuadraticTime) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text.append(concat("\"n", i, "\":0,\n"));
  EXPECT_EQ(parse(text + "\"last\":0}").value().as_object()->size(), 200'001U);
  EXPECT_EQ(parse_error(text + "\"n1\":0}"), "line 200001, column 1: member \"n1\" is there twice, first in line 2");
}

TEST(Parse, LimitsHold) {
  const ParseLimits limits{.bytes_max = 10, .depth_max = 3};
  EXPECT_TRUE(parse("[[[1]]]", limits).ok());
  EXPECT_EQ(parse_error("[[[[1]]]]", limits), "line 1, column 4: nested deeper than 3 levels");
  EXPECT_EQ(parse_error("\"123456789\"", limits), "document of 11 bytes, allowed are 10");
  EXPECT_EQ(parse("\"123456789\"", limits).error().code, ErrorCode::kLimitExceeded);
  EXPECT_THAT(parse_error(std::string(1'000'000, '[')), HasSubstr("nested deeper than 100 levels"));
}

TEST(Parse, EveryTruncationIsAnError) {
  const std::string whole = R"({"a":[1,-2.5e3,"x\u00e9",{"b":null}],"c":true})";
  ASSERT_TRUE(parse(whole).ok());
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(parse(std::string_view(whole).substr(0, n)).ok()) << n;
}

TEST(Dump, EscapesWhatJsonForbids) {
  EXPECT_EQ(dump(std::string_view("\0\x1f\"\\/\b\f\n\r\t\x7f é", 14)),
            "\"\\u0000\\u001f\\\"\\\\/\\b\\f\\n\\r\\t\x7f é\"");
}

TEST(Dump, DoublesAreShortest) {
  EXPECT_EQ(dump(0.1), "0.1");
  EXPECT_EQ(dump(2.0), "2");
  EXPECT_EQ(dump(-0.0), "-0");
  EXPECT_EQ(dump(1e300), "1e+300");
  EXPECT_EQ(dump(0x1p63), "9.223372036854776e+18");
  EXPECT_EQ(dump(std::nan("")), "null");
  EXPECT_EQ(dump(std::numeric_limits<double>::infinity()), "null");
}

TEST(Dump, PrettyIndentsByTwo) {
  const Value value = parse(R"({"a":[1,{"b":[]}],"c":{}})").value();
  EXPECT_EQ(dump_pretty(value), "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {}\n}\n");
}

TEST(Dump, ReadsBackTheSame) {
  SeededRandom random(20240501);
  for (int i = 0; i < 5000; ++i) {
    const Value value = random_value(random, 4);
    const Result<Value> compact = parse(dump(value));
    ASSERT_TRUE(compact.ok()) << compact.error().message << "\n" << dump(value);
    ASSERT_EQ(dump(*compact), dump(value));
    ASSERT_EQ(*compact, value) << dump(value);
    ASSERT_EQ(parse(dump_pretty(value)).value(), value);
  }
}

}  // namespace
}  // namespace margay::json
