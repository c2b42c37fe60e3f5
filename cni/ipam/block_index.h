// BlockIndex: which blocks there are, whose, and how full, as far as somebody has seen; Listing: what an owner reads
// when it begins. What the index says may be old: it saves tries, it decides nothing. Pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/ip/prefix.h"
#include "datastore/model/ipam.h"

namespace margay::ipam {

struct BlockSummary {
  std::optional<model::BlockOwner> owner{};
  std::size_t free = 0;
  bool is_empty = false;                 // nothing was given or cools
  std::optional<WallTime> claimed_at{};  // by its owner
  friend bool operator==(const BlockSummary&, const BlockSummary&) = default;
};

BlockSummary summary_of(const model::IpamBlockSpec& block);

class BlockIndex {
 public:
  void put(const IpPrefix& cidr, BlockSummary summary) { blocks_[cidr] = std::move(summary); }
  void erase(const IpPrefix& cidr) { blocks_.erase(cidr); }
  // Of one that is known.
  void set_free(const IpPrefix& cidr, std::size_t free) {
    BlockSummary& summary = blocks_[cidr];
    summary.is_empty = false;
    summary.free = free;
  }
  [[nodiscard]] const BlockSummary* find(const IpPrefix& cidr) const;
  // One that has addresses in common with `cidr`; nullptr: none has. Blocks lie apart from each other.
  [[nodiscard]] const std::pair<const IpPrefix, BlockSummary>* overlapping(const IpPrefix& cidr) const;
  [[nodiscard]] const std::map<IpPrefix, BlockSummary>& all() const { return blocks_; }

 private:
  std::map<IpPrefix, BlockSummary> blocks_;
};

// Of one owner.
struct Listing {
  std::vector<model::BlockAffinity> affinities;  // the owner's
  std::vector<model::IpamBlock> blocks;          // the owner's, and those it has addresses of
  BlockIndex index;                              // all
};

// Put together object by object: only what concerns the owner is kept whole.
class ListingBuilder {
 public:
  explicit ListingBuilder(model::BlockOwner owner) : owner_(std::move(owner)) {}
  void add(model::IpamBlock block);
  void add(model::BlockAffinity affinity);
  Listing take() { return std::move(listing_); }

 private:
  model::BlockOwner owner_;
  Listing listing_;
};

}  // namespace margay::ipam
