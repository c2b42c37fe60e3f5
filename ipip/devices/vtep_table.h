// VtepTable: remote ends of the VXLAN of one family as the entries a device needs: neighbours (address to MAC) and
// forwarding (MAC to node). Pure.
//
// While a node is replaced by another with the same address or MAC, both may be there for a moment, in any order: the
// last by name counts, and what one gives up the other keeps.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "ipip/plan/plan.h"

namespace margay::ipip {

class VtepTable {
 public:
  struct Touched {
    std::set<IpAddress> addresses;
    std::set<Mac> macs;
  };
  // nullopt: gone. Adds what may have other entries now.
  void set(const std::string& node, const std::optional<Vtep>& vtep, Touched& touched);

  [[nodiscard]] std::optional<Mac> neighbour(const IpAddress& address) const;
  [[nodiscard]] std::optional<IpAddress> forwarding(const Mac& mac) const;
  [[nodiscard]] Touched all() const;

 private:
  std::map<std::string, Vtep> vteps_;
  std::map<IpAddress, std::map<std::string, Mac>> by_address_;
  std::map<Mac, std::map<std::string, IpAddress>> by_mac_;
};

}  // namespace margay::ipip
