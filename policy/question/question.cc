#include "policy/question/question.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/core/text.h"

namespace margay::policy {
namespace {

constexpr std::uint8_t kEchoRequest = 8;
constexpr std::uint8_t kEchoRequestV6 = 128;

std::string names_of_ports(const Endpoint* endpoint) {
  std::vector<std::string> names;
  if (endpoint != nullptr && endpoint->workload != nullptr) {
    for (const auto& port : endpoint->workload->spec.ports) {
      if (!port.name.empty()) names.push_back(concat(port.protocol.to_string(), '/', port.name));
    }
  }
  return names.empty() ? "it has no named ports" : concat("it has ", join(names, ", "));
}

std::optional<Port> named_port(const Endpoint* endpoint, const model::Protocol& protocol, std::string_view name) {
  if (endpoint == nullptr) return std::nullopt;
  if (endpoint->workload != nullptr) {
    for (const auto& port : endpoint->workload->spec.ports) {
      if (port.name == name && port.protocol == protocol) return port.port;
    }
    return std::nullopt;
  }
  for (const auto& port : endpoint->host->spec.ports) {
    if (port.name == name && port.protocol == protocol) return port.port;
  }
  return std::nullopt;
}

Result<Port> port_at(const End& to, const Target& target) {
  if (!target.port) return Port(0);
  if (const PortRange* range = target.port->range()) return range->first();
  const auto port = named_port(to.endpoint.get(), target.protocol, *target.port->name());
  if (port) return *port;
  return Error{ErrorCode::kNotFound, concat(to.name, " has no ", target.protocol.to_string(), " port named ",
                                            *target.port->name(), "; ", names_of_ports(to.endpoint.get()))};
}

Packet packet_of(const IpAddress& from, const IpAddress& to, const Target& target, Port port) {
  Packet out;
  out.source = from;
  out.destination = to;
  out.protocol = target.protocol;
  out.destination_port = port;
  const bool is_icmp = target.protocol == model::kProtocolIcmp || target.protocol == model::kProtocolIcmpV6;
  if (is_icmp) {
    out.protocol = from.is_v4() ? model::kProtocolIcmp : model::kProtocolIcmpV6;
    out.icmp_type = from.is_v4() ? kEchoRequest : kEchoRequestV6;
    out.icmp_code = 0;
  }
  return out;
}

// The addresses that a connection can have at both ends, IPv4 first.
std::vector<Packet> packets_of(const End& from, const End& to, const Target& target, Port port) {
  std::vector<Packet> out;
  for (const IpAddress& source : from.addresses) {
    for (const IpAddress& destination : to.addresses) {
      if (source.family() == destination.family()) out.push_back(packet_of(source, destination, target, port));
    }
  }
  std::sort(out.begin(), out.end(), [](const Packet& a, const Packet& b) { return a.source < b.source; });
  return out;
}

bool is_own_node(const End& from, const End& to) {
  return from.endpoint == nullptr && !from.node.empty() && to.endpoint != nullptr && to.endpoint->workload != nullptr &&
         to.endpoint->workload->spec.node == from.node;
}

}  // namespace

Result<Target> Target::parse(std::string_view text) {
  if (const auto parts = split_once(text, '/')) return of(parts->first, parts->second);
  for (const std::string_view without_port : {"ICMP", "ICMPv6", "TCP", "UDP", "SCTP"}) {
    if (equals_ignoring_case(text, without_port)) return of(text, "");
  }
  return of("", text);
}

Result<Target> Target::of(std::string_view protocol, std::string_view port) {
  Target out;
  if (!protocol.empty()) {
    std::string upper(protocol);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    const auto parsed = model::Protocol::parse(upper == "ICMPV6" ? "ICMPv6" : upper);
    if (!parsed.ok() || parsed->name().empty()) {
      return invalid(concat(quoted(protocol), " is not one of TCP, UDP, SCTP, ICMP"));
    }
    out.protocol = *parsed;
  }
  if (!out.protocol.has_ports()) {
    if (!port.empty()) return invalid(concat(out.protocol.to_string(), " has no ports"));
    return out;
  }
  if (port.empty()) return invalid(concat(out.protocol.to_string(), " needs a port, a number or the name of one"));
  const auto parsed = model::PortOrName::parse(port);
  if (!parsed.ok()) return parsed.error();
  const PortRange* range = parsed->range();
  if (range != nullptr && range->first() != range->last()) {
    return invalid(concat(quoted(port), " is a range; a question is about one port of it"));
  }
  out.port = *parsed;
  return out;
}

std::string Target::to_string() const {
  return port ? concat(protocol.to_string(), '/', port->to_string()) : protocol.to_string();
}

Result<Answered> ask(const Cluster& cluster, const End& from, const End& to, const Target& target) {
  MARGAY_ASSIGN_OR_RETURN(const Port port, port_at(to, target));
  Answered out{
      .from = from.name, .to = to.name, .target = target, .verdict = {}, .note = {}, .made_of = {}, .packets = {}};
  out.packets = packets_of(from, to, target, port);
  if (out.packets.empty()) {
    out.verdict.answer = Answer::kDeny;
    out.note = "one end has IPv4 addresses only, the other IPv6 addresses only";
    return out;
  }
  if (is_own_node(from, to)) {
    out.note = concat("a pod is always reached from its own node, ", from.node);
    return out;
  }
  out.verdict = evaluate(cluster.state(), from.endpoint.get(), to.endpoint.get(), out.packets.front());
  if (!out.verdict.decided_by) {
    out.note = "no policy holds at either end";
  } else if (const auto& policy = out.verdict.decided_by->policy) {
    const ObjectKey source = cluster.source_of(*policy);
    if (source != *policy) out.made_of = source;
  }
  return out;
}

namespace {

std::vector<Target> declared_targets(const World& world) {
  std::set<Target> found;
  const auto add = [&found](const std::vector<model::ContainerPort>& ports) {
    for (const model::ContainerPort& port : ports) {
      found.insert({.protocol = port.protocol.value_or(model::kProtocolTcp),
                    .port = model::PortOrName(PortRange(port.container_port))});
    }
  };
  for (const auto& [key, pod] : world.all<model::Pod>()) {
    for (const model::Container& container : pod->spec.containers) add(container.ports);
  }
  if (found.empty()) found.insert({.protocol = model::kProtocolTcp, .port = model::PortOrName(PortRange(Port(80)))});
  return {found.begin(), found.end()};
}

std::vector<End> ends_of(const Cluster& cluster, const std::vector<IpAddress>& included) {
  std::vector<End> out;
  const auto add = [&out](Result<End> end) {
    if (end.ok()) out.push_back(std::move(end).value());
  };
  for (const auto& [key, pod] : cluster.world().all<model::Pod>()) {
    add(find_end(cluster, concat(key.name_space, '/', key.name), {}));
  }
  for (const auto& [key, endpoint] : cluster.world().all<model::WorkloadEndpoint>()) {
    add(find_end(cluster, concat(key.name_space, '/', key.name), {}));
  }
  for (const IpAddress& address : included) add(find_end(cluster, address.to_string(), {}));
  return out;
}

}  // namespace

Result<Matrix> ask_matrix(const Cluster& cluster, std::vector<Target> targets, const std::vector<IpAddress>& included) {
  Matrix out;
  out.ends = ends_of(cluster, included);
  out.targets = targets.empty() ? declared_targets(cluster.world()) : std::move(targets);
  const std::size_t ends = out.ends.size();
  if (ends * ends > kMatrixCellsMax / out.targets.size()) {
    return Error{ErrorCode::kLimitExceeded,
                 concat(ends, " ends and ", out.targets.size(), " ports make more than ", kMatrixCellsMax, " answers")};
  }
  for (const End& from : out.ends) {
    for (const End& to : out.ends) {
      if (&from == &to || (from.endpoint == nullptr && to.endpoint == nullptr)) continue;
      for (const Target& target : out.targets) {
        if (auto answer = ask(cluster, from, to, target); answer.ok()) out.answers.push_back(std::move(answer).value());
      }
    }
  }
  return out;
}

}  // namespace margay::policy
