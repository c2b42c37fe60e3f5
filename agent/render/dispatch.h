// Dispatch: from the chain that all packets pass to the chain of the one interface they are from or for.
//
// A few interfaces are a list; many are a tree by the characters of their names, so that a packet passes a few dozen
// rules at most, and a new interface changes one small chain. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/render/endpoint_rules.h"
#include "dataplane/iptables/rule.h"

namespace margay::render {

struct Dispatch {
  std::string root;                            // the chain's name
  bool by_output = false;                      // the interface the packet leaves by; else the one it came by
  std::map<std::string, std::string> targets;  // chains, by interface; "": back
  Rules end;                                   // for interfaces without a chain
};

std::vector<iptables::Chain> dispatch_chains(const Dispatch& dispatch);

}  // namespace margay::render
