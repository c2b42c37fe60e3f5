// PrefixWalk: the prefixes of a table in order, a piece at a time, while the table changes.
//
// Numbers are gathered in runs, each sorted by itself, and the runs merged as the walk goes on: no step takes longer
// than another, and the walk holds 8 bytes a prefix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/ip/prefix.h"
#include "bgp/rib/ids.h"
#include "bgp/rib/prefix_table.h"

namespace margay::bgp::rib {

class PrefixWalk {
 public:
  explicit PrefixWalk(const PrefixTable& table) : table_(table) {}
  // False: that was all.
  bool step(std::size_t prefixes, const std::function<void(PrefixId)>& visit);

 private:
  // A number, and by what to see that it is still that prefix's: numbers are used again.
  struct Item {
    PrefixId id = 0;
    std::uint32_t fingerprint = 0;
  };
  struct Head {
    IpPrefix prefix;
    PrefixId id = 0;
    std::size_t run = 0;
  };
  static bool is_later(const Head& a, const Head& b) { return b.prefix < a.prefix; }
  [[nodiscard]] Item item_of(PrefixId id) const;
  [[nodiscard]] bool is_same(const Item& item) const;
  void gather(std::size_t count);
  void end_run();
  void push_head(std::size_t run);
  std::optional<Head> pop_head();

  const PrefixTable& table_;
  PrefixId next_ = 0;  // to gather
  bool is_gathered_ = false;
  std::vector<std::vector<Item>> runs_;  // the least last
  std::vector<Head> heads_;              // a heap
  std::optional<IpPrefix> last_;
};

}  // namespace margay::bgp::rib
