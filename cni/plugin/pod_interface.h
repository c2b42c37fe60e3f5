// PodInterface: the veth pair of a pod, made, looked at and removed by netlink: host end and pod end, addresses,
// routes, neighbours, settings.
//
//   pod: eth0  10.0.0.1/32, fd00::1/128             host: cali…  ee:ee:ee:ee:ee:ee
//        169.254.1.1 dev eth0, default via 169.254.1.1         (the agent routes 10.0.0.1 to it)
//        default via fe80::ecee:eeff:feee:eeee                 (the link-local address of that MAC, RFC 4291 app. A)
//        both next hops with the host end's MAC as permanent neighbours, as the host has the pod's addresses with its
//        MAC: the first packet waits for nobody, whoever sends it
//
// The calling thread is in the pod's namespace from enter() on: for a process that does one thing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
  std::vector<IpFamily> families;   // for who does not know the addresses yet; empty: those of `addresses`
  std::vector<IpPrefix> addresses;  // make_pair() and prepare() do without
  std::int64_t mtu = 1500;
  std::optional<Mac> mac;  // of the pod end; the kernel need not be asked for one that is given
  bool is_forwarding = false;
};

struct FoundLink {
  std::uint32_t index = 0;
  Mac mac;
  bool is_up = false;
};

// The host's end of a pod's interface, from wherever the thread is.
class HostEnd {
 public:
  HostEnd(std::unique_ptr<netlink::Netlink> kernel, std::uint32_t link) : kernel_(std::move(kernel)), link_(link) {}
  // The pod's addresses are at its MAC. To be said once the pod answers: who sent to one of them before has made the
  // host ask in vain, and would wait until it asks again, a second later. What is told is checked by the kernel when it
  // is used, and forgotten when the pod's end goes down, as when a plugin after this one changes its MAC.
  Status tell_addresses(const InterfacePlan& plan, const Mac& mac) const;
  // The kernel sends by it. It was up before the pod's end was, so it learns of its carrier from the kernel's link
  // watch, a task that a busy machine runs late; until then packets to the pod are dropped, its first ones. At most a
  // second.
  void wait_until_running() const;

 private:
  [[nodiscard]] bool is_running() const;

  std::unique_ptr<netlink::Netlink> kernel_;
  std::uint32_t link_;
};

// One plugin at a time, on this node, asks the kernel for an interface and its settings. They wait for each other
// anyway, at the kernel's lock of interfaces; but there a write to /proc/sys does not sleep but spins, and a hundred
// that start at once keep from running who has the lock. Where the folder of the agent's socket cannot be opened nobody
// waits. Held until the object, or the process, ends.
class KernelTurn {
 public:
  explicit KernelTurn(const std::string& socket);
  ~KernelTurn();
  KernelTurn(const KernelTurn&) = delete;
  KernelTurn& operator=(const KernelTurn&) = delete;

 private:
  int fd_ = -1;
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
  Result<HostEnd> make_pair(const InterfacePlan& plan) const;
  // From here on the thread is in the pod.
  Status enter() const;

 private:
  explicit PodNetns(int fd) : fd_(fd) {}
  int fd_;
};

// In the pod: settings, which need no address.
void prepare(const InterfacePlan& plan);
// In the pod, after prepare(): addresses, routes, neighbours. The MAC that the pod end has.
Result<Mac> set_addresses(const InterfacePlan& plan);
// Both.
Result<Mac> configure(const InterfacePlan& plan);
// In the pod: nullopt when there is none.
Result<std::optional<FoundLink>> find_link(const std::string& name);
// In the pod: the interface goes, and the host end with it. None there is fine.
Status remove_link(const std::string& name);
// In the pod: what is not as configure() left it; empty: all is.
Result<std::string> find_fault(const InterfacePlan& plan);

// In the pod: the same as remove_link(), in two steps. Setting the interface down takes a fraction of a millisecond,
// and no packet leaves by it from then on. Removing it is for a process of its own, as the kernel answers only after a
// grace period or two (10 ms and more), while nothing of the interface is left to be found.
class LinkRemoval {
 public:
  // Sets it down. None there is fine.
  explicit LinkRemoval(std::string name);
  ~LinkRemoval();
  LinkRemoval(const LinkRemoval&) = delete;
  LinkRemoval& operator=(const LinkRemoval&) = delete;

  void begin();
  [[nodiscard]] Status wait_until_gone() const;

 private:
  std::string name_;
  std::unique_ptr<netlink::Netlink> kernel_{};
  Status outcome_ = ok_status();  // when it was done at once
  int report_ = -1;               // where the process says what failed; its end is the end
};

}  // namespace margay::cni
