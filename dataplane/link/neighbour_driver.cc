#include "dataplane/link/neighbour_driver.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "base/core/check.h"
#include "base/core/text.h"
#include "dataplane/link/send_pending.h"

namespace margay::link {

namespace {

std::optional<Mac> link_layer_address(const std::optional<netlink::Attribute>& value) {
  std::array<std::uint8_t, 6> bytes{};
  if (!value || value->bytes().size() != bytes.size()) return std::nullopt;
  std::copy(value->bytes().begin(), value->bytes().end(), bytes.begin());
  return Mac(bytes);
}

ndmsg head_of(const NeighbourKey& key) {
  ndmsg head{};
  const bool is_forwarding = key.kind == NeighbourKind::kForwarding;
  head.ndm_family = is_forwarding ? AF_BRIDGE : key.address.is_v4() ? AF_INET : AF_INET6;
  head.ndm_ifindex = static_cast<int>(key.interface.value());
  head.ndm_state = NUD_PERMANENT;
  if (is_forwarding) head.ndm_state |= NUD_NOARP;
  if (is_forwarding) head.ndm_flags = NTF_SELF;
  if (key.kind == NeighbourKind::kProxy) head.ndm_flags = NTF_PROXY;
  return head;
}

}  // namespace

std::string NeighbourKey::to_string() const {
  switch (kind) {
    case NeighbourKind::kNeighbour:
      return concat("neighbour ", address.to_string(), " on interface ", interface.value());
    case NeighbourKind::kProxy:
      return concat("proxied neighbour ", address.to_string(), " on interface ", interface.value());
    case NeighbourKind::kForwarding:
      return concat("forwarding of ", mac.to_string(), " on interface ", interface.value());
  }
  return {};
}

void NeighbourDriver::own(IfIndex interface, NeighbourKind kind) {
  if (owned_[interface].insert(kind).second) needs_resync_ = true;
}

void NeighbourDriver::disown(IfIndex interface) {
  if (owned_.erase(interface) == 0) return;
  std::vector<NeighbourKey> keys;
  entries_.for_each([&](const NeighbourKey& key, const Target*, const Target*) {
    if (key.interface == interface) keys.push_back(key);
  });
  for (const NeighbourKey& key : keys) {
    entries_.remove_desired(key);
    entries_.actual_lost(key);
  }
}

bool NeighbourDriver::is_ours(const NeighbourKey& key) const {
  const auto owned = owned_.find(key.interface);
  return owned != owned_.end() && owned->second.contains(key.kind);
}

bool NeighbourDriver::owns_any(NeighbourKind kind) const {
  return std::any_of(owned_.begin(), owned_.end(), [kind](const auto& entry) { return entry.second.contains(kind); });
}

void NeighbourDriver::set(const NeighbourKey& key, const Target& target) {
  MARGAY_CHECK(is_ours(key));
  entries_.set_desired(key, target);
}

void NeighbourDriver::set_neighbour(IfIndex interface, const IpAddress& address, const Mac& mac) {
  set({NeighbourKind::kNeighbour, interface, address, {}}, {mac, {}});
}

void NeighbourDriver::set_proxy(IfIndex interface, const IpAddress& address) {
  set({NeighbourKind::kProxy, interface, address, {}}, {});
}

void NeighbourDriver::set_forwarding(IfIndex interface, const Mac& mac, const IpAddress& node) {
  set({NeighbourKind::kForwarding, interface, {}, mac}, {{}, node});
}

void NeighbourDriver::remove(const NeighbourKey& key) { entries_.remove_desired(key); }

std::optional<NeighbourDriver::Heard> NeighbourDriver::parse(const netlink::MessageView& message) {
  const auto head = message.header<ndmsg>();
  if (!head || (message.type != RTM_NEWNEIGH && message.type != RTM_DELNEIGH)) return std::nullopt;
  const bytes::View attributes = message.attributes<ndmsg>();
  const auto destination = netlink::find_attribute(attributes, NDA_DST);
  const auto address = destination ? destination->address() : std::nullopt;
  const auto mac = link_layer_address(netlink::find_attribute(attributes, NDA_LLADDR));
  if (!address) return std::nullopt;
  const IfIndex interface(static_cast<std::uint32_t>(head->ndm_ifindex));
  const bool is_kept = message.type == RTM_NEWNEIGH && (head->ndm_state & NUD_PERMANENT) != 0;
  if (head->ndm_family == AF_BRIDGE) {
    // What a bridge knows of its ports is not ours, nor where a device sends what it knows nothing of.
    if ((head->ndm_flags & NTF_SELF) == 0 || !mac || mac->is_zero()) return std::nullopt;
    return Heard{{NeighbourKind::kForwarding, interface, {}, *mac}, {{}, *address}, is_kept};
  }
  if ((head->ndm_flags & NTF_PROXY) != 0) {
    return Heard{{NeighbourKind::kProxy, interface, *address, {}}, {}, message.type == RTM_NEWNEIGH};
  }
  return Heard{{NeighbourKind::kNeighbour, interface, *address, {}}, {mac.value_or(Mac()), {}}, is_kept};
}

bool NeighbourDriver::note_event(const netlink::MessageView& message) {
  const auto heard = parse(message);
  if (!heard || !is_ours(heard->key)) return false;
  if (heard->is_kept) {
    entries_.note_actual(heard->key, heard->target);
  } else {
    entries_.actual_lost(heard->key);
  }
  return !entries_.is_in_sync();
}

Status NeighbourDriver::read(NeighbourKind kind, int family, Found& found) {
  netlink::Batch request;
  {
    ndmsg head{};
    head.ndm_family = static_cast<std::uint8_t>(family);
    head.ndm_flags = kind == NeighbourKind::kProxy ? NTF_PROXY : 0;
    request.add(RTM_GETNEIGH, 0).header(head);
  }
  Found part;
  const Status dumped = kernel_.dump(
      request, [&part] { part.clear(); },
      [&](const netlink::MessageView& message) {
        const auto heard = parse(message);
        if (heard && heard->is_kept && heard->key.kind == kind && is_ours(heard->key)) {
          part.insert_or_assign(heard->key, heard->target);
        }
      });
  if (!dumped.ok()) return dumped.error().within("reading neighbours");
  found.merge(part);
  return std::monostate();
}

Status NeighbourDriver::resync() {
  Found found;
  for (const NeighbourKind kind : {NeighbourKind::kNeighbour, NeighbourKind::kProxy}) {
    if (!owns_any(kind)) continue;
    MARGAY_RETURN_IF_ERROR(read(kind, AF_INET, found));
    MARGAY_RETURN_IF_ERROR(read(kind, AF_INET6, found));
  }
  if (owns_any(NeighbourKind::kForwarding)) {
    MARGAY_RETURN_IF_ERROR(read(NeighbourKind::kForwarding, AF_BRIDGE, found));
  }
  entries_.replace_all_actual(std::move(found));
  needs_resync_ = false;
  return std::monostate();
}

void NeighbourDriver::add_request(netlink::Batch& batch, std::uint16_t type, const NeighbourKey& key,
                                  const Target& target) {
  const std::uint16_t flags = type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0;
  netlink::Request request = batch.add(type, flags);
  request.header(head_of(key));
  const bool is_forwarding = key.kind == NeighbourKind::kForwarding;
  request.address(NDA_DST, is_forwarding ? target.address : key.address);
  if (key.kind == NeighbourKind::kProxy) return;
  request.bytes(NDA_LLADDR, is_forwarding ? key.mac.bytes() : target.mac.bytes());
}

dataplane::ApplyReport NeighbourDriver::apply(TimePoint now) {
  dataplane::ApplyReport report;
  const Status read = needs_resync_ ? resync() : ok_status();
  if (!read.ok()) add_failure(report, "neighbours", read.error());
  if (read.ok() && !send(report)) needs_resync_ = true;
  plan_next(report, now, backoff_);
  return report;
}

bool NeighbourDriver::send(dataplane::ApplyReport& report) {
  const auto set = [](netlink::Batch& batch, const NeighbourKey& key, const Target& target) {
    add_request(batch, RTM_NEWNEIGH, key, target);
    return true;
  };
  const auto take = [](netlink::Batch& batch, const NeighbourKey& key, const Target& target) {
    add_request(batch, RTM_DELNEIGH, key, target);
    return true;
  };
  const auto is_set = [](const NeighbourKey&, const netlink::Failure& failure) { return unless(failure, {}); };
  const auto is_gone = [](const NeighbourKey&, const netlink::Failure& failure) {
    return unless(failure, {ENOENT, ENODEV, ENXIO});
  };
  return send_updates(kernel_, entries_, report, set, is_set) &&
         (!may_remove_ || send_removes(kernel_, entries_, report, take, is_gone));
}

}  // namespace margay::link
