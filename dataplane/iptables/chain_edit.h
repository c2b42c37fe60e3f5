// The shortest way from the rules a chain has to those it should have, line by line. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataplane/iptables/rule_text.h"

namespace margay::iptables {

struct Edit {
  enum class What : std::uint8_t { kReplace, kInsert, kDelete, kAppend };
  What what = What::kAppend;
  std::size_t position = 0;  // from 1, as it is once the edits before this one are done; kAppend: none
  std::size_t wanted = 0;    // index of the rule it brings; kDelete: none
  friend bool operator==(const Edit&, const Edit&) = default;
};

// In ascending order of position. So each names by its number a rule that was there before (or none): nft looks rules
// up by the kernel's handle, which a rule of the same transaction does not have yet.
std::vector<Edit> edits_between(const std::vector<Mark>& actual, const std::vector<Mark>& wanted);

}  // namespace margay::iptables
