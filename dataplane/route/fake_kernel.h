// FakeKernel: the kernel's routes in memory, behind the Netlink seam. It can refuse single prefixes, fail its n-th call
// as a whole, and be changed behind the driver's back; link_down() removes routes without a word, as Linux does.
// For tests; used by one thread at a time.
#pragma once

#include <linux/rtnetlink.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/netlink/netlink.h"
#include "dataplane/route/route.h"

namespace margay::route {

class FakeKernel final : public netlink::Netlink {
 public:
  struct Held {
    Route route;
    std::uint8_t protocol = 0;
  };

  // --- what it is asked for ---
  Status dump(const netlink::Batch& request, const std::function<void()>& begin, const netlink::Visit& visit) override;
  Status ask(const netlink::Batch& request, const netlink::Visit& visit) override;
  netlink::BatchReport apply(const netlink::Batch& batch) override;
  [[nodiscard]] std::uint32_t port() const override { return 1; }

  // --- what tests do to it ---
  void connect(const IpPrefix& subnet, IfIndex interface) { connected_[subnet] = interface; }
  void disconnect(const IpPrefix& subnet) { connected_.erase(subnet); }
  void refuse(const IpPrefix& prefix, int error) { refused_[prefix] = error; }
  void refuse_nothing() { refused_.clear(); }
  // The n-th call from now (1: the next) fails, nothing of it is done.
  void fail_call(int n) { fails_in_ = n; }
  void put(const RouteKey& key, const Route& route, std::uint8_t protocol) { routes_[key] = {route, protocol}; }
  void erase(const RouteKey& key) { routes_.erase(key); }
  void link_down(IfIndex interface);
  // Before each call.
  std::function<void()> on_call;

  // --- what has become of it ---
  [[nodiscard]] const std::map<RouteKey, Held>& routes() const { return routes_; }
  // "10.9.0.0/26 via 10.1.0.7 dev 10", of one protocol, in order; the table is named if it is not the main one.
  [[nodiscard]] std::vector<std::string> lines(std::uint8_t protocol) const;
  [[nodiscard]] int dumps() const { return dumps_; }
  [[nodiscard]] int writes() const { return writes_; }             // requests, refused ones included
  [[nodiscard]] std::size_t most_routes() const { return most_; }  // at any time

 private:
  [[nodiscard]] bool fails_now();
  int change(const netlink::MessageView& message);

  std::map<RouteKey, Held> routes_;
  std::map<IpPrefix, IfIndex> connected_;
  std::map<IpPrefix, int> refused_;
  int fails_in_ = 0;
  int dumps_ = 0;
  int writes_ = 0;
  std::size_t most_ = 0;
};

// A notification of the kernel, for those who listen.
void tell_route(std::uint16_t type, const RouteKey& key, const Route& route, std::uint8_t protocol,
                const std::function<void(const netlink::MessageView&)>& listener);
void tell_link(IfIndex interface, bool is_up, const std::function<void(const netlink::MessageView&)>& listener);

}  // namespace margay::route
