// BlockClaims: which node each prefix belongs to, by the blocks of IPAM: a block to the node it is affine to, an
// address that another node has from it to that one. Pure; costs the block that changed.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/ip/prefix.h"
#include "datastore/model/ipam.h"

namespace margay::ipip {

class BlockClaims {
 public:
  // nullptr: absent. Adds prefixes whose node may have changed to `dirty`.
  void set(const std::string& name, const model::IpamBlockSpec* block, std::set<IpPrefix>& dirty);

  // nullptr: nobody's. Of two blocks that claim one prefix, which is a mistake of somebody, the last by name counts.
  [[nodiscard]] const std::string* node_of(const IpPrefix& prefix) const;
  [[nodiscard]] const std::set<IpPrefix>& prefixes_of(const std::string& node) const;
  [[nodiscard]] const std::map<IpPrefix, std::map<std::string, std::string>>& all() const { return claims_; }
  // Whether the prefix is a whole block of the node.
  [[nodiscard]] bool is_block_of(const IpPrefix& prefix, const std::string& node) const;

 private:
  using Claims = std::map<IpPrefix, std::string>;
  struct Block {
    IpPrefix cidr;
    std::string owner;  // empty: none
    Claims claims;
  };
  static Block block_of(const model::IpamBlockSpec& spec);
  void forget(const std::string& name, std::set<IpPrefix>& dirty);

  std::map<std::string, Block> blocks_;
  std::map<IpPrefix, std::map<std::string, std::string>> claims_;  // by block: node
  std::map<std::string, std::set<IpPrefix>> prefixes_;             // by node
  std::map<IpPrefix, std::map<std::string, std::string>> owners_;  // of whole blocks
  const std::set<IpPrefix> none_{};
};

}  // namespace margay::ipip
