#include "datastore/selector/label_selector.h"

#include "base/core/random.h"
#include "base/core/text.h"
#include "gtest/gtest.h"

namespace margay::selector {
namespace {

TEST(LabelSelector, MatchesAsKubernetesDocuments) {
  const StringMap labels{{"app", "web"}, {"tier", ""}, {"size", "10"}, {"in", "x"}};
  struct Case {
    const char* selector;
    bool expected;
  };
  const Case cases[] = {
      {"", true},
      {"  ", true},
      {"app=web", true},
      {"app==web", true},
      {"app!=web", false},
      {"zone!=a", true},  // holds without the label
      {"app in (db, web)", true},
      {"app notin (db,web)", false},
      {"zone notin (a)", true},
      {"zone in (a)", false},
      {"app", true},
      {"!app", false},
      {"! zone", true},
      {"tier=", true},
      {"tier=,app=web", true},
      {"tier in (,)", true},
      {"app in (web,)", true},
      {"zone=", false},
      {"size>9", true},
      {"size<9", false},
      {"app>1", false},  // no number
      {"zone<1", false},
      {"app=web,size>9,!zone,zone notin (a,b)", true},
      {"app=web,zone", false},
      {"in=x", true},
      {"in in (x)", true},
      {"app\n=\tweb\r", true},
  };
  for (const Case& c : cases) {
    const auto selector = LabelSelector::parse(c.selector);
    ASSERT_TRUE(selector.ok()) << c.selector << ": " << selector.error().message;
    EXPECT_EQ(selector->matches(labels), c.expected) << c.selector;
    EXPECT_EQ(LabelSelector::parse(selector->to_string()).value(), *selector) << c.selector;
  }
}

TEST(LabelSelector, ErrorsNameColumnFoundAndExpected) {
  struct Case {
    const char* selector;
    const char* message;
  };
  const Case cases[] = {
      {"app=web,", "column 9: found the end, expected a label after \",\""},
      {",app=web", "column 1: found \",\", expected a label"},
      {"app web", "column 5: found \"web\", expected =, ==, !=, in, notin, <, > or \",\""},
      {"app in web", "column 8: found \"web\", expected \"(\""},
      {"app in ()", "column 9: found \")\", expected at least one value"},
      {"app in (a b)", "column 11: found \"b\", expected \",\" or \")\""},
      {"app in (a", "column 10: found the end, expected \",\" or \")\""},
      {"app in (", "column 9: found the end, expected a value"},
      {"!app=web", "column 5: found \"=\", expected \",\" or the end"},
      {"size>x", "column 6: found \"x\", expected an integer"},
      {"a=b=c", "column 4: found \"=\", expected \",\" or the end"},
      {"a=!b", "column 3: found \"!\", expected a value"},
      {"app=-x",
       "column 5: \"-x\" must be empty or consist of letters, digits, \"-\", \"_\" and \".\", and begin and end with a "
       "letter or digit"},
      {"Up/app",
       "column 1: the part before \"/\" in \"Up/app\" must be a DNS name in lower case of at most 253 characters"},
  };
  for (const Case& c : cases) {
    const auto selector = LabelSelector::parse(c.selector);
    ASSERT_FALSE(selector.ok()) << c.selector;
    EXPECT_EQ(selector.error().message, c.message);
  }
}

TEST(LabelSelector, TextIsTheSameForEqualSelectors) {
  const auto a = LabelSelector::parse("b notin (y,x,y),a=1,c,!d,e in (q,p)").value();
  const auto b = LabelSelector::parse("e in(p,q),!d,c,b notin(x,y),a==1").value();
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.to_string(), "a=1,b notin (x,y),c,!d,e in (p,q)");
}

TEST(LabelSelector, LongTextIsRefused) { EXPECT_FALSE(LabelSelector::parse(std::string(70'000, 'a')).ok()); }

TEST(LabelNames, FollowKubernetesRules) {
  for (const char* good : {"a", "A.b-c_d", "example.com/a", "9", "kubernetes.io/metadata.name"}) {
    EXPECT_EQ(label_key_problem(good), "") << good;
  }
  const std::string long_name(64, 'a');
  for (const std::string& bad :
       {std::string(), std::string("-a"), std::string("a-"), std::string("a/b/c"), std::string("/a"), std::string("a/"),
        std::string("A/b"), std::string("a b"), long_name, std::string(254, 'a') + "/b"}) {
    EXPECT_NE(label_key_problem(bad), "") << bad;
  }
  EXPECT_EQ(label_value_problem(""), "");
  EXPECT_EQ(label_value_problem("a.B-9"), "");
  for (const std::string& bad : {std::string("a/b"), std::string("_a"), std::string("a b"), long_name}) {
    EXPECT_NE(label_value_problem(bad), "") << bad;
  }
}

TEST(LabelSelector, AnyBytesAreAnsweredWithoutCrash) {
  constexpr std::string_view pieces[] = {"a", "in", "notin", "(", ")", ",", "=", "!", "<", ">", " ", "1", "\xff", "/"};
  SeededRandom random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t n = random.below(10); n > 0; --n) text += pieces[random.below(std::size(pieces))];
    const auto result = LabelSelector::parse(text);
    if (result.ok()) {
      ASSERT_EQ(LabelSelector::parse(result->to_string()).value(), *result) << text;
    } else {
      ASSERT_TRUE(result.error().message.starts_with("column ")) << text;
    }
  }
}

}  // namespace
}  // namespace margay::selector
