// EndpointStatusFiles: a file for each local workload endpoint whose policy is in the kernel, as Calico's agent writes
// them: PREFIX/endpoint-status/ID, {"ifaceName": …, "mac": …, "ipv4Nets": […], "ipv6Nets": […], "bgpPeerName": …}.
//
// Written when the policy is programmed, removed with the endpoint; reconcile() (every 10 s) writes again what somebody
// removed or changed, and removes what is nobody's. Writing is atomic. An error keeps the file on the list of what is
// to be done. One thread; the calls block on a file system that is memory (run).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/ip/mac.h"
#include "base/ip/prefix.h"

namespace margay::status {

struct WorkloadId {
  std::string orchestrator;  // "k8s"
  std::string workload;      // "default/web-0"
  std::string endpoint;      // "eth0"

  friend auto operator<=>(const WorkloadId&, const WorkloadId&) = default;
};
// "k8s default%2fweb-0 eth0": one name for one endpoint, no slash.
std::string file_name(const WorkloadId& id);

struct EndpointStatus {
  std::string interface;
  std::optional<Mac> mac{};
  std::vector<IpPrefix> networks{};
  std::string bgp_peer_name{};

  friend bool operator==(const EndpointStatus&, const EndpointStatus&) = default;
};
std::string to_json(const EndpointStatus& status);

class EndpointStatusFiles {
 public:
  EndpointStatusFiles() = default;

  // endpointStatusPathPrefix; "" for no files. Those of the earlier place are removed.
  void set_prefix(const std::string& prefix);
  // nullopt: the endpoint is gone, or its policy is not in the kernel.
  void set(const WorkloadId& id, std::optional<EndpointStatus> status);
  // Until then only files are written and none removed that were there before: after a start not all is known yet.
  void mark_in_sync();

  // Everything that is to be done; the first error, after all was tried.
  Status apply();
  // Looks at what is there, and then the same.
  Status reconcile();
  [[nodiscard]] bool is_done() const { return dirty_.empty(); }

 private:
  [[nodiscard]] std::string directory() const;
  Status apply_one(const std::string& name);

  std::string prefix_;
  bool is_in_sync_ = false;
  std::map<std::string, std::string, std::less<>> wanted_;  // content by name of file
  std::set<std::string, std::less<>> dirty_;
};

}  // namespace margay::status
