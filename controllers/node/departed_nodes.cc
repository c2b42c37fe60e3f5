#include "controllers/node/departed_nodes.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "datastore/model/bgp_configuration.h"
#include "datastore/model/bgp_peer.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/felix_configuration.h"
#include "datastore/model/node_status.h"

namespace margay::controllers {
namespace {

constexpr Duration kLook = std::chrono::seconds(5);
constexpr std::string_view kNodePrefix = "node.";

template <class T>
std::string node_in_spec(const T& object) {
  return object.spec.node;
}

template <class T>
std::string node_in_name(const T& object) {
  const std::string& name = object.metadata.name;
  return name.starts_with(kNodePrefix) ? name.substr(kNodePrefix.size()) : std::string();
}

}  // namespace

template <class T>
void DepartedNodes::watch(watch::ClusterWatch& cluster, std::string (*node_of)(const T& object)) {
  cluster.add<T>({}, {[this, node_of](const model::ObjectKey& key, const std::shared_ptr<const T>& object) {
                   const std::string node = object == nullptr ? std::string() : node_of(*object);
                   if (node.empty()) {
                     objects_.erase(key);
                   } else {
                     objects_[key] = {node, object->metadata};
                   }
                 }});
}

DepartedNodes::DepartedNodes(const WriterParts& parts, watch::ClusterWatch& cluster)
    : parts_(parts),
      queue_(parts.loop, parts.random, {.in_work_max = 4},
             [this](const model::ObjectKey& key, const Done& done) { work(key, done); }),
      timer_(parts.loop.make_timer([this] { look(); })) {
  queue_.hold();
  watch<model::BgpPeer>(cluster, node_in_spec<model::BgpPeer>);
  watch<model::CalicoNodeStatus>(cluster, node_in_spec<model::CalicoNodeStatus>);
  watch<model::HostEndpoint>(cluster, node_in_spec<model::HostEndpoint>);
  watch<model::BgpConfiguration>(cluster, node_in_name<model::BgpConfiguration>);
  watch<model::FelixConfiguration>(cluster, node_in_name<model::FelixConfiguration>);
}

void DepartedNodes::note_node(const std::string& name, bool is_there) {
  if (is_there) {
    nodes_[name] = std::nullopt;
    return;
  }
  const auto found = nodes_.find(name);
  if (found == nodes_.end() || found->second) return;
  found->second = Away{parts_.loop.now(), parts_.loop.wall_now()};
  timer_->arm(kLook);
}

void DepartedNodes::set_wait(std::optional<Duration> wait) {
  wait_ = wait;
  if (wait_) timer_->arm(kLook);
}

bool DepartedNodes::is_due(const Named& named) const {
  const auto node = nodes_.find(named.node);
  if (!wait_ || node == nodes_.end() || !node->second) return false;
  const auto& made = named.metadata.creation_timestamp;
  return parts_.loop.now() - node->second->since >= *wait_ && made && *made <= node->second->wall_since;
}

void DepartedNodes::look() {
  if (!wait_) return;
  for (const auto& [key, named] : objects_) {
    if (is_due(named)) queue_.add(key);
  }
  // Who was away for so long, and left nothing, is forgotten.
  std::erase_if(nodes_, [&](const auto& node) {
    if (!node.second || parts_.loop.now() - node.second->since < *wait_) return false;
    for (const auto& [key, named] : objects_) {
      if (named.node == node.first && is_due(named)) return false;
    }
    return true;
  });
  const bool is_waiting =
      std::any_of(nodes_.begin(), nodes_.end(), [](const auto& node) { return node.second.has_value(); });
  if (is_waiting) timer_->arm(kLook);
}

void DepartedNodes::work(const model::ObjectKey& key, const Done& done) {
  const auto found = objects_.find(key);
  if (found == objects_.end() || !is_due(found->second)) return done(Verdict::kDone);
  const std::string node = found->second.node;
  operations_[key] = parts_.client.get(watch::resource_of(model::Kind::kNode), {"", node},
                                       [this, key, done](const kube::ApiResult<json::Value>& answer) {
                                         const auto operation = operations_.extract(key);
                                         if (answer.ok()) return done(Verdict::kDone);  // the watch is late
                                         const bool is_gone = answer.error().code == ErrorCode::kNotFound;
                                         is_gone ? remove(key, done) : done(Verdict::kRetry);
                                       });
}

void DepartedNodes::remove(const model::ObjectKey& key, const Done& done) {
  const auto found = objects_.find(key);
  if (found == objects_.end() || !is_due(found->second)) return done(Verdict::kDone);
  const Named& named = found->second;
  const kube::DeleteOptions options{.uid = named.metadata.uid, .resource_version = named.metadata.resource_version};
  operations_[key] =
      parts_.client.remove(watch::resource_of(key.kind), {key.name_space, key.name}, options,
                           [this, key, node = named.node, done](const kube::ApiResult<json::Value>& answer) {
                             const auto operation = operations_.extract(key);
                             if (answer.ok())
                               parts_.log.info("removed with its node", {{"object", key.to_string()}, {"node", node}});
                             const bool is_over = answer.ok() || answer.error().code == ErrorCode::kNotFound;
                             done(is_over ? Verdict::kDone : Verdict::kRetry);
                           });
}

}  // namespace margay::controllers
