#include "policy/index/compiled_selector.h"

#include <algorithm>
#include <string_view>

#include "base/core/check.h"

namespace margay::policy {
namespace {

using selector::Node;

constexpr std::string_view kNamespaceLabel = "projectcalico.org/namespace";

}  // namespace

CompiledSelector::CompiledSelector(const selector::Selector& selector, LabelStore& store) {
  start_ = compile(selector.root(), kYes, kNo, store);
}

void CompiledSelector::release(LabelStore& store) {
  for (const Test& test : tests_) store.release_key(test.key);
  for (const LabelId label : labels_) store.release(label);
  *this = CompiledSelector();
}

std::uint32_t CompiledSelector::compile(const Node& node, std::uint32_t if_so, std::uint32_t if_not,
                                        LabelStore& store) {
  switch (node.kind) {
    case Node::Kind::kAll: return if_so;
    case Node::Kind::kNot: return compile(node.operands.front(), if_not, if_so, store);
    // From the back: each goes on at the one after it.
    case Node::Kind::kAnd:
      for (auto it = node.operands.rbegin(); it != node.operands.rend(); ++it) {
        if_so = compile(*it, if_so, if_not, store);
      }
      return if_so;
    case Node::Kind::kOr:
      for (auto it = node.operands.rbegin(); it != node.operands.rend(); ++it) {
        if_not = compile(*it, if_so, if_not, store);
      }
      return if_not;
    case Node::Kind::kGlobal: return add_has(kNamespaceLabel, if_not, if_so, store);
    case Node::Kind::kHas: return add_has(node.label, if_so, if_not, store);
    case Node::Kind::kEqual: return add_test(Kind::kEqual, node, if_so, if_not, store);
    case Node::Kind::kNotEqual: return add_test(Kind::kEqual, node, if_not, if_so, store);
    case Node::Kind::kIn: return add_test(Kind::kIn, node, if_so, if_not, store);
    case Node::Kind::kNotIn: return add_test(Kind::kIn, node, if_not, if_so, store);
    case Node::Kind::kContains: return add_test(Kind::kContains, node, if_so, if_not, store);
    case Node::Kind::kStartsWith: return add_test(Kind::kStartsWith, node, if_so, if_not, store);
    case Node::Kind::kEndsWith: return add_test(Kind::kEndsWith, node, if_so, if_not, store);
  }
  MARGAY_CHECK(!"a selector node of no kind");
}

std::uint32_t CompiledSelector::add_has(std::string_view key, std::uint32_t if_so, std::uint32_t if_not,
                                        LabelStore& store) {
  tests_.push_back(
      {.kind = Kind::kHas, .key = store.acquire_key(key), .if_so = if_so, .if_not = if_not, .first = 0, .last = 0});
  return static_cast<std::uint32_t>(tests_.size() - 1);
}

std::uint32_t CompiledSelector::add_test(Kind kind, const Node& node, std::uint32_t if_so, std::uint32_t if_not,
                                         LabelStore& store) {
  const std::uint32_t at = add_has(node.label, if_so, if_not, store);
  Test& test = tests_[at];
  test.kind = kind;
  if (kind == Kind::kEqual || kind == Kind::kIn) {
    test.first = static_cast<std::uint32_t>(labels_.size());
    for (const std::string& value : node.values) labels_.push_back(store.acquire(node.label, value));
    std::sort(labels_.begin() + test.first, labels_.end());
    test.last = static_cast<std::uint32_t>(labels_.size());
  } else {
    test.first = static_cast<std::uint32_t>(texts_.size());
    texts_.push_back(node.values.front());
  }
  return at;
}

bool CompiledSelector::holds(const LabelStore& store, const Test& test, LabelId found) const {
  switch (test.kind) {
    case Kind::kHas: return true;
    case Kind::kEqual: return labels_[test.first] == found;
    case Kind::kIn: return std::binary_search(labels_.begin() + test.first, labels_.begin() + test.last, found);
    case Kind::kContains: return store.label(found).value.find(texts_[test.first]) != std::string::npos;
    case Kind::kStartsWith: return store.label(found).value.starts_with(texts_[test.first]);
    case Kind::kEndsWith: return store.label(found).value.ends_with(texts_[test.first]);
  }
  return false;
}

}  // namespace margay::policy
