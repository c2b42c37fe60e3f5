#include "ipip/ebpf/ebpf_tunnel.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/core/check.h"
#include "dataplane/bpf/object.h"
#include "dataplane/bpf/raw_map.h"
#include "dataplane/bpf/tc.h"
#include "ipip/ebpf/attachments.h"
#include "ipip/ebpf/program.h"
#include "ipip/ebpf/tunnel_maps.h"

namespace margay::ipip {
namespace {

constexpr Duration kRetryFirst = std::chrono::milliseconds(100);
constexpr Duration kRetryLongest = std::chrono::seconds(30);

// All maps of the object, opened.
struct OpenMaps {
  bpf::KernelMap routes, senders, addresses, config, nodes, drops;
};

Result<OpenMaps> open_maps(const bpf::Object& object) {
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap routes, open_map(object, "mgy_ipip1_route"));
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap senders, open_map(object, "mgy_ipip1_known"));
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap addresses, open_map(object, "mgy_ipip1_local"));
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap config, open_map(object, "mgy_ipip1_conf"));
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap nodes, open_map(object, "mgy_ipip2_nodes"));
  MARGAY_ASSIGN_OR_RETURN(bpf::KernelMap drops, open_map(object, "mgy_ipip1_drops"));
  return OpenMaps{routes, senders, addresses, config, nodes, drops};
}

// Values of all CPUs, one after the other.
template <class T, class Visit>
void for_each_value(bpf::ByteView bytes, Visit&& visit) {
  static_assert(sizeof(T) % 8 == 0);
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    visit(value);
  }
}

__u32 index_in(bpf::ByteView bytes) {
  __u32 out = 0;
  MARGAY_CHECK(bytes.size() == sizeof(out));
  std::memcpy(&out, bytes.data(), sizeof(out));
  return out;
}

}  // namespace

std::string_view to_string(DropIndex reason) {
  static constexpr std::array<std::string_view, kDropReasons> kWords = {
      "unknown sender", "bad outer header", "outer fragment",         "truncated", "bad inner header", "nested tunnel",
      "spoofed source", "congestion",       "too big for the uplink", "no source", "not tunnelled"};
  return kWords.at(reason);
}

class EbpfTunnel::Impl {
 public:
  Impl(bpf::Object loaded, OpenMaps opened, Attachments at_interfaces)
      : object_(std::move(loaded)),
        kernel_(std::move(opened)),
        attachments(std::move(at_interfaces)),
        maps({kernel_.routes, kernel_.senders, kernel_.addresses, kernel_.config}) {}

  Status apply(dataplane::ApplyReport& report) {
    make_hooks();
    if (needs_resync) MARGAY_RETURN_IF_ERROR(maps.resync());
    needs_resync = false;
    MARGAY_RETURN_IF_ERROR(maps.apply_updates(report.updated));
    Status attached = needs_attach ? attachments.attach(report.updated) : ok_status();
    MARGAY_RETURN_IF_ERROR(attachments.detach(report.removed));
    MARGAY_RETURN_IF_ERROR(maps.apply_removes(report.removed));
    if (needs_sweep) MARGAY_RETURN_IF_ERROR(forget_nodes());
    needs_sweep = false;
    needs_attach = !attached.ok();
    return attached;
  }

  Result<TunnelStats> stats() {
    TunnelStats out;
    MARGAY_RETURN_IF_ERROR(kernel_.nodes.walk([&](bpf::ByteView key, bpf::ByteView values) {
      NodeTraffic& sum = out.nodes[address_of(index_in(key))];
      for_each_value<NodeTraffic>(values, [&](const NodeTraffic& each) {
        sum.packets_in += each.packets_in;
        sum.bytes_in += each.bytes_in;
        sum.packets_out += each.packets_out;
        sum.bytes_out += each.bytes_out;
        sum.drops_in += each.drops_in;
        sum.drops_out += each.drops_out;
        sum.too_big_on_the_way += each.too_big_on_the_way;
      });
    }));
    MARGAY_RETURN_IF_ERROR(kernel_.drops.walk([&](bpf::ByteView key, bpf::ByteView values) {
      std::uint64_t& sum = out.drops[static_cast<DropIndex>(index_in(key))];
      for_each_value<std::uint64_t>(values, [&](std::uint64_t each) { sum += each; });
    }));
    return out;
  }

  std::set<IfIndex> hooks;

 private:
  // What fails here fails again, and is told, when programs are attached.
  void make_hooks() {
    for (const IfIndex interface : hooks) {
      if (hooked_.count(interface) == 0 && bpf::make_hook(interface).ok()) hooked_.insert(interface);
    }
  }
  // Counters of nodes that are gone.
  Status forget_nodes() {
    std::vector<__u32> gone;
    MARGAY_RETURN_IF_ERROR(kernel_.nodes.walk([&](bpf::ByteView key, bpf::ByteView) {
      if (maps.senders().count(address_of(index_in(key))) == 0) gone.push_back(index_in(key));
    }));
    for (const __u32 node : gone) {
      MARGAY_RETURN_IF_ERROR(kernel_.nodes.remove(std::as_bytes(std::span(&node, 1))));
    }
    return ok_status();
  }

  bpf::Object object_;
  OpenMaps kernel_;
  std::set<IfIndex> hooked_;

 public:
  Attachments attachments;
  TunnelMaps maps;
  dataplane::Backoff backoff{kRetryFirst, kRetryLongest};
  bool needs_resync = true;
  bool needs_attach = true;
  bool needs_sweep = true;
};

EbpfTunnel::EbpfTunnel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EbpfTunnel::~EbpfTunnel() = default;

Result<std::unique_ptr<EbpfTunnel>> EbpfTunnel::open() {
  MARGAY_ASSIGN_OR_RETURN(FoundAttachments found, find_attachments());
  MARGAY_ASSIGN_OR_RETURN(bpf::Object object, load_tunnel(found.maps));
  MARGAY_ASSIGN_OR_RETURN(const OpenMaps maps, open_maps(object));
  MARGAY_ASSIGN_OR_RETURN(const int in, object.program(kInProgram));
  MARGAY_ASSIGN_OR_RETURN(const int out, object.program(kOutProgram));
  MARGAY_ASSIGN_OR_RETURN(Attachments attachments,
                          Attachments::of({.in = in, .out = out}, std::move(found.interfaces)));
  auto impl = std::make_unique<Impl>(std::move(object), maps, std::move(attachments));
  return std::unique_ptr<EbpfTunnel>(new EbpfTunnel(std::move(impl)));
}

void EbpfTunnel::set_remote(const IpPrefix& prefix, const std::optional<IpAddress>& node) {
  impl_->maps.set_remote(prefix, node);
}
void EbpfTunnel::set_plain(const IpPrefix& prefix) { impl_->maps.set_remote(prefix, plain_node()); }
void EbpfTunnel::set_remotes(const std::map<IpPrefix, IpAddress>& remotes) { impl_->maps.set_remotes(remotes); }
void EbpfTunnel::set_own_prefixes(const std::set<IpPrefix>& prefixes) { impl_->maps.set_own_prefixes(prefixes); }
void EbpfTunnel::set_senders(const std::set<IpAddress>& senders) {
  impl_->needs_sweep |= impl_->maps.set_senders(senders);
}
void EbpfTunnel::set_addresses(const std::optional<IpAddress>& source, const std::set<IpAddress>& own) {
  impl_->maps.set_addresses(source, own);
}
void EbpfTunnel::set_hooks(const std::set<IfIndex>& interfaces) { impl_->hooks = interfaces; }
void EbpfTunnel::set_uplinks(const std::set<IfIndex>& uplinks) {
  impl_->needs_attach |= impl_->attachments.set(uplinks);
}

void EbpfTunnel::queue_resync() { impl_->needs_resync = impl_->needs_attach = impl_->needs_sweep = true; }

dataplane::ApplyReport EbpfTunnel::apply(TimePoint now) {
  dataplane::ApplyReport report;
  const Status status = impl_->apply(report);
  if (status.ok()) {
    impl_->backoff.succeed();
    return report;
  }
  impl_->needs_resync = true;
  report.failed = 1;
  report.failures.push_back({"IP-in-IP by eBPF", status.error()});
  report.try_again_at = now + impl_->backoff.next();
  return report;
}

Status remove_leftovers() {
  MARGAY_ASSIGN_OR_RETURN(const FoundAttachments found, find_attachments());
  for (const IfIndex interface : found.interfaces) MARGAY_RETURN_IF_ERROR(detach_from(interface));
  return ok_status();
}

Result<TunnelStats> EbpfTunnel::stats() const { return impl_->stats(); }

Status EbpfTunnel::detach() {
  set_uplinks({});
  std::size_t changed = 0;
  return impl_->attachments.detach(changed);
}

}  // namespace margay::ipip
