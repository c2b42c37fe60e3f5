#include "datastore/selector/restrictions.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace margay::selector {
namespace {

using Values = std::optional<std::vector<std::string>>;

Values intersection(const Values& a, const Values& b) {
  if (!a || !b) return a ? a : b;
  std::vector<std::string> both;
  std::set_intersection(a->begin(), a->end(), b->begin(), b->end(), std::back_inserter(both));
  return both;
}

Values united(const Values& a, const Values& b) {
  if (!a || !b) return std::nullopt;
  std::vector<std::string> any;
  std::set_union(a->begin(), a->end(), b->begin(), b->end(), std::back_inserter(any));
  return any;
}

LabelRestrictions of_node(const Node& node);

// All operands hold: what is known of any of them is known.
LabelRestrictions of_all(const std::vector<Node>& operands) {
  LabelRestrictions known;
  for (const Node& operand : operands) {
    for (const auto& [label, more] : of_node(operand)) {
      LabelRestriction& restriction = known[label];
      restriction.must_be_present |= more.must_be_present;
      restriction.must_be_absent |= more.must_be_absent;
      restriction.must_have_one_of = intersection(restriction.must_have_one_of, more.must_have_one_of);
    }
  }
  return known;
}

// Only what is known in every branch remains.
LabelRestrictions of_any(const std::vector<Node>& operands) {
  LabelRestrictions known = of_node(operands.front());
  for (std::size_t i = 1; i < operands.size(); ++i) {
    const LabelRestrictions branch = of_node(operands[i]);
    for (auto& [label, restriction] : known) {
      const auto found = branch.find(label);
      const LabelRestriction other = found == branch.end() ? LabelRestriction{} : found->second;
      restriction.must_be_present &= other.must_be_present;
      restriction.must_be_absent &= other.must_be_absent;
      restriction.must_have_one_of = united(restriction.must_have_one_of, other.must_have_one_of);
    }
  }
  std::erase_if(known, [](const auto& entry) { return entry.second == LabelRestriction{}; });
  return known;
}

LabelRestrictions of_node(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kAnd: return of_all(node.operands);
    case Node::Kind::kOr: return of_any(node.operands);
    case Node::Kind::kHas:
    case Node::Kind::kContains:
    case Node::Kind::kStartsWith:
    case Node::Kind::kEndsWith: return {{node.label, {true, false, std::nullopt}}};
    case Node::Kind::kEqual:
    case Node::Kind::kIn: return {{node.label, {true, false, node.values}}};
    case Node::Kind::kNot: {
      const Node& inner = node.operands.front();
      if (inner.kind == Node::Kind::kHas) return {{inner.label, {false, true, std::nullopt}}};
      return {};
    }
    case Node::Kind::kAll:
    case Node::Kind::kGlobal:
    case Node::Kind::kNotEqual:
    case Node::Kind::kNotIn: return {};
  }
  return {};
}

}  // namespace

LabelRestrictions restrictions_of(const Selector& selector) { return of_node(selector.root()); }

}  // namespace margay::selector
