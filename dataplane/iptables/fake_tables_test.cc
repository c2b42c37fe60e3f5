// The fake says what iptables 1.8.9 says in the cases the driver's tests stand on.
#include "dataplane/iptables/fake_tables.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/iptables/commands.h"
#include "dataplane/iptables/test_tables.h"

namespace margay::iptables {
namespace {

using test::kFilter;

exec::Finished restore(FakeTables& kernel, std::string_view input) {
  return kernel.run(restore_command(IpFamily::kV4, Backend::kNft, input, std::chrono::seconds(1))).value();
}

TEST(FakeTables, TransactionIsDoneAsAWholeOrNotAtAll) {
  FakeTables kernel;
  const std::string before = kernel.saved(kFilter);
  EXPECT_FALSE(
      restore(kernel, "*filter\n:margay-a - -\n-A margay-a -j DROP\n-R margay-a 2 -j DROP\nCOMMIT\n").is_success());
  EXPECT_EQ(kernel.saved(kFilter), before);
  EXPECT_TRUE(
      restore(kernel, "*filter\n:margay-a - -\n-A margay-a -j DROP\n-I margay-a -j ACCEPT\nCOMMIT\n").is_success());
  EXPECT_EQ(kernel.table(kFilter)["margay-a"].rules, (std::vector<std::string>{"-j ACCEPT", "-j DROP"}));
}

TEST(FakeTables, WrongLinesAreRefusedWithTheirNumber) {
  FakeTables kernel;
  ASSERT_EQ(kernel.edit(kFilter, ":margay-a - -\n-A margay-a -j DROP\n-A FORWARD -j margay-a"), "");
  for (const char* const line :
       {"-D margay-a 2", "-D margay-a -j ACCEPT", "-R margay-a 0 -j DROP", "-I margay-a 3 -j DROP", "-A nosuch -j DROP",
        "-X margay-a", "-X FORWARD", "-Z margay-a"}) {
    const auto finished =
        restore(kernel, std::string("*filter\n-A margay-a -j ACCEPT\n-D margay-a 2\n") + line + "\nCOMMIT\n");
    EXPECT_FALSE(finished.is_success()) << line;
    EXPECT_NE(finished.errors.find("line: 4"), std::string::npos) << line << ": " << finished.errors;
  }
}

// As iptables-nft does: at the end, with the number of the last line.
TEST(FakeTables, MissingTargetIsSeenAtTheEnd) {
  FakeTables kernel;
  const auto finished = restore(kernel, "*filter\n-A FORWARD -j margay-none\n-A FORWARD -j ACCEPT\nCOMMIT\n");
  EXPECT_NE(finished.errors.find("line: 4"), std::string::npos) << finished.errors;
}

TEST(FakeTables, NthCallFailsAndChangesNothing) {
  FakeTables kernel;
  kernel.fail_call(2);
  EXPECT_TRUE(restore(kernel, "*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n").is_success());
  EXPECT_FALSE(restore(kernel, "*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n").is_success());
  EXPECT_TRUE(restore(kernel, "*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n").is_success());
  EXPECT_EQ(kernel.table(kFilter)["FORWARD"].rules.size(), 2U);
}

}  // namespace
}  // namespace margay::iptables
