#include "datastore/codec/rule_rules.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/core/text.h"

namespace margay::codec {
namespace {

using model::EntityRule;
using model::Protocol;
using model::Rule;

constexpr int kIcmpTypeMax = 254;
constexpr int kIcmpCodeMax = 255;

// A named port brings its protocol with it where the rule names none.
bool has_numbers(const std::vector<model::PortOrName>& ports) {
  return std::any_of(ports.begin(), ports.end(), [](const model::PortOrName& port) { return port.range() != nullptr; });
}

void check_port_list(const At& at, const std::vector<model::PortOrName>& ports, const Rule& rule) {
  if (ports.empty() || (rule.protocol && rule.protocol->has_ports())) return;
  if (rule.protocol || has_numbers(ports)) at.forbidden("ports need protocol TCP, UDP or SCTP");
}

void check_ports(const At& at, const EntityRule& entity, const Rule& rule) {
  check_port_list(at.member("ports"), entity.ports, rule);
  check_port_list(at.member("notPorts"), entity.not_ports, rule);
}

void check_entity_services(const At& at, const EntityRule& entity) {
  if (entity.services->name.empty()) at.member("services").member("name").required("is required");
  const std::pair<std::string_view, bool> others[] = {
      {"selector", !entity.selector.empty()},
      {"notSelector", !entity.not_selector.empty()},
      {"namespaceSelector", !entity.namespace_selector.empty()},
      {"nets", !entity.nets.empty()},
      {"notNets", !entity.not_nets.empty()},
      {"serviceAccounts", entity.service_accounts.has_value()},
  };
  for (const auto& [name, is_given] : others) {
    if (is_given) at.member(name).forbidden(concat("services and ", name, " cannot be given together"));
  }
}

void check_entity(const At& at, const EntityRule& entity) {
  check_selector(at.member("selector"), entity.selector);
  check_selector(at.member("notSelector"), entity.not_selector);
  check_selector(at.member("namespaceSelector"), entity.namespace_selector, SelectorUse::kRuleNamespaces);
  if (entity.service_accounts) {
    check_selector(at.member("serviceAccounts").member("selector"), entity.service_accounts->selector);
  }
  if (entity.services) check_entity_services(at, entity);
  const At not_nets = at.member("notNets");
  for (std::size_t i = 0; i < entity.not_nets.size(); ++i) {
    if (entity.not_nets[i].length() == 0) not_nets.element(i).invalid("excludes every address");
  }
}

// All nets of a rule are of one family, and of that of ipVersion.
class FamilyCheck {
 public:
  explicit FamilyCheck(const Rule& rule) : wanted_(rule.ip_version) {}

  void visit(const At& at, const std::vector<IpPrefix>& nets) {
    for (std::size_t i = 0; i < nets.size(); ++i) {
      const IpFamily family = nets[i].family();
      if (wanted_ && *wanted_ != family) {
        at.element(i).invalid(concat(nets[i].to_string(), " is ", to_string(family), ", but the rule is for ",
                                     to_string(*wanted_), is_from_net_ ? " by the nets before" : " by its ipVersion"));
      } else if (!wanted_) {
        wanted_ = family;
        is_from_net_ = true;
      }
    }
  }

 private:
  std::optional<IpFamily> wanted_;
  bool is_from_net_ = false;
};

void check_families(const At& at, const Rule& rule) {
  FamilyCheck families(rule);
  const At source = at.member("source");
  const At destination = at.member("destination");
  families.visit(source.member("nets"), rule.source.nets);
  families.visit(source.member("notNets"), rule.source.not_nets);
  families.visit(destination.member("nets"), rule.destination.nets);
  families.visit(destination.member("notNets"), rule.destination.not_nets);
}

void check_icmp_match(const At& at, const std::optional<model::IcmpMatch>& icmp) {
  if (!icmp) return;
  if (icmp->code && !icmp->type) at.member("code").forbidden("code needs type");
  if (icmp->type && (*icmp->type < 0 || *icmp->type > kIcmpTypeMax)) {
    at.member("type").invalid(concat(*icmp->type, " is not between 0 and ", kIcmpTypeMax));
  }
  if (icmp->code && (*icmp->code < 0 || *icmp->code > kIcmpCodeMax)) {
    at.member("code").invalid(concat(*icmp->code, " is not between 0 and ", kIcmpCodeMax));
  }
}

void check_icmp(const At& at, const Rule& rule) {
  check_icmp_match(at.member("icmp"), rule.icmp);
  check_icmp_match(at.member("notICMP"), rule.not_icmp);
  const auto either_is = [&rule](Protocol protocol) {
    return rule.protocol == protocol || rule.not_protocol == protocol;
  };
  if (rule.icmp && rule.protocol != model::kProtocolIcmp && rule.protocol != model::kProtocolIcmpV6) {
    at.member("icmp").forbidden("icmp needs protocol ICMP or ICMPv6");
  }
  if (either_is(model::kProtocolIcmp) && rule.ip_version == IpFamily::kV6) {
    at.member("ipVersion").invalid("protocol ICMP goes with ipVersion 4 only");
  }
  if (either_is(model::kProtocolIcmpV6) && rule.ip_version == IpFamily::kV4) {
    at.member("ipVersion").invalid("protocol ICMPv6 goes with ipVersion 6 only");
  }
}

void check_http_path(const At& at, const model::HttpPath& path) {
  const std::string& text = path.exact.empty() ? path.prefix : path.exact;
  if (!path.exact.empty() && !path.prefix.empty()) {
    at.invalid("exact and prefix cannot both be given");
  } else if (text.empty()) {
    at.required("exact or prefix has to be given");
  } else if (!text.starts_with('/') || text.find_first_of("? #") != std::string::npos) {
    at.invalid(concat(quoted(text), " must begin with \"/\" and hold no \"?\", \"#\" or blank"));
  }
}

void check_http(const At& at, const Rule& rule) {
  if (!rule.http) return;
  const At http = at.member("http");
  if (rule.action != model::RuleAction::kAllow) http.forbidden("http needs action Allow");
  if (rule.protocol && *rule.protocol != model::kProtocolTcp) http.forbidden("http needs protocol TCP, or none");
  const At methods = http.member("methods");
  for (std::size_t i = 0; i < rule.http->methods.size(); ++i) {
    const auto end = rule.http->methods.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(rule.http->methods.begin(), end, *end) != end) {
      methods.element(i).error(FieldError::Kind::kDuplicate, concat(quoted(*end), " is there already"));
    }
  }
  const At paths = http.member("paths");
  for (std::size_t i = 0; i < rule.http->paths.size(); ++i) check_http_path(paths.element(i), rule.http->paths[i]);
}

}  // namespace

void check_rule(const At& at, const Rule& rule) {
  const At source = at.member("source");
  const At destination = at.member("destination");
  check_entity(source, rule.source);
  check_entity(destination, rule.destination);
  check_ports(source, rule.source, rule);
  check_ports(destination, rule.destination, rule);
  if (rule.destination.services && (!rule.destination.ports.empty() || !rule.destination.not_ports.empty())) {
    destination.member("services")
        .forbidden("services brings its own ports: ports and notPorts cannot be given with it");
  }
  check_families(at, rule);
  check_icmp(at, rule);
  check_http(at, rule);
  if (rule.metadata) check_annotations(at.member("metadata").member("annotations"), rule.metadata->annotations);
}

}  // namespace margay::codec
