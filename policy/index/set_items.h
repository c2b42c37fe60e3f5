// SetItems: the nets and named ports of items, kept small, and found by net. One thread.
#pragma once

#include <vector>

#include "absl/container/inlined_vector.h"
#include "base/core/text_pool.h"
#include "policy/index/net_table.h"
#include "policy/index/set_index.h"

namespace margay::policy {

struct ItemPort {
  SharedText name;
  model::Protocol protocol;
  Port port;
  friend auto operator<=>(const ItemPort&, const ItemPort&) = default;
};

struct ItemContent {
  absl::InlinedVector<IpPrefix, 1> nets;  // sorted, each once
  std::vector<ItemPort> ports;            // the same
  friend bool operator==(const ItemContent&, const ItemContent&) = default;
};

class SetItems {
 public:
  ItemContent content_of(const SetItem& item);
  // Nothing where there is none.
  [[nodiscard]] const ItemContent& at(ItemId id) const;
  void put(ItemId id, ItemContent content);
  [[nodiscard]] const NetTable& nets() const { return nets_; }

 private:
  std::vector<ItemContent> items_;
  NetTable nets_;
  TextPool names_;
};

}  // namespace margay::policy
