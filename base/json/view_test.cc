#include "base/json/view.h"

#include "base/core/text.h"
#include "base/json/random_value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::json {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(View, ReadsEveryType) {
  Document document;
  const View root =
      document.parse(R"({"b":true,"f":false,"i":-7,"d":1.5,"w":3.0,"s":"x\n","n":null,"a":[1,[2,3],{"k":4},5]})")
          .value();
  EXPECT_EQ(root.type(), Type::kObject);
  EXPECT_EQ(root["b"].boolean(), true);
  EXPECT_EQ(root["f"].boolean(), false);
  EXPECT_EQ(root["i"].integer(), -7);
  EXPECT_EQ(root["i"].number(), -7.0);
  EXPECT_EQ(root["d"].number(), 1.5);
  EXPECT_EQ(root["d"].integer(), std::nullopt);
  EXPECT_EQ(root["w"].integer(), 3);
  EXPECT_EQ(root["s"].string(), "x\n");
  EXPECT_TRUE(root["n"].is_present());
  EXPECT_FALSE(root["n"].is_given());
  std::vector<Type> types;
  for (const View element : root["a"].elements()) types.push_back(element.type());
  EXPECT_THAT(types, ElementsAre(Type::kInteger, Type::kArray, Type::kObject, Type::kInteger));
}

TEST(View, MembersComeInOrder) {
  Document document;
  const View root = document.parse(R"({"z":[1,2],"a":{"x":{}},"m":3})").value();
  std::vector<std::string> names;
  for (const auto& [name, value] : root.members()) {
    names.push_back(concat(name, "=", to_string(value.type())));
  }
  EXPECT_THAT(names, ElementsAre("z=array", "a=object", "m=integer"));
}

TEST(View, MissingAndWrongTypesAreQuiet) {
  Document document;
  const View root = document.parse(R"({"s":"text","empty":{},"none":[]})").value();
  const View missing = root["no"]["such"]["member"];
  EXPECT_FALSE(missing.is_present());
  EXPECT_FALSE(missing.is_given());
  EXPECT_EQ(missing.type(), Type::kNull);
  EXPECT_EQ(missing.string(), std::nullopt);
  EXPECT_EQ(missing.integer(), std::nullopt);
  EXPECT_EQ(missing.number(), std::nullopt);
  EXPECT_EQ(missing.boolean(), std::nullopt);
  EXPECT_EQ(missing.to_value(), Value());
  EXPECT_FALSE(root["s"]["x"].is_present());
  EXPECT_EQ(root["s"].integer(), std::nullopt);
  EXPECT_EQ(root.string(), std::nullopt);
  for (const char* name : {"s", "empty", "none", "absent"}) {
    EXPECT_TRUE(root[name].elements().begin() == root[name].elements().end()) << name;
    EXPECT_TRUE(root[name].members().begin() == root[name].members().end()) << name;
  }
}

TEST(View, ScalarDocument) {
  Document document;
  EXPECT_EQ(document.parse(" 42 ").value().integer(), 42);
  EXPECT_EQ(document.parse("\"x\"").value().string(), "x");
  EXPECT_TRUE(document.parse("null").value().is_present());
}

TEST(Document, IsUsedAgainAndMoves) {
  Document document;
  ASSERT_TRUE(document.parse("[" + std::string(10'000, ' ') + "1]").ok());
  EXPECT_FALSE(document.parse("[").ok());
  const View view = document.parse(R"({"a":"b"})").value();
  const Document moved = std::move(document);
  EXPECT_EQ(view["a"].string(), "b");
}

TEST(Document, ErrorsNameTheirPlace) {
  Document document;
  const auto error_of = [&](std::string_view text) {
    const Result<View> parsed = document.parse(text);
    return parsed.ok() ? std::string("accepted") : parsed.error().message;
  };
  EXPECT_THAT(error_of(""), StartsWith("line 1, column 1: "));
  EXPECT_THAT(error_of("{\n  \"a\": tru\n}"), StartsWith("line 2, column "));
  EXPECT_THAT(error_of("{\"a\":1} x"), StartsWith("line 1, column 9: "));
  EXPECT_THAT(error_of("\"\xff\""), HasSubstr("UTF-8"));
  EXPECT_THAT(error_of("[1e999]"), HasSubstr("number out of range"));
  EXPECT_THAT(error_of(std::string_view("1\0", 2)), HasSubstr("NUL"));
}

TEST(Document, LimitsHold) {
  Document document;
  const ParseLimits limits{.bytes_max = 20, .depth_max = 3};
  EXPECT_TRUE(document.parse("[[[1]]]", limits).ok());
  EXPECT_TRUE(document.parse("[[[]]]", limits).ok());
  EXPECT_EQ(document.parse("[[[[1]]]]", limits).error().message, "line 1, column 4: nested deeper than 3 levels");
  EXPECT_EQ(document.parse("[[[[[]]]]]", limits).error().code, ErrorCode::kLimitExceeded);
  EXPECT_TRUE(document.parse("[[[[1]]]]").ok());
  EXPECT_EQ(document.parse("\"12345678901234567890\"", limits).error().code, ErrorCode::kLimitExceeded);
}

TEST(Document, BigIntegersAreDoubles) {
  Document document;
  const View root =
      document.parse("[18446744073709551615,18446744073709551616,-9223372036854777856,123456789012345678901234567890]")
          .value();
  std::vector<double> numbers;
  for (const View element : root.elements()) {
    EXPECT_EQ(element.type(), Type::kDouble);
    EXPECT_EQ(element.integer(), std::nullopt);
    numbers.push_back(element.number().value());
  }
  EXPECT_THAT(numbers, ElementsAre(18446744073709551615.0, 18446744073709551616.0, -9223372036854777856.0,
                                   1.2345678901234568e29));
}

TEST(Document, ReadsWhatTheValueParserReads) {
  SeededRandom random(7);
  Document document;
  for (int i = 0; i < 3000; ++i) {
    const Value value = random_value(random, 4);
    const Result<View> view = document.parse(dump(value));
    ASSERT_TRUE(view.ok()) << view.error().message << "\n" << dump(value);
    ASSERT_EQ(view->to_value(), value) << dump(value);
  }
}

// One byte changed anywhere: both parsers accept the same texts and read the same.
TEST(Document, AgreesWithTheValueParserOnDamagedText) {
  SeededRandom random(8);
  Document document;
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = dump(random_value(random, 3));
    text[random.below(text.size())] = static_cast<char>(random.next());
    const Result<Value> value = parse(text);
    const Result<View> view = document.parse(text);
    if (view.ok() && value.ok()) {
      ++accepted;
      ASSERT_EQ(view->to_value(), *value) << text;
    } else if (view.ok()) {  // simdjson does not look for duplicate names
      ASSERT_THAT(value.error().message, HasSubstr("is there twice")) << text;
    } else {
      ASSERT_FALSE(value.ok()) << text;
    }
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace margay::json
