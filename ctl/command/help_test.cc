#include "ctl/command/help.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/core/text.h"
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
    for (const Spec& child : spec.children) {
      if (child.is_hidden) continue;
      test::expect_golden(concat("ctl/command/testdata/help-", spec.word, "-", child.word, ".txt"),
                          help({&root(), &spec, &child}, "netctl"));
    }
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

TEST(Help, EveryCommandAndTopicHasAManualPage) {
  std::string names;
  for (const ManualFile& page : manual_files(root())) {
    names += page.name + "\n";
    EXPECT_TRUE(page.text.starts_with(".TH netctl")) << page.name;
    EXPECT_EQ(page.text.find('%'), std::string::npos) << page.name;
  }
  test::expect_golden("ctl/command/testdata/manual-pages.txt", names);
}

TEST(Help, UsageErrorShowsTheWayToTheHelp) {
  const UsageError error{"unknown flag --frob", {&root(), find_child(root(), "get")}};
  EXPECT_EQ(describe(error, "kubectl netctl"),
            "kubectl netctl get: unknown flag --frob\nSee 'kubectl netctl get --help'.\n");
}

// Words as a shell cuts them: '…' keeps together, # ends the line.
std::vector<std::string> shell_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '\'') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && (c == ' ' || c == '#')) {
      if (!word.empty()) words.push_back(word);
      word.clear();
      if (c == '#') return words;
    } else {
      word.push_back(c);
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

// The pages for users: README.md, and what docs/ holds.
std::vector<std::filesystem::path> pages_of(const std::filesystem::path& root_dir) {
  std::vector<std::filesystem::path> pages{root_dir / "README.md"};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_dir / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  return pages;
}

// Lines of a page's code that run netctl: in fences, or indented by four.
std::vector<std::string> commands_shown(const std::filesystem::path& page) {
  std::ifstream in(page);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::vector<std::string> commands;
  bool is_fenced = false;
  for (std::string_view line : split(text, '\n')) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const bool is_code = is_fenced || indent >= 4;
    line.remove_prefix(indent);
    if (line.starts_with("```")) is_fenced = !is_fenced;
    if (line.starts_with("build/bin/")) line.remove_prefix(10);
    if (is_code && line.starts_with("netctl ")) commands.emplace_back(line.substr(0, line.find(" > ")));
  }
  return commands;
}

TEST(Documents, EveryCommandLineShownIsRight) {
  const char* root_dir = std::getenv("MARGAY_SOURCE_DIR");
  ASSERT_NE(root_dir, nullptr) << "run by ctest";
  std::size_t count = 0;
  for (const std::filesystem::path& page : pages_of(root_dir)) {
    for (const std::string& command : commands_shown(page)) {
      std::vector<std::string> words = shell_words(command);
      words.erase(words.begin());
      const auto parsed = parse(root(), words);
      EXPECT_TRUE(parsed.ok()) << page << ": " << command << ": " << parsed.error().message;
      ++count;
    }
  }
  EXPECT_GT(count, 80U);
}

}  // namespace
}  // namespace margay::command
