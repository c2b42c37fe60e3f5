// WorkloadPlan: from the workload endpoints of this node and its interfaces to routes, neighbours and settings.
//
//   set_endpoint ─▶ wanted ──confirm(family)──▶ confirmed ─┐ address by address:
//   set_interface ────────────────────────────────────────┴▶ one owner whose interface is up ─▶ take(): what changed
//
// Invariants
//   1. Fail closed: an endpoint has no route before its rules are in the kernel (confirm); what goes, goes at once.
//   2. An address leads to one interface. Of several endpoints that claim it, the first in order whose interface is up
//      has it; the others say so in their state.
//   3. An address that moves or goes is forgotten by connection tracking.
// Pure; costs what changed.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/dataplane/batch.h"
#include "agent/dataplane/ports.h"
#include "datastore/model/endpoints.h"

namespace margay::agent {

struct InterfaceState {
  IfIndex index;
  bool is_up = false;  // administratively: the kernel takes routes
  friend bool operator==(const InterfaceState&, const InterfaceState&) = default;
};

// What take() gives; each level-based.
struct WorkloadChanges {
  std::map<IpPrefix, std::optional<IfIndex>> routes;  // nullopt: none
  std::map<NeighbourKey, std::optional<Mac>> neighbours;
  std::map<std::string, bool> interfaces;  // true: it needs the settings of a workload's; false: it has gone
  std::set<IpAddress> forgotten;           // their connections end

  [[nodiscard]] bool empty() const {
    return routes.empty() && neighbours.empty() && interfaces.empty() && forgotten.empty();
  }
};

class WorkloadPlan {
 public:
  using Endpoint = std::shared_ptr<const model::WorkloadEndpoint>;

  // Null: gone.
  void set_endpoint(const model::ObjectKey& key, const Endpoint& endpoint);
  // The rules of all endpoints set so far are in the kernel.
  void confirm(IpFamily family);
  // nullopt: gone.
  void set_interface(const std::string& name, const std::optional<InterfaceState>& state);

  [[nodiscard]] WorkloadChanges take();

  // Endpoints whose state may have changed since the last call.
  [[nodiscard]] std::set<model::ObjectKey> take_touched();
  // nullopt: there is no such endpoint. `families`: those that rules are written for.
  [[nodiscard]] std::optional<EndpointState> state(const model::ObjectKey& key,
                                                   const std::set<IpFamily>& families) const;
  // Of the endpoint that has them: what leads to its addresses.
  [[nodiscard]] std::map<IpPrefix, IfIndex> routes_of(const model::ObjectKey& key) const;
  // Whose address it is now.
  [[nodiscard]] const model::ObjectKey* owner_of(const IpPrefix& address) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Endpoint wanted;
    Endpoint confirmed_v4, confirmed_v6;
    [[nodiscard]] const Endpoint& confirmed(IpFamily family) const {
      return family == IpFamily::kV4 ? confirmed_v4 : confirmed_v6;
    }
    Endpoint& confirmed(IpFamily family) { return family == IpFamily::kV4 ? confirmed_v4 : confirmed_v6; }
  };
  struct Placed {
    model::ObjectKey owner;
    IfIndex interface;
    std::optional<Mac> mac;
    friend bool operator==(const Placed&, const Placed&) = default;
  };

  void claim(const model::ObjectKey& key, const Endpoint& endpoint, IpFamily family);
  void unclaim(const model::ObjectKey& key, const Endpoint& endpoint, IpFamily family);
  void confirm_one(const model::ObjectKey& key, Entry& entry, IpFamily family);
  void touch_interface(const std::string& name);
  [[nodiscard]] std::optional<Placed> choose(const IpPrefix& address) const;
  void place(const IpPrefix& address, WorkloadChanges& changes);
  [[nodiscard]] const InterfaceState* up_interface(const std::string& name) const;
  [[nodiscard]] std::string conflict_of(const model::ObjectKey& key, const Endpoint& endpoint) const;

  std::map<model::ObjectKey, Entry> entries_;
  std::map<std::string, InterfaceState> interfaces_;
  std::map<IpPrefix, std::set<model::ObjectKey>> claims_;         // of confirmed endpoints
  std::map<std::string, std::multiset<model::ObjectKey>> users_;  // by interface, of confirmed endpoints
  std::map<IpPrefix, Placed> placed_;                             // as given out
  std::map<IpFamily, std::set<model::ObjectKey>> unconfirmed_;
  std::set<IpPrefix> dirty_;
  std::map<std::string, bool> settings_;  // due
  std::set<model::ObjectKey> touched_;
};

}  // namespace margay::agent
