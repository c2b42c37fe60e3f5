// StringMap: a small map of strings to strings, such as the labels of an object; 8 bytes and one allocation, which
// copies share (and, through a TextPool, equal maps).
//
// Made for hundreds of thousands of maps that are built once and read often: keys are sorted, look-up is a binary
// search, a change rebuilds the map. Iteration gives (key, value) views in order of the keys; views live until the next
// change.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/shared_text.h"

namespace margay {

class StringMap {
 public:
  using Entry = std::pair<std::string_view, std::string_view>;

  StringMap() = default;
  StringMap(std::initializer_list<Entry> entries);
  // In any order; of equal keys the last counts.
  static StringMap of(std::vector<Entry> entries);

  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
  // The value, or "" when there is none.
  [[nodiscard]] std::string_view get(std::string_view key) const { return find(key).value_or(std::string_view{}); }
  [[nodiscard]] bool contains(std::string_view key) const { return find(key).has_value(); }
  [[nodiscard]] std::size_t size() const { return storage_.empty() ? 0 : number_at(0); }
  [[nodiscard]] bool empty() const { return storage_.empty(); }

  void set(std::string_view key, std::string_view value);
  bool erase(std::string_view key);  // true if it was there

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = Entry;
    Iterator() = default;
    Entry operator*() const { return map_->at(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++index_;
      return before;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    friend class StringMap;
    Iterator(const StringMap* map, std::size_t index) : map_(map), index_(index) {}
    const StringMap* map_ = nullptr;
    std::size_t index_ = 0;
  };
  [[nodiscard]] Iterator begin() const { return {this, 0}; }
  [[nodiscard]] Iterator end() const { return {this, size()}; }

  // Equal maps have equal storage. The order is total, and otherwise of no meaning.
  friend bool operator==(const StringMap&, const StringMap&) = default;
  friend auto operator<=>(const StringMap&, const StringMap&) = default;

 private:
  friend class TextPool;
  explicit StringMap(SharedText storage) : storage_(std::move(storage)) {}
  // The numbers in front of the pieces: how many entries, then where each piece ends.
  [[nodiscard]] std::uint32_t number_at(std::size_t index) const;
  [[nodiscard]] Entry at(std::size_t index) const;
  [[nodiscard]] std::size_t lower_bound(std::string_view key) const;
  [[nodiscard]] std::vector<Entry> entries() const;
  static StringMap pack(const std::vector<Entry>& sorted);

  // 32-bit numbers, then the pieces themselves: key, value, key, value, …
  SharedText storage_;
};

}  // namespace margay
