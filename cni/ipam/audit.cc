#include "cni/ipam/audit.h"

#include <algorithm>
#include <iterator>

#include "base/core/text.h"
#include "cni/ipam/names.h"

namespace margay::ipam {
namespace {

class Audit {
 public:
  explicit Audit(const AuditInput& input) : input_(input) {}

  AuditReport run() {
    for (const model::IpamHandleSpec* handle : input_.handles) known_handles_.insert(handle_name(handle->handle_id));
    for (const model::IpamBlockSpec* block : input_.blocks) look_at(*block);
    look_at_users();
    look_at_handles();
    look_at_affinities();
    report_.blocks = input_.blocks.size();
    report_.handles = input_.handles.size();
    report_.users = input_.users.size();
    std::stable_sort(report_.findings.begin(), report_.findings.end(), [](const auto& a, const auto& b) {
      return std::pair(a.kind, a.address) < std::pair(b.kind, b.address);
    });
    return std::move(report_);
  }

 private:
  void look_at(const model::IpamBlockSpec& block) {
    if (block.deleted) return;
    if (block.affinity) owners_[block.cidr] = *block.affinity;
    const Status sound = check_block(block);
    if (!sound.ok()) {
      add({.kind = FindingKind::kBadBlock, .what = sound.error().message, .block = block.cidr});
      return;
    }
    if (!is_in_pool(block.cidr.first())) {
      add({.kind = FindingKind::kBlockOutsidePools,
           .what = concat("block ", block.cidr.to_string(), " is in no pool"),
           .block = block.cidr});
    }
    for (std::size_t i = 0; i < block.allocations.size(); ++i) look_at_slot(block, static_cast<Ordinal>(i));
  }

  void look_at_slot(const model::IpamBlockSpec& block, Ordinal ordinal) {
    const std::string* holder = holder_of(block, ordinal);
    if (holder == nullptr || *holder == kWindowsReservedHandle) return;
    const IpAddress address = address_at(block, ordinal);
    const model::AllocationAttribute& attribute = *attribute_at(block, ordinal);
    const std::string node(attribute.active_owner.get(kNodeAttribute));
    ++report_.allocations;
    ++report_.by_node[node];
    report_.given.emplace(address, described(attribute));
    held_handles_.insert(handle_name(*holder));
    const auto sequence = block.sequence_number_for_allocation.find(ordinal);
    AuditFinding finding{.kind = FindingKind::kLeakedAddress,
                         .what = "",
                         .address = address,
                         .handle = *holder,
                         .sequence = sequence == block.sequence_number_for_allocation.end()
                                         ? std::nullopt
                                         : std::optional(sequence->second),
                         .block = block.cidr};
    if (!holder->empty() && !known_handles_.contains(handle_name(*holder))) {
      AuditFinding missing = finding;
      missing.kind = FindingKind::kMissingHandle;
      missing.what = concat(address.to_string(), " is held by handle ", *holder, ", which does not exist");
      add(std::move(missing));
    }
    const auto user = input_.users.find(address);
    if (user == input_.users.end()) {
      finding.what = concat(address.to_string(), " is given to ", described(attribute), " and nobody uses it");
      add(std::move(finding));
    } else if (is_anothers(user->second, attribute)) {
      finding.kind = FindingKind::kWrongHandle;
      finding.what =
          concat(address.to_string(), " is used by ", user->second.name, " and given to ", described(attribute));
      add(std::move(finding));
    }
  }

  static bool is_anothers(const AddressUser& user, const model::AllocationAttribute& attribute) {
    if (!user.handle.empty()) return handle_name(user.handle) != handle_name(attribute.handle_id);
    const std::string_view pod = attribute.active_owner.get(kPodAttribute);
    if (user.pod.empty() || pod.empty()) return false;
    return user.pod != concat(attribute.active_owner.get(kNamespaceAttribute), '/', pod);
  }

  static std::string described(const model::AllocationAttribute& attribute) {
    const std::string_view pod = attribute.active_owner.get(kPodAttribute);
    if (!pod.empty()) return concat("pod ", attribute.active_owner.get(kNamespaceAttribute), '/', pod);
    const std::string_view type = attribute.active_owner.get(kTypeAttribute);
    if (!type.empty()) return concat(type, " of node ", attribute.active_owner.get(kNodeAttribute));
    return concat("handle ", attribute.handle_id);
  }

  void look_at_users() {
    for (const auto& [address, user] : input_.users) {
      if (report_.given.contains(address)) continue;
      const bool is_ours = is_in_pool(address);
      add({.kind = is_ours ? FindingKind::kUnknownAddress : FindingKind::kOutsidePools,
           .what = concat(address.to_string(), " is used by ", user.name,
                          is_ours ? " and not given to anyone" : " and in no pool"),
           .address = address});
    }
  }

  void look_at_handles() {
    for (const model::IpamHandleSpec* handle : input_.handles) {
      if (handle->deleted || held_handles_.contains(handle_name(handle->handle_id))) continue;
      add({.kind = FindingKind::kEmptyHandle,
           .what = concat("handle ", handle->handle_id, " has no address"),
           .handle = handle->handle_id});
    }
  }

  void look_at_affinities() {
    std::set<IpPrefix> with_affinity;
    for (const model::BlockAffinitySpec* affinity : input_.affinities) {
      if (affinity->deleted) continue;
      const auto owner = owners_.find(affinity->cidr);
      const bool is_whole = owner != owners_.end() && owner->second.name == affinity->node;
      if (is_whole) with_affinity.insert(affinity->cidr);
      if (is_whole || affinity->state == model::BlockAffinityState::kPending) continue;
      add({.kind = FindingKind::kDanglingAffinity,
           .what = concat("node ", affinity->node, " claims block ", affinity->cidr.to_string(),
                          owner == owners_.end() ? ", which does not exist" : ", which is another's"),
           .block = affinity->cidr});
    }
    for (const auto& [cidr, owner] : owners_) {
      if (with_affinity.contains(cidr)) continue;
      add({.kind = FindingKind::kLostAffinity,
           .what = concat("block ", cidr.to_string(), " is of ", owner.to_string(), ", and no affinity says so"),
           .block = cidr});
    }
  }

  [[nodiscard]] bool is_in_pool(const IpAddress& address) const {
    return std::any_of(input_.pools.begin(), input_.pools.end(),
                       [&address](const model::IpPool* pool) { return pool->spec.cidr.contains(address); });
  }

  void add(AuditFinding finding) { report_.findings.push_back(std::move(finding)); }

  const AuditInput& input_;
  AuditReport report_;
  std::set<std::string> known_handles_, held_handles_;
  std::map<IpPrefix, model::BlockOwner> owners_;
};

}  // namespace

std::string_view to_string(FindingKind kind) {
  constexpr std::string_view kWords[] = {
      "leaked address", "unknown address", "address outside pools", "wrong handle",      "empty handle",
      "missing handle", "bad block",       "lost affinity",         "dangling affinity", "block outside pools"};
  return kWords[static_cast<std::size_t>(kind)];
}

AuditReport audit(const AuditInput& input) { return Audit(input).run(); }

}  // namespace margay::ipam
