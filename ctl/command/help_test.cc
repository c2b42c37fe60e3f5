#include "ctl/command/help.h"

#include <string>
#include <vector>

#include "ctl/command/commands.h"
#include "gtest/gtest.h"
#include "test/support/golden.h"

namespace margay::command {
namespace {

TEST(Help, OfNetctlItself) { test::expect_golden("ctl/command/testdata/help.txt", help({&root()}, "netctl")); }

TEST(Help, OfEachCommand) {
  for (const Spec& spec : root().children) {
    if (spec.is_hidden) continue;
    test::expect_golden("ctl/command/testdata/help-" + std::string(spec.word) + ".txt",
                        help({&root(), &spec}, "netctl"));
  }
}

TEST(Help, OfEachTopic) {
  std::string all;
  for (const Topic& topic : topics()) all += topic_help(topic, "netctl") + "\n";
  test::expect_golden("ctl/command/testdata/topics.txt", all);
}

TEST(Help, FitsATerminal) {
  std::vector<std::string> pages{help({&root()}, "kubectl netctl")};
  for (const Spec& spec : root().children) pages.push_back(help({&root(), &spec}, "netctl"));
  for (const Topic& topic : topics()) pages.push_back(topic_help(topic, "netctl"));
  for (const std::string& page : pages) {
    std::size_t start = 0;
    for (std::size_t end = page.find('\n'); end != std::string::npos; end = page.find('\n', start)) {
      EXPECT_LE(end - start, 120U) << page.substr(start, end - start);
      EXPECT_FALSE(end > start && page[end - 1] == ' ') << page.substr(start, end - start);
      start = end + 1;
    }
  }
}

TEST(Help, NamesTheProgramItRunsAs) {
  const Spec* get = find_child(root(), "get");
  const std::string page = help({&root(), get}, "kubectl netctl");
  EXPECT_NE(page.find("kubectl netctl get [KIND]"), std::string::npos) << page;
  EXPECT_NE(page.find("  kubectl netctl get ippools\n"), std::string::npos) << page;
  EXPECT_EQ(page.find('%'), std::string::npos) << page;
}

TEST(Help, ByWordsAndTopics) {
  EXPECT_EQ(*help_for(root(), {}, "netctl", false), help({&root()}, "netctl"));
  EXPECT_EQ(*help_for(root(), {"get"}, "netctl", false), help({&root(), find_child(root(), "get")}, "netctl"));
  EXPECT_NE(help_for(root(), {"exit-codes"}, "netctl", false)->find("5  partly done"), std::string::npos);
  EXPECT_EQ(help_for(root(), {"exit-code"}, "netctl", false).error().message,
            "no help on \"exit-code\"; did you mean \"exit-codes\"?");
  EXPECT_EQ(help_for(root(), {"get", "x"}, "netctl", false).error().message, "no help on \"x\"");
}

TEST(Help, ManualPage) {
  test::expect_golden("ctl/command/testdata/patch.1", *help_for(root(), {"patch"}, "netctl", true));
}

TEST(Help, UsageErrorShowsTheWayToTheHelp) {
  const UsageError error{"unknown flag --frob", {&root(), find_child(root(), "get")}};
  EXPECT_EQ(describe(error, "kubectl netctl"),
            "kubectl netctl get: unknown flag --frob\nSee 'kubectl netctl get --help'.\n");
}

}  // namespace
}  // namespace margay::command
