#include "agent/render/tables.h"

#include <iterator>
#include <utility>

namespace margay::render {

void Tables::put(const iptables::TableId& id, iptables::Chain chain) {
  auto& place = wanted_[id].chains[chain.name];
  if (place == nullptr) {
    // During a rebuild what was there before stays what it is, if it is equal.
    auto& before = before_rebuild_[id].chains;
    const auto at = before.find(chain.name);
    if (at != before.end()) place = at->second;
  }
  if (place != nullptr && *place == chain) return;
  std::string name = chain.name;
  place = std::make_shared<const iptables::Chain>(std::move(chain));
  changes_[id].chains[std::move(name)] = place;
}

void Tables::remove(const iptables::TableId& id, const std::string& chain) {
  if (wanted_[id].chains.erase(chain) > 0) changes_[id].chains[chain] = nullptr;
}

void Tables::set_hook(const iptables::TableId& id, std::string_view kernel_chain, iptables::Hook hook) {
  const std::string name(kernel_chain);
  iptables::Hook& place = wanted_[id].hooks[name];
  auto& before = before_rebuild_[id].hooks;
  const auto at = before.find(name);
  if (at != before.end()) place = at->second;
  if (place == hook) return;
  place = hook;
  changes_[id].hooks[name] = std::move(hook);
}

void Tables::begin_rebuild() { before_rebuild_ = std::exchange(wanted_, {}); }

void Tables::end_rebuild() {
  for (const auto& [id, content] : before_rebuild_) remove_absent(id, content);
  before_rebuild_.clear();
}

void Tables::remove_absent(const iptables::TableId& id, const Content& before) {
  const Content& now = wanted_[id];
  for (const auto& [name, chain] : before.chains) {
    if (!now.chains.contains(name)) changes_[id].chains[name] = nullptr;
  }
  for (const auto& [name, hook] : before.hooks) {
    if (!now.hooks.contains(name) && hook != iptables::Hook{}) changes_[id].hooks[name] = {};
  }
}

std::map<iptables::TableId, iptables::TableChange> Tables::take() {
  for (auto at = changes_.begin(); at != changes_.end();) {
    at = at->second.empty() ? changes_.erase(at) : std::next(at);
  }
  return std::exchange(changes_, {});
}

}  // namespace margay::render
