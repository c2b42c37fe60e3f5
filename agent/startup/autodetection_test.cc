#include "agent/startup/autodetection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::startup {
namespace {

using ::testing::HasSubstr;

HostInterface interface(std::string name, const std::vector<std::string>& addresses, bool is_up = true) {
  HostInterface out{std::move(name), is_up, {}};
  for (const std::string& address : addresses) out.addresses.push_back(*InterfaceAddress::parse(address));
  return out;
}

Surroundings host() {
  Surroundings out;
  out.interfaces = {interface("lo", {"127.0.0.1/8", "10.9.9.9/32", "::1/128"}),
                    interface("docker0", {"172.17.0.1/16"}),
                    interface("eth9", {"10.0.9.9/24"}, false),
                    interface("eth0", {"169.254.7.7/16", "10.0.0.7/24", "10.0.0.8/24", "fe80::1/64", "2001:db8::7/64"}),
                    interface("eth1", {"192.0.2.7/25", "2001:db8:1::7/64"}),
                    interface("cali0123456789a", {"10.1.1.1/32"}),
                    interface("wlp3s0", {"203.0.113.5/24"})};
  out.node_addresses = {*IpAddress::parse("192.0.2.7"), *IpAddress::parse("2001:db8::7")};
  out.source_towards = [](const std::string& destination, IpFamily family) -> Result<IpAddress> {
    if (destination == "nowhere") return Error{ErrorCode::kNotFound, "no route to nowhere"};
    if (destination == "self") return IpAddress::parse("127.0.0.1");
    return IpAddress::parse(family == IpFamily::kV4 ? "203.0.113.5" : "2001:db8:1::7");
  };
  return out;
}

// "10.0.0.7/24 eth0", or "no: message".
std::string found(std::string_view method, IpFamily family, const Surroundings& surroundings) {
  const auto parsed = Method::parse(method);
  if (!parsed.ok()) return concat("bad: ", parsed.error().message);
  const auto detected = detect(*parsed, family, surroundings);
  if (!detected.ok()) return concat("no: ", detected.error().message);
  return concat(detected->address.to_string(), " ", detected->interface);
}

struct Case {
  const char* why;
  const char* method;
  IpFamily family;
  const char* expected;
};

class Methods : public ::testing::TestWithParam<Case> {};

TEST_P(Methods, ChooseTheAddress) {
  const Case& row = GetParam();
  EXPECT_EQ(found(row.method, row.family, host()), row.expected) << row.why;
}

constexpr IpFamily k4 = IpFamily::kV4, k6 = IpFamily::kV6;
INSTANTIATE_TEST_SUITE_P(
    Table, Methods,
    ::testing::Values(
        Case{"the Node's own without a method", "", k4, "192.0.2.7/25 eth1"},
        Case{"the Node's own", "kubernetes-internal-ip", k6, "2001:db8::7/64 eth0"},
        Case{"down, loopback, container and link-local ones are passed over", "first-found", k4, "10.0.0.7/24 eth0"},
        Case{"IPv6", "first-found", k6, "2001:db8::7/64 eth0"},
        Case{"by name", "interface=eth1", k4, "192.0.2.7/25 eth1"},
        Case{"the kernel's order counts, not that of the list", "interface=wlp.*, eth1", k4, "192.0.2.7/25 eth1"},
        Case{"anywhere in the name", "interface=p3", k4, "203.0.113.5/24 wlp3s0"},
        Case{"internal ones by name", "interface=^docker0$", k4, "172.17.0.1/16 docker0"},
        Case{"an address on lo by name", "interface=lo", k4, "10.9.9.9/32 lo"},
        Case{"without some", "skip-interface=eth.*", k4, "203.0.113.5/24 wlp3s0"},
        Case{"without one", "skip-interface=eth0,nonesuch", k6, "2001:db8:1::7/64 eth1"},
        Case{"by network", "cidr=192.0.2.0/24", k4, "192.0.2.7/25 eth1"},
        Case{"by networks", "cidr=198.51.100.0/24, 10.0.0.8/32", k4, "10.0.0.8/24 eth0"},
        Case{"a network of the host's bits", "cidr=10.1.1.77/24", k4, "10.1.1.1/32 cali0123456789a"},
        Case{"by route", "can-reach=198.51.100.1", k4, "203.0.113.5/24 wlp3s0"},
        Case{"by route to a name", "can-reach=example.com", k6, "2001:db8:1::7/64 eth1"}));

TEST(Autodetection, SaysWhatItLookedAt) {
  EXPECT_THAT(found("interface=ens.*", k4, host()), HasSubstr("no: no IPv4 address by interface=ens.*: interfaces that "
                                                              "are up: lo, docker0, eth0"));
  EXPECT_THAT(found("can-reach=nowhere", k4, host()), HasSubstr("no route to nowhere"));
  EXPECT_THAT(found("can-reach=self", k4, host()), HasSubstr("127.0.0.1 is not to be used"));
  Surroundings without = host();
  without.node_addresses.clear();
  EXPECT_THAT(found("kubernetes-internal-ip", k4, without), HasSubstr("no InternalIP"));
  EXPECT_EQ(found("", k4, without), "10.0.0.7/24 eth0") << "the default goes on to what the host has";
}

TEST(Autodetection, ANodeAddressOnNoInterfaceIsOneHost) {
  Surroundings other = host();
  other.node_addresses = {*IpAddress::parse("198.51.100.7")};
  EXPECT_EQ(found("", k4, other), "198.51.100.7/32 ");
}

TEST(Autodetection, MethodsThatCannotBeReadAreErrors) {
  for (const char* bad : {"first", "interface=", "interface=eth(", "skip-interface= ,", "cidr=", "cidr=10.0.0.0/33",
                          "cidr=eth0", "can-reach=", "can-reach", "kubernetes-internal", "INTERFACE=eth0"}) {
    EXPECT_FALSE(Method::parse(bad).ok()) << bad;
  }
}

TEST(Autodetection, AcceptsWhatTheMethodCouldHaveChosen) {
  struct Row {
    const char* method;
    const char* address;
    bool expected;
  };
  for (const Row& row : std::vector<Row>{{"", "10.0.0.8", true},
                                         {"", "10.0.0.99", false},
                                         {"", "10.0.9.9", false},
                                         {"kubernetes-internal-ip", "10.0.0.8", false},
                                         {"kubernetes-internal-ip", "192.0.2.7", true},
                                         {"first-found", "203.0.113.5", true},
                                         {"first-found", "172.17.0.1", false},
                                         {"interface=eth.*", "10.0.0.8", true},
                                         {"interface=eth.*", "203.0.113.5", false},
                                         {"skip-interface=eth0", "10.0.0.8", false},
                                         {"skip-interface=eth0", "192.0.2.7", true},
                                         {"cidr=10.0.0.0/24", "10.0.0.8", true},
                                         {"cidr=10.0.0.0/24", "192.0.2.7", false},
                                         {"can-reach=x", "10.0.0.8", true},
                                         {"can-reach=x", "169.254.7.7", false}}) {
    EXPECT_EQ(accepts(*Method::parse(row.method), *IpAddress::parse(row.address), host()), row.expected)
        << row.method << " " << row.address;
  }
}

TEST(Autodetection, TheKernelAnswersForLoopback) {
  const auto v4 = kernel_source_towards("127.0.0.1", k4);
  ASSERT_TRUE(v4.ok()) << v4.error().message;
  EXPECT_EQ(v4->to_string(), "127.0.0.1");
  const auto v6 = kernel_source_towards("::1", k6);
  EXPECT_EQ(v6.ok() ? v6->to_string() : "::1", "::1") << "where the machine has IPv6";
  EXPECT_FALSE(kernel_source_towards("256.256.256.256", k4).ok());
}

}  // namespace
}  // namespace margay::startup
