#include "controllers/status/pool_fullness.h"

#include <algorithm>

namespace margay::controllers {

Fullness fullness_of(const ipam::Usage& usage, std::optional<bool> was_nearly_full) {
  const double room = static_cast<double>(usage.in_use) + static_cast<double>(usage.available);
  if (room <= 0 || usage.available == 0) return Fullness::kFull;
  const double share = static_cast<double>(usage.in_use) / room;
  const double limit = was_nearly_full.value_or(false) ? kRelaxedShare : kNearlyFullShare;
  return share >= limit ? Fullness::kNearlyFull : Fullness::kRoom;
}

model::Condition condition_of(Fullness fullness) {
  model::Condition out;
  out.type = kNearlyFullCondition;
  switch (fullness) {
    case Fullness::kRoom:
      out.status = model::ConditionStatus::kFalse;
      out.reason = "RoomLeft";
      out.message = "less than nine tenths of the addresses are in use";
      break;
    case Fullness::kNearlyFull:
      out.status = model::ConditionStatus::kTrue;
      out.reason = "FewAddressesLeft";
      out.message = "more than nine tenths of the addresses are in use";
      break;
    case Fullness::kFull:
      out.status = model::ConditionStatus::kTrue;
      out.reason = "NoAddressLeft";
      out.message = "no address is free";
      break;
  }
  return out;
}

std::optional<bool> was_nearly_full(const model::IpPool& pool) {
  const auto& all = pool.status.conditions;
  const auto found =
      std::find_if(all.begin(), all.end(), [](const auto& each) { return each.type == kNearlyFullCondition; });
  if (found == all.end()) return std::nullopt;
  return found->status == model::ConditionStatus::kTrue;
}

}  // namespace margay::controllers
