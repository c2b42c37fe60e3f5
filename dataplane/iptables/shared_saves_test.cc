#include "dataplane/iptables/shared_saves.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace margay::iptables {
namespace {

// Answers with what it is told to, and notes what it was asked.
class ScriptedRunner final : public exec::Runner {
 public:
  Result<exec::Finished> run(const exec::Command& command) override {
    asked.push_back(exec::to_string(command));
    return answer;
  }
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
