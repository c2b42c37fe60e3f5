#include "dataplane/iptables/rule_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/core/text.h"

namespace margay::iptables {
namespace {

TEST(RuleText, WordsArePartedOutsideOfQuotes) {
  Words words(R"(-m comment --comment "a b \" c"  -j LOG --log-prefix "x: ")");
  std::vector<std::string> found;
  for (auto word = words.next(); word; word = words.next()) found.emplace_back(*word);
  EXPECT_EQ(found, (std::vector<std::string>{"-m", "comment", "--comment", R"("a b \" c")", "-j", "LOG", "--log-prefix",
                                             "\"x: \""}));
  EXPECT_FALSE(words.is_open());
}

TEST(RuleText, MarkCoversChainRuleAndComment) {
  const Rule rule{"-j DROP", "why"};
  const Mark mark = mark_of("margay-a", rule);
  EXPECT_TRUE(mark.is_ours());
  EXPECT_EQ(mark, mark_of("margay-a", rule));
  EXPECT_NE(mark, mark_of("margay-b", rule));
  EXPECT_NE(mark, mark_of("margay-a", Rule{"-j ACCEPT", "why"}));
  EXPECT_NE(mark, mark_of("margay-a", Rule{"-j DROP", ""}));
  // What is chain and what is rule is no matter of where one ends.
  EXPECT_NE(mark_of("margay-a", Rule{"b -j DROP"}), mark_of("margay-a b", Rule{"-j DROP"}));
}

TEST(RuleText, MarkIsFoundInWhatIsWritten) {
  const Rule rule{"-p tcp -j DROP", R"(policy "x" \ y)"};
  const Mark mark = mark_of("margay-a", rule);
  EXPECT_EQ(find_mark(full_spec(mark, rule)), mark);
}

TEST(RuleText, MarkIsFoundBehindOtherMatchesAndComments) {
  const Mark mark = mark_of("margay-a", Rule{"-j DROP"});
  EXPECT_EQ(find_mark(concat("-s 10.0.0.1/32 -p tcp -m comment --comment \"people's\" -m comment --comment \"margay:",
                             mark.view(), "\" -j DROP")),
            mark);
  EXPECT_EQ(find_mark(concat("-m comment --comment margay:", mark.view(), " -j DROP")), mark);
}

TEST(RuleText, RulesOfOthersHaveNoMark) {
  for (const char* const spec : {
           "-j DROP",
           "-m comment --comment \"margay:short\" -j DROP",
           "-m comment --comment \"see margay:AAAAAAAAAAAAAAAA\" -j DROP",
           "-m comment --comment \"margay:AAAAAAAAAAAAAAA!\" -j DROP",
           "-m comment --comment \"x --comment margay:AAAAAAAAAAAAAAAA\" -j DROP",
           "-j LOG --log-prefix \"margay:AAAAAAAAAAAAAAAA\"",
           "-m comment --comment",
           "",
       }) {
    EXPECT_EQ(find_mark(spec), std::nullopt) << spec;
  }
}

TEST(RuleText, TargetIsWhatARuleJumpsOrGoesTo) {
  EXPECT_EQ(target_of("-s 10.0.0.1/32 -j margay-a"), "margay-a");
  EXPECT_EQ(target_of("-g margay-b"), "margay-b");
  EXPECT_EQ(target_of("-m comment --comment \"-j margay-c\" -j ACCEPT"), "ACCEPT");
  EXPECT_EQ(target_of("-m comment --comment \"only counts\""), "");
  EXPECT_EQ(target_of("-j"), "");
}

TEST(RuleText, CommentsArePutOnOneLineAndCut) {
  const std::string spec = full_spec(Mark{}, Rule{"-j DROP", "a\nb\t\"c\" \\ d"});
  EXPECT_NE(spec.find(R"( --comment "a b \"c\" \\ d" )"), std::string::npos) << spec;
  // "ä" is two bytes, of which the second would be the 256th.
  const std::string cut = full_spec(Mark{}, Rule{"-j DROP", std::string(254, 'x') + "ä and more"});
  EXPECT_NE(cut.find(concat("\"", std::string(254, 'x'), "\" -j DROP")), std::string::npos) << cut;
}

TEST(RuleText, RulesThatWouldBeReadOtherwiseAreRefused) {
  struct Case {
    const char* why;
    std::string spec;
  };
  std::string many;
  for (int word = 0; word < 300; ++word) many += "-x ";
  const std::vector<Case> cases = {
      {"a second line could hold any command", "-j DROP\n-P FORWARD ACCEPT"},
      {"as could one after a carriage return", "-j DROP\r"},
      {"the quote ends in another rule", "-j LOG --log-prefix \"x"},
      {"a word longer than the buffer", "-j LOG --log-prefix " + std::string(1024, 'x')},
      {"a line longer than the buffer",
       [] {
         std::string spec;
         for (int i = 0; i < 100; ++i) spec += std::string(110, 'x') + " ";
         return spec;
       }()},
      {"more words than the array", many},
  };
  for (const Case& one : cases) EXPECT_TRUE(flaw_of("margay-a", Rule{one.spec}).has_value()) << one.why;
  EXPECT_EQ(flaw_of("margay-a", Rule{R"(-p tcp -j LOG --log-prefix "a \" b")"}), std::nullopt);
}

}  // namespace
}  // namespace margay::iptables
