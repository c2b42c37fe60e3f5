// LabPod: what a lab knows of a Pod object: where it runs, its addresses, the ports it declares. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip/address.h"
#include "base/json/value.h"
#include "ctl/lab/pod_server.h"

namespace margay::lab {

struct LabContainer {
  std::string name;
  std::string image;
};

struct LabPod {
  std::string name_space;
  std::string name;
  std::string uid;
  std::string node;  // "": nobody has chosen one
  std::vector<IpAddress> addresses;
  std::vector<ServedPort> ports;  // TCP and UDP; 80/TCP for a pod that declares none
  std::vector<LabContainer> containers;
  bool is_host_networked = false;
  bool is_going = false;    // being deleted, or has ended
  bool is_deleted = false;  // somebody has asked for that
  bool is_running = false;

  [[nodiscard]] std::string to_string() const { return name_space + "/" + name; }
};

LabPod read_pod(const json::Value& object);

// The node with the fewest pods of those given, the first of equals; "" when there is none.
std::string choose_node(const std::vector<std::string>& nodes, const std::vector<LabPod>& pods);

// What a kubelet would write to status: Running and Ready, with addresses.
json::Value running_status(const LabPod& pod, const std::vector<IpAddress>& addresses, const std::string& host_address,
                           const std::string& now);

// "shop/web", or "web" in `name_space`.
const LabPod* find_pod(const std::vector<LabPod>& pods, std::string_view text, std::string_view name_space);

}  // namespace margay::lab
