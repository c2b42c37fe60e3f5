// Which of the two back ends of iptables to use: found by trying, not by version numbers.
//
// iptables is two programs of one name: the one writes through nftables (nft), the other through the older interface of
// the kernel (legacy). Rules of both are in force at once, so ours must stand where those of others are, and not in
// both. Thread: the dataplane's; calls run programs.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "dataplane/exec/runner.h"
#include "dataplane/iptables/rule.h"

namespace margay::iptables {

enum class Backend : std::uint8_t { kNft, kLegacy };
// As FelixConfiguration's iptablesBackend: Auto, NFT, Legacy.
enum class BackendMode : std::uint8_t { kAuto, kNft, kLegacy };

std::string_view to_string(Backend backend);  // "nft", "legacy"

struct BackendChoice {
  Backend backend = Backend::kNft;
  std::string why;  // for people: "iptables-legacy has 214 rules of others, iptables-nft has 3"
  // Tables of the other back end that hold chains of ours from an earlier life. Once the new ones are in place:
  // remove_leftovers().
  std::set<TableId> leftovers;
};

// In this order: what was asked for; what works at all; where the kubelet has put its marks; where others have more
// rules; where ours were; nft. kUnsupported: none works, or the one asked for does not; the message says why.
Result<BackendChoice> choose_backend(exec::Runner& runner, BackendMode mode);

// Removes all chains of ours from those tables of `backend`; nothing of others. Call it again with the same tables
// after an error.
Status remove_leftovers(exec::Runner& runner, Backend backend, const std::set<TableId>& tables);

}  // namespace margay::iptables
