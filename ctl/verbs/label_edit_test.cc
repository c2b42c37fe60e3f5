#include "ctl/verbs/label_edit.h"

#include <string>
#include <vector>

#include "base/core/text.h"
#include "gtest/gtest.h"

namespace margay::verbs {
namespace {

std::string shown(const std::vector<std::string>& words, bool removes = false) {
  const auto result = parse_label_words(words, removes);
  if (!result.ok()) return "error: " + result.error().message;
  std::string out = join(result->targets, " ") + " |";
  for (const auto& [key, value] : result->edits.set) out += concat(" ", key, "=", value);
  for (const std::string& key : result->edits.remove) out += " -" + key;
  return out;
}

TEST(LabelWords, TargetsEndWhereLabelsBegin) {
  EXPECT_EQ(shown({"node", "a", "rack=r7"}), "node a | rack=r7");
  EXPECT_EQ(shown({"node", "a", "b", "rack=r7", "old-"}), "node a b | rack=r7 -old");
  EXPECT_EQ(shown({"node/a", "x=", "example.org/y=1"}), "node/a | example.org/y=1 x=");
  EXPECT_EQ(shown({"node", "a", "rack"}, true), "node a | -rack");
  EXPECT_EQ(shown({"node", "a", "rack", "tier-"}, true), "node a | -rack -tier");
  EXPECT_EQ(shown({"node/a", "rack"}, true), "node/a | -rack");
}

TEST(LabelWords, Rejects) {
  const struct {
    std::vector<std::string> words;
    bool removes;
    const char* begins;
  } cases[] = {
      {{"node", "a"}, false, "error: no label is given"},
      {{}, false, "error: no label is given"},
      {{"node", "a"}, true, "error: no label is given"},
      {{"node", "a", "x=1", "y"}, false, "error: \"y\" is not KEY=VALUE or KEY-"},
      {{"node", "a", "x=1", "x=2"}, false, "error: label x is given twice"},
      {{"node", "a", "x=1", "x-"}, false, "error: label x is both set and removed"},
      {{"node", "a", "=1"}, false, "error: label key: "},
      {{"node", "a", "-"}, false, "error: label key: "},
      {{"node", "a", "a b=1"}, false, "error: label key: "},
      {{"node", "a", "a/b/c=1"}, false, "error: label key: "},
      {{"node", "a", "x=a b"}, false, "error: label value: "},
      {{"node", "a", "x=-"}, false, "error: label value: "},
      {{"node", "a", "x=1"}, true, "error: \"x=1\": --remove takes keys without values"},
  };
  for (const auto& c : cases) {
    const std::string found = shown(c.words, c.removes);
    EXPECT_EQ(found.substr(0, std::string_view(c.begins).size()), c.begins) << found;
  }
}

std::string edited(std::string_view object, const std::vector<std::string>& words, bool may_overwrite) {
  json::Value value = *json::parse(object);
  const auto edits = parse_label_words(words, false);
  const auto result = edit_labels(value, edits->edits, may_overwrite);
  if (!result.ok()) return result.error().message;
  return (*result ? "changed " : "same ") + json::dump(*value.find("metadata"));
}

TEST(LabelEdit, SetsRemovesAndKeeps) {
  EXPECT_EQ(edited("{}", {"x=1"}, false), R"(changed {"labels":{"x":"1"}})");
  EXPECT_EQ(edited(R"({"metadata":{"labels":{"x":"1"}}})", {"x=1"}, false), R"(same {"labels":{"x":"1"}})");
  EXPECT_EQ(edited(R"({"metadata":{"labels":{"x":"1"}}})", {"x=2"}, true), R"(changed {"labels":{"x":"2"}})");
  EXPECT_EQ(edited(R"({"metadata":{"labels":{"x":"1","y":"2"}}})", {"x-"}, false), R"(changed {"labels":{"y":"2"}})");
  EXPECT_EQ(edited(R"({"metadata":{"labels":{"y":"2"}}})", {"x-"}, false), R"(same {"labels":{"y":"2"}})");
  EXPECT_EQ(edited(R"({"metadata":{"labels":{"x":"1","y":"2"}}})", {"x=3", "y=4", "z=5"}, false),
            "label x has the value \"1\"; label y has the value \"2\"; --overwrite changes it");
}

}  // namespace
}  // namespace margay::verbs
