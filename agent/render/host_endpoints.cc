#include "agent/render/host_endpoints.h"

#include <algorithm>

#include "agent/render/host_chains.h"
#include "agent/render/names.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

class Chooser {
 public:
  Chooser(const InterfaceAddresses& interfaces, const std::vector<std::string>& workload_prefixes)
      : interfaces_(interfaces), workload_prefixes_(workload_prefixes) {}

  void add_named(const policy::ObjectKey& key, const model::HostEndpointSpec& spec) {
    const std::string& name = spec.interface_name;
    if (name.empty()) return;
    if (name != kAnyInterface && !is_interface_name(name)) {
      report(key, "spec.interfaceName", concat(quoted(name), " is not a name of an interface"));
    } else if (is_of_workload(name, workload_prefixes_)) {
      report(key, "spec.interfaceName", concat(name, " is an interface of a workload"));
    } else {
      take(key, name, "spec.interfaceName");
    }
  }

  void add_by_address(const policy::ObjectKey& key, const model::HostEndpointSpec& spec) {
    if (!spec.interface_name.empty()) return;
    for (const auto& [name, addresses] : interfaces_) {
      const bool has_it = std::any_of(spec.expected_ips.begin(), spec.expected_ips.end(),
                                      [&addresses = addresses](const IpAddress& ip) { return addresses.contains(ip); });
      if (!has_it || !is_interface_name(name) || is_of_workload(name, workload_prefixes_)) continue;
      take(key, name, "spec.expectedIPs");
    }
  }

  HostChoice choice;

 private:
  void report(const policy::ObjectKey& key, std::string_view path, std::string message) {
    choice.problems[key].push_back({FieldError::Kind::kInvalid, std::string(path), std::move(message)});
  }

  void take(const policy::ObjectKey& key, const std::string& name, std::string_view path) {
    const auto [at, is_first] = choice.interfaces.try_emplace(name, key);
    if (!is_first) report(key, path, concat("interface ", name, " has ", readable(at->second), " already"));
  }

  const InterfaceAddresses& interfaces_;
  const std::vector<std::string>& workload_prefixes_;
};

}  // namespace

bool is_of_workload(std::string_view interface, const std::vector<std::string>& workload_prefixes) {
  return std::any_of(workload_prefixes.begin(), workload_prefixes.end(),
                     [interface](const std::string& prefix) { return interface.starts_with(prefix); });
}

HostChoice choose_hosts(const Endpoints& endpoints, const InterfaceAddresses& interfaces,
                        const std::vector<std::string>& workload_prefixes) {
  Chooser chooser(interfaces, workload_prefixes);
  for (const auto& [key, endpoint] : endpoints) {
    if (endpoint->host != nullptr) chooser.add_named(key, endpoint->host->spec);
  }
  for (const auto& [key, endpoint] : endpoints) {
    if (endpoint->host != nullptr) chooser.add_by_address(key, endpoint->host->spec);
  }
  return std::move(chooser.choice);
}

}  // namespace margay::render
