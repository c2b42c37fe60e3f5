#include "controllers/loadbalancer/load_balancer_controller.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "cni/ipam/names.h"
#include "controllers/loadbalancer/duty.h"

namespace margay::controllers {
namespace {

constexpr std::string_view kServiceAttribute = "service";
constexpr std::string_view kReason = "AddressNotAssigned";
constexpr int kBlocksMax = 1 << 20;  // a virtual owner has as many as its pools
constexpr Duration kEmptyKept = std::chrono::minutes(5);

template <class Map, class Value>
void put(Map& map, const typename Map::key_type& key, const Value& value) {
  if (value == nullptr) {
    map.erase(key);
  } else {
    map[key] = value;
  }
}

const model::BlockOwner& virtual_owner() {
  static const model::BlockOwner owner{model::AffinityType::kVirtual, "load-balancer"};
  return owner;
}

model::ObjectKey key_of(const kube::ObjectName& name) { return {model::Kind::kService, name.name_space, name.name}; }

}  // namespace

LoadBalancerController::LoadBalancerController(const WriterParts& parts, watch::ClusterWatch& cluster,
                                               EventGate& events)
    : parts_(parts), events_(events) {
  watch_all(cluster);
}

LoadBalancerController::~LoadBalancerController() = default;

void LoadBalancerController::watch_all(watch::ClusterWatch& cluster) {
  cluster.add<model::Namespace>(
      {}, {[this](const model::ObjectKey& key, const auto& object) { put(namespaces_, key.name, object); }});
  cluster.add<model::IpPool>({}, {[this](const model::ObjectKey& key, const auto& object) {
                               put(pools_, key.name, object);
                               has_pools_changed_ = true;
                             }});
  cluster.add<model::IpReservation>({}, {[this](const model::ObjectKey& key, const auto& object) {
                                      put(reservations_, key.name, object);
                                      has_config_changed_ = true;
                                    }});
  cluster.add<model::IpamConfiguration>({}, {[this](const model::ObjectKey& key, const auto& object) {
                                          if (key.name == "default") configuration_ = object;
                                          has_config_changed_ = true;
                                        }});
  cluster.add<model::Service>({}, {[this](const model::ObjectKey& key, const auto& object) {
                                const Name name{key.name_space, key.name};
                                put(services_, name, object);
                                if (duty_) duty_->queue.add(name);
                              }});
  cluster.add<model::IpamBlock>({}, {[this](const model::ObjectKey&, const auto& block) {
                                  if (block != nullptr) see(*block);
                                }});
}

// Somebody else may have changed one of ours: netctl, or clean-up.
void LoadBalancerController::see(const model::IpamBlock& block) {
  if (!duty_ || block.spec.affinity != virtual_owner()) return;
  const auto& held = duty_->book.allocator().blocks();
  const auto found = held.find(block.spec.cidr);
  const bool is_news = found == held.end() || found->second.stored().spec.sequence_number < block.spec.sequence_number;
  duty_->book.see(block);
  if (is_news) look_at_all();
}

void LoadBalancerController::look_at_all() {
  if (!duty_) return;
  for (const auto& [name, service] : services_) duty_->queue.add(name);
  for (const auto& [name, handles] : duty_->handles) duty_->queue.add(name);
}

void LoadBalancerController::configure(const Settings& settings) {
  const auto& section = settings.spec.controllers.load_balancer;
  const model::AssignIps assign = section ? section->assign_ips.value_or(assign_) : assign_;
  if (std::exchange(assign_, assign) != assign) look_at_all();
}

void LoadBalancerController::on_turn(bool is_in_sync) {
  is_in_sync_ = is_in_sync;
  if (std::exchange(has_config_changed_, false) && duty_) duty_->book.configure(allocator_config());
  if (std::exchange(has_pools_changed_, false)) look_at_all();
  begin_work();
}

void LoadBalancerController::lead(bool is_leading) {
  if (!is_leading) return duty_.reset();
  if (duty_) return;
  duty_ = std::make_unique<Duty>(parts_, allocator_config(),
                                 [this](const Name& name, const Done& done) { look(name, done); });
  duty_->book.on_listed = [this] { begin_work(); };
  duty_->book.start();
}

// Once it is known which Services there are and what they have.
void LoadBalancerController::begin_work() {
  if (!duty_ || duty_->is_working || !is_in_sync_ || !duty_->book.allocator().is_listed()) return;
  duty_->is_working = true;
  for (const auto& [cidr, block] : duty_->book.allocator().blocks()) {
    for (const model::AllocationAttribute& each : block.stored().spec.attributes) {
      const std::string_view service = each.active_owner.get(kServiceAttribute);
      const std::string_view name_space = each.active_owner.get(ipam::kNamespaceAttribute);
      if (service.empty() || name_space.empty() || each.released_at) continue;
      duty_->handles[{std::string(name_space), std::string(service)}].insert(each.handle_id);
    }
  }
  look_at_all();
  duty_->queue.release_all();
}

bool LoadBalancerController::is_settled() const {
  return duty_ == nullptr || (duty_->is_working && duty_->queue.is_idle());
}

ipam::AllocatorConfig LoadBalancerController::allocator_config() const {
  ipam::AllocatorConfig out;
  out.rules.owner = virtual_owner();
  out.blocks_max = kBlocksMax;
  out.empty_kept = kEmptyKept;
  std::vector<IpPrefix> reserved;
  for (const auto& [name, each] : reservations_) {
    reserved.insert(reserved.end(), each->spec.reserved_cidrs.begin(), each->spec.reserved_cidrs.end());
  }
  out.rules.reserved = ipam::AddressSet(reserved);
  if (configuration_) out.rules.cooldown = std::chrono::seconds(configuration_->spec.ip_cooldown_seconds.value_or(0));
  return out;
}

std::vector<const model::IpPool*> LoadBalancerController::pools() const {
  std::vector<const model::IpPool*> out;
  for (const auto& [name, pool] : pools_) out.push_back(pool.get());
  return out;
}

ServiceWish LoadBalancerController::wish_of(const Name& name) const {
  static const StringMap kNone;
  const auto service = services_.find(name);
  if (service == services_.end()) return {};
  const auto name_space = namespaces_.find(name.name_space);
  const auto all = pools();
  return controllers::wish_of(
      {.service = *service->second,
       .pools = all,
       .namespace_labels = name_space == namespaces_.end() ? kNone : name_space->second->metadata.labels,
       .assign = assign_});
}

// By its present UID.
std::vector<IpAddress> LoadBalancerController::held_by(const Name& name) const {
  const auto service = services_.find(name);
  if (service == services_.end()) return {};
  return duty_->book.allocator().addresses_of(service_handle(service->second->metadata));
}

void LoadBalancerController::look(const Name& name, const Done& done) {
  const ServiceWish wish = wish_of(name);
  if (release_one(name, wish, done) || assign_missing(name, wish, done)) return;
  finish(name, wish, done);
}

// What it should not have: handles of earlier Services of the name, or of one that is not ours; addresses that do not
// fit any more, and a second one of a family.
bool LoadBalancerController::release_one(const Name& name, const ServiceWish& wish, const Done& done) {
  const auto released = [this, name, done](const Status& outcome) {
    if (outcome.ok()) return look(name, done);
    parts_.log.warn("an address cannot be released",
                    {{"service", key_of(name).to_string()}, {"error", outcome.error()}});
    done(Verdict::kRetry);
  };
  const std::string own = wish.is_ours ? service_handle(services_.at(name)->metadata) : std::string();
  if (const auto handles = duty_->handles.find(name); handles != duty_->handles.end()) {
    for (const std::string& handle : handles->second) {
      if (handle == own) continue;
      duty_->book.release(handle, [this, name, handle, released](const Status& outcome) {
        if (outcome.ok()) duty_->forget(name, handle);
        released(outcome);
      });
      return true;
    }
  }
  if (!wish.is_ours) return false;
  std::set<IpFamily> families;
  for (const IpAddress& held : held_by(name)) {
    const bool fits = std::any_of(wish.addresses.begin(), wish.addresses.end(),
                                  [&](const AddressWish& each) { return each.accepts(held); });
    if (fits && families.insert(held.family()).second) continue;
    duty_->book.release(own, held, released);
    return true;
  }
  return false;
}

// First what the status says already, then anything that fits.
bool LoadBalancerController::assign_missing(const Name& name, const ServiceWish& wish, const Done& done) {
  if (!wish.is_ours) return false;
  const std::vector<IpAddress> held = held_by(name);
  std::vector<ipam::Demand> demands;
  bool is_preference = false;
  for (const AddressWish& each : wish.addresses) {
    const bool has = std::any_of(held.begin(), held.end(),
                                 [&](const IpAddress& address) { return address.family() == each.family; });
    if (has || each.pools.empty()) continue;
    ipam::Demand& demand =
        demands.emplace_back(ipam::Demand{.family = each.family, .pools = each.pools, .address = each.address});
    if (demand.address || duty_->given_up.contains(name)) continue;
    for (const model::LoadBalancerIngress& ingress : services_.at(name)->status.load_balancer.ingress) {
      const bool is_of_pool = ingress.ip && ingress.ip->family() == each.family &&
                              std::any_of(each.pools.begin(), each.pools.end(),
                                          [&](const ipam::PoolRange& pool) { return pool.cidr.contains(*ingress.ip); });
      if (!is_of_pool) continue;
      demand.address = ingress.ip;
      is_preference = true;
    }
  }
  if (demands.empty()) return false;
  assign(name, wish, std::move(demands), is_preference, done);
  return true;
}

void LoadBalancerController::assign(const Name& name, const ServiceWish& wish, std::vector<ipam::Demand> demands,
                                    bool is_preference, const Done& done) {
  const model::ObjectMeta& metadata = services_.at(name)->metadata;
  ipam::Holder holder{service_handle(metadata), {}};
  holder.attributes.set(kServiceAttribute, name.name);
  holder.attributes.set(ipam::kNamespaceAttribute, name.name_space);
  holder.attributes.set(ipam::kTypeAttribute, "LoadBalancer");
  holder.attributes.set(ipam::kTimestampAttribute, format_timestamp(parts_.loop.wall_now()));
  duty_->handles[name].insert(holder.handle);
  duty_->book.assign(std::move(holder), std::move(demands),
                     [this, name, wish, is_preference, done](const std::vector<ipam::Got>& got) {
                       on_assigned(name, wish, got, is_preference, done);
                     });
}

void LoadBalancerController::on_assigned(const Name& name, const ServiceWish& wish, const std::vector<ipam::Got>& got,
                                         bool was_preferred, const Done& done) {
  ServiceWish after = wish;
  for (const ipam::Got& each : got) {
    if (!each.addresses.empty()) continue;
    const std::string text = each.error ? each.error->message : join(each.messages, "; ");
    after.problem += concat(after.problem.empty() ? "" : "; ", text.empty() ? "no address is free" : text);
  }
  if (after.problem != wish.problem && was_preferred) {
    duty_->given_up.insert(name);  // somebody else has it
    return look(name, done);
  }
  // It may be another Service by now: then this is no answer to what it wants.
  finish(name, wish_of(name).is_ours ? after : ServiceWish{}, done);
}

void LoadBalancerController::finish(const Name& name, const ServiceWish& wish, const Done& done) {
  const auto service = services_.find(name);
  if (service == services_.end()) {
    events_.forget(key_of(name));
    duty_->given_up.erase(name);
    return done(Verdict::kDone);
  }
  tell(name, wish.problem);
  const auto after_status = [done, is_open = !wish.problem.empty()](Verdict verdict) {
    done(is_open ? Verdict::kRetry : verdict);
  };
  std::vector<IpAddress> wanted;
  if (wish.is_ours) {
    const std::vector<IpAddress> held = held_by(name);
    for (const AddressWish& each : wish.addresses) {
      for (const IpAddress& address : held) {
        if (address.family() == each.family) wanted.push_back(address);
      }
    }
    return write_status(name, wanted, after_status);
  }
  // What others gave it stays.
  const auto all = pools();
  for (const model::LoadBalancerIngress& ingress : service->second->status.load_balancer.ingress) {
    if (!ingress.ip || is_load_balancer_address(all, *ingress.ip)) continue;
    wanted.push_back(*ingress.ip);
  }
  const bool has_ours = std::any_of(
      service->second->status.load_balancer.ingress.begin(), service->second->status.load_balancer.ingress.end(),
      [&](const auto& ingress) { return ingress.ip && is_load_balancer_address(all, *ingress.ip); });
  if (!has_ours || service->second->metadata.deletion_timestamp) return done(Verdict::kDone);
  write_status(name, wanted, after_status);
}

void LoadBalancerController::write_status(const Name& name, const std::vector<IpAddress>& addresses, const Done& done) {
  const model::Service& service = *services_.at(name);
  std::vector<IpAddress> now;
  for (const auto& ingress : service.status.load_balancer.ingress) {
    if (ingress.ip) now.push_back(*ingress.ip);
  }
  const bool is_same = now == addresses && now.size() == service.status.load_balancer.ingress.size();
  if (is_same) return done(Verdict::kDone);
  json::Array ingress;
  for (const IpAddress& address : addresses) ingress.push_back(json::Object{{"ip", address.to_string()}});
  json::Value patch;
  patch["metadata"]["resourceVersion"] = service.metadata.resource_version;
  patch["metadata"]["uid"] = service.metadata.uid;
  patch["status"]["loadBalancer"]["ingress"] = std::move(ingress);
  static const kube::ResourceType type = watch::resource_of(model::Kind::kService);
  duty_->writes[name] = parts_.client.patch(
      type, name, "status", kube::PatchType::kMerge, json::dump(patch), {},
      [this, name, done](const kube::ApiResult<json::Value>& answer) {
        const auto ended = duty_->writes.extract(name);
        // Overtaken: the watch shows what is there now, and it is looked at again.
        const bool is_over = answer.ok() || answer.error().code == ErrorCode::kNotFound;
        if (!is_over) {
          parts_.log.debug("status", {{"service", key_of(name).to_string()}, {"error", answer.error().message}});
        }
        done(is_over ? Verdict::kDone : Verdict::kRetry);
      });
}

void LoadBalancerController::tell(const Name& name, std::string_view problem) {
  if (problem.empty()) return events_.forget(key_of(name), kReason);
  events_.warn(key_of(name), services_.at(name)->metadata, kReason, problem);
}

ControllerEntry load_balancer_controller() {
  return {"loadbalancer", Section::kLoadBalancer, [](const ControllerParts& parts, watch::ClusterWatch& cluster) {
            return std::make_unique<LoadBalancerController>(parts.writer, cluster, parts.events);
          }};
}

}  // namespace margay::controllers
