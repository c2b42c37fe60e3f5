#include "policy/lint/view.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "policy/translate/names.h"

namespace margay::policy {

selector::Selector both(selector::Selector a, selector::Selector b) {
  using selector::Node;
  if (a.is_all()) return b;
  if (b.is_all()) return a;
  Node out;
  out.kind = Node::Kind::kAnd;
  out.operands = {a.root(), b.root()};
  return selector::Selector(std::move(out));
}

selector::Selector parsed(const std::string& text) {
  auto out = selector::Selector::parse(text);
  return out.ok() ? std::move(out).value() : selector::Selector();
}

selector::Selector in_namespace(std::string_view name_space) {
  using selector::Node;
  Node out;
  out.kind = Node::Kind::kEqual;
  out.label = kNamespaceLabel;
  out.values = {std::string(name_space)};
  return selector::Selector(std::move(out));
}

std::vector<PolicyView> views_of(const World& world) {
  std::vector<PolicyView> out;
  add_kubernetes_views(world, out);
  add_cluster_views(world, out);
  add_calico_views(world, out);
  std::stable_sort(out.begin(), out.end(), [](const PolicyView& a, const PolicyView& b) {
    return std::tie(a.tier, a.order, a.key.name) < std::tie(b.tier, b.order, b.key.name);
  });
  return out;
}

}  // namespace margay::policy
