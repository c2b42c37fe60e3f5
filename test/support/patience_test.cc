#include "test/support/patience.h"

#include <gtest/gtest.h>

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

TEST_F(Patience, LimitsAreAsManyTimesAsLong) {
  setenv(kName, "3", 1);
  const auto begin = std::chrono::steady_clock::now();
  const auto late = [&] { return std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(1500); };
  EXPECT_TRUE(poll_until(std::chrono::seconds(1), late, std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace margay::test
