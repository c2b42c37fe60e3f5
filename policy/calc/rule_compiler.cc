#include "policy/calc/rule_compiler.h"

#include <optional>
#include <string>
#include <utility>

#include "base/core/text.h"
#include "policy/calc/endpoint_selector.h"

namespace margay::policy {
namespace {

using model::EntityRule;
using model::PortOrName;
using selector::Selector;

enum class End { kSource, kDestination };

std::string rule_path(std::string_view direction, std::size_t index) {
  std::string path = "spec";
  append_member_path(path, direction);
  append_element_path(path, index);
  return path;
}

bool has_names(const std::vector<PortOrName>& ports) {
  for (const PortOrName& port : ports) {
    if (port.name() != nullptr) return true;
  }
  return false;
}

bool has_numbers(const std::vector<PortOrName>& ports) {
  for (const PortOrName& port : ports) {
    if (port.range() != nullptr) return true;
  }
  return false;
}

class Compiler {
 public:
  Compiler(std::string_view name_space, CompiledRules& out) : name_space_(name_space), out_(out) {}

  void compile(const std::vector<model::Rule>& rules, std::string_view direction, std::vector<Rule>& into) {
    into.reserve(rules.size());
    for (std::size_t i = 0; i < rules.size(); ++i) compile(rules[i], i, rule_path(direction, i), into);
  }

 private:
  void compile(const model::Rule& rule, std::size_t index, const std::string& path, std::vector<Rule>& into) {
    if (rule.http && !keep_without_http(rule, path)) return;
    into.push_back(Rule{.action = rule.action,
                        .ip_version = rule.ip_version,
                        .protocol = rule.protocol,
                        .not_protocol = rule.not_protocol,
                        .icmp = rule.icmp,
                        .not_icmp = rule.not_icmp,
                        .source = compile_end(rule.source, rule, End::kSource, path + ".source"),
                        .destination = compile_end(rule.destination, rule, End::kDestination, path + ".destination"),
                        .index = static_cast<std::uint32_t>(index),
                        .annotations = rule.metadata ? rule.metadata->annotations : StringMap()});
  }

  // What a packet alone cannot tell must not widen what is allowed.
  bool keep_without_http(const model::Rule& rule, const std::string& path) {
    const bool is_kept = rule.action == model::RuleAction::kDeny;
    out_.left_out.push_back({.kind = FieldError::Kind::kNotSupported,
                             .path = path + ".http",
                             .message = is_kept ? "HTTP is not looked into: the rule denies whatever else it says"
                                                : "HTTP is not looked into: the rule matches nothing"});
    return is_kept;
  }

  RuleEnd compile_end(const EntityRule& end, const model::Rule& rule, End which, const std::string& path) {
    RuleEnd out;
    out.nets = end.nets;
    out.not_nets = end.not_nets;
    EndSelectors selectors = selectors_of(end, name_space_, path, out_.errors);
    if (end.services) compile_service(*end.services, which, path + ".services", out);
    compile_ports(end, rule, selectors.wanted, path, out);
    // A set of named ports holds only those of the endpoints that are wanted: the selector has been looked at there.
    const bool is_in_ports = has_names(end.ports) && !has_numbers(end.ports);
    if (selectors.wanted && is_about_nodes(*selectors.wanted)) {
      // Nodes have no named ports: with those, nothing is in both sets.
      out.sets.push_back(use(NodesSource{*std::move(selectors.wanted)}));
    } else if (selectors.wanted && !is_in_ports) {
      out.sets.push_back(use(SelectorSource{*std::move(selectors.wanted)}));
    }
    if (selectors.unwanted) out.not_sets.push_back(use(SelectorSource{*std::move(selectors.unwanted)}));
    return out;
  }

  void compile_ports(const EntityRule& end, const model::Rule& rule, const std::optional<Selector>& wanted,
                     const std::string& path, RuleEnd& out) {
    check_ports(end.ports, rule, path + ".ports");
    check_ports(end.not_ports, rule, path + ".notPorts");
    split_ports(end.ports, rule, wanted, out.ports, out.port_sets);
    split_ports(end.not_ports, rule, wanted, out.not_ports, out.not_port_sets);
  }

  void check_ports(const std::vector<PortOrName>& ports, const model::Rule& rule, const std::string& path) {
    if (ports.empty() || (rule.protocol && rule.protocol->has_ports())) return;
    if (!rule.protocol && !has_numbers(ports)) return;
    out_.errors.push_back(
        {.kind = FieldError::Kind::kForbidden, .path = path, .message = "ports need protocol TCP, UDP or SCTP"});
  }

  void split_ports(const std::vector<PortOrName>& ports, const model::Rule& rule, const std::optional<Selector>& wanted,
                   std::vector<PortRange>& numbers, std::vector<IpSetId>& sets) {
    for (const PortOrName& port : ports) {
      if (const PortRange* range = port.range()) {
        numbers.push_back(*range);
      } else {
        sets.push_back(use(NamedPortSource{.selector = wanted.value_or(Selector()),
                                           .protocol = rule.protocol.value_or(model::kProtocolTcp),
                                           .port_name = *port.name()}));
      }
    }
  }

  // A service's ports are those its packets go to; where packets come from, only its addresses count.
  void compile_service(const model::ServiceMatch& service, End which, const std::string& path, RuleEnd& out) {
    const std::string_view name_space = service.name_space.empty() ? name_space_ : std::string_view(service.name_space);
    if (name_space.empty()) {
      out_.errors.push_back({.kind = FieldError::Kind::kRequired,
                             .path = path + ".namespace",
                             .message = "is required, as the policy has no namespace"});
    }
    const bool with_ports = which == End::kDestination;
    IpSetId id =
        use(ServiceSource{.name_space = std::string(name_space), .name = service.name, .with_ports = with_ports});
    (with_ports ? out.service_sets : out.sets).push_back(std::move(id));
  }

  IpSetId use(const SetSource& source) {
    IpSetId id = id_of(source);
    out_.sets.try_emplace(id, source);
    return id;
  }

  std::string_view name_space_;
  CompiledRules& out_;
};

}  // namespace

CompiledRules compile_rules(const std::vector<model::Rule>& ingress, const std::vector<model::Rule>& egress,
                            std::string_view name_space) {
  CompiledRules out;
  Compiler compiler(name_space, out);
  compiler.compile(ingress, "ingress", out.rules.ingress);
  compiler.compile(egress, "egress", out.rules.egress);
  return out;
}

}  // namespace margay::policy
