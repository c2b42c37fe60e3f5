// StringMap: a small map of strings to strings, such as the labels of an object, in one allocation.
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
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

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
  [[nodiscard]] Iterator end() const { return {this, size_}; }

  // Equal maps have equal storage. The order is total, and otherwise of no meaning.
  friend bool operator==(const StringMap&, const StringMap&) = default;
  friend auto operator<=>(const StringMap&, const StringMap&) = default;

 private:
  [[nodiscard]] Entry at(std::size_t index) const;
  [[nodiscard]] std::uint32_t piece_end(std::size_t piece) const;
  [[nodiscard]] std::size_t lower_bound(std::string_view key) const;
  [[nodiscard]] std::vector<Entry> entries() const;
  static StringMap pack(const std::vector<Entry>& sorted);

  // The ends of all pieces (key, value, key, value, …) as 32-bit offsets into what follows them: the pieces themselves.
  std::string storage_;
  std::uint32_t size_ = 0;
};

}  // namespace margay
