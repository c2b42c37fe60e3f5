// IptablesRenderer: from what the node must enforce (policy/desired) to chains of iptables and sets of ipset.
//
//   policy::Delta, interfaces, settings ─▶ apply, set_… ─▶ take(): RenderChange ─▶ dataplane/{ipset, iptables}
//
// Pure: no clock, no kernel. Costs what changed, not what is there. What one call of take() returns is applied in this
// order, so that nothing refers to what is not there: set updates, then tables, then set removals.
// Thread: the dataplane's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/render/inputs.h"
#include "base/core/field_error.h"
#include "dataplane/ipset/ip_set.h"
#include "dataplane/iptables/rule.h"
#include "datastore/model/felix_configuration.h"
#include "policy/desired/delta.h"

namespace margay::render {

// A change of one set of the kernel.
struct SetChange {
  enum class What : std::uint8_t {
    kReplace,  // `added` is all it has from now on, whatever was there before
    kUpdate,
    kRemove,  // if it is there
  };
  What what = What::kUpdate;
  ipset::SetSpec spec;
  std::vector<ipset::Member> added;
  std::vector<ipset::Member> removed;
};

struct RenderChange {
  std::map<std::string, SetChange> sets;  // by the kernel's name
  std::map<iptables::TableId, iptables::TableChange> tables;
};

class IptablesRenderer {
 public:
  explicit IptablesRenderer(const KernelFeatures& features);
  ~IptablesRenderer();
  IptablesRenderer(const IptablesRenderer&) = delete;
  IptablesRenderer& operator=(const IptablesRenderer&) = delete;

  // All three may be called at any time, in any order, again and again.
  void apply(const policy::Delta& delta);
  void set_settings(const model::FelixConfigurationSpec& settings);
  void set_networks(NodeNetworks networks);
  void set_interfaces(InterfaceAddresses interfaces);

  // What changed since the last call. The first one has the static chains and hooks.
  RenderChange take();

  // What could not be rendered as written, by the policy, profile or endpoint ("NetworkPolicy default/a"); it fails
  // closed.
  [[nodiscard]] const std::map<std::string, FieldErrors>& problems() const;
  // The host endpoint of each interface that has one, "*" among them; as of the last take().
  [[nodiscard]] const std::map<std::string, policy::ObjectKey>& hosts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::render
