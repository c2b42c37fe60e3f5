// `margay install`: the plugin puts itself where the container runtime looks for it. A runtime never gives arguments,
// so the program can be both; and what is installed is the very program that the node's image was tested with.
//
// The order is what a kubelet relies on: first every program, each by rename, then the configuration, also by rename:
// as soon as it is there the node counts as ready. What is there already and the same is not touched. Nothing in the
// configuration expires (no token, no address of a server), so it needs nobody to keep it fresh.
//
// Source: Kubernetes documentation, "Network Plugins"; libcni, which takes the first file of the folder in byte order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/core/result.h"

namespace margay::cni {

struct InstallOptions {
  std::string bin_dir = "/opt/cni/bin";
  std::string conf_dir = "/etc/cni/net.d";
  std::string conf_name = "10-margay.conflist";
  std::string config;       // a file to use instead of our own configuration
  std::string plugins_dir;  // programs of others (portmap, loopback), put where the host has none
  std::string network = "k8s-pod-network";
  std::string socket = "/run/margay/cni.sock";
  std::string state_dir = "/var/lib/margay";
  std::int64_t mtu = 0;                    // 0: the agent says
  std::string program = "/proc/self/exe";  // what is copied
};

// The configuration we would write; `has_portmap`: host ports are served by that plugin.
std::string default_config(const InstallOptions& options, bool has_portmap);

// What was done, and what the runtime might stumble over, a line each. Errors name the file.
Result<std::vector<std::string>> install(const InstallOptions& options);

// `arguments` without the program's name, "install" first. Prints; the exit status.
int run_install(const std::vector<std::string>& arguments);

}  // namespace margay::cni
