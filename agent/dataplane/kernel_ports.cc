#include "agent/dataplane/kernel_ports.h"

#include <linux/netlink.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "dataplane/conntrack/background_conntrack.h"
#include "dataplane/ipset/ip_set_driver.h"
#include "dataplane/iptables/table_driver.h"
#include "dataplane/link/neighbour_driver.h"
#include "dataplane/sysctl/sysctl_driver.h"
#include "ipip/devices/device_driver.h"

// Dataplane writes nothing before all is in sync, so drivers may remove from their first apply() on.
namespace margay::agent {
namespace {

class Renderer final : public RendererPort {
 public:
  explicit Renderer(const iptables::KernelFeatures& features) : renderer_(features) {}
  void apply(const policy::Delta& delta) override { renderer_.apply(delta); }
  void set_settings(const model::FelixConfigurationSpec& settings) override { renderer_.set_settings(settings); }
  void set_networks(render::NodeNetworks networks) override { renderer_.set_networks(std::move(networks)); }
  void set_interfaces(render::InterfaceAddresses interfaces) override {
    renderer_.set_interfaces(std::move(interfaces));
  }
  render::RenderChange take() override { return renderer_.take(); }
  [[nodiscard]] const std::map<std::string, FieldErrors>& problems() const override { return renderer_.problems(); }
  [[nodiscard]] const std::map<std::string, model::ObjectKey>& hosts() const override { return renderer_.hosts(); }

 private:
  render::IptablesRenderer renderer_;
};

constexpr std::int32_t kMembersMax = 1048576;

class Sets final : public SetPort {
 public:
  // As agent/render names them.
  explicit Sets(netlink::Netlink& kernel) : driver_(kernel, {.prefixes = {"margay4", "margay6"}}) {
    driver_.allow_removal();
  }
  void change(const std::string& name, const render::SetChange& change) override {
    switch (change.what) {
      case render::SetChange::What::kReplace: return driver_.replace(name, change.spec, change.added);
      case render::SetChange::What::kUpdate: return driver_.update(name, change.added, change.removed);
      case render::SetChange::What::kRemove: return driver_.remove(name);
    }
  }
  // Of sets that are made from now on.
  void set_settings(const model::FelixConfigurationSpec& settings) override {
    driver_.set_member_max(static_cast<std::uint32_t>(settings.netfilter.max_ipset_size.value_or(kMembersMax)));
  }
  void queue_resync() override { driver_.queue_resync(); }
  dataplane::ApplyReport apply(TimePoint now) override { return driver_.apply_updates(now); }
  dataplane::ApplyReport apply_removals(TimePoint now) override { return driver_.apply_removals(now); }
  [[nodiscard]] ObjectCounts counts() const override { return {driver_.desired_count(), driver_.actual_count()}; }

 private:
  ipset::IpSetDriver driver_;
};

class Table final : public TablePort {
 public:
  Table(KernelHandles& handles, const iptables::TableId& id)
      : handles_(handles),
        backend_(handles.backend.backend),
        driver_(*handles.saves, id, {.backend = handles.backend.backend}) {
    driver_.allow_removal();
  }
  void change(iptables::TableChange change) override { driver_.apply_change(change); }
  void set_settings(const model::FelixConfigurationSpec& settings) override {
    using std::chrono::seconds;
    const model::FelixNetfilter& netfilter = settings.netfilter;
    const bool appends = netfilter.chain_insert_mode == model::ChainInsertMode::kAppend;
    driver_.set_insert_mode(appends ? iptables::InsertMode::kAppend : iptables::InsertMode::kInsert);
    refresh_ = netfilter.iptables_refresh_interval.value_or(seconds(180));
    post_write_check_ = netfilter.iptables_post_write_check_interval.value_or(seconds(5));
    set_intervals();
  }
  void set_backend(iptables::Backend backend) {
    if (std::exchange(backend_, backend) == backend) return;
    driver_.set_backend(backend);
    set_intervals();
  }
  void retry_refused() override { driver_.retry_refused(); }
  void queue_resync() override { driver_.queue_resync(); }
  // The driver knows when to look at its table again; that is asked for like any other retry.
  dataplane::ApplyReport apply(TimePoint now) override {
    const std::uint64_t before = transactions();
    const auto generation = known_generation();
    dataplane::ApplyReport report = driver_.apply(now);
    note_own(generation, transactions() - before);
    const auto check = driver_.next_check();
    if (check && (!report.try_again_at || *check < *report.try_again_at)) report.try_again_at = check;
    return report;
  }
  [[nodiscard]] bool is_applied() const override { return driver_.is_applied(); }
  [[nodiscard]] ObjectCounts counts() const override {
    return {driver_.desired_chain_count(), driver_.actual_chain_count()};
  }
  [[nodiscard]] std::size_t rule_count() const override { return driver_.desired_rule_count(); }
  [[nodiscard]] const iptables::TableStatistics& statistics() const override { return driver_.statistics(); }

 private:
  [[nodiscard]] std::uint64_t transactions() const {
    return driver_.statistics().restores - driver_.statistics().restore_errors;
  }
  [[nodiscard]] std::optional<std::uint32_t> known_generation() const {
    if (backend_ != iptables::Backend::kNft) return std::nullopt;
    const auto generation = iptables::ruleset_generation(*handles_.netfilter);
    return generation.ok() ? std::optional(*generation) : std::nullopt;
  }
  // What the kernel is about to tell of them is no news. When somebody else has written as well, nobody can say which
  // of them were his: then all are news.
  void note_own(const std::optional<std::uint32_t>& before, std::uint64_t count) {
    if (count == 0 || !before) return;
    const auto now = known_generation();
    if (now && *now - *before == count) handles_.rulesets.note_own(*now, count);
  }
  // Looking after a write is for those whom nobody tells what others do.
  void set_intervals() {
    const bool is_told = backend_ == iptables::Backend::kNft && handles_.are_rulesets_watched;
    driver_.set_intervals(refresh_, is_told ? Duration{} : post_write_check_);
  }

  KernelHandles& handles_;
  iptables::Backend backend_;
  Duration refresh_ = std::chrono::seconds(180);
  Duration post_write_check_ = std::chrono::seconds(5);
  iptables::TableDriver driver_;
};

class Backend final : public BackendPort {
 public:
  Backend(exec::Runner& runner, iptables::BackendChoice choice, std::vector<Table*> tables)
      : runner_(runner), choice_(std::move(choice)), tables_(std::move(tables)) {}

  void set_mode(iptables::BackendMode mode) override {
    if (std::exchange(mode_, mode) != mode) is_due_ = true;
  }
  [[nodiscard]] const iptables::BackendChoice& choice() const override { return choice_; }
  // Other programs, other counts of their rules: the choice stands until another one is asked for.
  void queue_resync() override {}

  // One that does not work leaves all as it is.
  dataplane::ApplyReport apply(TimePoint now) override {
    if (!is_due_) return {};
    auto chosen = iptables::choose_backend(runner_, mode_);
    if (!chosen.ok()) return failure("iptablesBackend", chosen.error(), now);
    is_due_ = false;
    backoff_.succeed();
    choice_ = std::move(chosen).value();
    for (Table* table : tables_) table->set_backend(choice_.backend);
    return {};
  }

  dataplane::ApplyReport apply_removals(TimePoint now) override {
    if (choice_.leftovers.empty()) return {};
    const Status removed = iptables::remove_leftovers(runner_, other(), choice_.leftovers);
    if (!removed.ok()) return failure("the other back end", removed.error(), now);
    dataplane::ApplyReport report;
    report.removed = std::exchange(choice_.leftovers, {}).size();
    backoff_.succeed();
    return report;
  }

 private:
  [[nodiscard]] iptables::Backend other() const {
    return choice_.backend == iptables::Backend::kNft ? iptables::Backend::kLegacy : iptables::Backend::kNft;
  }
  dataplane::ApplyReport failure(std::string object, const Error& error, TimePoint now) {
    dataplane::ApplyReport report;
    report.failed = 1;
    report.failures.push_back({std::move(object), error});
    report.try_again_at = now + backoff_.next();
    return report;
  }

  exec::Runner& runner_;
  iptables::BackendMode mode_ = iptables::BackendMode::kAuto;
  iptables::BackendChoice choice_;
  std::vector<Table*> tables_;
  bool is_due_ = false;
  dataplane::Backoff backoff_{std::chrono::seconds(1), std::chrono::seconds(60)};
};

// Calico's settings of workload interfaces. The kernel answers for the gateway's address (proxy ARP, proxy ND); reverse
// paths are checked by rules.
class Settings final : public SettingPort {
 public:
  Settings(sysctl::SysctlTree& tree, bool has_ipv6) : driver_(tree), has_ipv6_(has_ipv6) {}

  void set_workload_interface(const std::string& name) override {
    driver_.note_interface(name);
    set("ipv4/conf", name, "route_localnet", "1");
    set("ipv4/conf", name, "proxy_arp", "1");
    set("ipv4/conf", name, "forwarding", "1");
    set("ipv4/neigh", name, "proxy_delay", "0");
    if (!has_ipv6_) return;
    set("ipv6/conf", name, "accept_ra", "0");
    set("ipv6/conf", name, "proxy_ndp", "1");
    set("ipv6/conf", name, "forwarding", "1");
  }
  void forget_interface(const std::string& name) override { driver_.forget_interface(name); }
  void set_forwarding(bool is_wanted) override {
    set_or_leave("net/ipv4/ip_forward", is_wanted);
    if (has_ipv6_) set_or_leave("net/ipv6/conf/all/forwarding", is_wanted);
  }
  void queue_resync() override { driver_.queue_resync(); }
  dataplane::ApplyReport apply(TimePoint now) override { return driver_.apply(now); }
  [[nodiscard]] ObjectCounts counts() const override { return {driver_.desired_count(), driver_.actual_count()}; }

 private:
  void set(std::string_view group, const std::string& interface, std::string_view setting, const std::string& value) {
    driver_.set(sysctl::interface_path(group, interface, setting), value);
  }
  // Never switched off: others on the host may need it.
  void set_or_leave(const std::string& path, bool is_wanted) {
    if (is_wanted) {
      driver_.set(path, "1");
    } else {
      driver_.reset(path);
    }
  }

  sysctl::SysctlDriver driver_;
  bool has_ipv6_;
};

class Neighbours final : public NeighbourPort {
 public:
  explicit Neighbours(netlink::Netlink& kernel) : driver_(kernel) { driver_.allow_removal(); }
  void set(const NeighbourKey& key, const Mac& mac) override {
    driver_.own(key.interface, link::NeighbourKind::kNeighbour);
    driver_.set_neighbour(key.interface, key.address, mac);
  }
  void remove(const NeighbourKey& key) override {
    driver_.remove(
        {.kind = link::NeighbourKind::kNeighbour, .interface = key.interface, .address = key.address, .mac = {}});
  }
  void forget(IfIndex interface) override { driver_.disown(interface); }
  void queue_resync() override { driver_.queue_resync(); }
  dataplane::ApplyReport apply(TimePoint now) override { return driver_.apply(now); }
  [[nodiscard]] ObjectCounts counts() const override { return {driver_.desired_count(), driver_.actual_count()}; }

 private:
  link::NeighbourDriver driver_;
};

class Conntrack final : public ConntrackPort {
 public:
  Conntrack(loop::Loop& loop, std::unique_ptr<netlink::Netlink> kernel, Task on_done)
      : driver_(loop, std::move(kernel), std::move(on_done)) {}
  void forget(const IpAddress& address) override { driver_.flush(address); }
  void queue_resync() override {}
  dataplane::ApplyReport apply(TimePoint now) override { return driver_.apply(now); }

 private:
  conntrack::BackgroundConntrack driver_;
};

class TunnelDevices final : public TunnelPort {
 public:
  TunnelDevices(netlink::Netlink& kernel, ipip::IpipImplementation ipip) : driver_(kernel), ipip_(ipip) {}
  void set_devices(const ipip::DeviceSpecs& wanted, Duration linger) override {
    ipip::DeviceSpecs devices = wanted;
    if (ipip_ != ipip::IpipImplementation::kKernel) devices.erase(ipip::DeviceKind::kIpip);
    driver_.set_devices(devices, linger);
  }
  void set_vtep(const ipip::VtepKey& key, const std::optional<ipip::Vtep>& vtep) override {
    driver_.set_vtep(key, vtep);
  }
  [[nodiscard]] std::map<ipip::DeviceKind, IfIndex> devices() const override { return driver_.devices(); }
  void queue_resync() override { driver_.queue_resync(); }
  dataplane::ApplyReport apply(TimePoint now) override { return driver_.apply(now); }
  Status count(TunnelCounters& to) override {
    MARGAY_ASSIGN_OR_RETURN(const auto counters, driver_.counters());
    for (const auto& [kind, each] : counters) to.devices[std::string(ipip::name_of(kind))] = each;
    return ok_status();
  }

 private:
  ipip::DeviceDriver driver_;
  ipip::IpipImplementation ipip_;
};

class Encapsulation final : public EncapsulationPort {
 public:
  explicit Encapsulation(std::unique_ptr<ipip::EbpfTunnel> tunnel) : tunnel_(std::move(tunnel)) {}
  void set_remote(const IpPrefix& prefix, const std::optional<IpAddress>& node) override {
    tunnel_->set_remote(prefix, node);
  }
  void set_plain(const IpPrefix& prefix) override { tunnel_->set_plain(prefix); }
  void set_own_prefixes(const std::set<IpPrefix>& prefixes) override { tunnel_->set_own_prefixes(prefixes); }
  void set_senders(const std::set<IpAddress>& senders) override { tunnel_->set_senders(senders); }
  void set_address(const std::optional<IpAddress>& address) override {
    tunnel_->set_addresses(address, address ? std::set<IpAddress>{*address} : std::set<IpAddress>());
  }
  void set_uplinks(const std::set<IfIndex>& uplinks) override { tunnel_->set_uplinks(uplinks); }
  void set_hooks(const std::set<IfIndex>& interfaces) override { tunnel_->set_hooks(interfaces); }
  void queue_resync() override { tunnel_->queue_resync(); }
  dataplane::ApplyReport apply(TimePoint now) override { return tunnel_->apply(now); }
  Status count(TunnelCounters& to) override {
    MARGAY_ASSIGN_OR_RETURN(const ipip::TunnelStats stats, tunnel_->stats());
    for (const auto& [node, each] : stats.nodes) {
      to.nodes[node] = {.packets_in = each.packets_in,
                        .bytes_in = each.bytes_in,
                        .packets_out = each.packets_out,
                        .bytes_out = each.bytes_out,
                        .drops_in = each.drops_in,
                        .drops_out = each.drops_out,
                        .too_big_on_the_way = each.too_big_on_the_way};
    }
    for (const auto& [reason, count] : stats.drops) to.drops[std::string(ipip::to_string(reason))] = count;
    return ok_status();
  }

 private:
  std::unique_ptr<ipip::EbpfTunnel> tunnel_;
};

// What was chosen before and has left its programs would go on tunnelling what routes now lead elsewhere.
Status open_encapsulation(KernelHandles& handles) {
  if (handles.ipip.implementation != ipip::IpipImplementation::kEbpf) return ipip::remove_leftovers();
  MARGAY_ASSIGN_OR_RETURN(handles.tunnel, ipip::EbpfTunnel::open());
  return ok_status();
}

}  // namespace

Result<std::unique_ptr<KernelHandles>> open_kernel(iptables::BackendMode mode,
                                                   std::optional<ipip::IpipImplementation> ipip) {
  auto handles = std::make_unique<KernelHandles>();
  MARGAY_ASSIGN_OR_RETURN(handles->route, netlink::open_netlink(NETLINK_ROUTE));
  MARGAY_ASSIGN_OR_RETURN(handles->netfilter, netlink::open_netlink(NETLINK_NETFILTER));
  MARGAY_ASSIGN_OR_RETURN(handles->conntrack, netlink::open_netlink(NETLINK_NETFILTER));
  handles->runner = std::make_unique<exec::ProcessRunner>();
  handles->saves = std::make_unique<iptables::SharedSaves>(
      *handles->runner, [&kernel = *handles->netfilter]() -> std::optional<std::uint32_t> {
        const auto generation = iptables::ruleset_generation(kernel);
        return generation.ok() ? std::optional(*generation) : std::nullopt;
      });
  // What the first pass will ask for takes longer than all that comes before it.
  if (mode != iptables::BackendMode::kLegacy) {
    for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) handles->saves->begin(family);
  }
  handles->sysctls = std::make_unique<sysctl::FileSysctlTree>();
  MARGAY_ASSIGN_OR_RETURN(handles->backend, iptables::choose_backend(*handles->runner, mode));
  if (handles->backend.backend != iptables::Backend::kNft) handles->saves->forget();
  MARGAY_ASSIGN_OR_RETURN(handles->features, iptables::find_features(*handles->runner, handles->backend.backend));
  const Status ebpf = ipip::supported();
  handles->ipip = ipip::choose_ipip(ipip, ipip::try_kernel_ipip(), ebpf);
  // Without BPF at all there is nothing to remove either.
  const Status opened = ebpf.ok() ? open_encapsulation(*handles) : ok_status();
  if (!opened.ok()) handles->ipip = {ipip::IpipImplementation::kNone, concat("eBPF: ", opened.error().message)};
  return handles;
}

Ports kernel_ports(KernelHandles& handles, loop::Loop& loop, Task on_conntrack) {
  Ports ports;
  std::vector<Table*> tables;
  ports.renderer = std::make_unique<Renderer>(handles.features);
  ports.sets = std::make_unique<Sets>(*handles.netfilter);
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    if (family == IpFamily::kV6 && !handles.features.has_ipv6) continue;
    for (const auto table :
         {iptables::Table::kRaw, iptables::Table::kMangle, iptables::Table::kNat, iptables::Table::kFilter}) {
      const iptables::TableId id{family, table};
      auto driver = std::make_unique<Table>(handles, id);
      tables.push_back(driver.get());
      ports.tables[id] = std::move(driver);
    }
  }
  ports.backend = std::make_unique<Backend>(*handles.runner, handles.backend, std::move(tables));
  ports.on_tables_done = [&saves = *handles.saves] { saves.forget(); };
  ports.settings = std::make_unique<Settings>(*handles.sysctls, handles.features.has_ipv6);
  ports.neighbours = std::make_unique<Neighbours>(*handles.route);
  ports.conntrack = std::make_unique<Conntrack>(loop, std::move(handles.conntrack), std::move(on_conntrack));
  ports.tunnels = std::make_unique<TunnelDevices>(*handles.route, handles.ipip.implementation);
  if (handles.tunnel) ports.encapsulation = std::make_unique<Encapsulation>(std::move(handles.tunnel));
  return ports;
}

}  // namespace margay::agent
