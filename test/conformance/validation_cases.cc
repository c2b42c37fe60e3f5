#include "test/conformance/validation_cases.h"

#include <array>
#include <utility>

#include "base/core/text.h"
#include "datastore/model/key.h"

namespace margay::conformance {
namespace {

// `text` with "PART" replaced, in JSON.
json::Value around(std::string_view text, const json::Value& part) {
  std::string filled(text);
  constexpr std::string_view kHole = "PART";
  filled.replace(filled.find(kHole), kHole.size(), json::dump(part));
  return *json::parse(filled);
}

struct Frame {
  std::string_view type;
  std::string_view kind;
  std::string_view spec;  // with PART in it
};
constexpr std::array kFrames = {
    Frame{"Rule", "GlobalNetworkPolicy", R"({"ingress":[PART]})"},
    Frame{"EntityRule", "GlobalNetworkPolicy", R"({"ingress":[{"action":"Allow","source":PART}]})"},
    Frame{"Protocol", "GlobalNetworkPolicy", R"({"ingress":[{"action":"Allow","protocol":PART}]})"},
    Frame{"ICMPFields", "GlobalNetworkPolicy", R"({"ingress":[{"action":"Allow","protocol":"ICMP","icmp":PART}]})"},
    Frame{"HTTPMatch", "GlobalNetworkPolicy", R"({"ingress":[{"action":"Allow","http":PART}]})"},
    Frame{"ProtoPort", "FelixConfiguration", R"({"failsafeInboundHostPorts":[PART]})"},
    Frame{"BGPFilterRuleV4", "BGPFilter", R"({"exportV4":[PART]})"},
    Frame{"BGPFilterRuleV6", "BGPFilter", R"({"exportV6":[PART]})"},
    Frame{"BGPFilterOperation", "BGPFilter", R"({"exportV4":[{"action":"Accept","operations":[PART]}]})"},
    Frame{"WorkloadEndpointPort", "WorkloadEndpoint", R"({"interfaceName":"eth0","ports":[PART]})"},
    Frame{"IPNAT", "WorkloadEndpoint",
          R"({"interfaceName":"eth0","ipNetworks":["1.2.3.4/32","aabb:aabb::ffff/128"],"ipNATs":[PART]})"},
    Frame{"NodeControllerConfig", "KubeControllersConfiguration", R"({"controllers":{"node":PART}})"},
    Frame{"PolicyControllerConfig", "KubeControllersConfiguration", R"({"controllers":{"policy":PART}})"},
    Frame{"WorkloadEndpointControllerConfig", "KubeControllersConfiguration",
          R"({"controllers":{"workloadEndpoint":PART}})"},
    Frame{"ServiceAccountControllerConfig", "KubeControllersConfiguration",
          R"({"controllers":{"serviceAccount":PART}})"},
    Frame{"NamespaceControllerConfig", "KubeControllersConfiguration", R"({"controllers":{"namespace":PART}})"},
    Frame{"Template", "KubeControllersConfiguration",
          R"({"controllers":{"node":{"hostEndpoint":{"templates":[PART]}}}})"},
};

// Members of Calico's Node and the annotations of a Kubernetes Node that hold them.
struct NodeMember {
  std::string_view object;
  std::string_view name;
  std::string_view annotation;
};
constexpr std::array kNodeMembers = {
    NodeMember{"bgp", "ipv4Address", "IPv4Address"},
    NodeMember{"bgp", "ipv6Address", "IPv6Address"},
    NodeMember{"bgp", "asNumber", "ASNumber"},
    NodeMember{"bgp", "ipv4IPIPTunnelAddr", "IPv4IPIPTunnelAddr"},
    NodeMember{"bgp", "routeReflectorClusterID", "RouteReflectorClusterID"},
    NodeMember{"wireguard", "interfaceIPv4Address", "IPv4WireguardInterfaceAddr"},
};

WholeObject node_object(const json::Value& part) {
  json::Value annotations = json::Object();
  for (const NodeMember& member : kNodeMembers) {
    const std::string_view text = part.string_at({member.object, member.name});
    if (!text.empty()) annotations[concat("projectcalico.org/", member.annotation)] = json::Value(text);
  }
  if (const std::string_view key = part.string_at({"wireguardPublicKey"}); !key.empty()) {
    annotations["projectcalico.org/WireguardPublicKey"] = json::Value(key);
  }
  json::Value object = *json::parse(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"node-1"}})");
  object["metadata"]["annotations"] = std::move(annotations);
  return {model::Kind::kNode, std::move(object)};
}

WholeObject of_kind(model::Kind kind, json::Value object) {
  object["apiVersion"] = json::Value(model::info(kind).api_version);
  object["kind"] = json::Value(model::info(kind).name);
  return {kind, std::move(object)};
}

json::Value with_spec(std::string_view kind, json::Value spec) {
  json::Value object = json::Object();
  object["metadata"]["name"] = json::Value(kind.ends_with("Configuration") ? "default" : "test");
  object["spec"] = std::move(spec);
  return object;
}

}  // namespace

std::optional<WholeObject> whole_object(std::string_view type, const json::Value& part) {
  constexpr std::string_view kCalico = "projectcalico.org/v3";
  if (type == "NodeSpec" || type == "NodeStatus") return node_object(part);
  if (const auto kind = model::find_kind(kCalico, type)) return of_kind(*kind, part);
  for (const Frame& frame : kFrames) {
    if (frame.type == type) {
      return of_kind(*model::find_kind(kCalico, frame.kind), with_spec(frame.kind, around(frame.spec, part)));
    }
  }
  if (!type.ends_with("Spec")) return std::nullopt;
  const std::string_view kind_name = type.substr(0, type.size() - 4);
  const auto kind = model::find_kind(kCalico, kind_name);
  if (!kind) return std::nullopt;
  return of_kind(*kind, with_spec(kind_name, part));
}

}  // namespace margay::conformance
