#include "ipip/devices/device_message.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace margay::ipip {
namespace {

constexpr std::string_view kMark = "margay";

std::string_view type_of(DeviceKind kind) { return kind == DeviceKind::kIpip ? "ipip" : "vxlan"; }

ifinfomsg head_of(IfIndex index) {
  ifinfomsg head{};
  head.ifi_index = static_cast<int>(index.value());
  return head;
}

void read_vxlan(bytes::View data, FoundDevice& out) {
  netlink::for_each_attribute(data, [&out](std::uint16_t type, const netlink::Attribute& value) {
    switch (type) {
      case IFLA_VXLAN_ID: out.vni = value.u32().value_or(0); break;
      case IFLA_VXLAN_PORT: out.port = value.be16().value_or(0); break;
      case IFLA_VXLAN_LEARNING: out.learns = value.u8().value_or(0) != 0; break;
      case IFLA_VXLAN_LOCAL:
      case IFLA_VXLAN_LOCAL6: out.local = value.address(); break;
      default: break;
    }
  });
}

void read_info(bytes::View info, FoundDevice& out) {
  if (const auto kind = netlink::find_attribute(info, IFLA_INFO_KIND)) out.type = kind->text();
  if (out.type != "vxlan") return;
  if (const auto data = netlink::find_attribute(info, IFLA_INFO_DATA)) read_vxlan(data->bytes(), out);
}

std::optional<Mac> mac_of(const netlink::Attribute& value) {
  std::array<std::uint8_t, 6> bytes{};
  if (value.bytes().size() != bytes.size()) return std::nullopt;
  std::copy(value.bytes().begin(), value.bytes().end(), bytes.begin());
  return Mac(bytes);
}

enum class Phase : std::uint8_t { kCreate, kChange };

void add_info(netlink::Request& request, DeviceKind kind, const DeviceSpec& spec, Phase phase) {
  const std::size_t info = request.begin_nest(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, type_of(kind));
  if (kind != DeviceKind::kIpip) {
    const std::size_t data = request.begin_nest(IFLA_INFO_DATA);
    request.u32(IFLA_VXLAN_ID, spec.vni);
    if (spec.local) request.address(spec.local->is_v4() ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, *spec.local);
    request.u8(IFLA_VXLAN_LEARNING, 0);
    if (phase == Phase::kCreate) {
      request.be16(IFLA_VXLAN_PORT, spec.port);
      // A sender may leave the checksum of the outer packet out (RFC 6935 §5); we do not.
      if (kind == DeviceKind::kVxlanV6) request.u8(IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 1);
    }
    request.end_nest(data);
  }
  request.end_nest(info);
}

}  // namespace

std::optional<FoundDevice> parse_device(const netlink::MessageView& message) {
  const auto head = message.header<ifinfomsg>();
  if (!head || message.type != RTM_NEWLINK) return std::nullopt;
  FoundDevice out;
  out.index = IfIndex(static_cast<std::uint32_t>(head->ifi_index));
  netlink::for_each_attribute(message.attributes<ifinfomsg>(),
                              [&out](std::uint16_t type, const netlink::Attribute& value) {
                                switch (type) {
                                  case IFLA_IFNAME: out.name = value.text(); break;
                                  case IFLA_IFALIAS: out.is_ours = value.text() == kMark; break;
                                  case IFLA_ADDRESS: out.mac = mac_of(value); break;
                                  case IFLA_LINKINFO: read_info(value.bytes(), out); break;
                                  default: break;
                                }
                              });
  return out.name.empty() ? std::nullopt : std::optional(std::move(out));
}

std::optional<DeviceCounters> parse_counters(const netlink::MessageView& message) {
  const auto head = message.header<ifinfomsg>();
  if (!head || message.type != RTM_NEWLINK) return std::nullopt;
  const auto found = netlink::find_attribute(message.attributes<ifinfomsg>(), IFLA_STATS64);
  // Newer kernels have more at the end.
  constexpr std::size_t kBytesMin = offsetof(rtnl_link_stats64, multicast);
  if (!found || found->bytes().size() < kBytesMin) return std::nullopt;
  rtnl_link_stats64 raw{};
  std::memcpy(&raw, found->bytes().data(), std::min(sizeof(raw), found->bytes().size()));
  return DeviceCounters{.packets_in = raw.rx_packets,
                        .bytes_in = raw.rx_bytes,
                        .packets_out = raw.tx_packets,
                        .bytes_out = raw.tx_bytes,
                        .errors_in = raw.rx_errors,
                        .errors_out = raw.tx_errors,
                        .drops_in = raw.rx_dropped,
                        .drops_out = raw.tx_dropped};
}

Fit compare(DeviceKind kind, const DeviceSpec& wanted, const FoundDevice& found) {
  if (found.type != type_of(kind)) return Fit::kRebuild;
  if (kind == DeviceKind::kIpip) return found.is_ours ? Fit::kFits : Fit::kChange;
  if (found.vni != wanted.vni || found.port != wanted.port) return Fit::kRebuild;
  const bool is_same = found.is_ours && !found.learns && found.local == wanted.local && found.mac == wanted.mac;
  return is_same ? Fit::kFits : Fit::kChange;
}

void add_read_request(netlink::Batch& batch, std::string_view name) {
  netlink::Request request = batch.add(RTM_GETLINK, 0);
  request.header(ifinfomsg{});
  request.text(IFLA_IFNAME, name);
}

void add_create_request(netlink::Batch& batch, DeviceKind kind, const DeviceSpec& spec) {
  netlink::Request request = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  request.header(ifinfomsg{});
  request.text(IFLA_IFNAME, name_of(kind));
  if (kind != DeviceKind::kIpip) request.bytes(IFLA_ADDRESS, spec.mac.bytes());
  add_info(request, kind, spec, Phase::kCreate);
}

void add_change_request(netlink::Batch& batch, DeviceKind kind, const DeviceSpec& spec, IfIndex index) {
  netlink::Request request = batch.add(RTM_NEWLINK, 0);
  request.header(head_of(index));
  request.text(IFLA_IFALIAS, kMark);
  if (kind == DeviceKind::kIpip) return;
  request.bytes(IFLA_ADDRESS, spec.mac.bytes());
  add_info(request, kind, spec, Phase::kChange);
}

void add_release_request(netlink::Batch& batch, IfIndex index) {
  netlink::Request request = batch.add(RTM_NEWLINK, 0);
  ifinfomsg head = head_of(index);
  head.ifi_change = IFF_UP;
  request.header(head);
  request.text(IFLA_IFALIAS, "");
}

void add_delete_request(netlink::Batch& batch, IfIndex index) { batch.add(RTM_DELLINK, 0).header(head_of(index)); }

}  // namespace margay::ipip
