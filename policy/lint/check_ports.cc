#include <algorithm>
#include <set>

#include "base/core/text.h"
#include "policy/lint/checks.h"

namespace margay::policy {
namespace {

using selector::Selector;

bool is_protocol(const std::optional<model::Protocol>& asked, const model::Protocol& has) {
  return !asked || *asked == has;
}

// Whom a rule's ports belong to.
struct Receivers {
  std::vector<std::size_t> endpoints;
  bool has_outsiders = false;  // some are no endpoints: nothing can be said about their ports
};

Receivers receivers_of(const LintInput& input, const PolicyView& view, const RuleView& rule, bool is_ingress) {
  if (is_ingress) return {input.scene.matches_of(view.subject), false};
  Receivers out;
  out.has_outsiders = rule.peers.empty();
  std::set<std::size_t> found;
  for (const PeerView& peer : rule.peers) {
    if (!peer.selector) {
      out.has_outsiders = true;
      continue;
    }
    for (const std::size_t index : input.scene.matches_of(*peer.selector)) found.insert(index);
    out.has_outsiders |= input.scene.matches_a_set(*peer.selector);
  }
  out.endpoints.assign(found.begin(), found.end());
  return out;
}

std::string port_names(const Scene& scene, const Receivers& receivers) {
  std::set<std::string> names;
  for (const std::size_t index : receivers.endpoints) {
    for (const auto& port : scene.endpoints()[index].ports) {
      if (!port.name.empty()) names.insert(concat(port.protocol.to_string(), '/', port.name));
    }
  }
  if (names.empty()) return "they have no named ports";
  return concat("they have ", join({names.begin(), names.end()}, ", "));
}

bool has_port_named(const Scene& scene, const Receivers& receivers, const PortView& asked) {
  const std::string& name = *asked.port->name();
  return std::any_of(receivers.endpoints.begin(), receivers.endpoints.end(), [&](std::size_t index) {
    const auto& ports = scene.endpoints()[index].ports;
    return std::any_of(ports.begin(), ports.end(), [&](const auto& port) {
      return port.name == name && is_protocol(asked.protocol, port.protocol);
    });
  });
}

void check_name(const LintInput& input, const PolicyView& view, const Receivers& receivers, const PortView& port,
                Findings& out) {
  if (receivers.endpoints.empty() || has_port_named(input.scene, receivers, port)) return;
  const std::string protocol = port.protocol ? port.protocol->to_string() + " " : "";
  out.push_back({.object = view.key,
                 .field = port.field,
                 .severity = Severity::kError,
                 .rule = "no-such-port",
                 .what = concat("no receiver (", some_of(input.scene, receivers.endpoints), ") has a ", protocol,
                                "port named ", *port.port->name(), ": it stands for no port at all"),
                 .to_do = concat("name a port that containers declare; ", port_names(input.scene, receivers))});
}

// The pod's port behind a port of a Service; nullopt when it has none of that name.
std::optional<Port> target_of(const model::ServicePort& port, const SceneEndpoint& pod) {
  if (!port.target_port) return port.port;
  if (const PortRange* range = port.target_port->range()) return range->first();
  for (const auto& each : pod.ports) {
    if (each.name == *port.target_port->name()) return each.port;
  }
  return std::nullopt;
}

bool selects(const model::Service& service, const SceneEndpoint& pod) {
  if (service.spec.selector.empty() || service.metadata.name_space != pod.key.name_space) return false;
  for (const auto& [key, value] : service.spec.selector) {
    if (pod.labels.find(key) != value) return false;
  }
  return true;
}

struct Confusion {
  std::string service;
  Port target;
};

// A Service in front of this pod that takes the port and hands it on as another.
std::optional<Confusion> confusion_of(const World& world, const SceneEndpoint& pod, const PortView& asked, Port port) {
  std::optional<Confusion> out;
  for (const auto& [key, service] : world.all<model::Service>()) {
    if (!selects(*service, pod)) continue;
    for (const model::ServicePort& each : service->spec.ports) {
      if (!is_protocol(asked.protocol, each.protocol.value_or(model::kProtocolTcp))) continue;
      const auto target = target_of(each, pod);
      if (!target) continue;
      if (*target == port) return std::nullopt;  // the pod listens there
      if (each.port == port) out = Confusion{concat(key.name_space, '/', key.name), *target};
    }
  }
  return out;
}

bool declares(const SceneEndpoint& pod, Port port) {
  return std::any_of(pod.ports.begin(), pod.ports.end(), [port](const auto& each) { return each.port == port; });
}

void check_number(const LintInput& input, const PolicyView& view, const Receivers& receivers, const PortView& asked,
                  Findings& out) {
  const PortRange& range = *asked.port->range();
  if (range.first() != range.last() || receivers.has_outsiders) return;
  const Port port = range.first();
  std::optional<Confusion> found;
  for (const std::size_t index : receivers.endpoints) {
    const SceneEndpoint& pod = input.scene.endpoints()[index];
    const auto confusion = confusion_of(input.scene.world(), pod, asked, port);
    if (!confusion || declares(pod, port)) return;  // right for one of them at least
    if (!found) found = confusion;
  }
  if (!found) return;
  out.push_back({.object = view.key,
                 .field = asked.field,
                 .severity = Severity::kError,
                 .rule = "service-port",
                 .what = concat(port.value(), " is the port of Service ", found->service, ", whose pods listen on ",
                                found->target.value(), ": policies see the port of the pod"),
                 .to_do = concat("write ", found->target.value(), ", or the name of the container's port")});
}

void check_rule(const LintInput& input, const PolicyView& view, const RuleView& rule, bool is_ingress, Findings& out) {
  const Receivers receivers = receivers_of(input, view, rule, is_ingress);
  for (const PortView& port : rule.ports) {
    if (!port.port) continue;
    if (port.port->range() == nullptr) {
      check_name(input, view, receivers, port, out);
    } else {
      check_number(input, view, receivers, port, out);
    }
  }
}

}  // namespace

void check_ports(const LintInput& input, Findings& out) {
  for (const PolicyView& view : input.views) {
    for (const RuleView& rule : view.ingress) check_rule(input, view, rule, true, out);
    for (const RuleView& rule : view.egress) check_rule(input, view, rule, false, out);
  }
}

}  // namespace margay::policy
