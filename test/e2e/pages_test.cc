// The pages of docs/how-to: all have the same frame, and their commands do what they say when they are run in order.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/core/text.h"
#include "gtest/gtest.h"
#include "test/e2e/lab.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr seconds kVerified{60};

// Words as a shell cuts them; '…' keeps together.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '\'') {
      is_quoted = !is_quoted;
    } else if (c == ' ' && !is_quoted) {
      words.emplace_back();
    } else {
      words.back().push_back(c);
    }
  }
  std::erase(words, "");
  return words;
}

struct Page {
  std::vector<std::string> parts;                             // "Before you begin", …
  std::vector<std::pair<std::string, std::string>> commands;  // part and line
};

Page read_page(const std::string& path) {
  Page page;
  bool is_code = false;
  const std::string text = read_text(path);
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("**")) page.parts.emplace_back(line.substr(2, line.find(".**") - 2));
    if (line.starts_with("```")) is_code = !is_code;
    if (is_code && line.starts_with("netctl ")) page.commands.emplace_back(page.parts.back(), line);
  }
  return page;
}

std::vector<std::string> pages() {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(source_path("docs/how-to"))) {
    const std::string name = entry.path().stem().string();
    if (name != "README") out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string path_of(const std::string& page) { return source_path(concat("docs/how-to/", page, ".md")); }

// The lab is ours in place of the one that is called "lab"; files are looked for in the source tree.
ProgramResult run_line(const Lab& lab, const std::string& line) {
  std::vector<std::string> words = words_of(line);
  for (std::string& word : words) {
    if (word.starts_with("docs/")) word = source_path(word);
    if (word == "/run/margay-lab/lab/kubeconfig") word = lab.kubeconfig();
  }
  words.erase(words.begin());
  if (words.front() == "lab") return lab.run({words.begin() + 1, words.end()});
  std::erase(words, "--kubeconfig");
  std::erase(words, lab.kubeconfig());
  return lab.netctl(words);
}

TEST(Pages, HaveTheSameFrame) {
  const std::vector<std::string> frame{"Before you begin", "Steps", "Verify", "Undo"};
  EXPECT_GE(pages().size(), 7U);
  for (const std::string& name : pages()) {
    const Page page = read_page(path_of(name));
    EXPECT_EQ(page.parts, frame) << name;
    for (const char* part : {"Steps", "Verify", "Undo"}) {
      EXPECT_TRUE(std::any_of(page.commands.begin(), page.commands.end(),
                              [part](const auto& command) { return command.first == part; }))
          << name << " has no command under " << part;
    }
  }
}

TEST(Pages, AreRightWhenTheyAreFollowed) {
  if (std::getenv("MARGAY_E2E_WHOLE") == nullptr) GTEST_SKIP() << "MARGAY_E2E_WHOLE is not set";
  if (const std::string missing = missing_for_labs(); !missing.empty()) GTEST_SKIP() << missing;
  for (const std::string& name : pages()) {
    const Lab lab("page");
    for (const auto& [part, line] : read_page(path_of(name)).commands) {
      ProgramResult done;
      // What is asked may still be on its way; what is told is done.
      const auto attempt = [&, command = line] {
        done = run_line(lab, command);
        return done.exit_status == 0;
      };
      EXPECT_TRUE(part == "Verify" ? poll_until(kVerified, attempt) : attempt()) << name << ": " << line << "\n"
                                                                                 << done.out << done.err;
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace margay::test
