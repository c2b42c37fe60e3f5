#include "datastore/model/values.h"

#include <set>

#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"
#include "datastore/model/service.h"
#include "gtest/gtest.h"

namespace margay::model {
namespace {

using namespace std::chrono_literals;

TEST(Protocol, HasNamesAndNumbers) {
  EXPECT_EQ(Protocol::parse("TCP")->number(), 6);
  EXPECT_EQ(Protocol::parse("UDPLite")->number(), 136);
  EXPECT_EQ(Protocol::parse("58")->to_string(), "ICMPv6");
  EXPECT_EQ(Protocol::parse("255")->to_string(), "255");
  for (const char* bad : {"", "tcp", "0", "256", "-1", "TCPx", "6.0"}) EXPECT_FALSE(Protocol::parse(bad).ok()) << bad;
  EXPECT_TRUE(kProtocolSctp.has_ports());
  EXPECT_FALSE(kProtocolUdpLite.has_ports());
  EXPECT_EQ(Protocol::parse("tcp").error().message,
            "\"tcp\" is not one of TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number from 1 to 255");
}

TEST(PortOrName, TellsNumbersFromNames) {
  EXPECT_EQ(PortOrName::parse("80")->range()->first(), Port(80));
  EXPECT_EQ(PortOrName::parse("8000:8100")->to_string(), "8000:8100");
  EXPECT_EQ(*PortOrName::parse("http-alt")->name(), "http-alt");
  EXPECT_EQ(*PortOrName::parse("8080-tcp")->name(), "8080-tcp");
  EXPECT_EQ(PortOrName::parse("http")->range(), nullptr);
  for (const char* bad : {"", "0", "0:10", "10:5", "65536", "1:2:3", "1:", ":", "a b", "http!"}) {
    EXPECT_FALSE(PortOrName::parse(bad).ok()) << bad;
  }
}

TEST(Community, IsStandardOrLarge) {
  EXPECT_FALSE(Community::parse("65000:100")->is_large());
  EXPECT_EQ(Community::parse("4294967295:0:1")->part(0), 4294967295U);
  EXPECT_EQ(Community::parse("1:2:3")->to_string(), "1:2:3");
  EXPECT_LT(*Community::parse("65535:65535"), *Community::parse("0:0:0"));
  for (const char* bad : {"", "1", "65536:1", "1:65536", "1:2:4294967296", "1:2:3:4", "a:b", "1:", " 1:2"}) {
    EXPECT_FALSE(Community::parse(bad).ok()) << bad;
  }
}

TEST(PeerAddress, MayHaveAPort) {
  for (const char* good : {"192.0.2.1", "192.0.2.1:1790", "2001:db8::1", "[2001:db8::1]:1790"}) {
    ASSERT_TRUE(PeerAddress::parse(good).ok()) << good;
    EXPECT_EQ(PeerAddress::parse(good)->to_string(), good);
  }
  for (const char* bad : {"", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "[2001:db8::1]", "[192.0.2.1]:1", "[]:1",
                          ":1", "[2001:db8::1]1", "fe80::1%eth0", "192.0.2.1:+5"}) {
    EXPECT_FALSE(PeerAddress::parse(bad).ok()) << bad;
  }
}

TEST(BlockOwner, IsATypeAndAName) {
  EXPECT_EQ(BlockOwner::parse("host:node-1")->name, "node-1");
  EXPECT_EQ(BlockOwner::parse("virtual:load-balancer")->type, AffinityType::kVirtual);
  EXPECT_EQ(BlockOwner::parse("host:a:b")->to_string(), "host:a:b");
  for (const char* bad : {"", "host", "host:", "Host:a", "node:a"}) EXPECT_FALSE(BlockOwner::parse(bad).ok()) << bad;
}

TEST(Dscp, HasNamesOfTheRfcs) {
  EXPECT_EQ(Dscp::parse("EF")->value(), 46);
  EXPECT_EQ(Dscp::parse("AF41")->value(), 34);
  EXPECT_EQ(Dscp::parse("CS7")->value(), 56);
  EXPECT_EQ(Dscp::parse("63")->to_string(), "63");
  for (const char* bad : {"", "64", "ef", "-1", "AF51"}) EXPECT_FALSE(Dscp::parse(bad).ok()) << bad;
}

TEST(AutoOrDuration, IsEither) {
  EXPECT_EQ(AutoOrDuration::parse("Auto")->duration, std::nullopt);
  EXPECT_EQ(AutoOrDuration::parse("90s")->to_string(), "1m30s");
  EXPECT_FALSE(AutoOrDuration::parse("auto").ok());
}

TEST(ClusterIp, MayBeNone) {
  EXPECT_EQ(ClusterIp::parse("None")->address, std::nullopt);
  EXPECT_EQ(ClusterIp::parse("10.96.0.1")->to_string(), "10.96.0.1");
  EXPECT_FALSE(ClusterIp::parse("none").ok());
}

TEST(MicroTime, AlwaysHasSixDigits) {
  EXPECT_EQ(MicroTime::parse("2026-08-22T10:00:00Z")->to_string(), "2026-08-22T10:00:00.000000Z");
}

TEST(EnumText, FollowsTheEnumerators) {
  EXPECT_EQ(to_string(LogSeverity::kWarning), "Warning");
  EXPECT_EQ(parse_enum<LogSeverity>("WARNING"), LogSeverity::kWarning);  // read in any case
  EXPECT_EQ(parse_enum<PodPhase>("Running"), PodPhase::kRunning);
  EXPECT_EQ(parse_enum<PodPhase>("running"), std::nullopt);
}

TEST(Pod, KeepsAnnotationsOfNetworkingOnly) {
  for (const char* kept : {"cni.projectcalico.org/podIP", "projectcalico.org/x", "margay.dev/x",
                           "k8s.v1.cni.cncf.io/networks", "kubevirt.io/migrationJobUID"}) {
    EXPECT_TRUE(is_kept_annotation(kept)) << kept;
  }
  for (const char* dropped : {"kubectl.kubernetes.io/last-applied-configuration", "notprojectcalico.org/x",
                              "projectcalico.org", "a/projectcalico.org/b", ""}) {
    EXPECT_FALSE(is_kept_annotation(dropped)) << dropped;
  }
}

TEST(Kind, TableIsInTheOrderOfTheEnumAndWithoutDoubles) {
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (std::size_t i = 0; i < all_kinds().size(); ++i) {
    const KindInfo& each = all_kinds()[i];
    EXPECT_EQ(static_cast<std::size_t>(each.kind), i) << each.name;
    EXPECT_EQ(&info(each.kind), &each);
    EXPECT_EQ(find_kind(each.api_version, each.name), each.kind);
    EXPECT_TRUE(names.emplace(each.api_version, each.name).second) << each.name;
  }
  EXPECT_EQ(all_kinds().back().kind, Kind::kServiceAccount);
  EXPECT_EQ(find_kind("projectcalico.org/v1", "IPPool"), std::nullopt);
  EXPECT_EQ(find_kind("discovery.k8s.io/v1beta1", "EndpointSlice"), Kind::kEndpointSlice) << "Kubernetes 1.20";
  EXPECT_EQ(find_kind("", "EndpointSlice"), std::nullopt);
}

TEST(ObjectKey, ReadsLikeAName) {
  EXPECT_EQ((ObjectKey{Kind::kIpPool, "", "a"}).to_string(), "IPPool/a");
  EXPECT_EQ((ObjectKey{Kind::kNetworkPolicy, "default", "a"}).to_string(), "NetworkPolicy/default/a");
  EXPECT_LT((ObjectKey{Kind::kPod, "a", "z"}), (ObjectKey{Kind::kPod, "b", "a"}));
}

}  // namespace
}  // namespace margay::model
