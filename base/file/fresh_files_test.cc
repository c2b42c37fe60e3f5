#include "base/file/fresh_files.h"

#include <map>

#include "gtest/gtest.h"

namespace margay::file {
namespace {

using std::chrono::seconds;

class FreshFilesTest : public testing::Test {
 protected:
  // What a poll tells: "-" nothing, "!…" an error, else the contents, one after the other.
  std::string poll_after(Duration time) {
    now_ += time;
    const auto told = fresh_.poll(now_);
    if (!told) return "-";
    if (!told->ok()) return "!" + told->error().message;
    std::string all;
    for (const std::string& content : told->value()) all += content + ";";
    return all;
  }

  std::map<std::string, std::string> files_{{"a", "1"}, {"b", "2"}};
  int readings_ = 0;
  TimePoint now_{};
  FreshFiles fresh_{{"a", "", "b"},
                    {"1", "", "2"},
                    [this](const std::string& path) -> Result<std::string> {
                      ++readings_;
                      const auto found = files_.find(path);
                      if (found == files_.end()) return Error{ErrorCode::kNotFound, path + " is gone"};
                      return found->second;
                    },
                    seconds(10),
                    now_};
};

TEST_F(FreshFilesTest, ChangesAreToldOnceAndOnlyWhenAskedLateEnough) {
  EXPECT_EQ(poll_after(seconds(10)), "-");
  files_["b"] = "3";
  EXPECT_EQ(poll_after(seconds(9)), "-");
  EXPECT_EQ(readings_, 2);
  EXPECT_EQ(poll_after(seconds(1)), "1;;3;");
  EXPECT_EQ(poll_after(seconds(10)), "-");
  files_["a"] = "4";
  EXPECT_EQ(poll_after(seconds(1000)), "4;;3;");
}

TEST_F(FreshFilesTest, ErrorsAreToldOnceAndTheOldContentStaysKnown) {
  files_.erase("b");
  EXPECT_EQ(poll_after(seconds(10)), "!b is gone");
  EXPECT_EQ(poll_after(seconds(10)), "-");
  files_.erase("a");
  EXPECT_EQ(poll_after(seconds(10)), "!a is gone");
  files_ = {{"a", "1"}, {"b", "2"}};
  EXPECT_EQ(poll_after(seconds(10)), "-") << "as before";
  files_.erase("a");
  EXPECT_EQ(poll_after(seconds(10)), "!a is gone") << "again";
  files_ = {{"a", "1"}, {"b", "5"}};
  EXPECT_EQ(poll_after(seconds(10)), "1;;5;");
}

}  // namespace
}  // namespace margay::file
