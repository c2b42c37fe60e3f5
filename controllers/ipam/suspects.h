// What looks as if it had to be cleaned up, by one look at an IpamView. A look decides nothing: a suspicion has to
// stand for its time, and what is done about it reads everything live first (job.h). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "controllers/ipam/ipam_view.h"
#include "controllers/ipam/job.h"

namespace margay::controllers {

struct CollectRules {
  // How long an address must not be used, by all we see, before it is taken back; nullopt: never, unless its node is
  // gone. Also for empty blocks, and for what only an interrupted writer leaves.
  std::optional<Duration> grace = std::chrono::minutes(15);
  Duration cooldown{0};  // IPAMConfiguration
  // Leases of work: so many leaks are taken into work in one pass, so many jobs go on at once.
  std::size_t leaks_per_pass = 500;
  std::size_t jobs_max = 4;
};

struct Suspect {
  enum class Kind {
    kLeak,       // addresses of an owner that does not use them
    kHandle,     // does not say what the blocks say
    kDeadOwner,  // a block or affinity of a node that is gone
    kIdleOwner,  // an empty block that its node does not need, or an affinity without block
    kOwnerless,  // an empty block of nobody's
    kMarked,     // half deleted
    kCooled,     // slots that have cooled, and nobody writes the block
  };
  using Key = std::pair<Kind, std::string>;

  Kind kind = Kind::kLeak;
  std::string name{};              // of its kind
  std::string stamp{};             // as long as it is the same, it is the same suspicion
  std::optional<Duration> wait{};  // nullopt: nothing is done about it

  Leak leak{};                           // kLeak
  HandleRepair::Request handle{};        // kHandle
  model::BlockOwner owner{};             // kDeadOwner, kIdleOwner
  IpPrefix cidr{};                       // those, kCooled
  std::optional<ipam::Object> object{};  // kMarked, kOwnerless: by name

  [[nodiscard]] Key key() const { return {kind, name}; }
};
std::string_view to_string(Suspect::Kind kind);

// By node and pool, for metrics.
struct BlockTally {
  std::uint64_t blocks = 0;
};
struct AddressTally {
  std::uint64_t in_use = 0, borrowed = 0, suspects = 0;
};
using TallyKey = std::pair<std::string, std::string>;  // node, pool
struct Tally {
  std::map<TallyKey, BlockTally> blocks;       // by the block's owner
  std::map<TallyKey, AddressTally> addresses;  // by the node that gave them
};
inline constexpr std::string_view kNoNode = "no_affinity";
inline constexpr std::string_view kUnknownNode = "unknown_node";
inline constexpr std::string_view kNoPool = "no_ippool";

struct Look {
  std::vector<Suspect> suspects;
  Tally tally;
};

// A view without any node is taken for no view: then nothing is suspected of having lost its node.
Look look_at(const IpamView& view, const CollectRules& rules, WallTime now);

}  // namespace margay::controllers
