#include "agent/render/owned_chains.h"

#include <set>

namespace margay::render {

// New chains first, so that what old and new ones both use stays.
void OwnedChains::replace(const std::string& owner, EndpointChains chains) {
  std::set<std::pair<iptables::TableId, std::string>> names;
  for (auto& [table, chain] : chains.chains) {
    names.emplace(table, chain.name);
    tables_.put(table, std::move(chain));
  }
  const auto before = owners_.find(owner);
  if (before != owners_.end()) {
    for (const auto& [table, name] : before->second.names) {
      if (!names.contains({table, name})) tables_.remove(table, name);
    }
    owners_.erase(before);
  }
  if (names.empty()) return;
  owners_.emplace(owner, Owned{.names = {names.begin(), names.end()}, .uses = std::move(chains.uses)});
}

std::vector<std::string> OwnedChains::owners() const {
  std::vector<std::string> out;
  for (const auto& [owner, owned] : owners_) out.push_back(owner);
  return out;
}

}  // namespace margay::render
