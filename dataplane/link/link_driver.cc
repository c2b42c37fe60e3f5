#include "dataplane/link/link_driver.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "dataplane/link/send_pending.h"

namespace margay::link {

namespace {

bool is_kernels(const InterfaceAddress& address) { return address.address.is_v6() && address.address.is_link_local(); }

void add_link_request(netlink::Batch& batch, IfIndex index, std::uint32_t mtu) {
  netlink::Request request = batch.add(RTM_NEWLINK, 0);
  ifinfomsg head{};
  head.ifi_index = static_cast<int>(index.value());
  head.ifi_flags = IFF_UP;
  head.ifi_change = IFF_UP;
  request.header(head);
  request.u32(IFLA_MTU, mtu);
}

void add_address_request(netlink::Batch& batch, std::uint16_t type, IfIndex index, const InterfaceAddress& address) {
  const std::uint16_t flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
  netlink::Request request = batch.add(type, flags);
  ifaddrmsg head{};
  head.ifa_family = address.address.is_v4() ? AF_INET : AF_INET6;
  head.ifa_prefixlen = static_cast<std::uint8_t>(address.length);
  // Nobody else can have it: it need not be asked for on the link first.
  head.ifa_flags = address.address.is_v6() ? IFA_F_NODAD : 0;
  head.ifa_index = index.value();
  request.header(head);
  request.address(IFA_LOCAL, address.address);
  request.address(IFA_ADDRESS, address.address);
}

}  // namespace

std::string LinkDriver::AddressKey::to_string() const {
  return concat("address ", address.to_string(), " on interface ", interface.value());
}

void LinkDriver::set_link(const std::string& name, LinkSpec spec) {
  left_.erase(name);
  LinkSpec& present = specs_[name];
  // The first time it may be equal by chance.
  needs_resync_ = needs_resync_ || !indexes_.contains(name) || present != spec;
  present = std::move(spec);
}

void LinkDriver::remove_link(const std::string& name) {
  if (specs_.erase(name) == 0) return;
  left_.insert(name);
  needs_resync_ = true;
}

Status LinkDriver::read(const std::string& name, InterfaceTable& found) {
  std::set<std::string> changed;
  const netlink::Visit visit = [&](const netlink::MessageView& message) { found.note(message, changed); };
  netlink::Batch link;
  {
    netlink::Request request = link.add(RTM_GETLINK, 0);
    request.header(ifinfomsg{});
    request.text(IFLA_IFNAME, name);
  }
  const Status asked = kernel_.ask(link, visit);
  if (!asked.ok() && asked.error().code == ErrorCode::kNotFound) return std::monostate();
  if (!asked.ok()) return asked.error().within(concat("reading interface ", name));
  const Interface* there = found.find(name);
  if (there == nullptr) return std::monostate();
  netlink::Batch addresses;
  {
    netlink::Request request = addresses.add(RTM_GETADDR, 0);
    ifaddrmsg head{};
    head.ifa_index = there->index.value();
    request.header(head);
  }
  const Status dumped = kernel_.dump(
      addresses, [] {}, visit);
  return dumped.ok() ? dumped : dumped.error().within(concat("reading addresses of ", name));
}

Status LinkDriver::resync() {
  InterfaceTable found;
  for (const auto& [name, spec] : specs_) MARGAY_RETURN_IF_ERROR(read(name, found));
  for (const std::string& name : left_) MARGAY_RETURN_IF_ERROR(read(name, found));
  take_over(found);
  needs_resync_ = false;
  return std::monostate();
}

// Desired becomes exactly `wanted`.
template <class Key, class Value>
void LinkDriver::want(DeltaTracker<Key, Value>& tracker, const std::map<Key, Value>& wanted) {
  std::vector<Key> others;
  tracker.for_each([&](const Key& key, const Value* desired, const Value*) {
    if (desired != nullptr && !wanted.contains(key)) others.push_back(key);
  });
  for (const Key& key : others) tracker.remove_desired(key);
  for (const auto& [key, value] : wanted) tracker.set_desired(key, value);
}

// Only of interfaces that are there anything is wanted.
void LinkDriver::take_over(const InterfaceTable& found) {
  std::map<LinkKey, LinkState> links, wanted_links;
  std::map<AddressKey, Present> addresses, wanted_addresses;
  indexes_.clear();
  missing_.clear();
  for (const auto& [name, link] : found.interfaces()) {
    indexes_[name] = link.index;
    for (const InterfaceAddress& address : link.addresses) {
      if (!is_kernels(address)) addresses.emplace(AddressKey{link.index, address}, Present{});
    }
  }
  for (const auto& [name, spec] : specs_) {
    const Interface* link = found.find(name);
    if (link == nullptr) {
      missing_.insert(name);
      continue;
    }
    links[{name}] = {link->is_up, link->mtu};
    wanted_links[{name}] = {true, spec.mtu.value_or(link->mtu)};
    for (const InterfaceAddress& address : spec.addresses) wanted_addresses[{link->index, address}] = {};
  }
  want(links_, wanted_links);
  want(addresses_, wanted_addresses);
  links_.replace_all_actual(std::move(links));
  addresses_.replace_all_actual(std::move(addresses));
}

bool LinkDriver::send(dataplane::ApplyReport& report) {
  const auto judge = [](const auto&, const netlink::Failure& failure) { return unless(failure, {}); };
  const auto set_link = [this](netlink::Batch& batch, const LinkKey& key, const LinkState& wanted) {
    add_link_request(batch, indexes_.at(key.name), wanted.mtu);
    return true;
  };
  const auto add_address = [](netlink::Batch& batch, const AddressKey& key, const Present&) {
    add_address_request(batch, RTM_NEWADDR, key.interface, key.address);
    return true;
  };
  const auto delete_address = [](netlink::Batch& batch, const AddressKey& key, const Present&) {
    add_address_request(batch, RTM_DELADDR, key.interface, key.address);
    return true;
  };
  const auto is_added = [](const AddressKey&, const netlink::Failure& failure) { return unless(failure, {EEXIST}); };
  const auto is_gone = [](const AddressKey&, const netlink::Failure& failure) {
    return unless(failure, {EADDRNOTAVAIL, ENODEV});
  };
  return send_updates(kernel_, links_, report, set_link, judge) &&
         send_updates(kernel_, addresses_, report, add_address, is_added) &&
         (!may_remove_ || send_removes(kernel_, addresses_, report, delete_address, is_gone));
}

dataplane::ApplyReport LinkDriver::apply(TimePoint now) {
  dataplane::ApplyReport report;
  for (int pass = 0; pass < 2 && (pass == 0 || needs_resync_); ++pass) {
    const Status read = needs_resync_ ? resync() : ok_status();
    if (!read.ok()) {
      add_failure(report, "interfaces", read.error());
      break;
    }
    const std::size_t removed = report.removed;
    if (!send(report)) {
      needs_resync_ = true;
      break;
    }
    // Linux: an IPv4 address takes the others of its subnet with it (promote_secondaries off).
    if (report.removed > removed) needs_resync_ = true;
  }
  if (!needs_resync_ && addresses_.pending_removes() == 0) left_.clear();
  plan_next(report, now, backoff_);
  return report;
}

}  // namespace margay::link
