#include "agent/cni/release_spool.h"

#include <string>
#include <vector>

#include "base/file/temp_dir.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::agent {
namespace {

TEST(ReleaseSpoolTest, NamesCannotLeaveTheFolder) {
  const file::TempDir folder = file::TempDir::make().value();
  ReleaseSpool spool(folder.at("a/b"));
  const PendingRelease release{"n", "../../x", "eth0", "", ""};
  ASSERT_TRUE(spool.put(release).ok());
  std::vector<std::string> problems;
  EXPECT_THAT(spool.list(&problems), testing::ElementsAre(release));
  spool.remove(release);
  EXPECT_TRUE(spool.list(&problems).empty());
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace margay::agent
