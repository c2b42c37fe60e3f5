// NameKey: an ObjectName as the key of a map that has one entry for each object of a cluster: 8 bytes and one
// allocation, one comparison of bytes. Orders as ObjectName does (namespaces and names have no zero byte in them).
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "base/core/shared_text.h"
#include "datastore/kube/client.h"

namespace margay::watch {

class NameKey {
 public:
  explicit NameKey(const kube::ObjectName& name)
      : text_(SharedText::made(name.name_space.size() + 1 + name.name.size(), [&name](char* out) {
          out = std::copy(name.name_space.begin(), name.name_space.end(), out);
          *out++ = '\0';
          std::copy(name.name.begin(), name.name.end(), out);
        })) {}

  [[nodiscard]] kube::ObjectName name() const {
    const std::string_view text = text_.view();
    const std::size_t end = text.find('\0');
    return {std::string(text.substr(0, end)), std::string(text.substr(end + 1))};
  }

  // Below zero, zero, above: as std::string::compare.
  [[nodiscard]] int compare(const NameKey& other) const { return text_.view().compare(other.text_.view()); }
  // As with NameKey(name), without making one.
  [[nodiscard]] int compare(const kube::ObjectName& name) const {
    const std::string_view text = text_.view();
    const std::size_t size = name.name_space.size();
    const int front = text.substr(0, size).compare(name.name_space);
    if (front != 0) return front;
    if (text.size() == size) return -1;
    return text[size] != '\0' ? 1 : text.substr(size + 1).compare(name.name);
  }

  // For maps: finds by ObjectName as well.
  struct Less {
    using is_transparent = void;
    bool operator()(const NameKey& a, const NameKey& b) const { return a.compare(b) < 0; }
    bool operator()(const NameKey& a, const kube::ObjectName& b) const { return a.compare(b) < 0; }
    bool operator()(const kube::ObjectName& a, const NameKey& b) const { return b.compare(a) > 0; }
  };

 private:
  SharedText text_;  // namespace, zero byte, name
};

// The entry of that name, made if it is not there. Lists come in order of name: mostly it is behind all others.
template <class Map>
typename Map::value_type& entry_of(Map& map, const kube::ObjectName& name) {
  if (map.empty() || std::prev(map.end())->first.compare(name) < 0) {
    return *map.try_emplace(map.end(), NameKey(name));
  }
  const auto place = map.lower_bound(name);
  if (place != map.end() && place->first.compare(name) == 0) return *place;
  return *map.try_emplace(place, NameKey(name));
}

}  // namespace margay::watch
