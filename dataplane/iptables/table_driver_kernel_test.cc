// Against the kernel, with both back ends and families, in a network namespace of the test's own. What happens when
// iptables-restore is killed in the middle is not tested here: there is no middle. Both back ends hand the kernel one
// transaction, with its last call.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "dataplane/iptables/backend.h"
#include "dataplane/iptables/commands.h"
#include "dataplane/iptables/features.h"
#include "dataplane/iptables/rule_text.h"
#include "dataplane/iptables/table_driver.h"
#include "dataplane/netlink/scratch_namespace.h"

namespace margay::iptables {
namespace {

using namespace std::chrono_literals;

struct Where {
  Backend backend;
  IpFamily family;
};

std::shared_ptr<const Chain> chain(std::string name, const std::vector<std::string>& specs) {
  Chain out{.name = std::move(name), .rules = {}};
  for (const std::string& spec : specs) out.rules.push_back(Rule{spec});
  return std::make_shared<const Chain>(std::move(out));
}

class KernelTest : public testing::TestWithParam<Where> {
 protected:
  void SetUp() override {
    auto entered = netlink::ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    space_.emplace(std::move(entered).value());
  }

  TableId id(Table table = Table::kFilter) const { return {GetParam().family, table}; }
  std::unique_ptr<TableDriver> make_driver(Table table = Table::kFilter) {
    return std::make_unique<TableDriver>(runner_, id(table), TableDriverConfig{.backend = GetParam().backend});
  }
  std::string address(int number) const {
    return GetParam().family == IpFamily::kV4 ? concat("10.0.0.", number, "/32") : concat("fd00::", number, "/128");
  }

  // As another program would.
  void iptables(std::string_view arguments) {
    exec::Command command{.program = program_of(GetParam().family, GetParam().backend)};
    if (GetParam().backend == Backend::kLegacy) command.arguments.emplace_back("-w");
    for (const std::string_view word : split(arguments, ' ')) command.arguments.emplace_back(word);
    const auto finished = runner_.run(command);
    ASSERT_TRUE(finished.ok());
    ASSERT_TRUE(finished->is_success()) << arguments << ": " << finished->errors;
  }
  std::string saved(Table table = Table::kFilter) {
    const auto finished = runner_.run(save_command(id(table), GetParam().backend));
    std::string out;
    for (const std::string_view line : split(finished->output, '\n')) {
      if (!line.starts_with('#'))
        out += concat(line.substr(0, line.starts_with(':') ? line.find('[') : line.size()), "\n");
    }
    return out;
  }
  // The targets of the rules of a chain, in order.
  std::string targets(const std::string& name) {
    std::string out;
    const std::string text = saved();
    for (const std::string_view line : split(text, '\n')) {
      if (line.starts_with(concat("-A ", name, " "))) out += concat(target_of(line), " ");
    }
    return std::string(trim(out));
  }
  void must_be_in_sync(TableDriver& driver) {
    const auto report = driver.apply(TimePoint{});
    for (const auto& failure : report.failures) ADD_FAILURE() << failure.object << ": " << failure.error.message;
    ASSERT_TRUE(report.is_in_sync());
  }
  // Another life finds nothing to do.
  void must_be_right(TableDriver& driver) {
    const auto restores = driver.statistics().restores;
    driver.queue_resync();
    must_be_in_sync(driver);
    EXPECT_EQ(driver.statistics().restores, restores) << saved();
  }

  void want_policy(TableDriver& driver) {
    driver.set_chain(chain("margay-FORWARD", {"-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-g margay-a"}));
    driver.set_chain(std::make_shared<const Chain>(
        Chain{.name = "margay-a",
              .rules = {{concat("-s ", address(1), " -p tcp -m multiport --dports 80,443:445 -j margay-b"),
                         R"(policy "x" of tier \ it's – ünïcode)"},
                        {"-p udp -j LOG --log-prefix \"calico packet: \" --log-level 5", ""},
                        {"-m mark ! --mark 0x20000/0x20000 -j DROP", std::string(300, 'x')}}}));
    driver.set_chain(chain("margay-b", {"-j MARK --set-xmark 0x10000/0x10000", "-j RETURN"}));
    driver.set_hook("FORWARD", Hook{.first = {Rule{"-j margay-FORWARD"}},
                                    .last = {Rule{"-m mark --mark 0x10000/0x10000 -j ACCEPT", "of policy"}}});
    driver.set_hook("INPUT", Hook{.first = {Rule{"-i cali+ -j margay-a"}}, .last = {}});
  }

  exec::ProcessRunner runner_;
  std::optional<netlink::ScratchNamespace> space_;
};

TEST_P(KernelTest, WhatIsWrittenIsAdoptedByAnotherLifeAndRemovedWhenNobodyWantsIt) {
  const std::string empty = saved();
  auto driver = make_driver();
  want_policy(*driver);
  must_be_in_sync(*driver);
  EXPECT_EQ(targets("FORWARD"), "margay-FORWARD ACCEPT");
  EXPECT_EQ(targets("margay-a"), "margay-b LOG DROP");
  auto second = make_driver();
  want_policy(*second);
  second->allow_removal();
  must_be_in_sync(*second);
  EXPECT_EQ(second->statistics().restores, 0U) << saved();
  auto third = make_driver();
  third->allow_removal();
  must_be_in_sync(*third);
  EXPECT_EQ(saved().find("margay"), std::string::npos) << saved();
}

TEST_P(KernelTest, DriftIsRepaired) {
  iptables("-A FORWARD -p tcp -j LOG");
  auto driver = make_driver();
  want_policy(*driver);
  driver->allow_removal();
  must_be_in_sync(*driver);
  const std::string right = saved();
  struct Case {
    const char* why;
    std::vector<std::string> commands;
  };
  const Case cases[] = {
      {"a rule deleted", {"-D margay-a 2"}},
      {"a chain emptied", {"-F margay-a"}},
      {"a rule of somebody else in our chain", {"-I margay-a 1 -j ACCEPT"}},
      {"a rule put in the place of ours", {"-R margay-b 1 -j ACCEPT"}},
      {"our rule in the kernel's chain deleted", {"-D FORWARD 1"}},
      {"a rule of somebody else before ours", {"-D FORWARD -p tcp -j LOG", "-I FORWARD 1 -p tcp -j LOG"}},
      {"chains deleted", {"-D FORWARD 1", "-F margay-FORWARD", "-X margay-FORWARD"}},
      {"a chain with our name", {"-N margay-foreign", "-A margay-foreign -j ACCEPT"}},
      {"all of ours emptied", {"-F margay-FORWARD", "-F margay-a", "-F margay-b"}},
  };
  for (const Case& one : cases) {
    for (const std::string& command : one.commands) iptables(command);
    ASSERT_NE(saved(), right) << one.why;
    driver->queue_resync();
    must_be_in_sync(*driver);
    EXPECT_EQ(saved(), right) << one.why;
  }
}

TEST_P(KernelTest, RulesOfOthersStayInTheirOrder) {
  iptables("-A FORWARD -p tcp -j LOG");
  iptables("-N OTHERS");
  iptables("-A OTHERS -p udp -m comment --comment margay -j RETURN");
  auto driver = make_driver();
  want_policy(*driver);
  driver->allow_removal();
  must_be_in_sync(*driver);
  EXPECT_EQ(targets("FORWARD"), "margay-FORWARD LOG ACCEPT");
  iptables("-I FORWARD 1 -p udp -j OTHERS");
  iptables("-A FORWARD -p icmp -j REJECT");
  driver->queue_resync();
  must_be_in_sync(*driver);
  EXPECT_EQ(targets("FORWARD"), "margay-FORWARD OTHERS LOG REJECT ACCEPT");
  driver->set_insert_mode(InsertMode::kAppend);
  must_be_in_sync(*driver);
  EXPECT_EQ(targets("FORWARD"), "OTHERS LOG REJECT margay-FORWARD ACCEPT");
  must_be_right(*driver);
  auto none = make_driver();
  none->allow_removal();
  must_be_in_sync(*none);
  EXPECT_EQ(targets("FORWARD"), "OTHERS LOG REJECT");
  EXPECT_EQ(targets("OTHERS"), "RETURN");
}

// Each edit of a chain is made by numbers: what comes of them is what was meant.
TEST_P(KernelTest, AnyChainBecomesAnyOther) {
  SeededRandom random(5);
  auto driver = make_driver();
  driver->allow_removal();
  for (int round = 0; round < 40; ++round) {
    for (int number = 0; number < 3; ++number) {
      std::vector<std::string> specs;
      for (int rule = 1; rule <= 12; ++rule) {
        if (random.below(4) > 0) specs.push_back(concat("-s ", address(rule), " -j ACCEPT"));
      }
      for (std::uint64_t extra = random.below(4); extra > 0; --extra) {
        const auto place = static_cast<std::ptrdiff_t>(random.below(specs.size() + 1));
        specs.insert(specs.begin() + place, concat("-s ", address(20 + static_cast<int>(random.below(9))), " -j DROP"));
      }
      driver->set_chain(chain(concat("margay-r", number), specs));
    }
    must_be_in_sync(*driver);
    must_be_right(*driver);
    if (HasFailure()) FAIL() << "round " << round;
  }
}

TEST_P(KernelTest, ChainsThatReferToEachOtherComeAndGoTogether) {
  auto driver = make_driver();
  driver->allow_removal();
  for (int i = 0; i < 20; ++i)
    driver->set_chain(chain(concat("margay-c", i), {i == 0 ? "-j DROP" : concat("-j margay-c", i - 1)}));
  must_be_in_sync(*driver);
  for (int i = 0; i < 19; ++i) driver->remove_chain(concat("margay-c", i));
  driver->set_chain(chain("margay-c19", {"-j margay-d"}));
  driver->set_chain(chain("margay-d", {"-j RETURN"}));
  must_be_in_sync(*driver);
  EXPECT_EQ(saved().find("margay-c0"), std::string::npos);
  must_be_right(*driver);
}

TEST_P(KernelTest, RuleThatTheKernelRefusesDeniesItsChainOnly) {
  struct Case {
    const char* why;
    std::string spec;
  };
  const Case cases[] = {
      {"a set that is not there", "-m set --match-set margay-nosuch src -j ACCEPT"},
      {"a target that is not there", "-j NOSUCHTARGET"},
      {"an option that is not there", "--nosuchoption 5 -j ACCEPT"},
      {"what the kernel itself refuses", "-p tcp -j MASQUERADE"},
      {"a number out of range", "-p tcp -m tcp --dport 99999 -j ACCEPT"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.why);
    auto driver = make_driver();
    want_policy(*driver);
    driver->set_chain(chain("margay-b", {"-j RETURN", one.spec}));
    driver->allow_removal();
    const auto report = driver->apply(TimePoint{});
    ASSERT_EQ(report.failed, 1U);
    EXPECT_EQ(report.failures[0].object, "chain margay-b") << report.failures[0].error.message;
    EXPECT_EQ(targets("margay-b"), "DROP");
    EXPECT_EQ(targets("margay-a"), "margay-b LOG DROP");
    EXPECT_EQ(targets("FORWARD"), "margay-FORWARD ACCEPT");
    driver->set_chain(chain("margay-b", {"-j RETURN"}));
    must_be_in_sync(*driver);
    auto none = make_driver();
    none->allow_removal();
    must_be_in_sync(*none);
  }
}

TEST_P(KernelTest, EveryTableIsWritten) {
  for (const auto& [table, hook, spec] : {std::tuple(Table::kRaw, "PREROUTING", "-j CT --notrack"),
                                          std::tuple(Table::kMangle, "POSTROUTING", "-j MARK --set-xmark 0x0/0xf0000"),
                                          std::tuple(Table::kNat, "POSTROUTING", "-j MASQUERADE --random-fully")}) {
    auto driver = make_driver(table);
    driver->set_chain(chain("margay-t", {spec}));
    driver->set_hook(hook, Hook{.first = {Rule{"-j margay-t"}}, .last = {}});
    must_be_in_sync(*driver);
    must_be_right(*driver);
    EXPECT_NE(saved(table).find("-A margay-t "), std::string::npos);
  }
}

TEST_P(KernelTest, BackEndWithRulesOfOthersIsChosenAndLeftoversGo) {
  iptables("-A INPUT -p tcp -j LOG");
  const auto choice = choose_backend(runner_, BackendMode::kAuto);
  ASSERT_TRUE(choice.ok()) << choice.error().message;
  EXPECT_EQ(choice->backend, GetParam().backend) << choice->why;
  EXPECT_TRUE(choice->leftovers.empty());
  auto driver = make_driver();
  want_policy(*driver);
  must_be_in_sync(*driver);
  const Backend other = GetParam().backend == Backend::kNft ? Backend::kLegacy : Backend::kNft;
  const auto forced = choose_backend(runner_, other == Backend::kNft ? BackendMode::kNft : BackendMode::kLegacy);
  ASSERT_TRUE(forced.ok()) << forced.error().message;
  EXPECT_EQ(forced->backend, other);
  EXPECT_EQ(forced->leftovers, std::set<TableId>{id()});
  ASSERT_TRUE(remove_leftovers(runner_, GetParam().backend, forced->leftovers).ok());
  EXPECT_EQ(saved().find("margay"), std::string::npos);
  EXPECT_EQ(targets("INPUT"), "LOG");
}

TEST_P(KernelTest, FeaturesAreFoundWithoutLeavingATrace) {
  const std::string before = saved();
  const auto features = find_features(runner_, GetParam().backend);
  ASSERT_TRUE(features.ok()) << features.error().message;
  // All that this test's kernels have; what is missing elsewhere is no failure of ours.
  EXPECT_TRUE(features->has_ipv6);
  EXPECT_TRUE(features->has_rpfilter);
  EXPECT_EQ(saved(), before);
}

INSTANTIATE_TEST_SUITE_P(All, KernelTest,
                         testing::Values(Where{Backend::kNft, IpFamily::kV4}, Where{Backend::kNft, IpFamily::kV6},
                                         Where{Backend::kLegacy, IpFamily::kV4},
                                         Where{Backend::kLegacy, IpFamily::kV6}),
                         [](const auto& where) {
                           return concat(to_string(where.param.backend),
                                         where.param.family == IpFamily::kV4 ? "V4" : "V6");
                         });

}  // namespace
}  // namespace margay::iptables
