// FakeTunnels: tunnel devices that are only names and numbers. For tests; one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "agent/dataplane/fake_node.h"
#include "base/core/text.h"

namespace margay::agent {

class FakeTunnels final : public TunnelPort {
 public:
  explicit FakeTunnels(FakeNode& node) : node_(node) {}
  void set_devices(const ipip::DeviceSpecs& wanted, Duration) override { wanted_ = wanted; }
  void set_vtep(const ipip::VtepKey& key, const std::optional<ipip::Vtep>& vtep) override {
    node_.log.push_back(concat(vtep ? "vtep " : "remove vtep ", key.node));
  }
  [[nodiscard]] std::map<ipip::DeviceKind, IfIndex> devices() const override { return node_.tunnels; }
  Status count(TunnelCounters& to) override {
    for (const auto& [kind, index] : node_.tunnels) to.devices[std::string(ipip::name_of(kind))].packets_in = carried;
    return ok_status();
  }
  void queue_resync() override { ++node_.resyncs["tunnels"]; }
  // Devices that are not wanted linger until a test takes them away.
  dataplane::ApplyReport apply(TimePoint now) override {
    if (node_.failing.contains("tunnels")) return node_.failure("tunnels", now);
    dataplane::ApplyReport report;
    for (const auto& [kind, spec] : wanted_) {
      if (!node_.tunnels.try_emplace(kind, IfIndex(100 + static_cast<std::uint32_t>(kind))).second) continue;
      node_.log.push_back(concat("device ", ipip::name_of(kind)));
      ++report.updated;
    }
    return report;
  }

  std::uint64_t carried = 0;  // packets, by each device

 private:
  FakeNode& node_;
  ipip::DeviceSpecs wanted_;
};

class FakeEncapsulation final : public EncapsulationPort {
 public:
  explicit FakeEncapsulation(FakeNode& node) : node_(node) {}
  void set_remote(const IpPrefix& prefix, const std::optional<IpAddress>& node) override { due_[prefix] = node; }
  void set_plain(const IpPrefix& prefix) override { due_[prefix] = IpAddress(); }
  void set_own_prefixes(const std::set<IpPrefix>& prefixes) override { own_prefixes = prefixes; }
  void set_senders(const std::set<IpAddress>& all) override { senders = all; }
  void set_address(const std::optional<IpAddress>& ours) override { address = ours; }
  void set_uplinks(const std::set<IfIndex>& all) override { uplinks = all; }
  void set_hooks(const std::set<IfIndex>& all) override { hooks = all; }
  Status count(TunnelCounters& to) override {
    if (node_.failing.contains("counters")) return Error{ErrorCode::kUnavailable, "no counters"};
    to.nodes = counted;
    return ok_status();
  }
  void queue_resync() override { ++node_.resyncs["encapsulation"]; }
  dataplane::ApplyReport apply(TimePoint) override {
    dataplane::ApplyReport report;
    for (const auto& [prefix, node] : std::exchange(due_, {})) {
      node_.log.push_back(concat(node ? "remote " : "remove remote ", prefix.to_string()));
      node ? void(remotes.insert_or_assign(prefix, *node)) : void(remotes.erase(prefix));
      ++report.updated;
    }
    return report;
  }

  std::map<IpPrefix, IpAddress> remotes;
  std::set<IpPrefix> own_prefixes;
  std::set<IpAddress> senders;
  std::optional<IpAddress> address;
  std::set<IfIndex> uplinks, hooks;
  std::map<IpAddress, NodeCounters> counted;

 private:
  FakeNode& node_;
  std::map<IpPrefix, std::optional<IpAddress>> due_;
};

}  // namespace margay::agent
