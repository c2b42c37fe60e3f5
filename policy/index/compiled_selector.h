// CompiledSelector: a selector over the numbers of a LabelStore: a chain of tests of one label each, every one with the
// places to go on at when it holds and when not. Negation is in the places alone.
//
//   a == "b" && (has(c) || d != "e")      0: a == b ? 1 : no      1: has c ? yes : 2      2: d == e ? no : yes
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datastore/selector/selector.h"
#include "policy/index/label_store.h"

namespace margay::policy {

class CompiledSelector {
 public:
  CompiledSelector() = default;
  // Uses the labels it names until release().
  CompiledSelector(const selector::Selector& selector, LabelStore& store);
  void release(LabelStore& store);

  // find(KeyId) gives the LabelId, or nullopt.
  template <class Find>
  [[nodiscard]] bool matches(const LabelStore& store, const Find& find) const {
    std::uint32_t at = start_;
    while (at < kNo) {
      const Test& test = tests_[at];
      const std::optional<LabelId> found = find(test.key);
      at = found && (test.kind == Kind::kHas || holds(store, test, *found)) ? test.if_so : test.if_not;
    }
    return at == kYes;
  }

 private:
  enum class Kind : std::uint8_t { kHas, kEqual, kIn, kContains, kStartsWith, kEndsWith };
  struct Test {
    Kind kind;
    KeyId key;
    std::uint32_t if_so;
    std::uint32_t if_not;
    // kEqual, kIn: labels_; else texts_.
    std::uint32_t first;
    std::uint32_t last;
  };
  static constexpr std::uint32_t kNo = 0xfffffffe;
  static constexpr std::uint32_t kYes = 0xffffffff;

  // Where to start for this node, given where to go on.
  std::uint32_t compile(const selector::Node& node, std::uint32_t if_so, std::uint32_t if_not, LabelStore& store);
  std::uint32_t add_test(Kind kind, const selector::Node& node, std::uint32_t if_so, std::uint32_t if_not,
                         LabelStore& store);
  std::uint32_t add_has(std::string_view key, std::uint32_t if_so, std::uint32_t if_not, LabelStore& store);
  [[nodiscard]] bool holds(const LabelStore& store, const Test& test, LabelId found) const;

  std::vector<Test> tests_;
  std::vector<LabelId> labels_;  // of one test: sorted
  std::vector<std::string> texts_;
  std::uint32_t start_ = kYes;
};

}  // namespace margay::policy
