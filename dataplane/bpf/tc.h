// Programs at tc: filters of the clsact qdisc of an interface, in the network namespace the calling thread is in.
//
// Each filter has a place of our own (priority and handle), so filters of others stay, before and behind; ours pass
// packets on with TC_ACT_UNSPEC. Putting a program where one of ours is replaces it in one step: every packet meets one
// or the other. A filter stays when the process ends. The qdisc is made when it is missing and never removed: others
// may use it by then, and an empty one costs nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "base/core/result.h"
#include "base/ip/ids.h"

namespace margay::bpf {

enum class Direction : std::uint8_t { kIngress, kEgress };

// Where a filter stands.
struct TcPlace {
  IfIndex interface;
  Direction direction = Direction::kIngress;
  std::uint32_t priority = 0;
  std::uint32_t handle = 0;
};

// What attach() makes when it is missing, alone. The kernel stops the interface for it (linux: net/sched/sch_api.c,
// qdisc_graft), and a packet or two get lost: better at a moment when nobody counts on it than with the first program.
Status make_hook(IfIndex interface);
// The id of the program there; nullopt: none, no qdisc, no interface.
Result<std::optional<std::uint32_t>> program_at(const TcPlace& place);
// kNotFound: no such interface.
Status attach(const TcPlace& place, int program);
// What is absent is as good as removed.
Status detach(const TcPlace& place);

}  // namespace margay::bpf
