// NearMap<Key, T>: a std::map that remembers where it was last changed. Keys that come in order, as they do from a dump
// or from another map, cost a comparison or two instead of a look-up. Places stay valid as those of std::map do.
// A pure value; not copied, as its users keep places of it.
#pragma once

#include <cstddef>
#include <iterator>
#include <map>
#include <utility>

namespace margay {

template <class Key, class T>
class NearMap {
 public:
  using At = typename std::map<Key, T>::iterator;
  using ConstAt = typename std::map<Key, T>::const_iterator;

  NearMap() = default;
  NearMap(const NearMap&) = delete;
  NearMap& operator=(const NearMap&) = delete;

  [[nodiscard]] std::size_t size() const { return map_.size(); }
  At begin() { return map_.begin(); }
  At end() { return map_.end(); }
  [[nodiscard]] ConstAt begin() const { return map_.begin(); }
  [[nodiscard]] ConstAt end() const { return map_.end(); }

  // The place of the key. If there was none it is made of `value`, which is moved from only then.
  template <class Value>
  At put(const Key& key, Value& value) {
    const At at = map_.try_emplace(next_, key, std::move(value));
    next_ = std::next(at);
    return at;
  }

  At find(const Key& key) {
    const bool is_next = next_ != map_.end() && next_->first == key;
    const At at = is_next ? next_ : map_.find(key);
    if (at != map_.end()) next_ = std::next(at);
    return at;
  }

  // Does not move the place that is remembered: looking before putting is as cheap.
  [[nodiscard]] ConstAt find(const Key& key) const {
    const bool is_at_end = next_ == map_.end();
    if (!is_at_end && next_->first < key) return map_.find(key);
    if (!is_at_end && !(key < next_->first)) return next_;
    const bool is_gap = next_ == map_.begin() || std::prev(next_)->first < key;
    return is_gap ? map_.end() : map_.find(key);
  }

  void erase(At at) {
    if (at == next_) ++next_;
    map_.erase(at);
  }

 private:
  std::map<Key, T> map_;
  At next_ = map_.end();  // after the place that was changed last
};

}  // namespace margay
