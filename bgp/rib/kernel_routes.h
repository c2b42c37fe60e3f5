// KernelRoutes: what the owner of the kernel's routes was told of each prefix, and what changes. Kept as a number a
// prefix: few distinct sets of next hops lead to many prefixes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bgp/rib/id_index.h"
#include "bgp/rib/paged_vector.h"
#include "bgp/rib/rib.h"
#include "bgp/rib/tables.h"

namespace margay::bgp::rib {

class KernelRoutes {
 public:
  explicit KernelRoutes(Tables& tables) : tables_(tables) {}

  void set_multipath_max(std::size_t count) { multipath_max_ = count == 0 ? 1 : count; }
  // After the prefix was decided: adds to `changes` if its route is another than before.
  void update(Family family, PrefixId prefix, std::vector<RouteChange>& changes);
  // All that the owner has been told and counts, once more; ordered by prefix.
  [[nodiscard]] std::vector<RouteChange> all() const;

 private:
  struct Entry {
    std::vector<NextHopId> next_hops;  // ordered by next hop, each once
    std::uint32_t priority = 0;
    std::uint32_t references = 0;
    bool is_external = false;
    bool is_elevated = false;
    [[nodiscard]] bool equals(const Entry& other) const;
    [[nodiscard]] std::uint32_t hash() const;
  };
  [[nodiscard]] bool load(const PrefixEntry& entry);  // into wanted_; false: no route
  void add_multipath(const Path& best);
  std::uint32_t intern();
  void release(std::uint32_t id);
  [[nodiscard]] BestRoute route(std::uint32_t id) const;

  Tables& tables_;
  std::size_t multipath_max_ = 16;
  PagedPool<Entry> entries_;
  IdIndex index_;
  Entry wanted_;
  std::uint32_t recent_ = kNoId;
};

}  // namespace margay::bgp::rib
