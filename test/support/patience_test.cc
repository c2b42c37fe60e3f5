#include "test/support/patience.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

#include "test/support/process.h"

namespace margay::test {
namespace {

class Patience : public testing::Test {
 protected:
  Patience() {
    if (const char* told = std::getenv(kName)) before_ = told;
  }
  ~Patience() override { before_ ? setenv(kName, before_->c_str(), 1) : unsetenv(kName); }

  static constexpr const char* kName = "MARGAY_TEST_PATIENCE";
  std::optional<std::string> before_;
};

TEST_F(Patience, IsWhatTheEnvironmentSays) {
  unsetenv(kName);
  EXPECT_EQ(patience(), 1);
  setenv(kName, "7", 1);
  EXPECT_EQ(patience(), 7);
  for (const char* wrong : {"", "0", "101", "x"}) {
    setenv(kName, wrong, 1);
    EXPECT_DEATH((void)patience(), "") << wrong;
  }
}

// The condition takes longer than the limit that is asked for.
TEST_F(Patience, LimitsAreAsManyTimesAsLong) {
  setenv(kName, "100", 1);
  int asked = 0;
  const auto slow = [&] {
    (void)poll(nullptr, 0, 50);
    return ++asked == 25;
  };
  EXPECT_TRUE(poll_until(std::chrono::seconds(1), slow, std::chrono::milliseconds(0)));
}

}  // namespace
}  // namespace margay::test
