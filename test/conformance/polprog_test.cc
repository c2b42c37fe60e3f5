// Tiers of rules with IP sets, and packets, through the verdict and through chains of iptables: rows taken from
// Calico's tests of its BPF programs.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "gtest/gtest.h"
#include "policy/verdict/verdict.h"
#include "test/conformance/conformance_data.h"
#include "test/support/rendered_policy.h"

namespace margay::conformance {
namespace {

using namespace policy;

std::vector<std::string> strings(const json::Value& list) {
  std::vector<std::string> out;
  if (list.as_array() == nullptr) return out;
  for (const json::Value& value : *list.as_array()) out.push_back(*value.as_string());
  return out;
}

std::vector<IpPrefix> nets(const json::Value& list) {
  std::vector<IpPrefix> out;
  for (const std::string& text : strings(list)) out.push_back(IpPrefix::parse_containing(text).value());
  return out;
}

std::vector<IpSetId> ids(const json::Value& list) {
  std::vector<IpSetId> out;
  for (const std::string& text : strings(list)) out.emplace_back(text);
  return out;
}

std::vector<PortRange> port_ranges(const json::Value& list) {
  std::vector<PortRange> out;
  if (list.as_array() == nullptr) return out;
  for (const json::Value& pair : *list.as_array()) {
    const json::Array& ends = *pair.as_array();
    out.push_back(
        PortRange::between(Port(number<std::uint16_t>(ends[0])), Port(number<std::uint16_t>(ends[1]))).value());
  }
  return out;
}

std::optional<model::Protocol> protocol(const json::Value& value) {
  if (value.as_integer() != nullptr) return model::Protocol(number<std::uint8_t>(value));
  if (value.as_string() == nullptr) return std::nullopt;
  if (*value.as_string() == "tcp") return model::kProtocolTcp;
  if (*value.as_string() == "udp") return model::kProtocolUdp;
  return model::Protocol::parse(*value.as_string()).value();
}

std::optional<model::IcmpMatch> icmp(const json::Value& value) {
  if (value.as_object() == nullptr) return std::nullopt;
  model::IcmpMatch out;
  out.type = number<std::int32_t>(get(value, "type"));
  if (value.find("code") != nullptr) out.code = number<std::int32_t>(get(value, "code"));
  return out;
}

RuleEnd rule_end(const json::Value& row, const std::string& end) {
  RuleEnd out;
  out.nets = nets(get(row, concat(end, "_nets")));
  out.not_nets = nets(get(row, concat("not_", end, "_nets")));
  out.sets = ids(get(row, concat(end, "_ipsets")));
  out.not_sets = ids(get(row, concat("not_", end, "_ipsets")));
  out.ports = port_ranges(get(row, concat(end, "_ports")));
  out.not_ports = port_ranges(get(row, concat("not_", end, "_ports")));
  out.port_sets = ids(get(row, concat(end, "_named_port_ipsets")));
  return out;
}

Rule rule(const json::Value& row) {
  Rule out;
  out.action = model::parse_enum<model::RuleAction>(row.string_at({"action"})).value();
  out.protocol = protocol(get(row, "protocol"));
  out.not_protocol = protocol(get(row, "not_protocol"));
  out.icmp = icmp(get(row, "icmp"));
  out.not_icmp = icmp(get(row, "not_icmp"));
  out.source = rule_end(row, "src");
  out.destination = rule_end(row, "dst");
  return out;
}

// The interfaces in the tables of one case: the host endpoint's, one that has none, the workload's.
constexpr std::string_view kHostInterface = "eth0";
constexpr std::string_view kPlainInterface = "eth9";
constexpr std::string_view kWorkloadInterface = "cali1";

// The world of one case: an endpoint with the tiers of the workload, and one of the host.
class Case {
 public:
  explicit Case(const json::Value& row) : policy_(get(row, "policy")) {
    for (const json::Member& set : *get(row, "ipsets").as_object()) add_set(set.name, set.value);
    workload_.policy.normal = tiers("tiers");
    host_.policy.normal = tiers("host_normal_tiers");
    host_.policy.forward = tiers("host_forward_tiers");
    host_.policy.pre_dnat = tiers("host_pre_dnat_tiers");
    if (is_set("for_xdp")) std::swap(host_.policy.normal, host_.policy.untracked);
    add_profiles();
    const Status status = state_.apply(delta_);
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
    render();
  }

  // "allow", "deny", or "unmatched".
  std::string verdict(const json::Value& row) {
    HostPacket packet{.packet = this->packet(row, "dst", "dport"), .before_dnat = {}, .is_forwarded = true};
    const bool has_nat = row.find("pre_nat_dst") != nullptr;
    packet.before_dnat = has_nat ? this->packet(row, "pre_nat_dst", "pre_nat_dport") : packet.packet;
    packet.is_forwarded = row.find("to_host") == nullptr && row.find("from_host") == nullptr;
    Endpoint host = host_;
    if (is_set("suppress_normal_host_policy") && !packet.is_forwarded) {
      // Between the host and its own workload neither counts.
      host.policy.forward.clear();
      packet.is_forwarded = true;
    }
    const std::optional<Decision> decision = evaluate_host(state_, host, Direction::kIngress, packet);
    if (decision && decision->answer == policy::Answer::kDeny) return "deny";
    if (is_set("for_xdp")) return decision ? "allow" : "unmatched";
    if (is_set("for_host_interface")) return "allow";
    const Decision workload = evaluate(state_, workload_, Direction::kIngress, packet.packet);
    return workload.answer == policy::Answer::kAllow ? "allow" : "deny";
  }

  // The same by packets that walk through the rendered chains.
  std::string walked(const json::Value& row) {
    const bool is_forwarded = row.find("to_host") == nullptr && row.find("from_host") == nullptr;
    const bool has_workload = !is_set("for_host_interface") && !is_set("for_xdp");
    const bool asks_host = !(is_set("suppress_normal_host_policy") && !is_forwarded);
    const std::string_view beyond = has_workload ? kWorkloadInterface : kPlainInterface;
    if (asks_host) {
      const test::Walked host = walk(row, kHostInterface, is_forwarded ? beyond : "");
      if (!host.passes()) return "deny";
      if (is_set("for_xdp")) return host.is_tracked ? "unmatched" : "allow";
    }
    if (!has_workload) return "allow";
    // What is for the host itself asks no policy of its workloads; the rows ask both.
    const test::Walked workload = walk(row, kPlainInterface, kWorkloadInterface);
    return workload.passes() ? "allow" : "deny";
  }

 private:
  void render() {
    auto workload = std::make_shared<model::WorkloadEndpoint>();
    workload->spec.interface_name = kWorkloadInterface;
    // Rows are of both families; which addresses does not count.
    workload->spec.ip_networks = {IpPrefix::parse("192.0.2.1/32").value(), IpPrefix::parse("2001:db8::1/128").value()};
    workload_.workload = workload;
    Delta delta = delta_;
    delta.endpoints[{.kind = model::Kind::kWorkloadEndpoint, .name_space = "ns", .name = "w"}] =
        std::make_shared<const Endpoint>(workload_);
    if (is_set("for_host_interface") || is_set("for_xdp") || has_host_tiers()) {
      auto host = std::make_shared<model::HostEndpoint>();
      host->spec.interface_name = kHostInterface;
      host_.host = host;
      delta.endpoints[{.kind = model::Kind::kHostEndpoint, .name_space = "", .name = "h"}] =
          std::make_shared<const Endpoint>(host_);
    }
    for (const std::string& wrong : rendered_.apply(delta)) ADD_FAILURE() << wrong;
  }

  [[nodiscard]] bool has_host_tiers() const {
    const EndpointPolicy& policy = host_.policy;
    return !policy.normal.empty() || !policy.forward.empty() || !policy.pre_dnat.empty();
  }

  test::Walked walk(const json::Value& row, std::string_view in, std::string_view out) {
    test::NodePacket packet = test::node_packet(this->packet(row, "dst", "dport"));
    if (row.find("pre_nat_dst") != nullptr) {
      const Packet before = this->packet(row, "pre_nat_dst", "pre_nat_dport");
      packet.before_dnat = before.destination;
      packet.port_before_dnat = before.destination_port.value();
    }
    packet.in = in;
    packet.out = out;
    return rendered_.node().walk(packet);
  }

  [[nodiscard]] bool is_set(std::string_view name) const {
    const bool* value = get(policy_, name).as_bool();
    return value != nullptr && *value;
  }

  static Packet packet(const json::Value& row, std::string_view address, std::string_view port) {
    Packet out;
    out.source = IpAddress::parse(row.string_at({"src"})).value();
    out.destination = IpAddress::parse(*get(row, address).as_string()).value();
    out.protocol = model::Protocol(number<std::uint8_t>(get(row, "protocol")));
    out.source_port = Port(number<std::uint16_t>(get(row, "sport")));
    out.destination_port = Port(number<std::uint16_t>(get(row, port)));
    if (row.find("icmp_type") != nullptr) out.icmp_type = number<std::uint8_t>(get(row, "icmp_type"));
    if (row.find("icmp_code") != nullptr) out.icmp_code = number<std::uint8_t>(get(row, "icmp_code"));
    return out;
  }

  // Members are nets, or "address/length,protocol:port".
  void add_set(const std::string& id, const json::Value& members) {
    IpSetDelta delta;
    delta.what = IpSetDelta::What::kCreate;
    for (const std::string& text : strings(members)) {
      const auto with_port = split_once(text, ',');
      IpSetMember member{.net = IpPrefix::parse(with_port ? with_port->first : std::string_view(text)).value(),
                         .protocol = {},
                         .port = {}};
      if (with_port) {
        const auto [name, port] = split_once(with_port->second, ':').value();
        member.protocol = protocol(json::Value(std::string(name))).value();
        member.port = Port::parse(port).value();
        delta.kind = IpSetKind::kPorts;
      }
      delta.added.push_back(member);
    }
    delta_.ip_sets.emplace(id, std::move(delta));
  }

  std::vector<TierPolicies> tiers(std::string_view name) {
    std::vector<TierPolicies> out;
    if (get(policy_, name).as_array() == nullptr) return out;
    for (const json::Value& row : *get(policy_, name).as_array()) {
      TierPolicies tier{.tier = std::string(row.string_at({"name"})),
                        .default_action = row.string_at({"end_action"}) == "pass" ? model::TierDefaultAction::kPass
                                                                                  : model::TierDefaultAction::kDeny,
                        .ingress = {},
                        .egress = {}};
      for (const json::Value& policy : *get(row, "policies").as_array()) {
        tier.ingress.push_back({.id = add_policy(policy), .is_staged = false});
      }
      out.push_back(std::move(tier));
    }
    return out;
  }

  static RuleSet rules(const json::Value& row) {
    RuleSet out;
    if (get(row, "rules").as_array() == nullptr) return out;
    for (const json::Value& one : *get(row, "rules").as_array()) out.ingress.push_back(rule(one));
    return out;
  }

  ObjectKey add_policy(const json::Value& row) {
    Policy policy;
    policy.id = {.kind = model::Kind::kGlobalNetworkPolicy, .name_space = "", .name = concat("p", policies_++)};
    policy.rules = rules(row);
    ObjectKey id = policy.id;
    delta_.policies[id] = std::make_shared<const Policy>(std::move(policy));
    return id;
  }

  void add_profiles() {
    if (get(policy_, "host_profiles").as_array() == nullptr) return;
    for (const json::Value& row : *get(policy_, "host_profiles").as_array()) {
      Profile profile{.name = std::string(row.string_at({"name"})), .is_missing = false, .rules = rules(row)};
      host_.policy.profiles.push_back(profile.name);
      delta_.profiles[profile.name] = std::make_shared<const Profile>(profile);
    }
  }

  const json::Value& policy_;
  int policies_ = 0;
  Delta delta_;
  State state_;
  Endpoint workload_;
  Endpoint host_;
  test::RenderedPolicy rendered_{test::RenderedPolicy::Hosts::kRendered};
};

TEST(Polprog, EveryPacketHasItsVerdict) {
  const auto data = load("polprog/polprog.json");
  if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
  std::size_t packets = 0;
  for (const json::Value& row : *get(*data, "cases").as_array()) {
    Case one(row);
    for (const json::Value& packet : *get(row, "packets").as_array()) {
      ++packets;
      EXPECT_EQ(one.verdict(packet), packet.string_at({"verdict"}))
          << row.string_at({"name"}) << " " << json::dump(packet) << "\n"
          << json::dump(get(row, "policy"));
      EXPECT_EQ(one.walked(packet), packet.string_at({"verdict"}))
          << "in iptables: " << row.string_at({"name"}) << " " << json::dump(packet);
    }
  }
  EXPECT_GT(packets, 500U);
  std::printf("polprog: %zu packets\n", packets);
}

}  // namespace
}  // namespace margay::conformance
