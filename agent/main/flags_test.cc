#include "agent/main/flags.h"

#include "gtest/gtest.h"

namespace margay::agent {
namespace {

using Words = std::vector<std::string>;

TEST(Flags, AreReadInBothForms) {
  const ParsedFlags parsed = parse_flags({"--node-name", "a", "--kubeconfig=/k", "--run-dir=/r", "--state-dir", "/s",
                                          "--config=/c", "--log-level=debug", "--proc-sys=/p"});
  ASSERT_EQ(parsed.kind, ParsedFlags::Kind::kRun) << parsed.text;
  EXPECT_EQ(parsed.flags.node_name, "a");
  EXPECT_EQ(parsed.flags.kubeconfig, "/k");
  EXPECT_EQ(parsed.flags.run_dir, "/r");
  EXPECT_EQ(parsed.flags.state_dir, "/s");
  EXPECT_EQ(parsed.flags.config, "/c");
  EXPECT_EQ(parsed.flags.proc_sys, "/p");
  EXPECT_EQ(parsed.flags.log_level, telemetry::Level::kDebug);
}

TEST(Flags, NothingIsNeeded) {
  const ParsedFlags parsed = parse_flags({});
  EXPECT_EQ(parsed.kind, ParsedFlags::Kind::kRun);
  EXPECT_EQ(parsed.flags.run_dir, "/run/margay");
}

TEST(Flags, MistakesAreNamed) {
  struct Case {
    Words words;
    const char* said;
  };
  const Case cases[] = {{{"--node-nam", "a"}, "--node-nam"},
                        {{"--node-name"}, "needs a value"},
                        {{"--node-name", "a", "--node-name=b"}, "twice"},
                        {{"--node-name="}, "is empty"},
                        {{"node-1"}, "unexpected"},
                        {{"--log-level=loud"}, "loud"}};
  for (const Case& each : cases) {
    const ParsedFlags parsed = parse_flags(each.words);
    EXPECT_EQ(parsed.kind, ParsedFlags::Kind::kUsageError) << each.words[0];
    EXPECT_NE(parsed.text.find(each.said), std::string::npos) << parsed.text;
  }
}

TEST(Flags, HelpAndVersionGoToStandardOutput) {
  for (const char* word : {"--help", "-h", "--version"}) {
    const ParsedFlags parsed = parse_flags({word});
    EXPECT_EQ(parsed.kind, ParsedFlags::Kind::kPrintAndExit);
    EXPECT_NE(parsed.text.find("margay-node"), std::string::npos);
  }
}

}  // namespace
}  // namespace margay::agent
