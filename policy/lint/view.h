// View: a policy of any kind in one form, with the field that each part stands in. What the checks look at.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datastore/selector/selector.h"
#include "policy/question/world.h"

namespace margay::policy {

using model::ObjectKey;

// Whom a rule speaks of at the far end.
struct PeerView {
  std::string field;
  std::string text;                            // the selector as it was meant: "app == 'a' in namespace b"
  std::optional<selector::Selector> selector;  // over endpoints and sets, with what they inherit; nullopt: says nothing
  std::vector<IpPrefix> nets;
  std::vector<IpPrefix> not_nets;
  bool is_narrow = false;  // is bound to more than this shows
  friend bool operator==(const PeerView& a, const PeerView& b) {
    return a.selector == b.selector && a.nets == b.nets && a.not_nets == b.not_nets && a.is_narrow == b.is_narrow;
  }
};

// At the destination. No port: all of the protocol.
struct PortView {
  std::string field;
  std::optional<model::Protocol> protocol;
  std::optional<model::PortOrName> port;
};

struct RuleView {
  std::string field;
  model::RuleAction action = model::RuleAction::kAllow;
  std::vector<PeerView> peers;  // alternatives; empty: everyone
  std::vector<PortView> ports;  // alternatives; empty: all protocols
  bool is_narrow = false;       // is bound to more than this shows
};

struct PolicyView {
  ObjectKey key;
  std::string tier;
  double order = 0;
  bool is_staged = false;
  bool only_allows = false;  // NetworkPolicy of Kubernetes: the order of rules means nothing
  std::string subject_field;
  std::string subject_text;
  selector::Selector subject;
  bool has_ingress = false;
  bool has_egress = false;
  std::vector<RuleView> ingress;
  std::vector<RuleView> egress;
};

// In the order of tiers' names, then as they are enforced. Policies whose selectors cannot be read are left out.
std::vector<PolicyView> views_of(const World& world);

// Used by the files that make views.
selector::Selector both(selector::Selector a, selector::Selector b);
// Of a text that translation made; everything when it does not parse.
selector::Selector parsed(const std::string& text);
selector::Selector in_namespace(std::string_view name_space);
void add_kubernetes_views(const World& world, std::vector<PolicyView>& out);
void add_cluster_views(const World& world, std::vector<PolicyView>& out);
void add_calico_views(const World& world, std::vector<PolicyView>& out);

}  // namespace margay::policy
