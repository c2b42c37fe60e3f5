// The pages of docs/how-to have one frame. docs/pages_test.py follows them.
#include <algorithm>
#include <filesystem>

#include "base/core/text.h"
#include "gtest/gtest.h"
#include "test/support/process.h"

namespace margay::test {
namespace {

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

}  // namespace
}  // namespace margay::test
