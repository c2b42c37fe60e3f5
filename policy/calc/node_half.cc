#include "policy/calc/node_half.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/calc/node_policies.h"
#include "policy/calc/node_profiles.h"
#include "policy/calc/set_changes.h"
#include "policy/calc/set_items.h"
#include "policy/calc/tier_order.h"
#include "policy/index/label_index.h"

namespace margay::policy {
namespace {

// What an endpoint names, each counted.
struct Names {
  std::vector<ObjectKey> policies;
  std::vector<std::string> profiles;
};

template <class T>
bool is_same(const Shared<T>& a, const Shared<T>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

bool is_same(const Shared<Endpoint>& a, const Endpoint& b) {
  return a != nullptr && is_same(a->workload, b.workload) && is_same(a->host, b.host) && a->policy == b.policy;
}

}  // namespace

class NodeHalf::Impl {
 public:
  Impl()
      : index_([this](SelectorId selector, ItemId item, bool is_matching) { on_match(selector, item, is_matching); }),
        policies_(index_, [this](ItemId item) { dirty_.insert(item); }),
        profiles_(index_) {}

  void put(const ObjectKey& key, Shared<model::WorkloadEndpoint> workload, Shared<model::HostEndpoint> host) {
    const auto at = numbers_.find(key);
    if (workload == nullptr && host == nullptr) {
      if (at != numbers_.end()) remove(at->second);
      return;
    }
    const ItemId item = at == numbers_.end() ? add(key) : at->second;
    Local& local = *locals_[item.value()];
    if (is_same(local.workload, workload) && is_same(local.host, host)) return;
    local.workload = std::move(workload);
    local.host = std::move(host);
    index_item(item, local);
    dirty_.insert(item);
  }

  void apply(ClusterUpdate&& update) {
    for (auto& [id, delta] : update.ip_sets) set_changes_.add(id, std::move(delta));
    for (const auto& [name, body] : update.profiles) profiles_.put(name, body, pending_);
    for (const auto& [name, spec] : update.tiers) put_tier(name, spec);
    for (const auto& [key, head] : update.heads) policies_.put_head(key, head, pending_);
    for (auto& [key, rules] : update.policies) policies_.put_rules(key, std::move(rules), pending_);
    is_cluster_in_sync_ = is_cluster_in_sync_ || update.is_in_sync;
  }

  NodeDemand take_demand() {
    settle();
    NodeDemand out;
    policies_.take_demand(out, pending_);
    profiles_.take_demand(out, pending_);
    return out;
  }

  Delta take() {
    settle();
    Delta out = std::exchange(pending_, {});
    out.ip_sets = set_changes_.take();
    is_in_sync_ = is_in_sync_ || (is_cluster_in_sync_ && waiting_.empty());
    out.is_in_sync = is_in_sync_;
    return out;
  }

 private:
  struct Local {
    ObjectKey key;
    Shared<model::WorkloadEndpoint> workload;
    Shared<model::HostEndpoint> host;
    std::set<SelectorId> matches;
    // What is to be given out, and what is out. Each keeps what it names from being given up.
    Shared<Endpoint> wanted;
    Shared<Names> wanted_names;
    Shared<Endpoint> published;
    Shared<Names> published_names;
  };

  ItemId add(const ObjectKey& key) {
    if (free_.empty()) {
      free_.emplace_back(static_cast<std::uint32_t>(locals_.size()));
      locals_.emplace_back();
    }
    const ItemId item = free_.back();
    free_.pop_back();
    locals_[item.value()] = std::make_unique<Local>();
    locals_[item.value()]->key = key;
    numbers_.emplace(key, item);
    return item;
  }

  void remove(ItemId item) {
    index_.remove_item(item);
    Local& local = *locals_[item.value()];
    release(local.wanted_names);
    release(local.published_names);
    if (local.published != nullptr) pending_.endpoints[local.key] = nullptr;
    dirty_.erase(item);
    waiting_.erase(item);
    numbers_.erase(local.key);
    locals_[item.value()] = nullptr;
    free_.push_back(item);
  }

  void index_item(ItemId item, const Local& local) {
    const SetItem as_item = local.workload != nullptr ? item_of(*local.workload) : item_of(*local.host);
    const std::vector<std::string_view> parents(as_item.parents.begin(), as_item.parents.end());
    index_.put_item(item, as_item.labels, parents);
  }

  void on_match(SelectorId selector, ItemId item, bool is_matching) {
    Local& local = *locals_[item.value()];
    if (is_matching) {
      local.matches.insert(selector);
    } else {
      local.matches.erase(selector);
    }
    dirty_.insert(item);
  }

  void put_tier(const std::string& name, const std::optional<model::TierSpec>& spec) {
    if (spec) {
      tiers_[name] = *spec;
    } else {
      tiers_.erase(name);
    }
    for (const auto& [key, item] : numbers_) dirty_.insert(item);
  }

  // Calculates what changed, and gives out what waits for nothing any more.
  void settle() {
    for (const ItemId item : std::exchange(dirty_, {})) calculate(item, *locals_[item.value()]);
    std::erase_if(waiting_, [this](ItemId item) {
      Local& local = *locals_[item.value()];
      if (!is_ready(*local.wanted_names)) return false;
      publish(local);
      return true;
    });
  }

  void calculate(ItemId item, Local& local) {
    const bool is_host = local.host != nullptr;
    std::vector<OrderedPolicy> selected;
    Names names;
    names.policies.reserve(local.matches.size());
    for (const SelectorId id : local.matches) {
      const NodePolicies::Entry& entry = policies_.entry_of(id);
      if (!applies(*entry.head, is_host)) continue;
      selected.push_back({.key = entry.key, .head = &*entry.head});
      names.policies.push_back(*entry.key);
    }
    Endpoint endpoint{.workload = local.workload, .host = local.host, .policy = {}};
    endpoint.policy = tiers_of(selected, tiers_, is_host);
    endpoint.policy.profiles = is_host ? local.host->spec.profiles : local.workload->spec.profiles;
    names.profiles = endpoint.policy.profiles;
    hold(names);
    release(local.wanted_names);
    local.wanted_names = std::make_shared<const Names>(std::move(names));
    local.wanted = std::make_shared<const Endpoint>(std::move(endpoint));
    waiting_.insert(item);
  }

  [[nodiscard]] bool is_ready(const Names& names) const {
    const auto has_policy = [this](const ObjectKey& key) { return policies_.is_here(key); };
    const auto has_profile = [this](const std::string& name) { return profiles_.is_here(name); };
    return std::all_of(names.policies.begin(), names.policies.end(), has_policy) &&
           std::all_of(names.profiles.begin(), names.profiles.end(), has_profile);
  }

  void publish(Local& local) {
    hold(*local.wanted_names);
    release(local.published_names);
    local.published_names = local.wanted_names;
    if (is_same(local.published, *local.wanted)) return;
    local.published = local.wanted;
    pending_.endpoints[local.key] = local.published;
  }

  void hold(const Names& names) {
    for (const ObjectKey& key : names.policies) policies_.add_use(key);
    for (const std::string& name : names.profiles) profiles_.add_use(name);
  }
  void release(const Shared<Names>& names) {
    if (names == nullptr) return;
    for (const ObjectKey& key : names->policies) policies_.release_use(key);
    for (const std::string& name : names->profiles) profiles_.release_use(name);
  }

  Delta pending_;
  SetChanges set_changes_;
  std::vector<std::unique_ptr<Local>> locals_;
  std::vector<ItemId> free_;
  std::map<ObjectKey, ItemId> numbers_;
  std::set<ItemId> dirty_;    // to be calculated
  std::set<ItemId> waiting_;  // for rules or profiles of what they name
  TierTable tiers_;
  LabelIndex index_;
  NodePolicies policies_;
  NodeProfiles profiles_;
  bool is_cluster_in_sync_ = false;
  bool is_in_sync_ = false;
};

NodeHalf::NodeHalf() : impl_(std::make_unique<Impl>()) {}
NodeHalf::~NodeHalf() = default;
void NodeHalf::put_workload(const ObjectKey& key, Shared<model::WorkloadEndpoint> endpoint) {
  impl_->put(key, std::move(endpoint), nullptr);
}
void NodeHalf::put_host(const ObjectKey& key, Shared<model::HostEndpoint> endpoint) {
  impl_->put(key, nullptr, std::move(endpoint));
}
void NodeHalf::apply(ClusterUpdate update) { impl_->apply(std::move(update)); }
NodeDemand NodeHalf::take_demand() { return impl_->take_demand(); }
Delta NodeHalf::take() { return impl_->take(); }

}  // namespace margay::policy
