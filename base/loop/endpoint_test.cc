#include <string>

#include "base/loop/stream.h"
#include "gtest/gtest.h"

namespace margay::loop {
namespace {

TEST(Endpoint, ReadsWhatItPrints) {
  for (const char* text : {"tcp://127.0.0.1:6443", "tcp://[::1]:0", "tcp://api.example.org:443",
                           "tcp://[fe80::1%eth0]:179", "tcp://[fe80::1%3]:179", "tcp://[fe80::1%br-25.a_b:0]:1",
                           "tcp://localhost:65535", "unix:///run/margay/api.sock"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint.ok()) << text << ": " << endpoint.error().message;
    EXPECT_EQ(endpoint->to_string(), text);
  }
  EXPECT_EQ(Endpoint::parse("tcp://[::1]:8080")->host, "::1");
  EXPECT_EQ(Endpoint::parse("tcp://[fe80::1%eth0]:179")->host, "fe80::1%eth0");
  EXPECT_EQ(Endpoint::parse("tcp://[fe80::1%eth0]:179")->host_without_zone(), "fe80::1");
  EXPECT_EQ(Endpoint::parse("tcp://name:179")->host_without_zone(), "name");
  EXPECT_EQ(Endpoint::parse("tcp://[::1]:8080")->port, 8080);
  EXPECT_EQ(Endpoint::parse("unix:///a")->path, "/a");
}

TEST(Endpoint, SaysWhatIsWrong) {
  struct Case {
    const char* text;
    const char* complaint;
  };
  const Case cases[] = {
      {"", "scheme"},
      {"127.0.0.1:80", "scheme"},
      {"http://a:80", "scheme"},
      {"tcp://", "port"},
      {"tcp://host", "port"},
      {"tcp://host:", "port"},
      {"tcp://host:65536", "port"},
      {"tcp://host:-1", "port"},
      {"tcp://host:80/path", "port"},
      {"tcp://:80", "host"},
      {"tcp://::1:80", "port"},
      {"tcp://[::1]", "port"},
      {"tcp://[]:80", "host"},
      {"tcp://[host]:80", "brackets"},
      {"tcp://[fe80::1%]:80", "zone after '%' is missing"},
      {"tcp://[fe80::1%eth0%eth1]:80", "zone after '%' has a character"},
      {"tcp://[fe80::1%et/h0]:80", "zone after '%' has a character"},
      {"tcp://[fe80::1%interface-number]:80", "longer than"},
      {"tcp://host%eth0:80", "character"},
      {"tcp://ho st:80", "character"},
      {"tcp://user@host:80", "character"},
      {"unix://relative", "absolute"},
      {"unix://", "absolute"},
  };
  for (const Case& each : cases) {
    const auto endpoint = Endpoint::parse(each.text);
    ASSERT_FALSE(endpoint.ok()) << each.text;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kInvalid);
    EXPECT_NE(endpoint.error().message.find(each.complaint), std::string::npos)
        << each.text << ": " << endpoint.error().message;
  }
}

TEST(Endpoint, UnixPathHasTheKernelsLimit) {
  const std::string longest = "/" + std::string(106, 'a');
  EXPECT_TRUE(Endpoint::parse("unix://" + longest).ok());
  EXPECT_FALSE(Endpoint::parse("unix://" + longest + "a").ok());
}

}  // namespace
}  // namespace margay::loop
