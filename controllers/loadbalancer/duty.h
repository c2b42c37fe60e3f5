// What the controller of load balancers has while it leads: addresses, keys to look at, writes under way. With its end
// all of it is abandoned; the next leader reads what there is.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "cni/addresses/address_book.h"
#include "controllers/loadbalancer/load_balancer_controller.h"

namespace margay::controllers {

struct LoadBalancerController::Duty {
  Duty(const WriterParts& parts, ipam::AllocatorConfig config, KeyQueue<kube::ObjectName>::Work work)
      : book({parts.loop, parts.client, parts.log}, std::move(config)),
        queue(parts.loop, parts.random, {}, std::move(work)) {
    queue.hold();
  }

  void forget(const kube::ObjectName& name, const std::string& handle) {
    const auto found = handles.find(name);
    if (found == handles.end()) return;
    found->second.erase(handle);
    if (found->second.empty()) handles.erase(found);
  }

  addresses::AddressBook book;
  KeyQueue<kube::ObjectName> queue;
  bool is_working = false;
  std::map<kube::ObjectName, std::set<std::string>> handles;  // that may have addresses
  std::set<kube::ObjectName> given_up;                        // the address in the status is somebody else's
  std::map<kube::ObjectName, kube::OperationPtr> writes;
};

}  // namespace margay::controllers
