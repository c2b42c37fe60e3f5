#include <memory>
#include <set>
#include <string>

#include "base/core/field_error.h"
#include "base/core/random.h"
#include "base/core/result.h"
#include "base/core/task.h"
#include "base/core/text.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return invalid(concat("odd: ", n));
  return n / 2;
}

Result<int> quarter(int n) {
  MARGAY_ASSIGN_OR_RETURN(const int first, half(n));
  MARGAY_ASSIGN_OR_RETURN(const int second, half(first));
  return second;
}

Status both_even(int a, int b) {
  MARGAY_RETURN_IF_ERROR(half(a));
  MARGAY_RETURN_IF_ERROR(half(b));
  return ok_status();
}

TEST(Result, CarriesValueOrError) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "odd: 3");
  EXPECT_EQ(quarter(6).error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(both_even(2, 4).ok());
  EXPECT_EQ(both_even(2, 5).error().within("pair").message, "pair: odd: 5");
}

TEST(Result, MovesWhatItHolds) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultDeathTest, WrongSideAborts) { EXPECT_DEATH((void)half(1).value(), "check failed"); }

TEST(FieldPath, BracketsWhatIsNoWord) {
  std::string path;
  append_member_path(path, "metadata");
  append_member_path(path, "labels");
  append_member_path(path, "example.com/role");
  EXPECT_EQ(path, "metadata.labels[example.com/role]");
  append_element_path(path, 2);
  append_member_path(path, "$patch");
  EXPECT_EQ(path, "metadata.labels[example.com/role][2].$patch");
  append_member_path(path, "");
  EXPECT_EQ(path, "metadata.labels[example.com/role][2].$patch[]");
}

TEST(Text, SplitsAndJoins) {
  EXPECT_EQ(split("", ',').size(), 1U);
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split_once("a=b=c", '=')->second, "b=c");
  EXPECT_FALSE(split_once("abc", '=').has_value());
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(trim(" \t x y\n"), "x y");
  EXPECT_EQ(trim("   "), "");
}

TEST(Text, NumbersAreWholeAndInRange) {
  EXPECT_EQ(parse_number<int>("-12"), -12);
  EXPECT_EQ(parse_number<std::uint8_t>("255"), 255);
  for (const char* bad : {"", "256", "-1", " 1", "1 ", "0x1", "1.0", "+1"}) {
    EXPECT_FALSE(parse_number<std::uint8_t>(bad).has_value()) << bad;
  }
}

TEST(Text, QuotedShowsControlCharacters) { EXPECT_EQ(quoted("a\"b\n\x01"), "\"a\\\"b\\n\\x01\""); }

TEST(Text, CaseIsAsciiOnly) {
  EXPECT_EQ(to_lower("BGPPeer"), "bgppeer");
  EXPECT_TRUE(equals_ignoring_case("NodeIP", "nodeip"));
  EXPECT_FALSE(equals_ignoring_case("node", "nodes"));
}

TEST(Task, OwnsMoveOnlyState) {
  auto owned = std::make_unique<int>(3);
  int seen = 0;
  Task task = [owned = std::move(owned), &seen] { seen = *owned; };
  task();
  EXPECT_EQ(seen, 3);
}

TEST(Random, SameSeedSameSequence) {
  SeededRandom a(1);
  SeededRandom b(1);
  std::set<std::uint64_t> values;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    values.insert(value);
  }
  EXPECT_EQ(values.size(), 1000U);
  EXPECT_EQ(a.below(0), 0U);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(a.below(10), 10U);
    EXPECT_LT(a.unit(), 1.0);
  }
}

}  // namespace
}  // namespace margay
