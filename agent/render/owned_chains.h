// OwnedChains: which chains stand in the tables for whom (an interface), so that they go with him.
//
// Pure, one thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/render/endpoint_rules.h"
#include "agent/render/tables.h"

namespace margay::render {

class OwnedChains {
 public:
  explicit OwnedChains(Tables& tables) : tables_(tables) {}

  // Instead of what the owner had; nothing: he goes.
  void replace(const std::string& owner, EndpointChains chains);
  [[nodiscard]] std::vector<std::string> owners() const;

 private:
  struct Owned {
    std::vector<std::pair<iptables::TableId, std::string>> names;  // sorted
    std::vector<SharedChains::Use> uses;
  };

  Tables& tables_;
  std::map<std::string, Owned> owners_;
};

}  // namespace margay::render
