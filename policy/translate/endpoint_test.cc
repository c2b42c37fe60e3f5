#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/translate/qos.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

using model::Pod;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
IpPrefix host(std::string_view text) { return IpPrefix::host(ip(text)); }

Pod pod() {
  Pod out;
  out.metadata.name = "web-1";
  out.metadata.name_space = "shop";
  out.metadata.labels = StringMap{{"app", "web"}};
  out.spec.node_name = "node-a";
  out.status.phase = model::PodPhase::kRunning;
  out.status.pod_ip = ip("10.0.0.1");
  return out;
}

Pod with_annotation(Pod pod, std::string_view key, std::string_view value) {
  pod.metadata.annotations.set(key, value);
  return pod;
}

Pod without_status(Pod pod) {
  pod.status = {};
  return pod;
}

TEST(Endpoint, HasCalicosNameLabelsAndProfiles) {
  Pod given = pod();
  given.spec.service_account_name = "robot";
  const auto out = endpoint_of(given);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->metadata.name, "node--a-k8s-web--1-eth0");
  EXPECT_EQ(out->metadata.name_space, "shop");
  EXPECT_EQ(out->metadata.labels, (StringMap{{"app", "web"},
                                             {"projectcalico.org/namespace", "shop"},
                                             {"projectcalico.org/orchestrator", "k8s"},
                                             {"projectcalico.org/serviceaccount", "robot"}}));
  EXPECT_THAT(out->spec.profiles, ElementsAre("kns.shop", "ksa.shop.robot"));
  EXPECT_THAT(out->spec.ip_networks, ElementsAre(host("10.0.0.1")));
  EXPECT_EQ(interface_name_of("default", "podA"), "cali7f94ce7c295");
  EXPECT_EQ(out->spec.interface_name, interface_name_of("shop", "web-1"));
}

TEST(Endpoint, LabelsOfThePodCannotClaimAnotherNamespace) {
  Pod given = pod();
  given.metadata.labels = StringMap{{"projectcalico.org/namespace", "kube-system"}};
  EXPECT_EQ(endpoint_of(given)->metadata.labels.get("projectcalico.org/namespace"), "shop");
}

TEST(Endpoint, AnAccountTooLongForALabelStaysAProfile) {
  Pod given = pod();
  given.spec.service_account_name = SharedText(std::string(64, 'a'));
  const auto out = endpoint_of(given);
  EXPECT_FALSE(out->metadata.labels.contains("projectcalico.org/serviceaccount"));
  EXPECT_EQ(out->spec.profiles.size(), 2u);
}

TEST(Endpoint, AddressesComeFromTheStatusElseFromAnnotations) {
  struct Case {
    const char* why;
    Pod pod;
    std::vector<IpPrefix> expected;
  };
  Pod both = pod();
  both.status.pod_ips = {{ip("10.0.0.1")}, {ip("fd00::1")}};
  const Case cases[] = {
      {"status", pod(), {host("10.0.0.1")}},
      {"status, both families", both, {host("10.0.0.1"), host("fd00::1")}},
      {"status wins", with_annotation(pod(), "cni.projectcalico.org/podIP", "10.0.0.9"), {host("10.0.0.1")}},
      {"one", with_annotation(without_status(pod()), "cni.projectcalico.org/podIP", "10.0.0.9/32"), {host("10.0.0.9")}},
      {"several win over one",
       with_annotation(with_annotation(without_status(pod()), "cni.projectcalico.org/podIP", "10.0.0.8"),
                       "cni.projectcalico.org/podIPs", "10.0.0.9,fd00::9/128"),
       {host("10.0.0.9"), host("fd00::9")}},
  };
  for (const Case& c : cases) {
    const auto out = endpoint_of(c.pod);
    ASSERT_TRUE(out) << c.why;
    EXPECT_EQ(out->spec.ip_networks, c.expected) << c.why;
  }
}

TEST(Endpoint, IsNoneWherePolicyHasNothingToHoldOnTo) {
  struct Case {
    const char* why;
    Pod pod;
  };
  Pod on_host = pod();
  on_host.spec.host_network = true;
  Pod unscheduled = pod();
  unscheduled.spec.node_name = {};
  Pod succeeded = pod();
  succeeded.status.phase = model::PodPhase::kSucceeded;
  Pod failed = pod();
  failed.status.phase = model::PodPhase::kFailed;
  Pod released = with_annotation(pod(), "cni.projectcalico.org/podIP", "");
  EXPECT_TRUE(endpoint_of(released)) << "an empty annotation alone says nothing";
  released.metadata.deletion_timestamp = WallTime{};
  const Case cases[] = {
      {"the node's network", on_host},
      {"not scheduled", unscheduled},
      {"succeeded", succeeded},
      {"failed", failed},
      {"its address was given back", released},
      {"no address", without_status(pod())},
      {"no address, but a word", with_annotation(without_status(pod()), "cni.projectcalico.org/podIP", "foobar")},
      {"a network is no address", with_annotation(without_status(pod()), "cni.projectcalico.org/podIP", "10.0.0.0/24")},
      {"sources that are none", with_annotation(pod(), "cni.projectcalico.org/allowedSourcePrefixes", R"(["gumbo"])")},
      {"sources that are no list", with_annotation(pod(), "cni.projectcalico.org/allowedSourcePrefixes", "10.0.0.0/8")},
      {"floating IP that is none", with_annotation(pod(), "cni.projectcalico.org/floatingIPs", R"(["x"])")},
  };
  for (const Case& c : cases) EXPECT_FALSE(endpoint_of(c.pod)) << c.why;
}

TEST(Endpoint, HasThePortsThatRulesOrTheHostCanName) {
  Pod given = pod();
  given.spec.containers = {
      {.ports = {{.name = "http", .protocol = {}, .container_port = Port(80), .host_port = {}, .host_ip = {}},
                 {.name = {}, .protocol = {}, .container_port = Port(81), .host_port = {}, .host_ip = {}}}},
      {.ports = {{.name = {},
                  .protocol = model::kProtocolUdp,
                  .container_port = Port(53),
                  .host_port = Port(5353),
                  .host_ip = ip("192.0.2.1")}}}};
  given.spec.init_containers = {
      {.restart_policy = "Always",
       .ports = {{.name = "proxy", .protocol = {}, .container_port = Port(15), .host_port = {}, .host_ip = {}}}}};
  std::vector<std::string> names;
  const auto endpoint = endpoint_of(given);
  ASSERT_TRUE(endpoint);
  for (const auto& port : endpoint->spec.ports) {
    names.push_back(concat(port.name, "/", port.protocol.to_string(), "/", port.port.value()));
  }
  EXPECT_THAT(names, ElementsAre("http/TCP/80", "/UDP/53", "proxy/TCP/15"));
}

TEST(Endpoint, FloatingAddressesGoToTheFirstOfTheirFamily) {
  Pod given = with_annotation(pod(), "cni.projectcalico.org/floatingIPs", R"(["192.0.2.1","2001:db8::1"])");
  const auto out = endpoint_of(given);
  ASSERT_EQ(out->spec.ip_nats.size(), 1u) << "the pod has no IPv6 address";
  EXPECT_EQ(out->spec.ip_nats[0].internal_ip, ip("10.0.0.1"));
}

TEST(Quantity, IsReadAsKubernetesWritesIt) {
  struct Case {
    const char* text;
    std::optional<std::int64_t> expected;
  };
  const Case cases[] = {
      {"0", 0},
      {"1", 1},
      {"1k", 1'000},
      {"10M", 10'000'000},
      {"1.5G", 1'500'000'000},
      {"1Ki", 1'024},
      {"2Gi", 2'147'483'648},
      {"2e3", 2'000},
      {"100m", 1},
      {"20P", 20'000'000'000'000'000},
      {"99E", std::numeric_limits<std::int64_t>::max()},
      {"", {}},
      {"k", {}},
      {"1 k", {}},
      {"1K", {}},
      {"-1", {}},
      {"1kk", {}},
      {"inf", {}},
      {"nan", {}},
  };
  for (const Case& c : cases) EXPECT_EQ(parse_quantity(c.text), c.expected) << c.text;
}

TEST(Qos, IsKeptWithinItsBounds) {
  const StringMap annotations{{"qos.projectcalico.org/ingressBandwidth", "1"},
                              {"qos.projectcalico.org/ingressBurst", "90P"},
                              {"qos.projectcalico.org/egressBurst", "4M"},
                              {"qos.projectcalico.org/egressPacketRate", "wrong"}};
  const auto out = qos_of(annotations);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->ingress.bandwidth, 1'000);
  EXPECT_EQ(out->ingress.burst, 34'359'738'360);
  EXPECT_EQ(out->egress, model::QosDirection{}) << "a burst without bandwidth, a rate that is none";
  EXPECT_FALSE(qos_of(StringMap{{"other", "1M"}}));
}

TEST(Profile, OfANamespaceAllowsAndCarriesItsLabels) {
  model::Namespace given;
  given.metadata.name = "shop";
  given.metadata.labels = StringMap{{"team", "a"}, {"projectcalico.org/name", "lies"}};
  const model::Profile out = profile_of(given);
  EXPECT_EQ(out.metadata.name, "kns.shop");
  EXPECT_EQ(out.spec.labels_to_apply, (StringMap{{"pcns.projectcalico.org/name", "shop"}, {"pcns.team", "a"}}));
  ASSERT_EQ(out.spec.ingress.size(), 1u);
  EXPECT_EQ(out.spec.ingress[0].action, model::RuleAction::kAllow);
  EXPECT_EQ(out.spec.egress, out.spec.ingress);
}

TEST(Profile, OfAServiceAccountHasLabelsOnly) {
  model::ServiceAccount given;
  given.metadata.name = "robot";
  given.metadata.name_space = "shop";
  given.metadata.labels = StringMap{{"role", "r"}};
  const model::Profile out = profile_of(given);
  EXPECT_EQ(out.metadata.name, "ksa.shop.robot");
  EXPECT_EQ(out.spec.labels_to_apply, (StringMap{{"pcsa.projectcalico.org/name", "robot"}, {"pcsa.role", "r"}}));
  EXPECT_THAT(out.spec.ingress, IsEmpty());
  EXPECT_THAT(out.spec.egress, IsEmpty());
}

}  // namespace
}  // namespace margay::policy
