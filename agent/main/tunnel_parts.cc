#include "agent/main/tunnel_parts.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "base/file/file.h"
#include "datastore/codec/node_annotations.h"
#include "datastore/watch/resource_of.h"
#include "ipip/devices/checksum_offload.h"

namespace margay::agent {
namespace {

std::string_view reason_of(ipip::IpipImplementation implementation) {
  switch (implementation) {
    case ipip::IpipImplementation::kNone: return "NotSupported";
    case ipip::IpipImplementation::kKernel: return "KernelDevice";
    case ipip::IpipImplementation::kEbpf: return "EBPF";
  }
  return "NotSupported";
}

}  // namespace

class TunnelParts::Source final : public AddressSource {
 public:
  explicit Source(CniParts& cni) : cni_(cni) {}
  [[nodiscard]] bool is_ready() const override { return cni_.addresses().allocator().is_listed(); }
  [[nodiscard]] std::vector<IpAddress> held(const std::string& handle) const override {
    return cni_.addresses().allocator().addresses_of(handle);
  }
  void assign(ipam::Holder holder, ipam::Demand demand, Callback<void(ipam::Got)> done) override {
    cni_.addresses().assign(std::move(holder), {std::move(demand)},
                            [done = std::move(done)](std::vector<ipam::Got> got) mutable {
                              done(got.empty() ? ipam::Got{} : std::move(got.front()));
                            });
  }
  void release(const std::string& handle, Callback<void(Status)> done) override {
    cni_.addresses().release(handle, std::move(done));
  }
  [[nodiscard]] std::vector<const model::IpPool*> pools() const override { return cni_.facts().pools(); }

 private:
  CniParts& cni_;
};

TunnelParts::TunnelParts(Parts parts)
    : parts_(std::move(parts)),
      source_(std::make_unique<Source>(parts_.cni)),
      addresses_({.loop = parts_.loop,
                  .source = *source_,
                  .node = parts_.node,
                  .patch_node = [this](std::string patch,
                                       Callback<void(Status)> done) { patch_node(std::move(patch), std::move(done)); },
                  .log = parts_.log,
                  .is_there = [this](ipam::TunnelKind kind) { return is_there(kind); }}) {
  parts_.cni.addresses().on_listed = [this] { addresses_.look(); };
}

TunnelParts::~TunnelParts() { parts_.cni.addresses().on_listed = nullptr; }

void TunnelParts::patch_node(std::string patch, Callback<void(Status)> done) {
  patch_ = parts_.client.patch(watch::resource_of(model::Kind::kNode), {"", parts_.node}, "", kube::PatchType::kMerge,
                               std::move(patch), {.field_manager = "margay-node"},
                               [done = std::move(done)](const kube::ApiResult<json::Value>& answer) mutable {
                                 done(answer.ok() ? ok_status() : Status(answer.error().to_error()));
                               });
}

void TunnelParts::set_node(const std::shared_ptr<const model::Node>& node) {
  node_addresses_.clear();
  if (node != nullptr) {
    model::NodeNetworking networking;
    static_cast<void>(codec::read_node_annotations(node->metadata.annotations, networking));
    for (const auto& address : {networking.ipv4_address, networking.ipv6_address}) {
      if (address) node_addresses_.push_back(address->address);
    }
  }
  node_ = node;
  addresses_.set_node(node);
  tell_condition();
}

bool TunnelParts::is_there(ipam::TunnelKind kind) const {
  using ipip::DeviceKind;
  const DeviceKind device = kind == ipam::TunnelKind::kIpip    ? DeviceKind::kIpip
                            : kind == ipam::TunnelKind::kVxlan ? DeviceKind::kVxlanV4
                                                               : DeviceKind::kVxlanV6;
  return devices_.contains(std::string(ipip::name_of(device)));
}

void TunnelParts::set_devices(const std::set<std::string>& devices) {
  if (devices_ == devices) return;
  devices_ = devices;
  addresses_.look();
}

void TunnelParts::set_links(const HostLinks& links) {
  has_links_ = true;
  links_.clear();
  for (const auto& [name, link] : links.links) {
    HostLink& added = links_.emplace_back(HostLink{.name = name, .mtu = link.mtu, .addresses = {}});
    for (const InterfaceAddress& address : link.addresses) added.addresses.push_back(address.address);
  }
}

bool TunnelParts::lacks_ipip() const {
  if (settings_ == nullptr) return false;
  const bool is_wanted = settings_->tunnels.ipip_enabled.value_or(local_.ipip.is_wanted);
  return is_wanted && ipip_.implementation == ipip::IpipImplementation::kNone;
}

// Pods of other nodes would be out of reach, and nothing else would say why.
void TunnelParts::tell_missing() {
  if (!lacks_ipip() || std::exchange(is_missing_told_, true)) return;
  const std::string message = concat("a pool uses IP-in-IP, and this node cannot: ", ipip_.why);
  parts_.log.error("IP-in-IP", {{"error", message}});
  if (parts_.on_note) parts_.on_note("IPIPNotSupported", message, true);
}

// On our Node, where a pool wants IP-in-IP: by which means this node does it, and why. Once it is there it is kept
// true.
void TunnelParts::tell_condition() {
  if (!is_ipip_known_ || settings_ == nullptr || node_ == nullptr || !parts_.on_condition) return;
  constexpr std::string_view kType = "IPIPAvailable";
  const auto& present = node_->status.conditions;
  const bool is_there =
      std::any_of(present.begin(), present.end(), [&](const auto& each) { return each.type == kType; });
  if (!is_there && !settings_->tunnels.ipip_enabled.value_or(local_.ipip.is_wanted)) return;
  const bool can = ipip_.implementation != ipip::IpipImplementation::kNone;
  parts_.on_condition({.type = std::string(kType),
                       .status = can ? model::ConditionStatus::kTrue : model::ConditionStatus::kFalse,
                       .reason = std::string(reason_of(ipip_.implementation)),
                       .message = ipip_.why});
}

std::optional<ipip::TunnelSettings> TunnelParts::take(std::shared_ptr<const model::FelixConfigurationSpec> settings,
                                                      const ipip::LocalTunnels& local) {
  settings_ = std::move(settings);
  local_ = local;
  const std::string& pattern = settings_->host.mtu_iface_pattern;
  if (pattern != pattern_) {
    auto matcher = name_matcher(pattern);
    if (matcher.ok()) matches_ = std::move(matcher).value();
    pattern_ = pattern;
  }
  addresses_.look();
  tell_missing();
  tell_condition();
  return take();
}

std::optional<ipip::TunnelSettings> TunnelParts::take() {
  if (settings_ == nullptr || !has_links_) return std::nullopt;
  host_mtu_ = agent::host_mtu(links_, matches_, node_addresses_);
  mtus_ = mtus_of(host_mtu_, settings_->tunnels, local_);
  write_mtu();
  ipip::TunnelSettings now = tunnel_settings(settings_->tunnels, mtus_);
  now.is_checksum_offload_broken = ipip::checksum_offload_override(settings_->process.feature_detect_override);
  if (told_ == now) return std::nullopt;
  told_ = now;
  return now;
}

// For CNI plugins that do not ask us.
void TunnelParts::write_mtu() {
  if (written_mtu_ == mtus_.workload) return;
  const Status written = file::update_file_atomically(parts_.state_dir + "/mtu", concat(mtus_.workload, "\n"));
  if (!written.ok()) {
    parts_.log.warn("MTU of workloads cannot be written", {{"error", written.error()}});
  } else {
    parts_.log.info("MTU", {{"host", host_mtu_}, {"workloads", mtus_.workload}});
  }
  written_mtu_ = mtus_.workload;
}

}  // namespace margay::agent
