// Carriers: items and their parents with the labels they carry, listed at each label. What an item inherits is looked
// up, never copied, so that a parent's labels change in one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "base/core/string_map.h"
#include "policy/index/label_store.h"

namespace margay::policy {

// A label that is carried, and its carrier's place in the label's list.
struct CarriedLabel {
  KeyId key;
  LabelId label;
  std::uint32_t place = 0;
};

// A parent, and the item's place in its list of children.
struct ParentLink {
  ParentId parent;
  std::uint32_t place = 0;
};

struct Item {
  std::vector<CarriedLabel> labels;
  absl::InlinedVector<ParentLink, 2> parents;  // earlier ones win
  FewOf<SelectorId> matched;                   // sorted
  bool is_here = false;
};

class Carriers {
 public:
  explicit Carriers(LabelStore& store) : store_(store) {}

  // True if labels or parents are others than before.
  bool put_item(ItemId id, const StringMap& labels, std::span<const std::string_view> parents);
  // Its `matched` must be empty.
  void remove_item(ItemId id);
  // The parent, if its labels are others than before.
  std::optional<ParentId> put_parent(std::string_view name, const StringMap& labels);
  std::optional<ParentId> remove_parent(std::string_view name);

  // Null: not there.
  [[nodiscard]] const Item* find(ItemId id) const {
    return id.value() < items_.size() && items_[id.value()].is_here ? &items_[id.value()] : nullptr;
  }
  Item& item(ItemId id) { return items_[id.value()]; }
  [[nodiscard]] const Item& item(ItemId id) const { return items_[id.value()]; }
  // visit(ItemId) for all that are there.
  template <class Visit>
  void for_each_item(const Visit& visit) const {
    for (std::uint32_t i = 0; i < items_.size(); ++i) {
      if (items_[i].is_here) visit(ItemId(i));
    }
  }
  // visit(ItemId) for those that carry the label or could inherit it; for some more than once.
  template <class Visit>
  void for_each_having(LabelId id, const Visit& visit) const {
    const LabelStore::Label& label = store_.label(id);
    for (const ItemId item : label.items) visit(item);
    for (const ParentId parent : label.parents) {
      for (const ItemId item : children(parent)) visit(item);
    }
  }
  [[nodiscard]] std::size_t count_having(LabelId id) const;
  [[nodiscard]] const std::vector<ItemId>& children(ParentId id) const { return parents_[id.value()].children; }

  // Its own label, or the first parent's that has it.
  [[nodiscard]] std::optional<LabelId> find_label(const Item& item, KeyId key) const;
  // All labels it carries or could inherit; hidden ones too.
  template <class Visit>
  void for_each_label(const Item& item, Visit&& visit) const {
    for (const CarriedLabel& carried : item.labels) visit(carried);
    for (const ParentLink& link : item.parents) {
      for (const CarriedLabel& carried : parents_[link.parent.value()].labels) visit(carried);
    }
  }

 private:
  struct Parent {
    std::string name;
    std::vector<CarriedLabel> labels;
    std::vector<ItemId> children;
    bool is_put = false;
  };
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  using Links = absl::InlinedVector<ParentLink, 2>;
  std::vector<CarriedLabel> acquire_all(const StringMap& labels);
  void release_all(const std::vector<CarriedLabel>& labels);
  ParentId parent_named(std::string_view name);
  void drop_if_unused(ParentId id);
  // Makes parents that are not there.
  Links links_to(std::span<const std::string_view> names);
  void set_item_labels(ItemId id, std::vector<CarriedLabel> labels);
  void set_parent_labels(ParentId id, std::vector<CarriedLabel> labels);
  void set_links(ItemId id, const Links& links);

  LabelStore& store_;
  std::vector<Item> items_;
  std::vector<Parent> parents_;
  std::vector<ParentId> free_parents_;
  absl::flat_hash_map<std::string, ParentId, NameHash, std::equal_to<>> parents_by_name_;
};

}  // namespace margay::policy
