// ServiceIndex: the members of the sets of services that somebody uses, from EndpointSlices. Every address counts,
// ready or not; ports without a number and addresses that are names do not. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "datastore/model/service.h"
#include "policy/desired/ip_set.h"

namespace margay::policy {

using Members = std::vector<IpSetMember>;  // sorted, each once

class ServiceIndex {
 public:
  // "namespace/name"
  using ServiceName = std::string;

  void put_slice(const std::string& key, const model::EndpointSlice& slice);
  void remove_slice(const std::string& key);

  [[nodiscard]] Members members_of(const ServiceName& service, bool with_ports) const;
  // Services whose slices changed since the last call.
  std::set<ServiceName> take_changed() { return std::exchange(changed_, {}); }

 private:
  struct Slice {
    ServiceName service;
    Members members;    // with ports
    Members addresses;  // without
  };
  std::map<std::string, Slice> slices_;
  std::map<ServiceName, std::set<std::string>> slices_by_service_;
  std::set<ServiceName> changed_;
};

}  // namespace margay::policy
