// PendingList: the places of a map that wait to be worked on, walked in key order; for DeltaTracker.
//
// Adding and removing take constant time and no memory of their own for each: an element of the map says where it is
// listed (`place`), one that was taken out leaves a hole. Sorted when a walk begins, and only if what was added did not
// come in order. Holes never outnumber what is listed by more than a few when something is added.
// `At` is an iterator of a std::map whose values have a member `std::size_t place`. A pure value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace margay {

template <class At>
class PendingList {
 public:
  // `none`: the map's end(), which is never listed.
  explicit PendingList(At none) : none_(none) {}

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Places in memory, holes included.
  [[nodiscard]] std::size_t memory() const { return places_.size(); }

  void add(At at) {
    if (places_.size() > 2 * size_ + kHolesMax) close_holes();
    is_sorted_ = is_sorted_ && (places_.empty() || places_.back()->first < at->first);
    at->second.place = places_.size();
    places_.push_back(at);
    ++size_;
  }

  void remove(At at) {
    places_[at->second.place] = none_;
    if (--size_ == 0) return clear();
    while (places_[first_] == none_) ++first_;
    while (places_.back() == none_) places_.pop_back();
  }

  // visit(at) -> bool, false: no further. It may remove what it is given, and nothing else; it adds nothing.
  template <class Visit>
  void walk(Visit&& visit) {
    sort();
    for (std::size_t place = first_; place < places_.size(); ++place) {
      const At at = places_[place];
      if (at != none_ && !visit(at)) return;
    }
  }

 private:
  static constexpr std::size_t kHolesMax = 64;
  static constexpr std::size_t kKeptMax = 4096;  // an empty list gives back what is longer

  void clear() {
    places_.clear();
    if (places_.capacity() > kKeptMax) places_.shrink_to_fit();
    first_ = 0;
    is_sorted_ = true;
  }

  void close_holes() {
    std::erase(places_, none_);
    number();
  }

  void sort() {
    if (is_sorted_) return;
    std::erase(places_, none_);
    std::sort(places_.begin(), places_.end(), [](const At& a, const At& b) { return a->first < b->first; });
    number();
    is_sorted_ = true;
  }

  void number() {
    first_ = 0;
    for (std::size_t place = 0; place < places_.size(); ++place) places_[place]->second.place = place;
  }

  At none_;
  std::vector<At> places_;  // the last is no hole
  std::size_t first_ = 0;   // all before it are holes, it is none
  std::size_t size_ = 0;
  bool is_sorted_ = true;
};

}  // namespace margay
