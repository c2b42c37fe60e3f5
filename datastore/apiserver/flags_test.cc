#include "datastore/apiserver/flags.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace margay::apiserver {
namespace {

using Kind = ParsedFlags::Kind;

TEST(Flags, FaultInjectionIsOffUnlessAskedForAndItsHelpSaysWhatItIsFor) {
  EXPECT_FALSE(parse_flags({"--listen", "tcp://127.0.0.1:0"}).flags.enable_fault_injection);
  EXPECT_TRUE(parse_flags({"--listen", "tcp://127.0.0.1:0", "--enable-fault-injection"}).flags.enable_fault_injection);
  const ParsedFlags help = parse_flags({"--help"});
  EXPECT_EQ(help.kind, Kind::kPrintAndExit);
  EXPECT_NE(help.text.find("FOR TESTS ONLY, off by default"), std::string::npos) << help.text;
}

TEST(Flags, MistakesAreToldBeforeAnythingStarts) {
  struct Case {
    std::vector<std::string> arguments;
    const char* complaint;
  };
  const Case cases[] = {
      {{}, "--listen"},
      {{"--listen", "tcp://127.0.0.1"}, "port"},
      {{"--listen", "tcp://[fe80::1%]:1"}, "zone"},
      {{"--listen", "unix:///a", "--store", "disk"}, "etcd://"},
      {{"--listen", "unix:///a", "--tls-cert", "c"}, "--tls-cert and --tls-key"},
      {{"--listen", "unix:///a", "--client-ca-file", "c"}, "needs --tls-cert"},
      {{"--listen", "unix:///a", "--log-level", "loud"}, "--log-level"},
  };
  for (const Case& c : cases) {
    const ParsedFlags parsed = parse_flags(c.arguments);
    EXPECT_EQ(parsed.kind, Kind::kUsageError) << c.complaint;
    EXPECT_NE(parsed.text.find(c.complaint), std::string::npos) << parsed.text;
  }
}

TEST(Flags, ClientAuthoritiesComeWithACertificate) {
  const ParsedFlags parsed =
      parse_flags({"--listen", "tcp://10.0.0.1:6443", "--tls-cert", "c", "--tls-key", "k", "--client-ca-file", "a"});
  ASSERT_EQ(parsed.kind, Kind::kRun) << parsed.text;
  EXPECT_EQ(parsed.flags.client_ca_file, "a");
}

}  // namespace
}  // namespace margay::apiserver
