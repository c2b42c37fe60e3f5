// LoadBalancerController: gives Services of type LoadBalancer addresses of pools for that use, writes them into their
// status, and takes them back.
//
//   Service, IPPool, Namespace ─▶ ServiceWish ─┐                     ┌─▶ addresses::AddressBook (virtual:load-balancer)
//                                              ├─ difference, by key ┼─▶ Service status.loadBalancer.ingress
//   addresses held by the Service's handle ────┘                     └─▶ Events where there is none to be had
//
// Invariants
//   1. An address is in the status when its block says that it is the Service's, and taken from the status by whoever
//      releases it.
//   2. What the status says already is asked for first: a Service keeps its address through a restart, and through the
//      loss of IPAM's objects.
//   3. A Service has as many addresses as it has families, whatever was interrupted.
// Thread: the loop's.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cni/addresses/address_book.h"
#include "controllers/loadbalancer/service_wish.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/key_queue.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"
#include "datastore/model/kubernetes.h"

namespace margay::controllers {

class LoadBalancerController final : public Controller {
 public:
  LoadBalancerController(const WriterParts& parts, watch::ClusterWatch& cluster, EventGate& events);
  ~LoadBalancerController() override;

  void configure(const Settings& settings) override;
  void on_turn(bool is_in_sync) override;
  void lead(bool is_leading) override;
  [[nodiscard]] bool is_settled() const override;

 private:
  using Name = kube::ObjectName;
  using Done = std::function<void(Verdict)>;
  // As long as this replica leads.
  struct Duty;

  void watch_all(watch::ClusterWatch& cluster);
  void see(const model::IpamBlock& block);
  void look_at_all();
  void begin_work();
  [[nodiscard]] ipam::AllocatorConfig allocator_config() const;
  [[nodiscard]] std::vector<const model::IpPool*> pools() const;
  [[nodiscard]] ServiceWish wish_of(const Name& name) const;
  [[nodiscard]] std::vector<IpAddress> held_by(const Name& name) const;

  // One step after the other; each goes on with the next.
  void look(const Name& name, const Done& done);
  bool release_one(const Name& name, const ServiceWish& wish, const Done& done);
  bool assign_missing(const Name& name, const ServiceWish& wish, const Done& done);
  void on_assigned(const Name& name, const ServiceWish& wish, const std::vector<ipam::Got>& got, bool was_preferred,
                   const Done& done);
  void assign(const Name& name, const ServiceWish& wish, std::vector<ipam::Demand> demands, bool is_preference,
              const Done& done);
  void finish(const Name& name, const ServiceWish& wish, const Done& done);
  void write_status(const Name& name, const std::vector<IpAddress>& addresses, const Done& done);
  void tell(const Name& name, std::string_view problem);

  WriterParts parts_;
  EventGate& events_;
  model::AssignIps assign_ = model::AssignIps::kAllServices;
  std::map<Name, std::shared_ptr<const model::Service>> services_;
  std::map<std::string, std::shared_ptr<const model::IpPool>> pools_;
  std::map<std::string, std::shared_ptr<const model::IpReservation>> reservations_;
  std::map<std::string, std::shared_ptr<const model::Namespace>> namespaces_;
  std::shared_ptr<const model::IpamConfiguration> configuration_;
  bool is_in_sync_ = false;
  bool has_pools_changed_ = false;
  bool has_config_changed_ = false;
  std::unique_ptr<Duty> duty_;
};

ControllerEntry load_balancer_controller();

}  // namespace margay::controllers
