#include "agent/render/shared_chains.h"

namespace margay::render {
namespace {

constexpr Table kTables[] = {Table::kRaw, Table::kMangle, Table::kFilter};

struct NameOf {
  Direction direction;
  std::string operator()(const PolicySource& source) const { return policy_chain(direction, source.policy); }
  std::string operator()(const ProfileSource& source) const { return profile_chain(direction, source.profile); }
  std::string operator()(const GroupSource& source) const { return group_chain(direction, source.policies); }
};

}  // namespace

std::string ChainSource::chain() const { return std::visit(NameOf{direction}, what); }

SharedChains::Use SharedChains::use(const iptables::TableId& table, const ChainSource& source) {
  return Use(*this, acquire(table, source));
}

SharedChains::Entry& SharedChains::acquire(const iptables::TableId& table, const ChainSource& source) {
  const auto [at, is_new] = entries_.try_emplace({table, source.chain()});
  Entry& entry = at->second;
  if (is_new) {
    entry.source = source;
    entry.id = &at->first;
    if (const auto* group = std::get_if<GroupSource>(&source.what)) {
      for (const model::ObjectKey& policy : group->policies) {
        entry.members.push_back(&acquire(table, {source.direction, PolicySource{policy}}));
      }
    }
  }
  if (entry.uses++ == 0) dirty_.insert(at->first);
  return entry;
}

// Stays in the table until its removal has been told, so that whoever comes back in between finds it.
void SharedChains::release(Entry& entry) {
  if (--entry.uses == 0) dirty_.insert(*entry.id);
}

void SharedChains::touch(const ChainSource& source) {
  const std::string chain = source.chain();
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    for (const Table table : kTables) {
      const ChainId id{{family, table}, chain};
      if (entries_.contains(id)) dirty_.insert(id);
    }
  }
}

void SharedChains::touch_all() {
  for (const auto& [id, entry] : entries_) dirty_.insert(id);
}

std::vector<SharedChains::Dirty> SharedChains::take_dirty() {
  // A group that goes frees its policies, which may then go as well; they are no groups themselves.
  for (const ChainId& id : std::set<ChainId>(dirty_)) {
    Entry& entry = entries_.at(id);
    if (entry.uses > 0) continue;
    for (Entry* member : std::exchange(entry.members, {})) release(*member);
  }
  std::vector<Dirty> out;
  for (const ChainId& id : std::exchange(dirty_, {})) {
    const auto at = entries_.find(id);
    const bool is_used = at->second.uses > 0;
    if (!is_used) entries_.erase(at);
    out.push_back({id, is_used ? &at->second.source : nullptr});
  }
  return out;
}

}  // namespace margay::render
