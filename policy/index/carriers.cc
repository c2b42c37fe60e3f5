#include "policy/index/carriers.h"

#include <algorithm>
#include <utility>

#include "policy/index/grow.h"

namespace margay::policy {
namespace {

CarriedLabel* find_key(std::vector<CarriedLabel>& labels, KeyId key) {
  return &*std::find_if(labels.begin(), labels.end(),
                        [key](const CarriedLabel& carried) { return carried.key == key; });
}

const CarriedLabel* find_key(const std::vector<CarriedLabel>& labels, KeyId key) {
  for (const CarriedLabel& carried : labels) {
    if (carried.key == key) return &carried;
  }
  return nullptr;
}

bool are_same(const std::vector<CarriedLabel>& a, const std::vector<CarriedLabel>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const CarriedLabel& x, const CarriedLabel& y) { return x.label == y.label; });
}

bool are_same(const absl::InlinedVector<ParentLink, 2>& a, const absl::InlinedVector<ParentLink, 2>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ParentLink& x, const ParentLink& y) { return x.parent == y.parent; });
}

// Puts `id` at the end of each label's list.
template <class Carrier, class ListOf>
void list_at_labels(Carrier id, std::vector<CarriedLabel>& labels, ListOf list_of) {
  for (CarriedLabel& carried : labels) {
    FewOf<Carrier>& list = list_of(carried.label);
    carried.place = static_cast<std::uint32_t>(list.size());
    list.push_back(id);
  }
}

// Takes a carrier off each label's list; the last of the list moves to its place. labels_of(id): the labels of `id`.
template <class ListOf, class LabelsOf>
void unlist_at_labels(const std::vector<CarriedLabel>& labels, ListOf list_of, LabelsOf labels_of) {
  for (const CarriedLabel& carried : labels) {
    auto& list = list_of(carried.label);
    const auto moved = list.back();
    list[carried.place] = moved;
    find_key(labels_of(moved), carried.key)->place = carried.place;
    list.pop_back();
  }
}

}  // namespace

std::vector<CarriedLabel> Carriers::acquire_all(const StringMap& labels) {
  std::vector<CarriedLabel> out;
  out.reserve(labels.size());
  for (const auto& [key, value] : labels) {
    const LabelId label = store_.acquire(key, value);
    out.push_back({.key = store_.label(label).key, .label = label});
  }
  return out;
}

void Carriers::release_all(const std::vector<CarriedLabel>& labels) {
  for (const CarriedLabel& carried : labels) store_.release(carried.label);
}

bool Carriers::put_item(ItemId id, const StringMap& labels, std::span<const std::string_view> parents) {
  grow_to(items_, std::size_t{id.value()} + 1);
  std::vector<CarriedLabel> carried = acquire_all(labels);
  const Links links = links_to(parents);
  const Item& at = item(id);
  const bool is_same = at.is_here && are_same(at.labels, carried) && are_same(at.parents, links);
  item(id).is_here = true;
  if (is_same) {
    release_all(carried);
    return false;
  }
  set_item_labels(id, std::move(carried));
  set_links(id, links);
  return true;
}

void Carriers::remove_item(ItemId id) {
  set_item_labels(id, {});
  set_links(id, {});
  item(id).is_here = false;
}

void Carriers::set_item_labels(ItemId id, std::vector<CarriedLabel> labels) {
  const auto list_of = [this](LabelId label) -> FewOf<ItemId>& { return store_.label(label).items; };
  std::vector<CarriedLabel>& mine = item(id).labels;
  unlist_at_labels(
      mine, list_of, [this](ItemId other) -> auto& { return item(other).labels; });
  const std::vector<CarriedLabel> before = std::exchange(mine, std::move(labels));
  list_at_labels(id, mine, list_of);
  release_all(before);
}

void Carriers::set_parent_labels(ParentId id, std::vector<CarriedLabel> labels) {
  const auto list_of = [this](LabelId label) -> FewOf<ParentId>& { return store_.label(label).parents; };
  const auto labels_of = [this](ParentId other) -> auto& { return parents_[other.value()].labels; };
  unlist_at_labels(labels_of(id), list_of, labels_of);
  const std::vector<CarriedLabel> before = std::exchange(labels_of(id), std::move(labels));
  list_at_labels(id, labels_of(id), list_of);
  release_all(before);
}

Carriers::Links Carriers::links_to(std::span<const std::string_view> names) {
  Links out;
  for (const std::string_view name : names) {
    const ParentId parent = parent_named(name);
    const bool is_known =
        std::any_of(out.begin(), out.end(), [parent](const ParentLink& link) { return link.parent == parent; });
    if (!is_known) out.push_back({.parent = parent});
  }
  return out;
}

void Carriers::set_links(ItemId id, const Links& links) {
  const Links before = item(id).parents;
  item(id).parents.clear();
  for (const ParentLink& link : before) {
    std::vector<ItemId>& siblings = parents_[link.parent.value()].children;
    const ItemId moved = siblings.back();
    siblings[link.place] = moved;
    for (ParentLink& other : item(moved).parents) {
      if (other.parent == link.parent) other.place = link.place;
    }
    siblings.pop_back();
  }
  for (const ParentLink& link : links) {
    std::vector<ItemId>& siblings = parents_[link.parent.value()].children;
    item(id).parents.push_back({.parent = link.parent, .place = static_cast<std::uint32_t>(siblings.size())});
    siblings.push_back(id);
  }
  for (const ParentLink& link : before) drop_if_unused(link.parent);
}

std::optional<ParentId> Carriers::put_parent(std::string_view name, const StringMap& labels) {
  const ParentId id = parent_named(name);
  Parent& parent = parents_[id.value()];
  parent.is_put = true;
  std::vector<CarriedLabel> carried = acquire_all(labels);
  if (are_same(parent.labels, carried)) {
    release_all(carried);
    return std::nullopt;
  }
  set_parent_labels(id, std::move(carried));
  return id;
}

std::optional<ParentId> Carriers::remove_parent(std::string_view name) {
  const auto at = parents_by_name_.find(name);
  if (at == parents_by_name_.end()) return std::nullopt;
  const ParentId id = at->second;
  parents_[id.value()].is_put = false;
  const bool has_labels = !parents_[id.value()].labels.empty();
  set_parent_labels(id, {});
  drop_if_unused(id);
  return has_labels ? std::optional(id) : std::nullopt;
}

ParentId Carriers::parent_named(std::string_view name) {
  const auto found = parents_by_name_.find(name);
  if (found != parents_by_name_.end()) return found->second;
  ParentId id(static_cast<std::uint32_t>(parents_.size()));
  if (free_parents_.empty()) {
    parents_.emplace_back();
  } else {
    id = free_parents_.back();
    free_parents_.pop_back();
  }
  parents_[id.value()].name = name;
  parents_by_name_.emplace(name, id);
  return id;
}

void Carriers::drop_if_unused(ParentId id) {
  Parent& parent = parents_[id.value()];
  if (parent.is_put || !parent.children.empty()) return;
  parents_by_name_.erase(parent.name);
  parent = Parent();
  free_parents_.push_back(id);
}

std::size_t Carriers::count_having(LabelId id) const {
  const LabelStore::Label& label = store_.label(id);
  std::size_t count = label.items.size();
  for (const ParentId parent : label.parents) count += children(parent).size();
  return count;
}

std::optional<LabelId> Carriers::find_label(const Item& item, KeyId key) const {
  if (const CarriedLabel* own = find_key(item.labels, key)) return own->label;
  for (const ParentLink& link : item.parents) {
    if (const CarriedLabel* inherited = find_key(parents_[link.parent.value()].labels, key)) return inherited->label;
  }
  return std::nullopt;
}

}  // namespace margay::policy
