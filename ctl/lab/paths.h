// Where a lab keeps what it has: one folder, and network namespaces whose names tell whose they are.
//
//   /run/margay-lab/NAME/
//     lab.json             its topology and processes, for the commands that come later
//     kubeconfig, api.sock the API server, for everybody and for the nodes
//     logs/PROGRAM.log     what each process says
//     nodes/NODE/          --run-dir and --state-dir of a margay-node
//   /run/netns/margay-NAME.NODE, .router, .pod.NAMESPACE.POD    (so `ip netns exec` works)
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/core/text.h"

namespace margay::lab {

class Paths {
 public:
  explicit Paths(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string folder() const { return concat("/run/margay-lab/", name_); }
  [[nodiscard]] std::string file(std::string_view relative) const { return concat(folder(), '/', relative); }
  [[nodiscard]] std::string state() const { return file("lab.json"); }
  [[nodiscard]] std::string kubeconfig() const { return file("kubeconfig"); }
  [[nodiscard]] std::string api_socket() const { return file("api.sock"); }
  [[nodiscard]] std::string log(std::string_view program) const { return file(concat("logs/", program, ".log")); }
  [[nodiscard]] std::string node(std::string_view node) const { return file(concat("nodes/", node)); }
  // The local API of its agent.
  [[nodiscard]] std::string node_socket(std::string_view node) const { return concat(this->node(node), "/node.sock"); }
  [[nodiscard]] std::string cni_socket(std::string_view node) const { return concat(this->node(node), "/cni.sock"); }

  // Names of network namespaces.
  [[nodiscard]] std::string space_prefix() const { return concat("margay-", name_, '.'); }
  [[nodiscard]] std::string space_of(std::string_view node) const { return concat(space_prefix(), node); }
  [[nodiscard]] std::string space_of_pod(std::string_view name_space, std::string_view pod) const {
    return concat(space_prefix(), "pod.", name_space, '.', pod);
  }

 private:
  std::string name_;
};

}  // namespace margay::lab
