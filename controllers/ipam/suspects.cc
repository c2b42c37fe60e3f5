#include "controllers/ipam/suspects.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/core/text.h"
#include "cni/ipam/block.h"
#include "cni/ipam/names.h"

namespace margay::controllers {
namespace {

using Kind = Suspect::Kind;
using OwnerKind = ipam::AddressOwner::Kind;

constexpr Duration kRepairWaitDefault = std::chrono::minutes(15);
constexpr Duration kCooledWait = std::chrono::minutes(1);
constexpr std::size_t kKeptDivisor = 4;  // as the agents' own rule has it: cni/ipam
constexpr std::size_t kKeptMin = 8;

std::string version_of(const model::ObjectMeta& metadata) { return metadata.resource_version; }

// Handles that this cluster's agents, controllers and Calico's make; others are theirs who made them.
bool is_known_form(std::string_view handle) {
  return handle.find('.') != std::string_view::npos || handle.find("-tunnel-addr-") != std::string_view::npos;
}

// A pod's addresses go together. Of a tunnel there is one at a time, and its node says which.
std::string name_of_group(const std::string& handle, const ipam::AddressOwner& owner, const IpAddress& address) {
  if (!handle.empty() && owner.kind != OwnerKind::kTunnel) return handle;
  return concat("address ", address.to_string());
}

class Looker {
 public:
  Looker(const IpamView& view, const CollectRules& rules, WallTime now) : view_(view), rules_(rules), now_(now) {}

  Look run() {
    for (const auto& [name, block] : view_.blocks()) look_at_block(name, *block);
    end_leaks();
    look_at_handles();
    look_at_affinities();
    look_at_empty_blocks();
    return std::move(out_);
  }

 private:
  struct Group {
    Leak leak;
    std::size_t gone = 0;  // slots whose node is gone
    std::string stamp;
  };
  struct Counted {
    std::string_view handle;  // as blocks write it
    std::map<IpPrefix, std::int32_t> blocks;
  };
  // Of one node and family.
  struct Holding {
    std::size_t room = 0;
    std::vector<const model::IpamBlock*> empty;
  };

  [[nodiscard]] Duration repair_wait() const { return rules_.grace.value_or(kRepairWaitDefault); }
  [[nodiscard]] bool is_node_gone(std::string_view node) const {
    return !view_.nodes().empty() && !node.empty() && view_.node(node) == nullptr;
  }

  Suspect& add(Kind kind, std::string name, std::string stamp, std::optional<Duration> wait) {
    Suspect suspect;
    suspect.kind = kind;
    suspect.name = std::move(name);
    suspect.stamp = std::move(stamp);
    suspect.wait = wait;
    return out_.suspects.emplace_back(std::move(suspect));
  }

  void look_at_block(const std::string& name, const model::IpamBlock& block) {
    const model::IpamBlockSpec& spec = block.spec;
    if (spec.deleted) {
      add(Kind::kMarked, concat("block ", name), version_of(block.metadata), repair_wait()).object = block;
      return;
    }
    if (!ipam::check_block(spec).ok()) return;  // netctl ipam check tells
    sound_[spec.cidr] = &block;
    const model::IpPool* pool = view_.pool_of(spec.cidr);
    const std::string pool_name = pool == nullptr ? std::string(kNoPool) : pool->metadata.name;
    const bool is_hosts = spec.affinity && spec.affinity->type == model::AffinityType::kHost;
    const std::string owner = spec.affinity ? spec.affinity->name : std::string(kNoNode);
    ++out_.tally.blocks[{owner, pool_name}].blocks;
    std::vector<ipam::AddressOwner> owners;
    owners.reserve(spec.attributes.size());
    for (const model::AllocationAttribute& attribute : spec.attributes) owners.push_back(ipam::owner_of(attribute));
    bool has_cooled = false, has_own = false;
    for (std::size_t i = 0; i < spec.allocations.size(); ++i) {
      const auto& slot = spec.allocations[i];
      if (!slot) continue;
      const auto index = static_cast<std::size_t>(*slot);
      const model::AllocationAttribute& attribute = spec.attributes[index];
      if (attribute.handle_id == ipam::kWindowsReservedHandle) continue;
      if (attribute.released_at) {
        has_cooled = has_cooled || now_ - *attribute.released_at > rules_.cooldown + kCooledWait;
        continue;
      }
      has_own = has_own || (is_hosts && owners[index].node == owner);
      const std::string node = owners[index].node.empty() ? std::string(kUnknownNode) : owners[index].node;
      AddressTally& tally = out_.tally.addresses[{node, pool_name}];
      ++tally.in_use;
      if (node != owner) ++tally.borrowed;
      look_at_slot(spec, static_cast<ipam::Ordinal>(i), attribute, owners[index], tally);
    }
    if (has_cooled) add(Kind::kCooled, name, version_of(block.metadata), Duration::zero()).cidr = spec.cidr;
    if (is_hosts && is_node_gone(owner)) {
      if (has_own) in_use_by_dead_.insert(spec.cidr);
      if (!has_own) suspect_owner(Kind::kDeadOwner, *spec.affinity, spec.cidr, "", Duration::zero());
    }
  }

  void look_at_slot(const model::IpamBlockSpec& block, ipam::Ordinal ordinal,
                    const model::AllocationAttribute& attribute, const ipam::AddressOwner& owner, AddressTally& tally) {
    const IpAddress address = ipam::address_at(block, ordinal);
    if (!attribute.handle_id.empty()) {
      Counted& counted = counted_[ipam::handle_name(attribute.handle_id)];
      counted.handle = attribute.handle_id;
      ++counted.blocks[block.cidr];
    }
    const std::string group_name = name_of_group(attribute.handle_id, owner, address);
    if (is_used(owner, address)) {
      used_.insert(group_name);
      return;
    }
    ++tally.suspects;
    const auto sequence = block.sequence_number_for_allocation.find(ordinal);
    LeakedSlot slot{address, attribute.handle_id,
                    sequence == block.sequence_number_for_allocation.end() ? 0 : sequence->second, block.cidr, owner};
    Group& group = groups_[group_name];
    group.gone += is_node_gone(owner.node) ? 1U : 0U;
    group.stamp += concat(address.to_string(), '#', slot.sequence, ' ');
    group.leak.slots.push_back(std::move(slot));
  }

  [[nodiscard]] bool is_used(const ipam::AddressOwner& owner, const IpAddress& address) const {
    switch (owner.kind) {
      case OwnerKind::kOther: return true;
      case OwnerKind::kPod: return ipam::uses(view_.pod(owner.name_space, owner.pod), owner, address);
      case OwnerKind::kTunnel: return view_.nodes().empty() || ipam::uses(view_.node(owner.node), owner, address);
    }
    return true;
  }

  void end_leaks() {
    for (auto& [name, group] : groups_) {
      if (used_.contains(name)) continue;
      const bool is_gone = group.gone == group.leak.slots.size();
      Suspect& suspect =
          add(Kind::kLeak, name, std::move(group.stamp), is_gone ? std::optional(Duration::zero()) : rules_.grace);
      suspect.leak = std::move(group.leak);
      suspect.leak.node_must_be_gone = is_gone;
    }
  }

  void look_at_handles() {
    for (const auto& [name, handle] : view_.handles()) {
      const auto counted = counted_.find(name);
      std::map<std::string, std::int32_t, std::less<>> wanted;
      if (counted != counted_.end()) {
        for (const auto& [cidr, count] : counted->second.blocks) wanted[cidr.to_string()] = count;
      }
      const model::IpamHandleSpec& spec = handle->spec;
      const bool is_right = !spec.deleted && spec.block == wanted && !wanted.empty();
      if (is_right || (wanted.empty() && !is_known_form(spec.handle_id))) continue;
      const std::string id = counted == counted_.end() ? spec.handle_id : std::string(counted->second.handle);
      std::string stamp = version_of(handle->metadata);
      for (const auto& [cidr, count] : wanted) stamp += concat(' ', cidr, '=', count);
      suspect_handle(name, id, std::move(stamp), handle->metadata.resource_version, counted);
    }
    for (auto counted = counted_.begin(); counted != counted_.end(); ++counted) {
      if (view_.handles().contains(counted->first)) continue;
      suspect_handle(counted->first, std::string(counted->second.handle), "missing", "", counted);
    }
  }

  void suspect_handle(const std::string& name, const std::string& id, std::string stamp, const std::string& version,
                      std::map<std::string, Counted>::const_iterator counted) {
    Suspect& suspect = add(Kind::kHandle, name, std::move(stamp), repair_wait());
    suspect.handle.handle = id;
    suspect.handle.version = version;
    if (counted == counted_.end()) return;
    for (const auto& [cidr, count] : counted->second.blocks) suspect.handle.blocks.insert(cidr);
  }

  void suspect_owner(Kind kind, const model::BlockOwner& owner, const IpPrefix& cidr, const std::string& version,
                     std::optional<Duration> wait) {
    const std::string name = concat(owner.name, ' ', cidr.to_string());
    if (!owners_.insert({kind, name}).second) return;
    Suspect& suspect = add(kind, name, version, wait);
    suspect.owner = owner;
    suspect.cidr = cidr;
  }

  void look_at_affinities() {
    for (const auto& [name, affinity] : view_.affinities()) {
      const model::BlockAffinitySpec& spec = affinity->spec;
      if (spec.deleted) {
        add(Kind::kMarked, concat("affinity ", name), version_of(affinity->metadata), repair_wait()).object = *affinity;
        continue;
      }
      // Virtual owners have a controller of their own.
      if (spec.type.value_or(model::AffinityType::kHost) != model::AffinityType::kHost) continue;
      const model::BlockOwner owner{model::AffinityType::kHost, spec.node};
      if (is_node_gone(spec.node)) {
        if (!in_use_by_dead_.contains(spec.cidr)) {
          suspect_owner(Kind::kDeadOwner, owner, spec.cidr, "", Duration::zero());
        }
        continue;
      }
      if (view_.nodes().empty()) continue;
      const auto block = sound_.find(spec.cidr);
      const bool is_whole = block != sound_.end() && block->second->spec.affinity == owner;
      const bool is_settled = spec.state != model::BlockAffinityState::kPendingDeletion;
      if (is_whole && is_settled) continue;
      // A block that cannot be read is nobody's to judge.
      if (block == sound_.end() && view_.blocks().contains(ipam::block_name(spec.cidr))) continue;
      suspect_owner(Kind::kIdleOwner, owner, spec.cidr, version_of(affinity->metadata), repair_wait());
    }
  }

  // A node's last block stays, and so does what it would soon claim again; what is of no pool goes.
  void look_at_empty_blocks() {
    std::map<std::pair<std::string, IpFamily>, Holding> holdings;
    for (const auto& [cidr, block] : sound_) {
      const model::IpamBlockSpec& spec = block->spec;
      const model::IpPool* pool = view_.pool_of(cidr);
      const bool is_wanted = pool != nullptr && !pool->metadata.deletion_timestamp;
      if (!spec.affinity) {
        if (!ipam::is_empty(spec)) continue;
        model::IpamBlock named;
        named.metadata.name = block->metadata.name;
        named.spec.cidr = cidr;
        add(Kind::kOwnerless, block->metadata.name, version_of(block->metadata),
            is_wanted ? repair_wait() : Duration::zero())
            .object = std::move(named);
        continue;
      }
      if (spec.affinity->type != model::AffinityType::kHost || view_.node(spec.affinity->name) == nullptr) continue;
      const bool is_empty = ipam::is_empty(spec);
      if (is_empty && !is_wanted) {
        // Without any pool shown, none is known.
        if (view_.pools().empty()) continue;
        suspect_owner(Kind::kIdleOwner, *spec.affinity, cidr, version_of(block->metadata),
                      pool == nullptr ? repair_wait() : Duration::zero());
        continue;
      }
      Holding& holding = holdings[{spec.affinity->name, cidr.family()}];
      holding.room += spec.unallocated.size();
      if (is_empty) holding.empty.push_back(block);
    }
    for (const auto& [key, holding] : holdings) {
      if (holding.empty.empty()) continue;
      const model::IpamBlockSpec& spec = holding.empty.back()->spec;
      const std::size_t size = spec.allocations.size();
      const std::size_t rest = holding.room - spec.unallocated.size();
      if (rest < std::max<std::size_t>({1, size / kKeptDivisor, std::min(kKeptMin, size)})) continue;
      suspect_owner(Kind::kIdleOwner, *spec.affinity, spec.cidr, version_of(holding.empty.back()->metadata),
                    repair_wait());
    }
  }

  const IpamView& view_;
  const CollectRules& rules_;
  WallTime now_;
  Look out_;
  std::map<IpPrefix, const model::IpamBlock*> sound_;
  std::map<std::string, Group> groups_;  // that may be leaked
  std::set<std::string> used_;           // names of groups of which something is used
  std::map<std::string, Counted> counted_;
  std::set<IpPrefix> in_use_by_dead_;
  std::set<Suspect::Key> owners_;
};

}  // namespace

std::string_view to_string(Suspect::Kind kind) {
  constexpr std::array<std::string_view, 7> kWords = {"leaked addresses", "wrong handle", "owner gone", "idle block",
                                                      "ownerless block",  "half deleted", "cooled"};
  return kWords[static_cast<std::size_t>(kind)];
}

Look look_at(const IpamView& view, const CollectRules& rules, WallTime now) { return Looker(view, rules, now).run(); }

}  // namespace margay::controllers
