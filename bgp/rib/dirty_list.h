// DirtyList: prefixes that wait to be decided, each once, in the order in which they were marked.
#pragma once

#include <cstddef>
#include <vector>

#include "bgp/rib/tables.h"

namespace margay::bgp::rib {

class DirtyList {
 public:
  explicit DirtyList(Tables& tables) : tables_(tables) {}

  void mark(Family family, PrefixId prefix) {
    PrefixEntry& entry = tables_.prefixes[family][prefix];
    if (entry.is_dirty) return;
    entry.is_dirty = true;
    lists_[family].ids.push_back(prefix);
  }
  void mark_all() {
    for (const Family family : kFamilies) {
      PrefixTable& prefixes = tables_.prefixes[family];
      for (PrefixId prefix = 0; prefix < prefixes.limit(); ++prefix) {
        if (prefixes[prefix].is_used) mark(family, prefix);
      }
    }
  }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::size_t size() const {
    std::size_t size = 0;
    for (const Family family : kFamilies) size += lists_[family].ids.size() - lists_[family].done;
    return size;
  }

  // decide(family, prefix) for at most `count` of them; each is no longer dirty, and forgotten if nobody needs it then.
  template <class Decide>
  void work_off(std::size_t count, const Decide& decide) {
    for (const Family family : kFamilies) {
      List& list = lists_[family];
      for (; list.done < list.ids.size() && count > 0; ++list.done, --count) {
        const PrefixId prefix = list.ids[list.done];
        tables_.prefixes[family][prefix].is_dirty = false;
        tables_.prefixes[family].hold(prefix);
        decide(family, prefix);
        tables_.prefixes[family].unhold(prefix);
      }
      if (list.done < list.ids.size()) continue;
      list.done = 0;
      list.ids.clear();
      if (list.ids.capacity() > kKept) std::vector<PrefixId>().swap(list.ids);
    }
  }

 private:
  static constexpr std::size_t kKept = 16 * 1024;
  struct List {
    std::vector<PrefixId> ids;
    std::size_t done = 0;
  };
  Tables& tables_;
  PerFamily<List> lists_;
};

}  // namespace margay::bgp::rib
