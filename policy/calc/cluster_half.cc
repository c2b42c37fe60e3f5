#include "policy/calc/cluster_half.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "policy/calc/normalise.h"
#include "policy/calc/policy_table.h"
#include "policy/calc/profile_table.h"
#include "policy/calc/set_items.h"
#include "policy/index/set_index.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

using model::Kind;

struct KeyHash {
  std::size_t operator()(const ObjectKey& key) const { return absl::HashOf(key.kind, key.name_space, key.name); }
};

bool is_policy(Kind kind) {
  return kind == Kind::kNetworkPolicy || kind == Kind::kGlobalNetworkPolicy || kind == Kind::kStagedNetworkPolicy ||
         kind == Kind::kStagedGlobalNetworkPolicy;
}

// Dense numbers for what has labels: endpoints and network sets.
class ItemNumbers {
 public:
  ItemId number_of(const ObjectKey& key) {
    const auto [at, is_new] = numbers_.try_emplace(key);
    if (!is_new) return at->second;
    if (free_.empty()) {
      at->second = ItemId(next_++);
    } else {
      at->second = free_.back();
      free_.pop_back();
    }
    return at->second;
  }
  std::optional<ItemId> take(const ObjectKey& key) {
    const auto at = numbers_.find(key);
    if (at == numbers_.end()) return std::nullopt;
    const ItemId id = at->second;
    numbers_.erase(at);
    free_.push_back(id);
    return id;
  }

 private:
  absl::flat_hash_map<ObjectKey, ItemId, KeyHash> numbers_;
  std::vector<ItemId> free_;
  std::uint32_t next_ = 0;
};

}  // namespace

class ClusterHalf::Impl {
 public:
  explicit Impl(Options options)
      : index_({.suppress_nested = options.suppress_nested}),
        policies_(subscribers_, problems_),
        profiles_(subscribers_, index_, problems_) {}

  void apply(const Input& input) {
    const Kind kind = input.key.kind;
    if (kind == Kind::kPod || kind == Kind::kWorkloadEndpoint) return put_item(input.key, workload_of(input));
    if (is_policy(kind)) return policies_.put(input.key, policy_source_of(input.value));
    if (kind == Kind::kEndpointSlice) return apply_slice(input);
    if (kind == Kind::kNode) return apply_node(input);
    if (kind == Kind::kNamespace || kind == Kind::kServiceAccount || kind == Kind::kProfile) {
      return apply_profile(input);
    }
    if (kind == Kind::kNetworkSet) return put_item(input.key, object_of<model::NetworkSet>(input));
    if (kind == Kind::kGlobalNetworkSet) return put_item(input.key, object_of<model::GlobalNetworkSet>(input));
    if (kind == Kind::kHostEndpoint) return put_item(input.key, object_of<model::HostEndpoint>(input));
    if (kind == Kind::kTier) apply_tier(input);
  }

  void mark_in_sync() { is_in_sync_ = true; }

  SubscriberId subscribe() {
    const SubscriberId id(next_subscriber_++);
    auto subscriber = std::make_unique<Subscriber>(index_);
    policies_.mark_all(*subscriber);
    subscribers_.emplace(id, std::move(subscriber));
    return id;
  }

  void unsubscribe(SubscriberId id) {
    const auto at = subscribers_.find(id);
    if (at == subscribers_.end()) return;
    NodeDemand end;
    end.policies_removed = at->second->demanded_policies;
    end.profiles_removed = at->second->demanded_profiles;
    demand(id, end);
    subscribers_.erase(at);
  }

  void demand(SubscriberId id, const NodeDemand& demand) {
    Subscriber& subscriber = *subscribers_.at(id);
    for (const ObjectKey& key : demand.policies_added) {
      subscriber.demanded_policies.insert(key);
      policies_.demand(id, key);
    }
    for (const std::string& name : demand.profiles_added) {
      subscriber.demanded_profiles.insert(name);
      profiles_.demand(id, name);
    }
    for (const ObjectKey& key : demand.policies_removed) {
      subscriber.demanded_policies.erase(key);
      policies_.give_up(id, key);
    }
    for (const std::string& name : demand.profiles_removed) {
      subscriber.demanded_profiles.erase(name);
      profiles_.give_up(id, name);
    }
  }

  ClusterUpdate take(SubscriberId id) {
    for (const auto& [set, delta] : index_.take()) {
      for (const auto& [other, subscriber] : subscribers_) subscriber->sets.on_change(set, delta);
    }
    Subscriber& subscriber = *subscribers_.at(id);
    ClusterUpdate out;
    policies_.tell(subscriber, out);
    profiles_.tell(subscriber, out);
    subscriber.tiers.clear();
    subscriber.heads.clear();
    subscriber.policies.clear();
    subscriber.profiles.clear();
    out.ip_sets = subscriber.sets.take();
    out.is_in_sync = is_in_sync_;
    return out;
  }

  [[nodiscard]] const Problems& problems() const { return problems_; }

 private:
  template <class T>
  void put_item(const ObjectKey& key, const Shared<T>& object) {
    if (object != nullptr) {
      index_.put_item(items_.number_of(key), item_of(*object));
    } else if (const std::optional<ItemId> id = items_.take(key)) {
      index_.remove_item(*id);
    }
  }

  void apply_tier(const Input& input) {
    const Shared<model::Tier> tier = object_of<model::Tier>(input);
    policies_.put_tier(input.key.name, tier == nullptr ? std::nullopt : std::optional(tier->spec));
  }

  void apply_profile(const Input& input) {
    const ObjectKey& key = input.key;
    if (key.kind == Kind::kProfile) {
      return profiles_.put(ProfileTable::Origin::kProfile, key.name, key, object_of<model::Profile>(input));
    }
    if (key.kind == Kind::kNamespace) {
      return profiles_.put(ProfileTable::Origin::kNamespace, namespace_profile_name(key.name), key,
                           derived(object_of<model::Namespace>(input)));
    }
    profiles_.put(ProfileTable::Origin::kServiceAccount, account_profile_name(key.name_space, key.name), key,
                  derived(object_of<model::ServiceAccount>(input)));
  }

  template <class T>
  static Shared<model::Profile> derived(const Shared<T>& object) {
    return object == nullptr ? nullptr : std::make_shared<const model::Profile>(profile_of(*object));
  }

  void apply_node(const Input& input) {
    const Shared<model::Node> node = object_of<model::Node>(input);
    if (node == nullptr) return index_.remove_node(input.key.name);
    index_.put_node(input.key.name, labels_of(*node), addresses_of(*node));
  }

  void apply_slice(const Input& input) {
    const std::string key = input.key.to_string();
    if (const Shared<model::EndpointSlice> slice = object_of<model::EndpointSlice>(input)) {
      index_.put_slice(key, *slice);
    } else {
      index_.remove_slice(key);
    }
  }

  SetIndex index_;
  Problems problems_;
  Subscribers subscribers_;  // before index_ goes: they give sets back
  PolicyTable policies_;
  ProfileTable profiles_;
  ItemNumbers items_;
  std::uint32_t next_subscriber_ = 0;
  bool is_in_sync_ = false;
};

ClusterHalf::ClusterHalf(Options options) : impl_(std::make_unique<Impl>(options)) {}
ClusterHalf::~ClusterHalf() = default;
void ClusterHalf::apply(const Input& input) { impl_->apply(input); }
void ClusterHalf::mark_in_sync() { impl_->mark_in_sync(); }
SubscriberId ClusterHalf::subscribe() { return impl_->subscribe(); }
void ClusterHalf::unsubscribe(SubscriberId id) { impl_->unsubscribe(id); }
void ClusterHalf::demand(SubscriberId id, const NodeDemand& demand) { impl_->demand(id, demand); }
ClusterUpdate ClusterHalf::take(SubscriberId id) { return impl_->take(id); }
const std::map<ObjectKey, FieldErrors>& ClusterHalf::problems() const { return impl_->problems(); }

}  // namespace margay::policy
