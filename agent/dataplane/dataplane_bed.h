// For tests: a Dataplane between fakes, in virtual time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/dataplane/dataplane.h"
#include "agent/dataplane/fake_ports.h"
#include "agent/dataplane/test_values.h"
#include "base/loop/sim_loop.h"
#include "dataplane/route/fake_kernel.h"

namespace margay::agent::test {

using Lines = std::vector<std::string>;

inline constexpr std::uint8_t kOurs = 80;
inline constexpr std::uint8_t kTheirs = 3;

inline IpPrefix prefix(const std::string& text) { return IpPrefix::parse_cidr_or_address(text).value(); }
inline route::RouteKey key(const std::string& text, std::uint32_t metric = 1024) {
  return {.prefix = prefix(text), .metric = metric};
}
inline route::Route out_of(std::uint32_t interface) { return {.hops = {{.interface = IfIndex(interface)}}}; }
inline route::Route by(const std::string& gateway, std::uint32_t interface) {
  return {.hops = {{.gateway = IpAddress::parse(gateway).value(), .interface = IfIndex(interface)}}};
}

inline std::shared_ptr<const policy::Endpoint> endpoint(const std::string& interface, const std::string& address) {
  model::WorkloadEndpoint workload;
  workload.metadata.resource_version = "1";
  workload.spec.interface_name = interface;
  workload.spec.ip_networks = {prefix(address)};
  policy::Endpoint out;
  out.workload = std::make_shared<const model::WorkloadEndpoint>(std::move(workload));
  return std::make_shared<const policy::Endpoint>(std::move(out));
}

inline DataplaneBatch batch_of(std::map<model::ObjectKey, std::shared_ptr<const policy::Endpoint>> endpoints,
                               bool in_sync = true) {
  DataplaneBatch batch;
  batch.policy.endpoints = std::move(endpoints);
  batch.policy.is_in_sync = in_sync;
  return batch;
}

class DataplaneBed {
 protected:
  DataplaneBed()
      : propagation_(metrics_.histogram({"propagation_seconds", "For the test.", "seconds"}, {1, 5, 10})),
        dataplane_({.loop = loop_,
                    .kernel = kernel_,
                    .ports = fake_ports(node_, &renderer_),
                    .propagation = propagation_,
                    .on_report = [this](DataplaneReport report) { report_.merge(std::move(report)); }}) {
    kernel_.on_call = [this] {
      if (kernel_.routes().contains(key("10.0.0.1")) && node_.place("route") < 0) node_.log.emplace_back("route");
    };
  }

  void set_interface(const std::string& name, std::uint32_t index) {
    dataplane_.set_interface(name, NodeInterface{{IfIndex(index), true}, {}});
    loop_.run_until_idle();
  }
  void take(DataplaneBatch batch) {
    dataplane_.take(std::move(batch));
    loop_.run_until_idle();
  }
  Lines lines() { return kernel_.lines(kOurs); }
  EndpointStage stage(const std::string& name) { return report_.endpoints.at(pod(name)).value().stage; }

  loop::SimLoop loop_;
  telemetry::Registry metrics_;
  telemetry::Histogram propagation_;
  route::FakeKernel kernel_;
  FakeNode node_;
  FakeRenderer* renderer_ = nullptr;
  DataplaneReport report_;
  Dataplane dataplane_;
};

}  // namespace margay::agent::test
