#include "dataplane/iptables/shared_saves.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace margay::iptables {
namespace {

// Answers with what it is told to, and notes what it was asked.
class ScriptedRunner final : public exec::Runner {
 public:
  Result<exec::Finished> run(const exec::Command& command) override {
    asked.push_back(exec::to_string(command));
    if (on_run) on_run();
    return answer;
  }
  std::function<void()> on_run;
  exec::Finished answer;
  std::vector<std::string> asked;
};

exec::Command save_of(const char* table, const char* program = "iptables-nft-save") {
  return {.program = program, .arguments = {"-t", table}};
}

class SharedSavesTest : public testing::Test {
 protected:
  SharedSavesTest() {
    runner_.answer.output =
        "# made by somebody\n*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n# end\n*filter\n:INPUT ACCEPT [0:0]\n"
        "-A INPUT -j DROP\nCOMMIT\n";
  }
  std::string read(const char* table) { return saves_.run(save_of(table))->output; }

  ScriptedRunner runner_;
  SharedSaves saves_{runner_};
};

TEST_F(SharedSavesTest, EachTableOfAFamilyIsReadByOneRun) {
  EXPECT_EQ(read("raw"), "*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n# end\n");
  EXPECT_EQ(read("filter"), "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n");
  EXPECT_EQ(runner_.asked, std::vector<std::string>{"iptables-nft-save"});
}

TEST_F(SharedSavesTest, WhoAsksAgainGetsWhatIsThereThen) {
  (void)read("filter");
  runner_.answer.output = "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n";
  EXPECT_EQ(read("filter"), runner_.answer.output);
}

TEST_F(SharedSavesTest, WhatWasForgottenIsReadAgain) {
  (void)read("raw");
  saves_.forget();
  (void)read("filter");
  EXPECT_EQ(runner_.asked.size(), 2U);
}

TEST_F(SharedSavesTest, ATableNobodyHasMadeIsEmpty) {
  EXPECT_EQ(read("nat"), "");
  EXPECT_TRUE(saves_.run(save_of("nat"))->is_success());
}

TEST_F(SharedSavesTest, FamiliesAreApart) {
  (void)read("raw");
  (void)saves_.run(save_of("raw", "ip6tables-nft-save"));
  EXPECT_EQ(runner_.asked.back(), "ip6tables-nft-save");
}

class BegunSavesTest : public SharedSavesTest {
 protected:
  BegunSavesTest() {
    for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) begun_.begin(family);
  }
  void read_all() {
    for (const char* program : {"iptables-nft-save", "ip6tables-nft-save"}) {
      for (const char* table : {"raw", "filter"}) {
        const auto finished = begun_.run(save_of(table, program));
        EXPECT_TRUE(finished.ok() && finished->output.find(table) != std::string::npos);
      }
    }
  }
  std::optional<std::uint32_t> generation_ = 7;
  SharedSaves begun_{runner_, [this] { return generation_; }};
};

TEST_F(BegunSavesTest, WhatWasBegunIsWhatIsRead) {
  (void)begun_.run(save_of("raw"));
  generation_ = 8;  // by our own writing
  EXPECT_EQ(runner_.asked.size(), 2U);
  (void)begun_.run(save_of("raw", "ip6tables-nft-save"));
  (void)begun_.run(save_of("filter"));
  EXPECT_EQ(runner_.asked.size(), 2U);
}

TEST_F(BegunSavesTest, WhatSomebodyHasChangedMeanwhileIsReadAgain) {
  runner_.on_run = [this] {
    generation_ = 8;
    runner_.on_run = nullptr;
  };
  read_all();
  EXPECT_EQ(runner_.asked.size(), 4U);
}

TEST_F(BegunSavesTest, WhatFailedIsReadAgain) {
  runner_.answer.status = 1;
  runner_.on_run = [this] {
    if (runner_.asked.size() == 3) runner_.answer.status = 0;
  };
  read_all();
  EXPECT_EQ(runner_.asked.size(), 4U);
}

TEST_F(BegunSavesTest, WhatWasForgottenIsNotWaitedFor) {
  begun_.forget();
  read_all();
  EXPECT_EQ(runner_.asked.size(), 2U);
}

TEST_F(SharedSavesTest, NothingIsBegunWhereNobodyKnowsWhatIsNew) {
  saves_.begin(IpFamily::kV4);
  EXPECT_TRUE(runner_.asked.empty());
}

TEST_F(SharedSavesTest, AFailureIsHandedOnAndKeptByNobody) {
  runner_.answer = {.status = 4, .errors = "no"};
  EXPECT_EQ(saves_.run(save_of("raw"))->status, 4);
  EXPECT_EQ(saves_.run(save_of("filter"))->status, 4);
  EXPECT_EQ(runner_.asked.size(), 2U);
}

TEST_F(SharedSavesTest, OthersAreNotTouched) {
  (void)saves_.run(save_of("raw", "iptables-legacy-save"));
  (void)saves_.run({.program = "iptables-nft-restore", .arguments = {"--noflush", "--wait"}});
  (void)saves_.run({.program = "iptables-nft-save"});
  EXPECT_EQ(runner_.asked, (std::vector<std::string>{"iptables-legacy-save -t raw",
                                                     "iptables-nft-restore --noflush --wait", "iptables-nft-save"}));
}

}  // namespace
}  // namespace margay::iptables
