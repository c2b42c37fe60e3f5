#include "test/support/naive_policy.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/core/text.h"
#include "datastore/codec/validate.h"
#include "datastore/selector/selector.h"

namespace margay::test {
namespace {

using model::ObjectKey;
using selector::Selector;

constexpr double kLast = std::numeric_limits<double>::infinity();

// All objects; and selectors that were parsed before, for speed alone.
struct Objects {
  const std::map<ObjectKey, NaivePolicy::Object>& all;
  std::map<std::string, Selector, std::less<>>& parsed;

  // Nothing when the text does not parse.
  [[nodiscard]] const Selector* selector(std::string_view text) const {
    auto at = parsed.find(text);
    if (at == parsed.end()) {
      Result<Selector> result = Selector::parse(text);
      if (!result.ok()) return nullptr;
      at = parsed.emplace(text, *std::move(result)).first;
    }
    return &at->second;
  }
};

// visit(key, object) for all objects of one kind.
template <class T, class Visit>
void for_each(const Objects& objects, const Visit& visit) {
  for (const auto& [key, object] : objects.all) {
    if (const T* one = std::get_if<T>(&object)) visit(key, *one);
  }
}

template <class T>
const T* find(const Objects& objects, const ObjectKey& key) {
  const auto at = objects.all.find(key);
  return at == objects.all.end() ? nullptr : std::get_if<T>(&at->second);
}

// ---- Labels: an object's own, then those its profiles give, earlier profiles
// first.

StringMap inherited(const Objects& objects, StringMap labels, const std::vector<std::string>& profiles) {
  for (const std::string& name : profiles) {
    const auto* profile =
        find<model::Profile>(objects, {.kind = model::Kind::kProfile, .name_space = "", .name = name});
    if (profile == nullptr) continue;
    for (const auto& [key, value] : profile->spec.labels_to_apply) {
      if (!labels.contains(key)) labels.set(key, value);
    }
  }
  return labels;
}

void add(StringMap& labels, std::string_view key, std::string_view value) {
  if (!value.empty() && !labels.contains(key)) labels.set(key, value);
}

StringMap labels_of(const Objects& objects, const model::WorkloadEndpoint& endpoint) {
  StringMap own = endpoint.metadata.labels;
  add(own, "projectcalico.org/namespace", endpoint.metadata.name_space);
  add(own, "projectcalico.org/orchestrator", endpoint.spec.orchestrator);
  add(own, "projectcalico.org/serviceaccount", endpoint.spec.service_account_name);
  return inherited(objects, std::move(own), endpoint.spec.profiles);
}

// ---- What has an address: endpoints and network sets, each with its labels;
// endpoints have named ports, too. Nodes are for rules that are about nodes,
// and nothing else is.

struct Holder {
  StringMap labels;
  std::vector<model::EndpointPort> ports;
  bool is_node = false;
};

constexpr std::string_view kAboutNodes = "projectcalico.org/kind == 'Node'";

bool covers(const std::vector<IpPrefix>& nets, const IpAddress& address) {
  return std::any_of(nets.begin(), nets.end(), [&](const IpPrefix& net) { return net.contains(address); });
}

std::vector<Holder> holders_of(const Objects& objects, const IpAddress& address) {
  std::vector<Holder> out;
  for_each<model::WorkloadEndpoint>(objects, [&](const ObjectKey&, const model::WorkloadEndpoint& endpoint) {
    if (!covers(endpoint.spec.ip_networks, address)) return;
    Holder holder{.labels = labels_of(objects, endpoint), .ports = {}, .is_node = false};
    for (const auto& port : endpoint.spec.ports) holder.ports.push_back({port.name, port.protocol, port.port});
    out.push_back(std::move(holder));
  });
  for_each<model::HostEndpoint>(objects, [&](const ObjectKey&, const model::HostEndpoint& endpoint) {
    const auto& ips = endpoint.spec.expected_ips;
    if (std::find(ips.begin(), ips.end(), address) == ips.end()) return;
    out.push_back({inherited(objects, endpoint.metadata.labels, endpoint.spec.profiles), endpoint.spec.ports});
  });
  for_each<model::NetworkSet>(objects, [&](const ObjectKey& key, const model::NetworkSet& set) {
    if (!covers(set.spec.nets, address)) return;
    StringMap labels = set.metadata.labels;
    add(labels, "projectcalico.org/namespace", key.name_space);
    out.push_back({inherited(objects, std::move(labels), {concat("kns.", key.name_space)}), {}});
  });
  for_each<model::GlobalNetworkSet>(objects, [&](const ObjectKey&, const model::GlobalNetworkSet& set) {
    if (covers(set.spec.nets, address)) out.push_back({set.metadata.labels, {}});
  });
  for_each<model::Node>(objects, [&](const ObjectKey&, const model::Node& node) {
    const auto& all = node.status.addresses;
    const bool is_its_own = std::any_of(all.begin(), all.end(), [&](const model::NodeAddress& each) {
      return each.type == "InternalIP" && each.address == address.to_string();
    });
    if (!is_its_own) return;
    StringMap labels = node.metadata.labels;
    labels.set("projectcalico.org/kind", "Node");
    out.push_back({.labels = std::move(labels), .ports = {}, .is_node = true});
  });
  return out;
}

// ---- Selectors. A text that does not parse makes its policy unusable; that
// was checked before.

bool matches(const Objects& objects, std::string_view text, const StringMap& labels) {
  return objects.selector(text)->matches(labels);
}

// all() over namespaces or accounts means those that have one, global() those
// that have none.
bool matches_inherited(const Objects& objects, std::string_view text, std::string_view prefix,
                       std::string_view own_label, const StringMap& labels) {
  std::string own = objects.selector(text)->with_label_prefix(prefix).canonical();
  const std::string has_own = concat("has(", own_label, ")");
  for (auto at = own.find("all()"); at != std::string::npos; at = own.find("all()")) own.replace(at, 5, has_own);
  for (auto at = own.find("global()"); at != std::string::npos; at = own.find("global()")) {
    own.replace(at, 8, concat("!", has_own));
  }
  return matches(objects, own, labels);
}

bool matches_namespaces(const Objects& objects, std::string_view text, const StringMap& labels) {
  return matches_inherited(objects, text, "pcns.", "projectcalico.org/namespace", labels);
}

bool matches_accounts(const Objects& objects, const model::ServiceAccountMatch& accounts, const StringMap& labels) {
  const auto name = labels.find("projectcalico.org/serviceaccount");
  const bool is_named = accounts.names.empty() || (name && std::find(accounts.names.begin(), accounts.names.end(),
                                                                     *name) != accounts.names.end());
  if (accounts.selector.empty()) return is_named;
  return is_named && objects.selector(accounts.selector)->with_label_prefix("pcsa.").matches(labels);
}

// ---- Rules.

// One end of the flow, as a rule of a policy sees it.
struct End {
  const Objects& objects;
  const std::string& policy_namespace;  // "" for global policies and profiles
  const IpAddress& address;
  const std::vector<Holder>& holders;  // of the address
  model::Protocol protocol;
  Port port;
  bool is_destination;
};

bool has_selectors(const model::EntityRule& rule) {
  return !rule.selector.empty() || !rule.not_selector.empty() || rule.service_accounts ||
         !rule.namespace_selector.empty();
}

bool is_picked(const model::EntityRule& rule, const End& end, const StringMap& labels) {
  if (!rule.selector.empty() && !matches(end.objects, rule.selector, labels)) return false;
  if (rule.service_accounts && !matches_accounts(end.objects, *rule.service_accounts, labels)) return false;
  if (!rule.namespace_selector.empty()) return matches_namespaces(end.objects, rule.namespace_selector, labels);
  return end.policy_namespace.empty() || labels.get("projectcalico.org/namespace") == end.policy_namespace;
}

// The endpoints and sets at this address that the rule picks.
std::vector<Holder> picked(const model::EntityRule& rule, const End& end) {
  std::vector<Holder> out;
  for (const Holder& holder : end.holders) {
    if (holder.is_node != rule.selector.starts_with(kAboutNodes)) continue;
    if (has_selectors(rule) && !is_picked(rule, end, holder.labels)) continue;
    if (!rule.not_selector.empty() && matches(end.objects, rule.not_selector, holder.labels)) continue;
    out.push_back(holder);
  }
  return out;
}

bool is_right_place(const model::EntityRule& rule, const End& end) {
  if (!rule.nets.empty() && !covers(rule.nets, end.address)) return false;
  if (covers(rule.not_nets, end.address)) return false;
  if (!has_selectors(rule)) return true;
  const bool only_excludes = rule.selector.empty() && !rule.service_accounts && rule.namespace_selector.empty() &&
                             end.policy_namespace.empty();
  if (!only_excludes) return !picked(rule, end).empty();
  // Without anything to be, whoever is not unwanted is right: also who is
  // nobody.
  return std::none_of(end.holders.begin(), end.holders.end(), [&](const Holder& holder) {
    return !holder.is_node && matches(end.objects, rule.not_selector, holder.labels);
  });
}

bool is_one_of(const std::vector<model::PortOrName>& ports, model::Protocol named_for, const End& end,
               const std::vector<Holder>& holders) {
  if (!end.protocol.has_ports()) return false;
  return std::any_of(ports.begin(), ports.end(), [&](const model::PortOrName& wanted) {
    if (wanted.range() != nullptr) return wanted.range()->contains(end.port);
    return std::any_of(holders.begin(), holders.end(), [&](const Holder& holder) {
      return std::any_of(holder.ports.begin(), holder.ports.end(), [&](const model::EndpointPort& port) {
        return port.name == *wanted.name() && port.protocol == named_for && end.protocol == named_for &&
               port.port == end.port;
      });
    });
  });
}

bool is_of_service(const model::ServiceMatch& service, const End& end) {
  const std::string& name_space = service.name_space.empty() ? end.policy_namespace : service.name_space;
  bool found = false;
  for_each<model::EndpointSlice>(end.objects, [&](const ObjectKey& key, const model::EndpointSlice& slice) {
    if (key.name_space != name_space || slice.metadata.labels.get(model::kServiceNameLabel) != service.name) return;
    const bool has_port = std::any_of(slice.ports.begin(), slice.ports.end(), [&](const auto& port) {
      return port.port == end.port && port.protocol.value_or(model::kProtocolTcp) == end.protocol;
    });
    for (const model::Endpoint& endpoint : slice.endpoints) {
      for (const std::string& text : endpoint.addresses) {
        const auto address = IpAddress::parse(text);
        found = found || (address.ok() && *address == end.address && (has_port || !end.is_destination));
      }
    }
  });
  return found;
}

bool is_right_end(const model::EntityRule& rule, std::optional<model::Protocol> protocol, const End& end) {
  if (!is_right_place(rule, end)) return false;
  if (rule.services && !is_of_service(*rule.services, end)) return false;
  // Names mean ports of the endpoints that the rule picks; without a protocol,
  // of TCP.
  const model::Protocol named_for = protocol.value_or(model::kProtocolTcp);
  if (rule.ports.empty() && rule.not_ports.empty()) return true;
  const std::vector<Holder> named = picked(rule, end);
  if (!rule.ports.empty() && !is_one_of(rule.ports, named_for, end, named)) return false;
  return !is_one_of(rule.not_ports, named_for, end, named);
}

bool is_icmp(const model::IcmpMatch& icmp, const Flow& flow) {
  return (!icmp.type || (flow.icmp_type && *icmp.type == *flow.icmp_type)) &&
         (!icmp.code || (flow.icmp_code && *icmp.code == *flow.icmp_code));
}

// A flow, and who is at its ends.
struct Question {
  const Objects& objects;
  const Flow& flow;
  std::vector<Holder> sources = holders_of(objects, flow.source);
  std::vector<Holder> destinations = holders_of(objects, flow.destination);
};

bool matches(const Question& question, const model::Rule& rule, const std::string& name_space) {
  const Flow& flow = question.flow;
  if (rule.ip_version && *rule.ip_version != flow.source.family()) return false;
  if (rule.protocol && *rule.protocol != flow.protocol) return false;
  if (rule.not_protocol && *rule.not_protocol == flow.protocol) return false;
  if (rule.icmp && !is_icmp(*rule.icmp, flow)) return false;
  if (rule.not_icmp && is_icmp(*rule.not_icmp, flow)) return false;
  const End source{question.objects, name_space, flow.source, question.sources, flow.protocol, flow.source_port, false};
  const End destination{question.objects,      name_space, flow.destination, question.destinations, flow.protocol,
                        flow.destination_port, true};
  return is_right_end(rule.source, rule.protocol, source) && is_right_end(rule.destination, rule.protocol, destination);
}

// The first of Allow, Deny and Pass; nullopt: no rule says anything.
std::optional<model::RuleAction> decide(const Question& question, const std::vector<model::Rule>& rules,
                                        const std::string& name_space) {
  for (const model::Rule& rule : rules) {
    if (rule.action != model::RuleAction::kLog && matches(question, rule, name_space)) return rule.action;
  }
  return std::nullopt;
}

// ---- Policies.

bool is_usable(const Objects& objects, const model::EntityRule& end) {
  return objects.selector(end.selector) && objects.selector(end.not_selector) &&
         objects.selector(end.namespace_selector) &&
         (!end.service_accounts || objects.selector(end.service_accounts->selector));
}

bool is_usable(const Objects& objects, const model::PolicySpec& spec) {
  const auto is_good = [&](const model::Rule& rule) {
    return is_usable(objects, rule.source) && is_usable(objects, rule.destination);
  };
  return objects.selector(spec.selector) && objects.selector(spec.namespace_selector) &&
         objects.selector(spec.service_account_selector) &&
         std::all_of(spec.ingress.begin(), spec.ingress.end(), is_good) &&
         std::all_of(spec.egress.begin(), spec.egress.end(), is_good);
}

bool has_direction(const model::PolicySpec& spec, bool is_ingress) {
  if (!spec.types.empty()) {
    const model::PolicyType wanted = is_ingress ? model::PolicyType::kIngress : model::PolicyType::kEgress;
    return std::find(spec.types.begin(), spec.types.end(), wanted) != spec.types.end();
  }
  return is_ingress ? spec.egress.empty() || !spec.ingress.empty() : !spec.egress.empty();
}

bool selects(const Objects& objects, const model::PolicySpec& spec, const std::string& name_space,
             const StringMap& labels) {
  if (spec.do_not_track || spec.pre_dnat) return false;  // of hosts only
  if (!name_space.empty() && labels.get("projectcalico.org/namespace") != name_space) return false;
  if (!spec.namespace_selector.empty() && !matches_namespaces(objects, spec.namespace_selector, labels)) return false;
  return matches(objects, spec.selector, labels) &&
         (spec.service_account_selector.empty() || matches_inherited(objects, spec.service_account_selector, "pcsa.",
                                                                     "projectcalico.org/serviceaccount", labels));
}

struct OrderedPolicy {
  double order;
  std::string name;
  std::string kind;
  const ObjectKey* key;
  const model::PolicySpec* spec;
};

struct OrderedTier {
  bool is_missing;  // after those that are there
  double order;
  std::string name;
  model::TierDefaultAction default_action;
};

OrderedTier tier_named(const Objects& objects, const std::string& name) {
  OrderedTier out{.is_missing = false, .order = kLast, .name = name, .default_action = model::TierDefaultAction::kDeny};
  const auto* tier = find<model::Tier>(objects, {.kind = model::Kind::kTier, .name_space = "", .name = name});
  const bool is_built_in = name == "default" || name == "kube-admin" || name == "kube-baseline";
  out.is_missing = tier == nullptr && !is_built_in;
  if (name == "default") out.order = 1'000'000;
  if (name == "kube-admin") out.order = 1'000;
  if (name == "kube-baseline") out.order = 10'000'000;
  if (name.starts_with("kube-") && is_built_in) out.default_action = model::TierDefaultAction::kPass;
  if (tier != nullptr) {
    out.order = tier->spec.order.value_or(is_built_in ? out.order : kLast);
    out.default_action = tier->spec.default_action.value_or(out.default_action);
  }
  return out;
}

// The policies that hold for an endpoint in one direction, by tier, in order.
auto policies_for(const Objects& objects, const StringMap& labels, bool is_ingress) {
  std::map<std::string, std::vector<OrderedPolicy>> out;
  const auto take = [&](const ObjectKey& key, const auto& policy) {
    const model::PolicySpec& spec = policy.spec;
    if (!has_direction(spec, is_ingress) || !is_usable(objects, spec)) return;
    if (!selects(objects, spec, key.name_space, labels)) return;
    const std::string tier = spec.tier.empty() ? "default" : spec.tier;
    const std::string kind(model::info(key.kind).name);
    out[tier].push_back(
        {.order = spec.order.value_or(kLast), .name = key.name, .kind = kind, .key = &key, .spec = &spec});
  };
  for_each<model::NetworkPolicy>(objects, take);
  for_each<model::GlobalNetworkPolicy>(objects, take);
  for (auto& [tier, policies] : out) {
    std::sort(policies.begin(), policies.end(), [](const OrderedPolicy& a, const OrderedPolicy& b) {
      return std::tie(a.order, a.name, a.kind) < std::tie(b.order, b.name, b.kind);
    });
  }
  return out;
}

bool ask_tiers_and_profiles(const Question& question, const model::WorkloadEndpoint& endpoint, bool is_ingress) {
  const Objects& objects = question.objects;
  const auto policies = policies_for(objects, labels_of(objects, endpoint), is_ingress);
  std::vector<OrderedTier> tiers;
  for (const auto& [name, list] : policies) tiers.push_back(tier_named(objects, name));
  std::sort(tiers.begin(), tiers.end(), [](const OrderedTier& a, const OrderedTier& b) {
    return std::tie(a.is_missing, a.order, a.name) < std::tie(b.is_missing, b.order, b.name);
  });
  for (const OrderedTier& tier : tiers) {
    std::optional<model::RuleAction> action;
    for (const OrderedPolicy& policy : policies.at(tier.name)) {
      const auto& rules = is_ingress ? policy.spec->ingress : policy.spec->egress;
      action = decide(question, rules, policy.key->name_space);
      if (action) break;
    }
    if (action == model::RuleAction::kAllow) return true;
    if (action == model::RuleAction::kDeny) return false;
    if (!action && tier.default_action == model::TierDefaultAction::kDeny) return false;
  }
  for (const std::string& name : endpoint.spec.profiles) {
    const auto* profile =
        find<model::Profile>(objects, {.kind = model::Kind::kProfile, .name_space = "", .name = name});
    if (profile == nullptr) return false;
    const auto action = decide(question, is_ingress ? profile->spec.ingress : profile->spec.egress, "");
    if (action == model::RuleAction::kAllow) return true;
    if (action == model::RuleAction::kDeny) return false;
  }
  return false;
}

bool has_error_at(const FieldErrors& errors, const std::string& place) {
  return std::any_of(errors.begin(), errors.end(),
                     [&place](const FieldError& error) { return error.path.starts_with(place); });
}

// A rule that is refused allows nothing, or denies everything; one of a policy that is for nobody knows whom allows
// nothing.
void close_rules(const FieldErrors& errors, const std::string& list, bool is_unclear, std::vector<model::Rule>& rules) {
  std::vector<model::Rule> closed;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const model::RuleAction action = rules[i].action;
    if (!has_error_at(errors, concat("spec.", list, "[", i, "]"))) {
      if (is_unclear && action == model::RuleAction::kAllow) continue;
      closed.push_back(rules[i]);
      if (is_unclear && action == model::RuleAction::kPass) closed.back().action = model::RuleAction::kDeny;
    } else if (action == model::RuleAction::kDeny || action == model::RuleAction::kPass) {
      closed.emplace_back().action = model::RuleAction::kDeny;
    }
  }
  rules = std::move(closed);
}

template <class T>
void close_up(NaivePolicy::Object& object) {
  T* one = std::get_if<T>(&object);
  if (one == nullptr) return;
  const FieldErrors errors = codec::validate(*one);
  // Which directions there are does not change with what the rules do.
  if (one->spec.types.empty()) {
    const bool has_egress = has_direction(one->spec, false);
    if (has_direction(one->spec, true)) one->spec.types.push_back(model::PolicyType::kIngress);
    if (has_egress) one->spec.types.push_back(model::PolicyType::kEgress);
  }
  bool is_unclear = false;
  const auto widen = [&](const char* place, std::string& selector) {
    if (!has_error_at(errors, place)) return;
    is_unclear = true;
    selector.clear();
  };
  widen("spec.selector", one->spec.selector);
  widen("spec.namespaceSelector", one->spec.namespace_selector);
  widen("spec.serviceAccountSelector", one->spec.service_account_selector);
  const bool is_global = std::is_same_v<T, model::GlobalNetworkPolicy>;
  if (is_unclear && is_global && one->spec.namespace_selector.empty()) one->spec.namespace_selector = "all()";
  close_rules(errors, "ingress", is_unclear, one->spec.ingress);
  close_rules(errors, "egress", is_unclear, one->spec.egress);
}

bool is_refused(const NaivePolicy::Object& object) {
  const auto* profile = std::get_if<model::Profile>(&object);
  return profile != nullptr && has_error_at(codec::validate(*profile), "spec");
}

}  // namespace

void NaivePolicy::put(const ObjectKey& key, Object object) {
  close_up<model::NetworkPolicy>(object);
  close_up<model::GlobalNetworkPolicy>(object);
  if (is_refused(object)) {
    objects_.erase(key);
  } else {
    objects_.insert_or_assign(key, std::move(object));
  }
}

bool NaivePolicy::allows(const Flow& flow) const {
  const Objects objects{objects_, parsed_};
  const Question question{objects, flow};
  bool is_allowed = true;
  for_each<model::WorkloadEndpoint>(objects, [&](const ObjectKey&, const model::WorkloadEndpoint& endpoint) {
    if (is_allowed && covers(endpoint.spec.ip_networks, flow.source)) {
      is_allowed = ask_tiers_and_profiles(question, endpoint, false);
    }
    if (is_allowed && covers(endpoint.spec.ip_networks, flow.destination)) {
      is_allowed = ask_tiers_and_profiles(question, endpoint, true);
    }
  });
  return is_allowed;
}

}  // namespace margay::test
