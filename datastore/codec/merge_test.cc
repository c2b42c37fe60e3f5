// What encode does to a document that is there already, and the finer points of decode.
#include "base/core/text.h"
#include "datastore/codec/codec.h"
#include "datastore/model/bgp_configuration.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/felix_configuration.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"
#include "datastore/model/policy.h"
#include "gtest/gtest.h"

namespace margay::codec {
namespace {

template <class T>
T decoded(std::string_view text, FieldErrors* errors = nullptr) {
  json::Document document;
  const Result<json::View> view = document.parse(text);
  EXPECT_TRUE(view.ok()) << text;
  T out;
  const FieldErrors found = decode(*view, out);
  if (errors != nullptr) {
    *errors = found;
  } else {
    EXPECT_EQ(to_string(found), "") << text;
  }
  return out;
}

template <class T>
std::string decode_errors(std::string_view text) {
  FieldErrors errors;
  (void)decoded<T>(text, &errors);
  return to_string(errors);
}

template <class T>
std::string encoded_over(const T& object, std::string_view before) {
  json::Value value = *json::parse(before);
  encode(object, value);
  return json::dump(*value.find("spec"));
}

TEST(Encode, ASayingInOtherWordsStaysAsWritten) {
  constexpr std::string_view kBefore =
      R"({"spec":{"logSeverityScreen":"info","asNumber":"0.64512","nodeMeshMaxRestartTime":"120s",)"
      R"("serviceClusterIPs":[{"cidr":"2001:DB8::/32"}],"listenPort":179}})";
  auto object = decoded<model::BgpConfiguration>(kBefore);
  EXPECT_EQ(object.spec.as_number, Asn(64512));
  object.spec.listen_port = Port(1790);
  EXPECT_EQ(encoded_over(object, kBefore),
            R"({"logSeverityScreen":"info","asNumber":"0.64512","nodeMeshMaxRestartTime":"120s",)"
            R"("serviceClusterIPs":[{"cidr":"2001:DB8::/32"}],"listenPort":1790})");
  object.spec.as_number = Asn(64513);
  object.spec.log_severity_screen = model::LogSeverity::kDebug;
  object.spec.node_mesh_max_restart_time = std::chrono::seconds(90);
  EXPECT_EQ(encoded_over(object, kBefore),
            R"({"logSeverityScreen":"Debug","asNumber":64513,"nodeMeshMaxRestartTime":"1m30s",)"
            R"("serviceClusterIPs":[{"cidr":"2001:DB8::/32"}],"listenPort":1790})");
}

TEST(Encode, WhatSaysNothingIsRemovedOrLeftOut) {
  constexpr std::string_view kBefore =
      R"({"spec":{"cidr":"10.0.0.0/16","blockSize":26,"natOutgoing":true,"disabled":false,"ipipMode":"Always",)"
      R"("nodeSelector":"rack == 'a'","allowedUses":["Tunnel"],"x":1}})";
  model::IpPool pool = decoded<model::IpPool>(kBefore);
  pool.spec.block_size.reset();
  pool.spec.nat_outgoing = false;
  pool.spec.ipip_mode = model::EncapMode::kNever;
  pool.spec.node_selector.clear();
  pool.spec.allowed_uses.clear();
  EXPECT_EQ(encoded_over(pool, kBefore),
            R"({"cidr":"10.0.0.0/16","natOutgoing":false,"disabled":false,"ipipMode":"Never","x":1})");
  EXPECT_EQ(encoded_over(pool, "{}"), R"({"cidr":"10.0.0.0/16"})");
}

TEST(Encode, EmptyAndNullMembersOfTheUserStay) {
  constexpr std::string_view kBefore =
      R"({"spec":{"ingress":[],"egress":null,"selector":"","types":[],"tier":"a","order":null}})";
  EXPECT_EQ(encoded_over(decoded<model::NetworkPolicy>(kBefore), kBefore),
            R"({"ingress":[],"egress":null,"selector":"","types":[],"tier":"a","order":null})");
}

TEST(Encode, AnEmptyListThatMeansNoneIsWritten) {
  auto object = decoded<model::FelixConfiguration>(R"({"spec":{"failsafeInboundHostPorts":[]}})");
  ASSERT_TRUE(object.spec.host.failsafe_inbound_host_ports.has_value());
  EXPECT_FALSE(object.spec.host.failsafe_outbound_host_ports.has_value());
  EXPECT_EQ(encoded_over(object, "{}"), R"({"failsafeInboundHostPorts":[]})");
  object.spec.host.failsafe_inbound_host_ports.reset();
  EXPECT_EQ(encoded_over(object, R"({"spec":{"failsafeInboundHostPorts":[],"x":1}})"), R"({"x":1})");
}

constexpr std::string_view kThreeRules =
    R"({"spec":{"ingress":[{"action":"Allow","x":1},{"action":"Deny","x":2},{"action":"Log","x":3}]}})";

model::Rule rule(model::RuleAction action) {
  model::Rule out;
  out.action = action;
  return out;
}

TEST(Encode, ElementsThatMoveKeepWhatWeDoNotKnow) {
  auto policy = decoded<model::NetworkPolicy>(kThreeRules);
  policy.spec.ingress.erase(policy.spec.ingress.begin());
  EXPECT_EQ(encoded_over(policy, kThreeRules), R"({"ingress":[{"action":"Deny","x":2},{"action":"Log","x":3}]})");
  policy.spec.ingress.insert(policy.spec.ingress.begin(), rule(model::RuleAction::kPass));
  policy.spec.ingress.insert(policy.spec.ingress.begin(), rule(model::RuleAction::kAllow));
  EXPECT_EQ(
      encoded_over(policy, kThreeRules),
      R"({"ingress":[{"action":"Allow","x":1},{"action":"Pass"},{"action":"Deny","x":2},{"action":"Log","x":3}]})");
}

TEST(Encode, AChangedElementInPlaceKeepsWhatWeDoNotKnow) {
  auto policy = decoded<model::NetworkPolicy>(kThreeRules);
  policy.spec.ingress[1].protocol = model::kProtocolTcp;
  EXPECT_EQ(
      encoded_over(policy, kThreeRules),
      R"({"ingress":[{"action":"Allow","x":1},{"action":"Deny","x":2,"protocol":"TCP"},{"action":"Log","x":3}]})");
}

TEST(Encode, AMemberOfAnotherTypeIsReplaced) {
  auto pool = decoded<model::IpPool>(R"({"spec":{"cidr":"10.0.0.0/16"}})");
  json::Value value = *json::parse(R"({"spec":[1],"metadata":"x"})");
  pool.metadata.name = "a";
  encode(pool, value);
  EXPECT_EQ(
      json::dump(value),
      R"({"spec":{"cidr":"10.0.0.0/16"},"metadata":{"name":"a"},"apiVersion":"projectcalico.org/v3","kind":"IPPool"})");
}

TEST(Encode, PodAnnotationsOfOthersAreNotTouched) {
  constexpr std::string_view kBefore =
      R"({"metadata":{"annotations":{"cni.projectcalico.org/podIP":"10.0.0.1/32","other.io/a":"b"}}})";
  auto pod = decoded<model::Pod>(kBefore);
  EXPECT_EQ(pod.metadata.annotations, (StringMap{{"cni.projectcalico.org/podIP", "10.0.0.1/32"}}));
  pod.metadata.annotations.set("margay.dev/x", "y");
  pod.metadata.annotations.erase("cni.projectcalico.org/podIP");
  json::Value value = *json::parse(kBefore);
  encode(pod, value);
  EXPECT_EQ(json::dump(*value.find({"metadata", "annotations"})), R"({"other.io/a":"b","margay.dev/x":"y"})");
}

TEST(Decode, ErrorsSayWhatWasFoundAndWhatIsAllowed) {
  EXPECT_EQ(
      decode_errors<model::IpPool>(
          R"({"spec":{"cidr":"10.0.0.7/16","ipipMode":"always","blockSize":"26","natOutgoing":1,"allowedUses":"x"}})"),
      "spec.cidr: \"10.0.0.7/16\" has bits set after its length: it lies in 10.0.0.0/16; "
      "spec.blockSize: found the string \"26\", expected an integer; "
      "spec.ipipMode: \"always\" is not one of Never, Always, CrossSubnet; "
      "spec.natOutgoing: found an integer, expected true or false; "
      "spec.allowedUses: found the string \"x\", expected a list");
  EXPECT_EQ(decode_errors<model::NetworkPolicy>(R"({"spec":{"ingress":[{"action":"Alow","protocol":"tcp",)"
                                                R"("destination":{"ports":[80,"90:80",0,{}]}}]}})"),
            "spec.ingress[0].action: \"Alow\" is not one of Allow, Deny, Log, Pass; "
            "spec.ingress[0].protocol: \"tcp\" is not one of TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite or a number from 1 "
            "to 255; "
            "spec.ingress[0].destination.ports[1]: port range 90:80 ends before it begins; "
            "spec.ingress[0].destination.ports[2]: \"0\" begins at port 0, the first port is 1; "
            "spec.ingress[0].destination.ports[3]: found an object, expected an integer or a string");
  EXPECT_EQ(decode_errors<model::HostEndpoint>(
                R"({"metadata":{"labels":{"a":1}},"spec":{"ports":[{"port":70000,"protocol":"TCP"}]}})"),
            "metadata.labels[a]: found an integer, expected a string; spec.ports[0].name: is required; "
            "spec.ports[0].port: 70000 is not a port: those are 0 to 65535");
}

TEST(Decode, EmptyTextIsNoneWhereAValueMayBeAbsent) {
  const auto object = decoded<model::FelixConfiguration>(
      R"({"spec":{"bpfLogLevel":"","natOutgoingAddress":"","logSeverityScreen":""}})");
  EXPECT_EQ(object.spec, model::FelixConfigurationSpec{});
  EXPECT_EQ(decode_errors<model::IpPool>(R"({"spec":{"cidr":""}})"), "spec.cidr: must not be empty");
  EXPECT_EQ(decode_errors<model::NetworkSet>(R"({"spec":{"nets":["10.0.0.0/8",""]}})"),
            "spec.nets[1]: must not be empty");
}

TEST(Decode, IntegersAreExactAndInRange) {
  EXPECT_EQ(decoded<model::IpPool>(R"({"spec":{"cidr":"10.0.0.0/16","blockSize":26.0}})").spec.block_size, 26);
  EXPECT_EQ(decode_errors<model::IpPool>(R"({"spec":{"cidr":"10.0.0.0/16","blockSize":26.5}})"),
            "spec.blockSize: found a number, expected an integer");
  EXPECT_EQ(decode_errors<model::IpPool>(R"({"spec":{"cidr":"10.0.0.0/16","blockSize":3000000000}})"),
            "spec.blockSize: 3000000000 is not between -2147483648 and 2147483647");
}

TEST(Decode, NegativeNumbersAreNoPortsAndNoNames) {
  EXPECT_EQ(decode_errors<model::NetworkPolicy>(
                R"({"spec":{"ingress":[{"action":"Allow","protocol":-6,"source":{"ports":[-5]}}]}})"),
            "spec.ingress[0].protocol: -6 is negative; spec.ingress[0].source.ports[0]: -5 is negative");
}

TEST(Decode, BytesOfASecretAreDecoded) {
  const auto secret = decoded<model::Secret>(R"({"data":{"a":"AAE="}})");
  EXPECT_EQ(secret.data.at("a"), std::string("\0\1", 2));
  EXPECT_EQ(decode_errors<model::Secret>(R"({"data":{"a":"!"}})"), "data[a]: is not base64");
}

TEST(Decode, OverwritesWhatTheStructHeld) {
  json::Document document;
  model::IpPool pool;
  pool.spec.allowed_uses = {model::IpPoolUse::kTunnel};
  EXPECT_TRUE(decode(*document.parse(R"({"spec":{"cidr":"10.0.0.0/16"}})"), pool).empty());
  EXPECT_TRUE(pool.spec.allowed_uses.empty());
}

// More members than a reader keeps in place.
TEST(Decode, ManyUnknownMembersHideNothing) {
  std::string text = R"({"spec":{)";
  for (int i = 0; i < 100; ++i) text += concat("\"u", i, "\":", i, ",");
  text += R"("cidr":"10.0.0.0/16","v":0}})";
  EXPECT_EQ(decoded<model::IpPool>(text).spec.cidr.to_string(), "10.0.0.0/16");
}

}  // namespace
}  // namespace margay::codec
