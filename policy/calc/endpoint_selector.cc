#include "policy/calc/endpoint_selector.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "policy/translate/names.h"

namespace margay::policy {
namespace {

using selector::Node;
using selector::Selector;

Node leaf(Node::Kind kind, std::string_view label, std::vector<std::string> values = {}) {
  return Node{.kind = kind, .label = std::string(label), .values = std::move(values), .operands = {}};
}

Selector has(std::string_view label) { return Selector(leaf(Node::Kind::kHas, label)); }

Selector in_namespace(std::string_view name_space) {
  return Selector(leaf(Node::Kind::kEqual, kNamespaceLabel, {std::string(name_space)}));
}

Selector parsed(std::string_view text, const std::string& path, FieldErrors& errors) {
  Result<Selector> result = Selector::parse(text);
  if (result.ok()) return *std::move(result);
  errors.push_back({.kind = FieldError::Kind::kInvalid, .path = path, .message = result.error().message});
  return {};
}

// all() over namespaces picks what has one, global() what has none.
Node replace_all(Node node, std::string_view label) {
  if (node.kind == Node::Kind::kAll) return leaf(Node::Kind::kHas, label);
  if (node.kind == Node::Kind::kGlobal) return not_of(has(label)).root();
  for (Node& operand : node.operands) operand = replace_all(std::move(operand), label);
  // !all() may have become !!has().
  if (node.kind == Node::Kind::kNot) return not_of(Selector(std::move(node.operands.front()))).root();
  return node;
}

Selector inherited(const Selector& of_parent, std::string_view prefix, std::string_view parent_label) {
  return Selector(replace_all(of_parent.with_label_prefix(prefix).root(), parent_label));
}

Selector joined(std::optional<Selector> first, Selector second) {
  return first ? all_of(*first, second) : std::move(second);
}

std::optional<Selector> accounts_of(const model::ServiceAccountMatch& match, const std::string& path,
                                    FieldErrors& errors) {
  std::optional<Selector> out;
  if (!match.selector.empty()) {
    out = parsed(match.selector, path + ".selector", errors).with_label_prefix(kServiceAccountLabelPrefix);
  }
  if (match.names.empty()) return out;
  std::vector<std::string> names = match.names;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return joined(std::move(out), Selector(leaf(Node::Kind::kIn, kServiceAccountLabel, std::move(names))));
}

bool demands_nodes(const Node& node) {
  if (node.kind == Node::Kind::kAnd) return std::any_of(node.operands.begin(), node.operands.end(), demands_nodes);
  return node.kind == Node::Kind::kEqual && node.label == kKindLabel && node.values.front() == kNodeKind;
}

std::optional<Selector> place_of(const model::EntityRule& end, std::string_view name_space, const std::string& path,
                                 FieldErrors& errors) {
  if (!end.namespace_selector.empty()) {
    return inherited(parsed(end.namespace_selector, path + ".namespaceSelector", errors), kNamespaceLabelPrefix,
                     kNamespaceLabel);
  }
  const bool says_something = !end.selector.empty() || !end.not_selector.empty() || end.service_accounts.has_value();
  if (name_space.empty() || !says_something) return std::nullopt;
  return in_namespace(name_space);
}

}  // namespace

Selector all_of(const Selector& first, const Selector& second) {
  Node node{.kind = Node::Kind::kAnd, .label = {}, .values = {}, .operands = {first.root(), second.root()}};
  return Selector(std::move(node));
}

Selector not_of(const Selector& inner) {
  if (inner.root().kind == Node::Kind::kNot) return Selector(inner.root().operands.front());
  return Selector(Node{.kind = Node::Kind::kNot, .label = {}, .values = {}, .operands = {inner.root()}});
}

EndSelectors selectors_of(const model::EntityRule& end, std::string_view name_space, const std::string& path,
                          FieldErrors& errors) {
  std::optional<Selector> wanted;
  if (end.service_accounts) wanted = accounts_of(*end.service_accounts, path + ".serviceAccounts", errors);
  if (!end.selector.empty()) wanted = joined(std::move(wanted), parsed(end.selector, path + ".selector", errors));
  std::optional<Selector> place = place_of(end, name_space, path, errors);
  if (place) wanted = wanted ? all_of(*place, *wanted) : std::move(*place);
  if (end.not_selector.empty()) return {.wanted = std::move(wanted), .unwanted = {}};
  Selector unwanted = parsed(end.not_selector, path + ".notSelector", errors);
  if (!wanted) return {.wanted = {}, .unwanted = std::move(unwanted)};
  return {.wanted = all_of(*wanted, not_of(unwanted)), .unwanted = {}};
}

bool is_about_nodes(const Selector& selector) { return demands_nodes(selector.root()); }

Selector selector_of(const model::PolicySpec& spec, std::string_view name_space, FieldErrors& errors) {
  std::optional<Selector> out;
  if (!spec.selector.empty()) out = parsed(spec.selector, "spec.selector", errors);
  if (!name_space.empty()) {
    out = joined(std::move(out), in_namespace(name_space));
  } else if (!spec.namespace_selector.empty()) {
    const Selector spaces = parsed(spec.namespace_selector, "spec.namespaceSelector", errors);
    out = joined(std::move(out), inherited(spaces, kNamespaceLabelPrefix, kNamespaceLabel));
  }
  if (!spec.service_account_selector.empty()) {
    const Selector accounts = parsed(spec.service_account_selector, "spec.serviceAccountSelector", errors);
    out = joined(std::move(out), inherited(accounts, kServiceAccountLabelPrefix, kServiceAccountLabel));
  }
  return std::move(out).value_or(Selector());
}

}  // namespace margay::policy
