// IpamWorld: everything of a cluster that is about addresses, read once.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cni/ipam/audit.h"
#include "ctl/verbs/session.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"

namespace margay::verbs {

struct IpamWorld {
  std::vector<model::IpPool> pools;
  std::vector<model::IpamBlock> blocks;
  std::vector<model::BlockAffinity> affinities;
  std::vector<model::IpamHandle> handles;
  std::vector<model::IpReservation> reservations;
  std::map<IpAddress, ipam::AddressUser> users;  // pods, other workloads, tunnels of nodes, services

  [[nodiscard]] ipam::AddressSet reserved() const;
  [[nodiscard]] ipam::AuditInput audit_input() const;
};

// The exit code when it cannot be read; that has been told. `has_users`: pods and nodes as well.
std::optional<command::ExitCode> load_ipam(Session& session, bool has_users, IpamWorld& world);

// The resource of a kind of ours.
const schema::ResourceInfo& resource_of(Session& session, model::Kind kind);

}  // namespace margay::verbs
