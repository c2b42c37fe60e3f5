#include "controllers/defaults/default_objects.h"

#include <memory>
#include <utility>

#include "base/core/text.h"
#include "datastore/codec/codec.h"
#include "datastore/model/cluster_information.h"
#include "datastore/model/policy.h"
#include "datastore/watch/resource_of.h"

namespace margay::controllers {
namespace {

template <class T>
DefaultObject made_of(const T& object) {
  DefaultObject out{watch::resource_of(T::kKind), {}};
  codec::encode(object, out.object);
  return out;
}

// Orders and actions are Calico's.
DefaultObject tier(std::string_view name, double order, model::TierDefaultAction action) {
  model::Tier tier;
  tier.metadata.name = name;
  tier.spec.order = order;
  tier.spec.default_action = action;
  return made_of(tier);
}

std::string random_guid(Random& random) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < 32; ++i) out.push_back(kDigits[random.below(kDigits.size())]);
  return out;
}

}  // namespace

std::vector<DefaultObject> default_objects(const std::string& guid) {
  model::ClusterInformation information;
  information.metadata.name = "default";
  information.spec.cluster_guid = guid;
  information.spec.cluster_type = "k8s,bgp";
  information.spec.datastore_ready = true;
  return {tier(model::kKubeAdminTier, model::kKubeAdminTierOrder, model::TierDefaultAction::kPass),
          tier(model::kDefaultTier, model::kDefaultTierOrder, model::TierDefaultAction::kDeny),
          tier(model::kKubeBaselineTier, model::kKubeBaselineTierOrder, model::TierDefaultAction::kPass),
          made_of(information)};
}

DefaultObjects::DefaultObjects(const WriterParts& parts, watch::ClusterWatch& cluster)
    : parts_(parts),
      objects_(default_objects(random_guid(parts.random))),
      queue_(parts.loop, parts.random, {},
             [this](std::size_t index, const std::function<void(Verdict)>& done) { make(index, done); }) {
  queue_.hold();
  for (std::size_t index = 0; index < objects_.size(); ++index) queue_.add(index);
  watch_for_removal<model::Tier>(cluster);
  watch_for_removal<model::ClusterInformation>(cluster);
}

template <class T>
void DefaultObjects::watch_for_removal(watch::ClusterWatch& cluster) {
  cluster.add<T>({}, {[this](const model::ObjectKey& key, const std::shared_ptr<const T>& object) {
                   if (object != nullptr) return;
                   for (std::size_t index = 0; index < objects_.size(); ++index) {
                     const DefaultObject& each = objects_[index];
                     const bool is_it = each.type == watch::resource_of(T::kKind) &&
                                        each.object.string_at({"metadata", "name"}) == key.name;
                     if (is_it) queue_.add(index);
                   }
                 }});
}

void DefaultObjects::lead(bool is_leading) {
  if (!is_leading) return queue_.hold();
  for (std::size_t index = 0; index < objects_.size(); ++index) queue_.add(index);
  queue_.release_all();
}

void DefaultObjects::make(std::size_t index, const std::function<void(Verdict)>& done) {
  const DefaultObject& object = objects_[index];
  operations_[index] = parts_.client.create(
      object.type, "", object.object, {}, [this, index, done](const kube::ApiResult<json::Value>& answer) {
        const auto operation = operations_.extract(index);
        const bool is_there = answer.ok() || answer.error().code == ErrorCode::kAlreadyExists;
        if (!is_there) {
          parts_.log.warn("a default object cannot be made",
                          {{"kind", objects_[index].type.kind}, {"error", answer.error().message}});
        }
        done(is_there ? Verdict::kDone : Verdict::kRetry);
      });
}

ControllerEntry default_objects_controller() {
  return {"defaults", Section::kAlways, [](const ControllerParts& parts, watch::ClusterWatch& cluster) {
            return std::make_unique<DefaultObjects>(parts.writer, cluster);
          }};
}

}  // namespace margay::controllers
