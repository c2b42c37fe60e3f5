// PodInterface: the veth pair of a pod, made, looked at and removed by netlink: host end and pod end, addresses,
// routes, neighbours, settings.
//
//   pod: eth0  10.0.0.1/32, fd00::1/128             host: cali…  ee:ee:ee:ee:ee:ee
//        169.254.1.1 dev eth0, default via 169.254.1.1         (the agent routes 10.0.0.1 to it)
//        default via fe80::ecee:eeff:feee:eeee                 (the link-local address of that MAC, RFC 4291 app. A)
//        both next hops with the host end's MAC as permanent neighbours: the first packet waits for nobody
//
// The calling thread is in the pod's namespace from enter() on: for a process that does one thing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/ip/mac.h"
#include "base/ip/prefix.h"
#include "dataplane/netlink/netlink.h"

namespace margay::cni {

inline constexpr Mac kHostMac{{0xee, 0xee, 0xee, 0xee, 0xee, 0xee}};

struct InterfacePlan {
  std::string host_name;
  std::string name = "eth0";
  std::vector<IpPrefix> addresses;
  std::int64_t mtu = 1500;
  std::optional<Mac> mac;
  bool is_forwarding = false;
};

struct FoundLink {
  std::uint32_t index = 0;
  Mac mac;
  bool is_up = false;
};

class PodNetns {
 public:
  // kNotFound: there is no such namespace (any more).
  static Result<PodNetns> open(const std::string& path);
  PodNetns(PodNetns&& other) noexcept;
  PodNetns& operator=(PodNetns&&) = delete;
  ~PodNetns();

  // In the namespace of the caller: the pair, its pod end already in the pod, and the settings of the host end. What
  // had that name on the host before goes: it is an earlier pod's.
  Status make_pair(const InterfacePlan& plan) const;
  // From here on the thread is in the pod.
  Status enter() const;

 private:
  explicit PodNetns(int fd) : fd_(fd) {}
  int fd_;
};

// In the pod: addresses, routes, neighbours, settings. The MAC that the pod end has.
Result<Mac> configure(const InterfacePlan& plan);
// In the pod: nullopt when there is none.
Result<std::optional<FoundLink>> find_link(const std::string& name);
// In the pod: the interface stops carrying packets; then it goes, and the host end with it. None there is fine.
Status take_down(const std::string& name);
Status remove_link(const std::string& name);
// The same, and returns as soon as nobody finds the interface any more: the kernel then waits for a grace period or two
// (10 ms and more) before it answers, which a process of its own sits out.
Status end_link(const std::string& name);
// In the pod: what is not as configure() left it; empty: all is.
Result<std::string> find_fault(const InterfacePlan& plan);

}  // namespace margay::cni
