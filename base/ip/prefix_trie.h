// PrefixTrie<T>: values by prefix, IPv4 and IPv6, with longest match and walks up and down. A path-compressed binary
// trie:
//
//        10.0.0.0/8 ─┬─ 10.0.0.0/24 (glue: no value) ─┬─ 10.0.0.0/26
//                    │                                └─ 10.0.0.64/26
//                    └─ 10.128.0.0/9
//
// Cost: every operation looks at no more than 33 (IPv4) or 129 (IPv6) nodes, plus what it visits. There are fewer than
// two nodes a value. Walks go in the order of IpPrefix, without recursion; the visitor must not change the trie.
//
// Invariants
//   1. A node's prefix contains its children's, and child i's first bit after it is i.
//   2. A node without value has two children.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/ip/prefix.h"

namespace margay {

template <class T>
class PrefixTrie {
 public:
  struct Match {
    IpPrefix prefix;
    const T* value;
  };

  // Sets the value; true if the prefix was not there before.
  bool insert(const IpPrefix& prefix, T value) {
    Node& node = node_for(prefix);
    const bool is_new = !node.value;
    node.value.emplace(std::move(value));
    size_ += is_new ? 1 : 0;
    return is_new;
  }

  // True if it was there.
  bool erase(const IpPrefix& prefix) {
    Slot* parent = nullptr;
    Slot* at = &root(prefix.family());
    while (*at && (*at)->prefix != prefix) {
      if (!(*at)->prefix.contains(prefix)) return false;
      parent = at;
      at = &(*at)->child_towards(prefix);
    }
    if (!*at || !(*at)->value) return false;
    (*at)->value.reset();
    --size_;
    collapse(*at);
    if (parent != nullptr) collapse(*parent);
    return true;
  }

  void clear() {
    for (Slot& slot : roots_) slot.reset();
    size_ = 0;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Nodes in memory, glue included: less than twice size(). Looks at all of them.
  [[nodiscard]] std::size_t count_nodes() const {
    std::size_t count = 0;
    for (const Slot& slot : roots_) walk_nodes(slot.get(), [&count](const Node&) { ++count; });
    return count;
  }

  // The value of exactly this prefix, or nullptr. Stays where it is until it is erased.
  [[nodiscard]] const T* find(const IpPrefix& prefix) const {
    const Node* node = root(prefix.family()).get();
    while (node != nullptr && node->prefix != prefix) {
      node = node->prefix.contains(prefix) ? node->child_towards(prefix).get() : nullptr;
    }
    return node != nullptr && node->value ? &*node->value : nullptr;
  }
  T* find(const IpPrefix& prefix) { return const_cast<T*>(std::as_const(*this).find(prefix)); }

  // The longest prefix that contains the argument.
  [[nodiscard]] std::optional<Match> longest_match(const IpPrefix& prefix) const {
    std::optional<Match> best;
    for_each_containing(prefix, [&best](const IpPrefix& found, const T& value) { best = Match{found, &value}; });
    return best;
  }
  [[nodiscard]] std::optional<Match> longest_match(const IpAddress& address) const {
    return longest_match(IpPrefix::host(address));
  }

  // visit(prefix, value) for all that contain `prefix`, it included; shortest first.
  template <class Visit>
  void for_each_containing(const IpPrefix& prefix, Visit&& visit) const {
    const Node* node = root(prefix.family()).get();
    while (node != nullptr && node->prefix.contains(prefix)) {
      if (node->value) visit(std::as_const(node->prefix), std::as_const(*node->value));
      if (node->prefix.length() == prefix.length()) return;
      node = node->child_towards(prefix).get();
    }
  }

  // visit(prefix, value) for all inside `prefix`, it included, in order.
  template <class Visit>
  void for_each_inside(const IpPrefix& prefix, Visit&& visit) const {
    const Node* node = root(prefix.family()).get();
    while (node != nullptr && !prefix.contains(node->prefix)) {
      node = node->prefix.contains(prefix) ? node->child_towards(prefix).get() : nullptr;
    }
    walk(node, visit);
  }

  // visit(prefix, value) for all, in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : roots_) walk(slot.get(), visit);
  }

 private:
  struct Node;
  using Slot = std::unique_ptr<Node>;

  struct Node {
    explicit Node(const IpPrefix& at) : prefix(at) {}
    // Only for prefixes longer than this one's.
    Slot& child_towards(const IpPrefix& below) { return children[below.bits().at(prefix.length()) ? 1 : 0]; }
    const Slot& child_towards(const IpPrefix& below) const {
      return children[below.bits().at(prefix.length()) ? 1 : 0];
    }

    IpPrefix prefix;
    std::optional<T> value;
    std::array<Slot, 2> children;
  };

  Slot& root(IpFamily family) { return roots_[family == IpFamily::kV4 ? 0 : 1]; }
  const Slot& root(IpFamily family) const { return roots_[family == IpFamily::kV4 ? 0 : 1]; }

  // The node of that prefix, made where it is missing.
  Node& node_for(const IpPrefix& prefix) {
    Slot* at = &root(prefix.family());
    while (*at && (*at)->prefix != prefix) {
      const IpPrefix common = (*at)->prefix.common(prefix);
      if (common != (*at)->prefix) put_above(*at, common);
      if (common == prefix) break;
      at = &(*at)->child_towards(prefix);
    }
    if (!*at) *at = std::make_unique<Node>(prefix);
    return **at;
  }

  // Makes a node of `prefix` in the slot, with what was there as its only child.
  static void put_above(Slot& slot, const IpPrefix& prefix) {
    Slot below = std::exchange(slot, std::make_unique<Node>(prefix));
    Slot& child = slot->child_towards(below->prefix);
    child = std::move(below);
  }

  // Restores invariant 2: a node without value gives way to its only child, or to nothing.
  static void collapse(Slot& slot) {
    auto& [zero, one] = slot->children;
    if (slot->value || (zero && one)) return;
    Slot rest = std::move(zero ? zero : one);
    slot = std::move(rest);
  }

  template <class Visit>
  static void walk(const Node* top, Visit& visit) {
    walk_nodes(top, [&visit](const Node& node) {
      if (node.value) visit(std::as_const(node.prefix), std::as_const(*node.value));
    });
  }

  template <class Visit>
  static void walk_nodes(const Node* node, const Visit& visit) {
    std::vector<const Node*> later;
    while (node != nullptr) {
      visit(*node);
      for (const Slot* child : {&node->children[1], &node->children[0]}) {
        if (*child) later.push_back(child->get());
      }
      node = later.empty() ? nullptr : later.back();
      if (!later.empty()) later.pop_back();
    }
  }

  std::array<Slot, 2> roots_;  // IPv4, IPv6
  std::size_t size_ = 0;
};

}  // namespace margay
