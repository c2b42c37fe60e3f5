// BgpSettings: BGPConfiguration as it is for this node: "default", with "node.NAME" over it where a field may differ
// from node to node. What the mesh is made of comes from "default" alone: both ends must read the same. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/time.h"
#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "bgp/filter/filter.h"
#include "bgp/rib/route.h"
#include "bgp/wire/family.h"
#include "datastore/model/bgp_configuration.h"

namespace margay::agent {

struct BgpSettings {
  bool has_mesh = true;
  std::optional<model::SecretReference> mesh_password;
  std::optional<Duration> mesh_restart_time;
  Asn asn{64512};  // where the node has none of its own
  std::uint16_t listen_port = 179;
  bool binds_to_node = false;
  std::vector<IpPrefix> cluster_ips, external_ips, load_balancer_ips;
  bool aggregates_load_balancers = true;
  bgp::PerFamily<std::optional<IpAddress>> workload_peering;
  bgp::PerFamily<std::uint32_t> priority{1024, 1024};
  std::optional<model::LogSeverity> log_severity;
  struct Advertisement {
    IpPrefix cidr;
    std::vector<bgp::AnyCommunity> communities;
  };
  std::vector<Advertisement> advertisements;

  // Priority and communities of a route of ours: those of every range around it.
  void complete(bgp::rib::LocalRoute& route) const;
};

// The objects by name.
class BgpConfigurations {
 public:
  void set(const std::string& name, std::shared_ptr<const model::BgpConfiguration> object);

  // `errors`: by the name of the object.
  [[nodiscard]] BgpSettings settings_of(const std::string& node, std::map<std::string, FieldErrors>& errors) const;
  [[nodiscard]] Asn asn_of(const std::string& node) const;
  [[nodiscard]] std::uint16_t port_of(const std::string& node) const;
  [[nodiscard]] std::optional<model::SecretReference> mesh_password() const;

 private:
  [[nodiscard]] const model::BgpConfigurationSpec* find(const std::string& name) const;

  std::map<std::string, std::shared_ptr<const model::BgpConfiguration>> objects_;
};

// "default", or "node." and a name.
inline constexpr std::string_view kDefaultConfiguration = "default";
inline constexpr std::string_view kNodeConfigurationPrefix = "node.";

}  // namespace margay::agent
