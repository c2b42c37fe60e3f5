#include "dataplane/iptables/transaction.h"

#include <gtest/gtest.h>

namespace margay::iptables {
namespace {

TEST(Transaction, LinesAreTheirOwners) {
  Transaction transaction(Table::kNat);
  EXPECT_TRUE(transaction.empty());
  transaction.begin({Owner::Kind::kChain, "margay-a"});
  transaction.line(":", "margay-a", " - -");
  transaction.line("-A margay-a -j RETURN");
  transaction.begin({Owner::Kind::kHook, "POSTROUTING"});
  transaction.line("-I POSTROUTING -j margay-a");
  EXPECT_EQ(transaction.input(), "*nat\n:margay-a - -\n-A margay-a -j RETURN\n-I POSTROUTING -j margay-a\nCOMMIT\n");
  EXPECT_EQ(transaction.line_count(), 3U);
  EXPECT_EQ(transaction.owner(1).kind, Owner::Kind::kNone);
  EXPECT_EQ(transaction.owner(2).name, "margay-a");
  EXPECT_EQ(transaction.owner(3).name, "margay-a");
  EXPECT_EQ(transaction.owner(4).kind, Owner::Kind::kHook);
  EXPECT_EQ(transaction.owner(5).kind, Owner::Kind::kNone);
  EXPECT_EQ(transaction.owner(0).kind, Owner::Kind::kNone);
  EXPECT_EQ(transaction.owner(99).kind, Owner::Kind::kNone);
}

// The words of iptables 1.8.9, both back ends.
TEST(Transaction, FailedLinesAreReadFromWhatTheProgramsSay) {
  struct Case {
    const char* errors;
    std::vector<std::size_t> lines;
    const char* summary;
  };
  const Case cases[] = {
      {"iptables-nft-restore v1.8.9 (nf_tables): Set nosuch doesn't exist.\n\nError occurred at line: 4\nTry "
       "`iptables-nft-restore -h' or 'iptables-nft-restore --help' for more information.\n",
       {4},
       "Set nosuch doesn't exist.; Error occurred at line: 4"},
      {"iptables-nft-restore v1.8.9 (nf_tables): \nline 3: RULE_APPEND failed (Invalid argument): rule in chain "
       "margay-c\nline 12: CHAIN_DEL failed (Device or resource busy): chain margay-b\n",
       {3, 12},
       nullptr},
      {"iptables-nft-restore: line 4 failed: Index of deletion too big.\n", {4}, nullptr},
      {"iptables-restore: line 14 failed\n", {14}, nullptr},
      {"Another app is currently holding the xtables lock. Perhaps you want to use the -w option?\n", {}, nullptr},
      {"line noise, line: , line 99999999999999999999999 deadline", {}, nullptr},
      {"", {}, ""},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(failed_lines(one.errors), one.lines) << one.errors;
    if (one.summary == nullptr) continue;
    EXPECT_EQ(summary_of(one.errors), one.summary);
  }
}

}  // namespace
}  // namespace margay::iptables
