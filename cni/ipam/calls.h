// Calls: what the machines of address management ask of the API server, one at a time, and what it answers. Pure.
//
//   machine ──Call──▶ whoever does it (agent, controllers, netctl, a model checker) ──Answer──▶ machine
//
// Compare-and-swap: kUpdate and kDelete carry metadata.resourceVersion (kDelete also the UID) of what was read, and are
// answered with kConflict (or kNotFound) when somebody else was first. kUnavailable and kTimeout: it may have happened,
// and may still happen; whoever gets them reads before it goes on.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/core/result.h"
#include "datastore/model/ipam.h"

namespace margay::ipam {

using Object = std::variant<model::IpamBlock, model::BlockAffinity, model::IpamHandle>;

enum class Verb { kGet, kCreate, kUpdate, kDelete };

struct Call {
  Verb verb = Verb::kGet;
  Object object;  // kGet: only its name counts
};

// The object as it is now; of kDelete, as it was asked for.
using Answer = Result<Object>;

// It is not known whether the call was done.
inline bool is_unknown(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout;
}
inline bool is_lost_race(const Error& error) {
  return error.code == ErrorCode::kConflict || error.code == ErrorCode::kNotFound;
}

inline const model::ObjectMeta& metadata_of(const Object& object) {
  return std::visit([](const auto& each) -> const model::ObjectMeta& { return each.metadata; }, object);
}

// One attempt after the other against others who write the same objects; more than that is somebody's bug.
inline constexpr int kAttemptsMax = 100;

}  // namespace margay::ipam
