// LabelStore: labels (key and value) and their keys as numbers, each with what carries it or demands it.
//
// A number lives as long as somebody uses it; then it is given to another label. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "policy/index/label_index.h"

namespace margay::policy {

using KeyId = Id<struct LabelKeyTag, std::uint32_t>;
using LabelId = Id<struct LabelTag, std::uint32_t>;
using ParentId = Id<struct LabelParentTag, std::uint32_t>;

// Most lists have few members; four take no more room than a vector's own three words.
template <class T>
using FewOf = absl::InlinedVector<T, 4>;

class LabelStore {
 public:
  struct Key {
    std::string text;
    FewOf<LabelId> labels;        // all with this key
    FewOf<SelectorId> selectors;  // that are found by it: they demand its presence
    std::uint32_t users = 0;      // labels and selectors
  };
  struct Label {
    KeyId key;
    std::uint32_t place = 0;  // in its key's list
    std::uint32_t users = 0;
    std::string value;
    FewOf<ItemId> items;  // that carry it themselves
    FewOf<ParentId> parents;
    FewOf<SelectorId> selectors;  // that are found by it: they demand it, or it among others
  };

  LabelStore() = default;
  LabelStore(const LabelStore&) = delete;
  LabelStore& operator=(const LabelStore&) = delete;

  // Each is one user more, or one less.
  LabelId acquire(std::string_view key, std::string_view value);
  void release(LabelId id);
  KeyId acquire_key(std::string_view key);
  void release_key(KeyId id);

  Label& label(LabelId id) { return labels_[id.value()]; }
  [[nodiscard]] const Label& label(LabelId id) const { return labels_[id.value()]; }
  Key& key(KeyId id) { return keys_[id.value()]; }
  [[nodiscard]] const Key& key(KeyId id) const { return keys_[id.value()]; }
  // Labels in use.
  [[nodiscard]] std::size_t size() const { return by_text_.size(); }

 private:
  struct Text {
    std::string_view key;
    std::string_view value;
    friend bool operator==(const Text&, const Text&) = default;
  };
  struct Hash {
    using is_transparent = void;
    const LabelStore* store;
    std::size_t operator()(const Text& text) const;
    std::size_t operator()(LabelId id) const { return (*this)(store->text_of(id)); }
  };
  struct Equal {
    using is_transparent = void;
    const LabelStore* store;
    bool operator()(LabelId a, LabelId b) const { return a == b; }
    bool operator()(LabelId a, const Text& b) const { return store->text_of(a) == b; }
    bool operator()(const Text& a, LabelId b) const { return store->text_of(b) == a; }
  };
  [[nodiscard]] Text text_of(LabelId id) const { return {key(label(id).key).text, label(id).value}; }
  LabelId make(std::string_view key, std::string_view value);

  std::vector<Key> keys_;
  std::vector<KeyId> free_keys_;
  std::map<std::string, KeyId, std::less<>> keys_by_text_;
  std::vector<Label> labels_;
  std::vector<LabelId> free_labels_;
  absl::flat_hash_set<LabelId, Hash, Equal> by_text_{0, Hash{this}, Equal{this}};
};

}  // namespace margay::policy
