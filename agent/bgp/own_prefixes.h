// OwnPrefixes: the workload addresses this node tells its BGP peers of: its blocks as wholes, and, alone, addresses
// that its workloads have from blocks of other nodes (or from none). Pure.
//
//   BlockAffinity confirmed ─▶ block                         told as it is
//   IPAMBlock of another, address given to this node ─┐
//   local WorkloadEndpoint ───────────────────────────┴─▶ inside a pool, outside of our blocks: told alone
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ip/prefix.h"
#include "base/ip/prefix_trie.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/ipam.h"
#include "datastore/model/key.h"

namespace margay::agent {

class OwnPrefixes {
 public:
  explicit OwnPrefixes(std::string node) : node_(std::move(node)) {}

  // nullptr: absent.
  void set_affinity(const model::ObjectKey& key, const std::shared_ptr<const model::BlockAffinity>& affinity);
  void set_block(const model::ObjectKey& key, const std::shared_ptr<const model::IpamBlock>& block);
  void set_workload(const model::ObjectKey& key, const std::shared_ptr<const model::WorkloadEndpoint>& workload);
  // What addresses may be told inside of.
  void set_pools(const std::vector<IpPrefix>& pools);

  // True if prefixes() changed.
  bool update();
  [[nodiscard]] const std::set<IpPrefix>& prefixes() const { return prefixes_; }

 private:
  using Name = std::pair<std::string, std::string>;
  template <class Key, class Value>
  void put(std::map<Key, Value>& map, const Key& key, Value value);
  [[nodiscard]] bool is_told_alone(const IpPrefix& prefix) const;

  std::string node_;
  std::map<std::string, std::set<IpPrefix>> blocks_;  // by the name of the affinity
  std::map<std::string, std::set<IpPrefix>> given_;   // by the name of the block
  std::map<Name, std::set<IpPrefix>> workloads_;
  PrefixTrie<bool> own_blocks_, pools_;
  std::set<IpPrefix> prefixes_;
  bool is_dirty_ = true;
};

}  // namespace margay::agent
