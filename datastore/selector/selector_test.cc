#include "datastore/selector/selector.h"

#include "base/core/random.h"
#include "base/core/text.h"
#include "datastore/selector/restrictions.h"
#include "gtest/gtest.h"

namespace margay::selector {
namespace {

Selector parsed(std::string_view text) {
  const Result<Selector> result = Selector::parse(text);
  EXPECT_TRUE(result.ok()) << text << ": " << (result.ok() ? "" : result.error().message);
  return result.ok() ? result.value() : Selector();
}

std::string error_of(std::string_view text, const ParseLimits& limits = {}) {
  const Result<Selector> result = Selector::parse(text, limits);
  EXPECT_FALSE(result.ok()) << text;
  return result.ok() ? "" : result.error().message;
}

TEST(Selector, OperatorsDecideAsTheirNamesSay) {
  struct Case {
    const char* selector;
    StringMap labels;
    bool expected;
  };
  const Case cases[] = {
      {"k == 'v'", {{"k", "v"}}, true},
      {"k == 'v'", {}, false},
      {"k == ''", {}, false},
      {"k == ''", {{"k", ""}}, true},
      {"k != 'v'", {}, true},
      {"k != 'v'", {{"k", "w"}}, true},
      {"k != 'v'", {{"k", "v"}}, false},
      {"k in {}", {{"k", "v"}}, false},
      {"k not in {}", {{"k", "v"}}, true},
      {"k in {'b', 'a',}", {{"k", "b"}}, true},
      {"k notin {'a'}", {}, true},
      {"k not   in {'a'}", {{"k", "a"}}, false},
      {"k contains 'ell'", {{"k", "hello"}}, true},
      {"k contains ''", {}, false},
      {"k starts with 'he'", {{"k", "hello"}}, true},
      {"k startswith 'lo'", {{"k", "hello"}}, false},
      {"k ends with 'lo'", {{"k", "hello"}}, true},
      {"k endswith 'hello, world'", {{"k", "hello"}}, false},
      {"has(k)", {{"k", ""}}, true},
      {"!has(k)", {{"k", ""}}, false},
      {"global()", {}, true},
      {"global()", {{"projectcalico.org/namespace", "default"}}, false},
      {"a == 'x' || b == 'x' && c == 'x'", {{"a", "x"}}, true},  // && binds tighter than ||
      {"(a == 'x' || b == 'x') && c == 'x'", {{"a", "x"}}, false},
      {"!a == 'x' && has(a)", {{"a", "y"}}, true},  // ! binds tightest
      {"in in {'in'}", {{"in", "in"}}, true},       // operators are words only where one can stand
      {"has == 'x'", {{"has", "x"}}, true},
      {"allx == 'x'", {{"allx", "x"}}, true},
      {"k==\"it's\"", {{"k", "it's"}}, true},
      {"\t k == 'v' ", {{"k", "v"}}, true},
  };
  for (const Case& c : cases) EXPECT_EQ(parsed(c.selector).matches(c.labels), c.expected) << c.selector;
}

TEST(Selector, ErrorsNameColumnFoundAndExpected) {
  struct Case {
    const char* selector;
    const char* message;
  };
  const Case cases[] = {
      {"label = 'v'", "column 7: found \"=\", expected \"==\""},
      {"a == b", "column 6: found \"b\", expected a text in quotes"},
      {"a",
       "column 2: found the end, expected ==, !=, in, not in, contains, starts with or ends with after label \"a\""},
      {"a like 'b'", "column 3: found \"like\", expected ==, !=, in, not in, contains, starts with or ends with"},
      {"a == 'b' c", "column 10: found \"c\", expected &&, || or the end"},
      {"(a == 'b'", "column 10: found the end, expected &&, || or a \")\" for the \"(\" at column 1"},
      {"a == 'b", "column 6: found \"'b\", expected a closing ' after it"},
      {"a == 'b' && ", "column 13: found the end, expected a label, has(), all(), \"!\" or \"(\""},
      {"a ends withs 'b'", "column 8: found \"withs\", expected \"with\" after \"ends\""},
      {"a in 'b'", "column 6: found \"'b'\", expected a set, as in {'a', 'b'}"},
      {"a in {'b' 'c'}", "column 11: found \"'c'\", expected a text in quotes, \",\" or \"}\""},
      {"has()", "column 5: found \")\", expected the name of a label in has(...)"},
      {"all(x)", "column 5: found \"x\", expected \")\" after all("},
      {"a % 'b'", "column 3: found \"%\", expected ==, !=, in, not in, contains, starts with or ends with"},
      {"has (x)",
       "column 5: found \"(\", expected ==, !=, in, not in, contains, starts with or ends with after label "
       "\"has\""},
      {"a =='x'\n&& b == 'y'", "column 8: found \"\\n\", expected a label, has(), all(), \"!\" or \"(\""},
  };
  for (const Case& c : cases) EXPECT_EQ(error_of(c.selector), c.message) << c.selector;
}

TEST(Selector, LimitsAreErrorsNotCrashes) {
  EXPECT_EQ(error_of(std::string(70'000, ' ')), "the selector has 70000 bytes, at most 65536 are allowed");
  EXPECT_EQ(error_of(std::string(65, '(') + "all()" + std::string(65, ')')),
            "column 65: parentheses are nested deeper than 64");
  EXPECT_TRUE(Selector::parse(std::string(64, '(') + "all()" + std::string(64, ')')).ok());
  EXPECT_TRUE(Selector::parse(std::string(60'000, '!') + "all()").ok());
  const std::string label(512, 'a');
  EXPECT_TRUE(Selector::parse(label + " == 'x'").ok());
  EXPECT_FALSE(Selector::parse(label + "a == 'x'").ok());
  EXPECT_FALSE(Selector::parse("has(" + label + "a)").ok());
}

TEST(Selector, CanonicalTextForgetsHowItWasWritten) {
  EXPECT_EQ(parsed("").canonical(), "all()");
  EXPECT_EQ(parsed("a=='b'&&(c  in{'y','x','y'})||!!has( d )").canonical(),
            "((a == \"b\" && c in {\"x\", \"y\"}) || has(d))");
  EXPECT_EQ(parsed("!(!has(a))").canonical(), "has(a)");
  EXPECT_EQ(parsed("a == '\"'").canonical(), "a == '\"'");
  EXPECT_EQ(parsed("((a == 'b'))"), parsed("a == \"b\""));
  EXPECT_NE(parsed("has(a) && has(b)").canonical(), parsed("has(b) && has(a)").canonical());
}

TEST(Selector, KnowsWhetherGlobalIsUsed) {
  EXPECT_TRUE(parsed(" global( ) ").is_global());
  EXPECT_TRUE(parsed("has(a) || !global()").uses_global());
  EXPECT_FALSE(parsed("has(a) || !global()").is_global());
  EXPECT_FALSE(parsed("a == 'global()'").uses_global());
  EXPECT_TRUE(parsed("").is_all());
}

TEST(Selector, PrefixGoesBeforeEveryLabel) {
  EXPECT_EQ(parsed("a == 'b' && !has(c) || all() || d in {'a'}").with_label_prefix("pcns.").canonical(),
            "((pcns.a == \"b\" && !has(pcns.c)) || all() || pcns.d in {\"a\"})");
}

Node random_node(Random& random, int depth) {
  using Kind = Node::Kind;
  constexpr Kind kinds[] = {Kind::kAll,      Kind::kGlobal,     Kind::kHas,      Kind::kEqual, Kind::kNotEqual,
                            Kind::kContains, Kind::kStartsWith, Kind::kEndsWith, Kind::kIn,    Kind::kNotIn,
                            Kind::kNot,      Kind::kAnd,        Kind::kOr};
  Node node;
  node.kind = kinds[random.below(depth > 0 ? 13 : 10)];
  if (node.kind == Kind::kAll || node.kind == Kind::kGlobal) return node;
  if (node.kind == Kind::kNot || node.kind == Kind::kAnd || node.kind == Kind::kOr) {
    const std::size_t count = node.kind == Kind::kNot ? 1 : 2 + random.below(2);
    for (std::size_t i = 0; i < count; ++i) node.operands.push_back(random_node(random, depth - 1));
    // The grammar has no way to write the negation of a negation.
    if (node.kind == Kind::kNot && node.operands[0].kind == Kind::kNot) return Node{};
    return node;
  }
  node.label = std::string(1, static_cast<char>('a' + random.below(3)));
  if (node.kind == Kind::kHas) return node;
  const bool is_set = node.kind == Kind::kIn || node.kind == Kind::kNotIn;
  for (std::uint64_t i = 0, count = is_set ? random.below(4) : 1; i < count; ++i) {
    node.values.push_back(concat(i, std::string_view("x'y\"").substr(random.below(2) * 2, random.below(3))));
  }
  return node;
}

TEST(Selector, CanonicalTextReadsBackAsTheSameSelector) {
  SeededRandom random(11);
  for (int i = 0; i < 3000; ++i) {
    const Selector original(random_node(random, 3));
    const Result<Selector> again = Selector::parse(original.canonical());
    ASSERT_TRUE(again.ok()) << original.canonical() << ": " << again.error().message;
    ASSERT_EQ(*again, original) << original.canonical();
  }
}

TEST(Selector, AnyBytesAreAnsweredWithoutCrash) {
  constexpr std::string_view pieces[] = {
      "a",        "(",        ")",      "{",    "}", "'",  "\"",  "==",   "!=",
      "!",        "&&",       "||",     "&",    " ", "in", "not", "has(", "all()",
      "global()", "contains", "starts", "with", ",", "\t", "\n",  "\xff", std::string_view("\0", 1)};
  SeededRandom random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t n = random.below(12); n > 0; --n) text += pieces[random.below(std::size(pieces))];
    const Result<Selector> result = Selector::parse(text);
    if (result.ok()) {
      ASSERT_EQ(Selector::parse(result->canonical()).value(), *result) << text;
    } else {
      ASSERT_TRUE(result.error().message.starts_with("column ")) << text;
    }
  }
}

// What restrictions say must hold for every label set the selector matches.
TEST(Restrictions, HoldForEverythingTheSelectorMatches) {
  SeededRandom random(3);
  const char* values[] = {"", "0", "0x", "1"};
  for (int i = 0; i < 2000; ++i) {
    const Selector selector(random_node(random, 3));
    const LabelRestrictions restrictions = restrictions_of(selector);
    for (int combination = 0; combination < 125; ++combination) {
      StringMap labels;
      int rest = combination;
      for (const char* label : {"a", "b", "c"}) {
        if (rest % 5 < 4) labels.set(label, values[rest % 5]);
        rest /= 5;
      }
      if (!selector.matches(labels)) continue;
      for (const auto& [label, restriction] : restrictions) {
        const auto found = labels.find(label);
        EXPECT_FALSE(restriction.must_be_absent && found) << selector.canonical();
        EXPECT_FALSE(restriction.must_be_present && !found) << selector.canonical();
        if (!restriction.must_have_one_of) continue;
        const auto& allowed = *restriction.must_have_one_of;
        EXPECT_TRUE(found && std::find(allowed.begin(), allowed.end(), *found) != allowed.end())
            << selector.canonical();
      }
    }
  }
}

}  // namespace
}  // namespace margay::selector
