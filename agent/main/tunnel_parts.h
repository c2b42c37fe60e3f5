// TunnelParts: what the agent does for its tunnels on the control loop: addresses of their devices, MTUs of theirs and
// of workloads, and what an admin should know of them.
// Thread: the control loop's. What it refers to outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "agent/dataplane/dataplane_thread.h"
#include "agent/main/cni_parts.h"
#include "agent/startup/node_patch.h"
#include "agent/tunnels/mtu.h"
#include "agent/tunnels/tunnel_addresses.h"
#include "datastore/kube/client.h"
#include "datastore/model/felix_configuration.h"

namespace margay::agent {

class TunnelParts {
 public:
  struct Parts {
    loop::Loop& loop;
    kube::Client& client;
    CniParts& cni;
    std::string node;
    std::string state_dir;
    telemetry::Logger log{};
    // An Event on our Node; said once.
    std::function<void(std::string_view reason, const std::string& message, bool is_warning)> on_note;
    // What our Node is to say.
    std::function<void(const startup::Condition& condition)> on_condition;
  };
  explicit TunnelParts(Parts parts);
  ~TunnelParts();

  // Our own, as watched.
  void set_node(const std::shared_ptr<const model::Node>& node);
  void set_links(const HostLinks& links);
  // After each turn that may have changed pools or settings. The settings for the dataplane if they are others.
  std::optional<ipip::TunnelSettings> take(std::shared_ptr<const model::FelixConfigurationSpec> settings,
                                           const ipip::LocalTunnels& local);
  // The same after set_links().
  std::optional<ipip::TunnelSettings> take();
  // As the dataplane reports them.
  void set_devices(const std::set<std::string>& devices);
  // What the kernel can do is known.
  void set_ipip(const ipip::IpipChoice& choice) {
    ipip_ = choice;
    is_ipip_known_ = true;
  }

  [[nodiscard]] std::uint32_t host_mtu() const { return host_mtu_; }
  [[nodiscard]] const Mtus& mtus() const { return mtus_; }
  [[nodiscard]] const ipip::IpipChoice& ipip() const { return ipip_; }
  [[nodiscard]] bool lacks_ipip() const;
  [[nodiscard]] const std::map<std::string, std::string>& problems() const { return addresses_.problems(); }

 private:
  class Source;
  [[nodiscard]] bool is_there(ipam::TunnelKind kind) const;
  void patch_node(std::string patch, Callback<void(Status)> done);
  void tell_missing();
  void tell_condition();
  void write_mtu();

  Parts parts_;
  std::unique_ptr<Source> source_;
  TunnelAddresses addresses_;
  kube::OperationPtr patch_;
  std::shared_ptr<const model::Node> node_;
  std::vector<HostLink> links_;
  bool has_links_ = false;
  std::set<std::string> devices_;
  std::vector<IpAddress> node_addresses_;
  std::shared_ptr<const model::FelixConfigurationSpec> settings_;  // null: none yet
  std::string pattern_;
  std::function<bool(std::string_view)> matches_ = [](std::string_view) { return false; };
  ipip::LocalTunnels local_;
  ipip::IpipChoice ipip_;
  bool is_ipip_known_ = false;
  bool is_missing_told_ = false;
  std::uint32_t host_mtu_ = kDefaultMtu;
  Mtus mtus_{.workload = kDefaultMtu};
  std::uint32_t written_mtu_ = 0;
  std::optional<ipip::TunnelSettings> told_;
};

}  // namespace margay::agent
