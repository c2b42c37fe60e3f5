// FakeRenderer: a renderer of which the order of its outputs can be told. For tests; one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "agent/dataplane/ports.h"

namespace margay::agent {

// An endpoint is a chain of its interface's name in every table of both families; a policy's sets are its sets.
class FakeRenderer final : public RendererPort {
 public:
  void apply(const policy::Delta& delta) override {
    for (const auto& [id, set] : delta.ip_sets) {
      render::SetChange change;
      change.what = set.what == policy::IpSetDelta::What::kRemove ? render::SetChange::What::kRemove
                                                                  : render::SetChange::What::kReplace;
      change_.sets[std::string(id.view())] = change;
    }
    for (const auto& [key, endpoint] : delta.endpoints) {
      if (endpoint != nullptr && endpoint->workload == nullptr) continue;
      if (endpoint != nullptr) names_[key] = endpoint->workload->spec.interface_name;
      put(names_[key], endpoint != nullptr);
    }
  }
  void set_settings(const model::FelixConfigurationSpec&) override {}
  void set_networks(render::NodeNetworks networks) override { networks_ = std::move(networks); }
  void set_interfaces(render::InterfaceAddresses interfaces) override { interfaces_ = std::move(interfaces); }
  render::RenderChange take() override { return std::exchange(change_, {}); }
  [[nodiscard]] const std::map<std::string, FieldErrors>& problems() const override { return problems_; }
  [[nodiscard]] const std::map<std::string, model::ObjectKey>& hosts() const override { return hosts_; }

  render::NodeNetworks networks_;
  render::InterfaceAddresses interfaces_;
  std::map<std::string, model::ObjectKey> hosts_;
  std::map<std::string, FieldErrors> problems_;

 private:
  void put(const std::string& chain, bool is_there) {
    for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
      change_.tables[{family, iptables::Table::kFilter}].chains[chain] =
          is_there ? std::make_shared<const iptables::Chain>(iptables::Chain{chain, {}}) : nullptr;
    }
  }

  std::map<model::ObjectKey, std::string> names_;
  render::RenderChange change_;
};

}  // namespace margay::agent
