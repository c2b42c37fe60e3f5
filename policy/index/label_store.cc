#include "policy/index/label_store.h"

#include <functional>

#include "base/core/check.h"

namespace margay::policy {
namespace {

// A place in `slots` that is free, or a new one.
template <class Id, class Slot>
Id take_slot(std::vector<Slot>& slots, std::vector<Id>& free) {
  if (free.empty()) {
    slots.emplace_back();
    return Id(static_cast<std::uint32_t>(slots.size() - 1));
  }
  const Id id = free.back();
  free.pop_back();
  return id;
}

// Nobody is on the list of what nobody uses; its room goes too.
template <class List>
void give_back(List& list) {
  MARGAY_CHECK(list.empty());
  list.shrink_to_fit();
}

}  // namespace

std::size_t LabelStore::Hash::operator()(const Text& text) const {
  constexpr std::hash<std::string_view> kHash;
  return kHash(text.key) * 0x9e3779b97f4a7c15U ^ kHash(text.value);
}

LabelId LabelStore::acquire(std::string_view key, std::string_view value) {
  const auto found = by_text_.find(Text{key, value});
  const LabelId id = found != by_text_.end() ? *found : make(key, value);
  ++label(id).users;
  return id;
}

LabelId LabelStore::make(std::string_view key, std::string_view value) {
  const KeyId key_id = acquire_key(key);
  const LabelId id = take_slot(labels_, free_labels_);
  Label& made = label(id);
  made.key = key_id;
  made.value = value;
  FewOf<LabelId>& siblings = this->key(key_id).labels;
  made.place = static_cast<std::uint32_t>(siblings.size());
  siblings.push_back(id);
  by_text_.insert(id);
  return id;
}

void LabelStore::release(LabelId id) {
  Label& gone = label(id);
  if (--gone.users > 0) return;
  by_text_.erase(id);
  FewOf<LabelId>& siblings = key(gone.key).labels;
  siblings[gone.place] = siblings.back();
  label(siblings.back()).place = gone.place;
  siblings.pop_back();
  release_key(gone.key);
  gone.value = std::string();
  give_back(gone.items);
  give_back(gone.parents);
  give_back(gone.selectors);
  free_labels_.push_back(id);
}

KeyId LabelStore::acquire_key(std::string_view key) {
  auto at = keys_by_text_.find(key);
  if (at == keys_by_text_.end()) {
    at = keys_by_text_.emplace(key, take_slot(keys_, free_keys_)).first;
    this->key(at->second).text = key;
  }
  ++this->key(at->second).users;
  return at->second;
}

void LabelStore::release_key(KeyId id) {
  Key& gone = key(id);
  if (--gone.users > 0) return;
  keys_by_text_.erase(gone.text);
  gone.text = std::string();
  give_back(gone.labels);
  give_back(gone.selectors);
  free_keys_.push_back(id);
}

}  // namespace margay::policy
