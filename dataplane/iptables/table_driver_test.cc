// The driver against tables in memory. What the kernel makes of it is table_driver_kernel_test.cc's.
#include "dataplane/iptables/table_driver.h"

#include <gtest/gtest.h>

#include <signal.h>

#include <string>
#include <vector>

#include "base/core/text.h"
#include "dataplane/iptables/fake_tables.h"
#include "dataplane/iptables/rule_text.h"
#include "dataplane/iptables/test_tables.h"

namespace margay::iptables {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{};
using test::kFilter;

std::shared_ptr<const Chain> chain(std::string name, const std::vector<std::string>& specs) {
  Chain out{.name = std::move(name), .rules = {}};
  for (const std::string& spec : specs) out.rules.push_back(Rule{spec});
  return std::make_shared<const Chain>(std::move(out));
}

// Without what marks it as ours.
std::string plain(std::string_view rule) {
  const std::size_t mark = rule.find("-m comment --comment \"margay:");
  if (mark != 0) return std::string(rule);
  return std::string(rule.substr(std::string_view("-m comment --comment \"margay:\" ").size() + Mark::kSize));
}

class TableDriverTest : public testing::Test {
 protected:
  // Rules of a chain, without their marks.
  std::vector<std::string> rules(const std::string& name) {
    std::vector<std::string> out;
    const auto& table = kernel_.table(kFilter);
    const auto at = table.find(name);
    if (at == table.end()) return {"no such chain"};
    for (const std::string& rule : at->second.rules) out.push_back(plain(rule));
    return out;
  }
  std::vector<std::string> last_lines() {
    std::vector<std::string> out;
    for (const std::string& line : kernel_.transactions().back()) {
      const std::size_t mark = line.find(" -m comment --comment \"margay:");
      out.push_back(mark == std::string::npos ? line : line.substr(0, mark) + " " + plain(line.substr(mark + 1)));
    }
    return out;
  }
  dataplane::ApplyReport apply(TableDriver& driver) { return driver.apply(now_); }
  void must_be_in_sync(TableDriver& driver) {
    const dataplane::ApplyReport report = driver.apply(now_);
    for (const auto& failure : report.failures) ADD_FAILURE() << failure.object << ": " << failure.error.message;
    EXPECT_TRUE(report.is_in_sync());
  }
  void edit(std::string_view lines) { ASSERT_EQ(kernel_.edit(kFilter, lines), ""); }

  static void want_little(TableDriver& driver) {
    driver.set_chain(chain("margay-FORWARD", {"-j margay-a", "-j margay-b"}));
    driver.set_chain(chain("margay-a", {"-s 10.0.0.1/32 -j ACCEPT", "-s 10.0.0.2/32 -j ACCEPT", "-j RETURN"}));
    driver.set_chain(chain("margay-b", {"-j DROP"}));
    driver.set_hook("FORWARD", Hook{.first = {Rule{"-j margay-FORWARD"}}, .last = {Rule{"-j ACCEPT"}}});
  }

  TimePoint now_ = kStart;
  FakeTables kernel_;
  TableDriver driver_{kernel_, kFilter, {}};
};

TEST_F(TableDriverTest, EverythingGoesInWithOneTransaction) {
  edit("-A FORWARD -j LOG");
  want_little(driver_);
  must_be_in_sync(driver_);
  EXPECT_EQ(kernel_.restores(), 1);
  EXPECT_EQ(rules("FORWARD"), (std::vector<std::string>{"-j margay-FORWARD", "-j LOG", "-j ACCEPT"}));
  EXPECT_EQ(rules("margay-FORWARD"), (std::vector<std::string>{"-j margay-a", "-j margay-b"}));
  EXPECT_EQ(rules("margay-b"), std::vector<std::string>{"-j DROP"});
  must_be_in_sync(driver_);
  EXPECT_EQ(kernel_.restores(), 1);
  EXPECT_EQ(kernel_.saves(), 1);
}

TEST_F(TableDriverTest, WhatAnEarlierLifeLeftIsAdoptedWithoutAWrite) {
  want_little(driver_);
  must_be_in_sync(driver_);
  TableDriver second(kernel_, kFilter, {});
  want_little(second);
  second.allow_removal();
  must_be_in_sync(second);
  EXPECT_EQ(kernel_.restores(), 1);
}

TEST_F(TableDriverTest, OnlyWhatChangedIsSent) {
  want_little(driver_);
  driver_.allow_removal();
  must_be_in_sync(driver_);
  driver_.set_chain(chain(
      "margay-a", {"-s 10.0.0.9/32 -j ACCEPT", "-s 10.0.0.1/32 -j ACCEPT", "-s 10.0.0.2/32 -j ACCEPT", "-j RETURN"}));
  must_be_in_sync(driver_);
  EXPECT_EQ(last_lines(), std::vector<std::string>{"-I margay-a 1 -s 10.0.0.9/32 -j ACCEPT"});
  driver_.set_chain(chain("margay-a", {"-s 10.0.0.9/32 -j ACCEPT", "-s 10.0.0.7/32 -j ACCEPT", "-j RETURN"}));
  must_be_in_sync(driver_);
  EXPECT_EQ(last_lines(), (std::vector<std::string>{"-R margay-a 2 -s 10.0.0.7/32 -j ACCEPT", "-D margay-a 3"}));
  driver_.set_chain(chain("margay-b", {"-j DROP"}));
  must_be_in_sync(driver_);
  EXPECT_EQ(kernel_.restores(), 3);
}

TEST_F(TableDriverTest, ChainIsWrittenAnewWhenThatIsShorter) {
  driver_.set_chain(chain("margay-a", {"-j A1", "-j A2", "-j A3", "-j A4", "-j A5"}));
  for (const char* target : {"A1", "A2", "A3", "A4", "A5"}) kernel_.table(kFilter)[target];
  must_be_in_sync(driver_);
  driver_.set_chain(chain("margay-a", {"-j DROP"}));
  must_be_in_sync(driver_);
  EXPECT_EQ(last_lines(), (std::vector<std::string>{":margay-a - -", "-A margay-a -j DROP"}));
  EXPECT_EQ(rules("margay-a"), std::vector<std::string>{"-j DROP"});
}

TEST_F(TableDriverTest, TwoTableChangesWork) {
  TableChange change;
  change.chains["margay-a"] = chain("margay-a", {"-j margay-b"});
  change.chains["margay-b"] = chain("margay-b", {"-j DROP"});
  change.hooks["FORWARD"].first = {Rule{"-j margay-a"}};
  driver_.apply_change(change);
  driver_.allow_removal();
  must_be_in_sync(driver_);
  EXPECT_EQ(driver_.desired_chain_count(), 2U);
  EXPECT_EQ(driver_.desired_rule_count(), 2U);
  change.chains["margay-a"] = nullptr;
  change.chains["margay-b"] = nullptr;
  change.hooks["FORWARD"] = {};
  driver_.apply_change(change);
  must_be_in_sync(driver_);
  EXPECT_EQ(last_lines(), (std::vector<std::string>{"-D FORWARD -j margay-a", "-F margay-a", "-F margay-b",
                                                    "-X margay-a", "-X margay-b"}));
  EXPECT_EQ(rules("FORWARD"), std::vector<std::string>{});
  EXPECT_EQ(driver_.actual_chain_count(), 0U);
}

TEST_F(TableDriverTest, NothingIsRemovedBeforeThatIsAllowed) {
  want_little(driver_);
  must_be_in_sync(driver_);
  TableDriver second(kernel_, kFilter, {});
  second.set_chain(chain("margay-new", {"-j DROP"}));
  must_be_in_sync(second);
  EXPECT_EQ(rules("margay-b"), std::vector<std::string>{"-j DROP"});
  EXPECT_EQ(rules("FORWARD").size(), 2U);
  second.allow_removal();
  must_be_in_sync(second);
  EXPECT_EQ(rules("margay-b"), std::vector<std::string>{"no such chain"});
  EXPECT_EQ(rules("FORWARD").size(), 0U);
}

TEST_F(TableDriverTest, InsertModeIsChangedLive) {
  edit("-A FORWARD -j LOG");
  edit("-A FORWARD -j NFLOG");
  driver_.set_chain(chain("margay-a", {"-j DROP"}));
  driver_.set_hook("FORWARD", Hook{.first = {Rule{"-j margay-a"}, Rule{"-j RETURN"}}, .last = {Rule{"-j ACCEPT"}}});
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("FORWARD"),
            (std::vector<std::string>{"-j margay-a", "-j RETURN", "-j LOG", "-j NFLOG", "-j ACCEPT"}));
  driver_.set_insert_mode(InsertMode::kAppend);
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("FORWARD"),
            (std::vector<std::string>{"-j LOG", "-j NFLOG", "-j margay-a", "-j RETURN", "-j ACCEPT"}));
  driver_.set_insert_mode(InsertMode::kInsert);
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("FORWARD"),
            (std::vector<std::string>{"-j margay-a", "-j RETURN", "-j LOG", "-j NFLOG", "-j ACCEPT"}));
  EXPECT_EQ(kernel_.restores(), 3);
}

TEST_F(TableDriverTest, DriftIsRepaired) {
  want_little(driver_);
  driver_.allow_removal();
  edit("-A FORWARD -j LOG");
  must_be_in_sync(driver_);
  const std::string right = kernel_.saved(kFilter);
  const std::string hook = kernel_.table(kFilter)["FORWARD"].rules.front();
  struct Case {
    const char* why;
    std::string lines;
  };
  const Case cases[] = {
      {"a rule deleted", "-D margay-a 2"},
      {"a chain emptied", "-F margay-a"},
      {"a rule of somebody else in our chain", "-I margay-a 1 -j ACCEPT"},
      {"a rule of ours twice", concat("-A margay-b ", kernel_.table(kFilter)["margay-b"].rules.front())},
      {"rules in another order",
       concat("-D margay-a 1\n-A margay-a ", kernel_.table(kFilter)["margay-a"].rules.front())},
      {"our rule in the kernel's chain deleted", "-D FORWARD 1"},
      {"it stands behind those of others", concat("-D FORWARD 1\n-A FORWARD ", hook)},
      {"it is there twice", concat("-I FORWARD 2 ", hook)},
      {"chains deleted", "-D FORWARD 1\n-F margay-FORWARD\n-F margay-b\n-X margay-FORWARD\n-X margay-b"},
      {"a chain with our name", ":margay-foreign - -\n-A margay-foreign -j ACCEPT"},
  };
  std::uint64_t drifts = 0;
  for (const Case& one : cases) {
    edit(one.lines);
    ASSERT_NE(kernel_.saved(kFilter), right) << one.why;
    driver_.queue_resync();
    must_be_in_sync(driver_);
    EXPECT_EQ(kernel_.saved(kFilter), right) << one.why;
    EXPECT_GT(driver_.statistics().drifts, drifts) << one.why;
    drifts = driver_.statistics().drifts;
  }
}

TEST_F(TableDriverTest, RulesThatOthersPutBeforeOursAreLeftAndOursGoBefore) {
  want_little(driver_);
  must_be_in_sync(driver_);
  edit("-I FORWARD 1 -j NFLOG");
  edit("-A FORWARD -j LOG");
  driver_.queue_resync();
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("FORWARD"), (std::vector<std::string>{"-j margay-FORWARD", "-j NFLOG", "-j LOG", "-j ACCEPT"}));
}

// Between reading and writing. Deleting by number would hit the rule of somebody else.
TEST_F(TableDriverTest, RuleThatComesBetweenReadingAndWritingIsNotHit) {
  edit("-A FORWARD -j LOG");
  want_little(driver_);
  must_be_in_sync(driver_);
  driver_.set_hook("FORWARD", Hook{.first = {Rule{"-g margay-FORWARD"}}, .last = {}});
  driver_.queue_resync();
  kernel_.on_call = [&](const exec::Command& command) {
    if (!command.program.ends_with("-restore")) return;
    kernel_.on_call = nullptr;
    edit("-I FORWARD 1 -j NFLOG");
  };
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("FORWARD"), (std::vector<std::string>{"-g margay-FORWARD", "-j NFLOG", "-j LOG"}));
}

TEST_F(TableDriverTest, ReadsAgainAfterAWriteAndWithTime) {
  want_little(driver_);
  must_be_in_sync(driver_);
  EXPECT_EQ(driver_.next_check(), kStart + 5s);
  edit("-F margay-a");
  now_ = kStart + 4s;
  must_be_in_sync(driver_);
  EXPECT_EQ(kernel_.saves(), 1);
  now_ = kStart + 5s;
  must_be_in_sync(driver_);
  EXPECT_EQ(kernel_.saves(), 2);
  EXPECT_EQ(rules("margay-a").size(), 3U);
  EXPECT_EQ(driver_.next_check(), kStart + 10s);  // it wrote
  now_ = kStart + 10s;
  must_be_in_sync(driver_);
  EXPECT_EQ(driver_.next_check(), kStart + 190s);
  driver_.set_intervals(0s, 0s);
  must_be_in_sync(driver_);
  EXPECT_EQ(driver_.next_check(), std::nullopt);
}

TEST_F(TableDriverTest, TenThousandRulesAndOnePolicyChangesOneLineOfOneTransaction) {
  constexpr int kChains = 100;
  const auto policy = [](int number, std::string_view last) {
    std::vector<std::string> specs;
    for (int rule = 0; rule < 99; ++rule) specs.push_back(concat("-s 10.", number, ".", rule, ".0/24 -j ACCEPT"));
    specs.emplace_back(last);
    return chain(concat("margay-pi-", number), specs);
  };
  for (int number = 0; number < kChains; ++number) driver_.set_chain(policy(number, "-j RETURN"));
  must_be_in_sync(driver_);
  EXPECT_EQ(driver_.desired_rule_count(), 10'000U);
  driver_.set_chain(policy(50, "-j DROP"));
  must_be_in_sync(driver_);
  EXPECT_EQ(last_lines(), std::vector<std::string>{"-R margay-pi-50 100 -j DROP"});
  for (int number = 0; number < kChains; ++number) driver_.set_chain(policy(number, "-j REJECT"));
  must_be_in_sync(driver_);
  EXPECT_EQ(kernel_.restores(), 3);
  EXPECT_EQ(last_lines().size(), 100U);
}

// Killed with its iptables-restore under way, which the next life's reading may come before.
TEST_F(TableDriverTest, TransactionOfAnEarlierLifeThatComesLateIsSeen) {
  want_little(driver_);
  must_be_in_sync(driver_);
  TableDriver second(kernel_, kFilter, {});
  want_little(second);
  must_be_in_sync(second);
  EXPECT_EQ(second.next_check(), kStart + 5s);
  edit("-R margay-a 1 -j DROP");
  now_ = kStart + 5s;
  must_be_in_sync(second);
  EXPECT_EQ(rules("margay-a").at(0), "-s 10.0.0.1/32 -j ACCEPT");
}

// --- what goes wrong ---

TEST_F(TableDriverTest, RefusedChainDeniesAndTheRestGoesIn) {
  want_little(driver_);
  driver_.set_chain(chain("margay-b", {"-j ACCEPT", "--bad -j ACCEPT"}));
  kernel_.refuse("--bad");
  const auto report = apply(driver_);
  EXPECT_FALSE(report.is_in_sync());
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].object, "chain margay-b");
  EXPECT_NE(report.failures[0].error.message.find("refused by the test"), std::string::npos);
  EXPECT_EQ(rules("margay-b").size(), 1U);
  EXPECT_TRUE(rules("margay-b")[0].ends_with("-j DROP")) << rules("margay-b")[0];
  EXPECT_EQ(rules("margay-a").size(), 3U);
  EXPECT_EQ(rules("FORWARD").size(), 2U);
  // Others go on changing, it stays reported, nothing is tried before its time.
  const int restores = kernel_.restores();
  driver_.set_chain(chain("margay-a", {"-j RETURN"}));
  EXPECT_EQ(apply(driver_).failed, 1U);
  EXPECT_EQ(kernel_.restores(), restores + 1);
  EXPECT_EQ(rules("margay-a").size(), 1U);
  // The kernel learns it.
  kernel_.refuse_nothing();
  ASSERT_TRUE(report.try_again_at.has_value());
  now_ = *report.try_again_at;
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("margay-b").size(), 2U);
}

TEST_F(TableDriverTest, RefusedChainIsTriedAgainLessAndLessOften) {
  want_little(driver_);
  driver_.set_chain(chain("margay-b", {"--bad -j ACCEPT"}));
  kernel_.refuse("--bad");
  Duration last{};
  for (int round = 0; round < 12; ++round) {
    const auto report = apply(driver_);
    ASSERT_TRUE(report.try_again_at.has_value());
    const Duration wait = *report.try_again_at - now_;
    EXPECT_GE(wait, last);
    EXPECT_LE(wait, 30s);
    last = wait;
    now_ = *report.try_again_at;
  }
  EXPECT_EQ(last, 30s);
  // When told, it is tried before its time.
  EXPECT_EQ(apply(driver_).failed, 1U);
  const auto restores = driver_.statistics().restores;
  EXPECT_EQ(apply(driver_).failed, 1U);
  EXPECT_EQ(driver_.statistics().restores, restores);
  driver_.retry_refused();
  EXPECT_EQ(apply(driver_).failed, 1U);
  EXPECT_GT(driver_.statistics().restores, restores);
  // Set anew, it is tried at once.
  driver_.set_chain(chain("margay-b", {"-j ACCEPT"}));
  must_be_in_sync(driver_);
}

TEST_F(TableDriverTest, RefusedChainsAreFoundWithoutLineNumbers) {
  kernel_.hide_line_numbers(true);
  kernel_.refuse("--bad");
  driver_.set_chain(chain("margay-FORWARD", {"-j margay-d0"}));
  for (int i = 0; i < 40; ++i) {
    const bool is_bad = i == 7 || i == 31;
    driver_.set_chain(chain(concat("margay-d", i), {i == 39 ? "-j RETURN" : concat("-j margay-d", i + 1),
                                                    is_bad ? "--bad -j ACCEPT" : "-j RETURN"}));
  }
  driver_.set_hook("FORWARD", Hook{.first = {Rule{"-j margay-FORWARD"}}, .last = {}});
  const auto report = apply(driver_);
  EXPECT_EQ(report.failed, 2U);
  for (const auto& failure : report.failures) {
    EXPECT_TRUE(failure.object == "chain margay-d7" || failure.object == "chain margay-d31") << failure.object;
  }
  EXPECT_LE(kernel_.restores(), 40);
  EXPECT_EQ(rules("FORWARD"), std::vector<std::string>{"-j margay-FORWARD"});
  EXPECT_EQ(rules("margay-d7").size(), 1U);
  EXPECT_EQ(rules("margay-d8"), (std::vector<std::string>{"-j margay-d9", "-j RETURN"}));
}

TEST_F(TableDriverTest, RefusedChainThatAllPacketsPassStaysAsItWas) {
  want_little(driver_);
  must_be_in_sync(driver_);
  kernel_.refuse("--bad");
  driver_.set_chain(chain("margay-FORWARD", {"-j margay-a", "--bad -j ACCEPT"}));
  const auto report = apply(driver_);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_NE(report.failures[0].error.message.find("stays as it was"), std::string::npos);
  EXPECT_EQ(rules("margay-FORWARD"), (std::vector<std::string>{"-j margay-a", "-j margay-b"}));
}

TEST_F(TableDriverTest, RefusedChainInNatIsEmptyAsNothingCanBeDeniedThere) {
  constexpr TableId kNat{IpFamily::kV6, Table::kNat};
  TableDriver driver(kernel_, kNat, {});
  kernel_.refuse("--bad");
  driver.set_chain(chain("margay-nat", {"--bad -j MASQUERADE"}));
  const auto report = driver.apply(now_);
  EXPECT_EQ(report.failed, 1U);
  ASSERT_TRUE(kernel_.table(kNat).contains("margay-nat"));
  EXPECT_TRUE(kernel_.table(kNat)["margay-nat"].rules.empty());
}

TEST_F(TableDriverTest, ChainThatIsReferredToButNotWantedDenies) {
  driver_.set_chain(chain("margay-a", {"-j margay-gone"}));
  driver_.allow_removal();
  const auto report = apply(driver_);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].object, "chain margay-gone");
  EXPECT_EQ(report.failures[0].error.code, ErrorCode::kNotFound);
  ASSERT_EQ(rules("margay-gone").size(), 1U);
  EXPECT_TRUE(rules("margay-gone")[0].ends_with("-j DROP"));
  driver_.set_chain(chain("margay-gone", {"-j ACCEPT"}));
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("margay-gone"), std::vector<std::string>{"-j ACCEPT"});
  driver_.remove_chain("margay-gone");
  EXPECT_EQ(apply(driver_).failed, 1U);
  driver_.set_chain(chain("margay-a", {"-j RETURN"}));
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("margay-gone"), std::vector<std::string>{"no such chain"});
}

TEST_F(TableDriverTest, RuleThatWouldBeReadOtherwiseIsNotEvenSent) {
  driver_.set_chain(chain("margay-a", {"-j DROP\nCOMMIT\n*nat\n-P OUTPUT DROP"}));
  driver_.set_hook("FORWARD", Hook{.first = {Rule{"-j LOG --log-prefix \"open"}}, .last = {}});
  const auto report = apply(driver_);
  EXPECT_EQ(report.failed, 2U);
  EXPECT_FALSE(report.try_again_at.has_value()) << "only another rule helps";
  EXPECT_EQ(rules("margay-a").size(), 1U);
  EXPECT_TRUE(rules("FORWARD").empty());
  EXPECT_EQ(kernel_.restores(), 1);
}

TEST_F(TableDriverTest, FailedCallIsTriedAgainAndBlamedOnNothing) {
  want_little(driver_);
  kernel_.fail_call(1);  // reading
  auto report = apply(driver_);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(report.failures[0].object, "table IPv4 filter");
  ASSERT_TRUE(report.try_again_at.has_value());
  now_ = *report.try_again_at;
  kernel_.fail_call(2, Error{ErrorCode::kTimeout, "killed"});  // writing
  report = apply(driver_);
  EXPECT_EQ(report.failed, 1U);
  ASSERT_TRUE(report.try_again_at.has_value());
  now_ = *report.try_again_at;
  must_be_in_sync(driver_);
  EXPECT_EQ(driver_.statistics().save_errors, 1U);
  EXPECT_EQ(driver_.statistics().restore_errors, 1U);
  EXPECT_EQ(rules("margay-b"), std::vector<std::string>{"-j DROP"});
}

TEST_F(TableDriverTest, LockThatAnotherProgramHoldsIsWaitedFor) {
  want_little(driver_);
  kernel_.fail_call(2, exec::Finished{.status = 4,
                                      .errors = "Another app is currently holding the xtables lock; still 1s 0us time "
                                                "ahead to have a chance to grab the lock...\n"});
  const auto report = apply(driver_);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(kernel_.restores(), 1);
  now_ = report.try_again_at.value();
  must_be_in_sync(driver_);
}

TEST_F(TableDriverTest, CrashOfTheProgramIsTakenForTheChainsFaultOnlyTheThirdTime) {
  want_little(driver_);
  // Dumps core at one rule, however often.
  driver_.set_chain(chain("margay-b", {"--crash -j DROP"}));
  kernel_.on_call = [&](const exec::Command& command) {
    if (command.input.find("--crash") != std::string_view::npos) {
      kernel_.fail_call(1, exec::Finished{.signal = SIGSEGV});
    }
  };
  for (int round = 0; round < 2; ++round) {
    const auto report = apply(driver_);
    ASSERT_TRUE(report.try_again_at.has_value());
    EXPECT_TRUE(report.failures.at(0).object.starts_with("table ")) << report.failures.at(0).object;
    EXPECT_EQ(rules("margay-a"), std::vector<std::string>{"no such chain"});
    now_ = *report.try_again_at;
  }
  const auto report = apply(driver_);
  ASSERT_EQ(report.failed, 1U);
  EXPECT_EQ(report.failures.at(0).object, "chain margay-b");
  EXPECT_EQ(rules("margay-a").size(), 3U);
  EXPECT_TRUE(rules("margay-b").at(0).ends_with("-j DROP"));
}

TEST_F(TableDriverTest, WriteThatFailsAsTheTableIsNotWhatWeBelieveIsMadeAgainAfterReading) {
  want_little(driver_);
  driver_.allow_removal();
  must_be_in_sync(driver_);
  edit("-F margay-a");
  driver_.set_chain(chain("margay-a", {"-s 10.0.0.1/32 -j ACCEPT", "-s 10.0.0.3/32 -j ACCEPT", "-j RETURN"}));
  must_be_in_sync(driver_);  // -R margay-a 2 is not possible
  EXPECT_EQ(rules("margay-a"),
            (std::vector<std::string>{"-s 10.0.0.1/32 -j ACCEPT", "-s 10.0.0.3/32 -j ACCEPT", "-j RETURN"}));
}

TEST_F(TableDriverTest, ChainThatOthersReferToIsLeftAndReported) {
  want_little(driver_);
  driver_.allow_removal();
  must_be_in_sync(driver_);
  edit("-A FORWARD -j margay-b");
  driver_.queue_resync();
  driver_.remove_chain("margay-b");
  driver_.set_chain(chain("margay-FORWARD", {"-j margay-a"}));
  const auto report = apply(driver_);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].object, "chain margay-b");
  EXPECT_EQ(rules("margay-FORWARD"), std::vector<std::string>{"-j margay-a"});
  edit("-D FORWARD -j margay-b");
  driver_.queue_resync();
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("margay-b"), std::vector<std::string>{"no such chain"});
}

// Since the last reading.
TEST_F(TableDriverTest, RemovalThatIsRefusedDoesNotHoldUpTheRest) {
  want_little(driver_);
  driver_.allow_removal();
  must_be_in_sync(driver_);
  kernel_.refuse("-X margay-b");
  driver_.remove_chain("margay-b");
  driver_.set_chain(chain("margay-FORWARD", {"-j margay-a"}));
  const auto report = apply(driver_);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(rules("margay-FORWARD"), std::vector<std::string>{"-j margay-a"});
  EXPECT_EQ(rules("margay-b"), std::vector<std::string>{"-j DROP"}) << "emptied it would let pass";
  kernel_.refuse_nothing();
  now_ = report.try_again_at.value();
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("margay-b"), std::vector<std::string>{"no such chain"});
}

TEST_F(TableDriverTest, HookThatIsRefusedDoesNotHoldUpTheRest) {
  want_little(driver_);
  driver_.set_hook("FORWARD", Hook{.first = {Rule{"--bad -j margay-FORWARD"}}, .last = {}});
  driver_.set_hook("INPUT", Hook{.first = {Rule{"-j margay-a"}}, .last = {}});
  kernel_.refuse("--bad");
  const auto report = apply(driver_);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].object, "rules in FORWARD");
  EXPECT_EQ(rules("INPUT"), std::vector<std::string>{"-j margay-a"});
  kernel_.refuse_nothing();
  now_ = report.try_again_at.value();
  must_be_in_sync(driver_);
  EXPECT_EQ(rules("FORWARD"), std::vector<std::string>{"--bad -j margay-FORWARD"});
}

TEST_F(TableDriverTest, OutputThatIsCutOffIsNotBelieved) {
  want_little(driver_);
  must_be_in_sync(driver_);
  kernel_.fail_call(1, exec::Finished{.output = "*filter\n:INPUT ACCEPT [0:0]\n"});
  driver_.queue_resync();
  const auto report = apply(driver_);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(kernel_.restores(), 1) << "nothing is written on what is not known";
}

TEST_F(TableDriverTest, MoreRefusedChainsThanOneRoundTriesAreFoundInSeveral) {
  kernel_.refuse("--bad");
  for (int i = 0; i < 150; ++i) driver_.set_chain(chain(concat("margay-c", i), {"--bad -j DROP"}));
  driver_.set_chain(chain("margay-good", {"-j ACCEPT"}));
  for (int round = 0; round < 20; ++round) {
    const auto report = apply(driver_);
    if (report.failed == 150 && kernel_.table(kFilter).contains("margay-good")) return;
    ASSERT_TRUE(report.try_again_at.has_value());
    now_ = *report.try_again_at;
  }
  FAIL() << "never got to an end";
}

TEST_F(TableDriverTest, AnotherBackEndIsWrittenWholeWithoutCallingThatADrift) {
  want_little(driver_);
  must_be_in_sync(driver_);
  const std::string before = kernel_.saved(kFilter, Backend::kNft);
  driver_.set_backend(Backend::kLegacy);
  must_be_in_sync(driver_);
  EXPECT_EQ(kernel_.saved(kFilter, Backend::kLegacy), before);
  EXPECT_EQ(kernel_.saved(kFilter, Backend::kNft), before) << "what is left there is not this driver's matter";
  EXPECT_EQ(driver_.statistics().drifts, 0U);
  ASSERT_TRUE(remove_leftovers(kernel_, Backend::kNft, {kFilter}).ok());
  EXPECT_EQ(kernel_.saved(kFilter, Backend::kNft).find("margay-"), std::string::npos);
}

}  // namespace
}  // namespace margay::iptables
