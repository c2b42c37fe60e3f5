#include "dataplane/route/fake_kernel.h"

#include <linux/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/core/text.h"

namespace margay::route {

namespace {

netlink::MessageView view_of(const netlink::Batch& batch, std::size_t index) {
  const std::string_view bytes = batch.request(index);
  nlmsghdr head{};
  std::memcpy(&head, bytes.data(), sizeof(head));
  return {head.nlmsg_type, head.nlmsg_flags, bytes::view_of(bytes.substr(sizeof(head)))};
}

Error failed() { return Error{ErrorCode::kUnavailable, "the call was told to fail"}; }

}  // namespace

bool FakeKernel::fails_now() {
  if (on_call) on_call();
  return fails_in_ > 0 && --fails_in_ == 0;
}

Status FakeKernel::dump(const netlink::Batch& request, const std::function<void()>& begin,
                        const netlink::Visit& visit) {
  ++dumps_;
  if (fails_now()) return failed();
  begin();
  const auto asked = view_of(request, 0).header<rtmsg>();
  for (const auto& [key, held] : routes_) {
    if (key.prefix.is_v4() != (asked->rtm_family == AF_INET)) continue;
    if (asked->rtm_protocol != RTPROT_UNSPEC && held.protocol != asked->rtm_protocol) continue;
    tell_route(RTM_NEWROUTE, key, held.route, held.protocol, visit);
  }
  return std::monostate();
}

Status FakeKernel::ask(const netlink::Batch& request, const netlink::Visit& visit) {
  if (fails_now()) return failed();
  const auto to = netlink::find_attribute(view_of(request, 0).attributes<rtmsg>(), RTA_DST)->address();
  for (const auto& [subnet, interface] : connected_) {
    if (!subnet.contains(*to)) continue;
    tell_route(RTM_NEWROUTE, {kMainTable, IpPrefix::host(*to), 0}, Route{.hops = {RouteHop{std::nullopt, interface}}},
               RTPROT_KERNEL, visit);
    return std::monostate();
  }
  return netlink::error_of(ENETUNREACH, "no route");
}

int FakeKernel::change(const netlink::MessageView& message) {
  auto parsed = parse_route(message);
  if (!parsed) return EINVAL;
  if (const auto refused = refused_.find(parsed->key.prefix); refused != refused_.end()) return refused->second;
  const auto present = routes_.find(parsed->key);
  if (message.type == RTM_DELROUTE) {
    if (present == routes_.end() || present->second.protocol != parsed->protocol) return ESRCH;
    routes_.erase(present);
    return 0;
  }
  if (present != routes_.end() && (message.flags & NLM_F_EXCL) != 0) return EEXIST;
  routes_[parsed->key] = {std::move(parsed->route), parsed->protocol};
  most_ = std::max(most_, routes_.size());
  return 0;
}

netlink::BatchReport FakeKernel::apply(const netlink::Batch& batch) {
  netlink::BatchReport report;
  if (fails_now()) {
    report.transport = failed();
    return report;
  }
  for (std::size_t index = 0; index < batch.size(); ++index) {
    ++writes_;
    const int error = change(view_of(batch, index));
    if (error != 0) report.failures.push_back({index, error, std::strerror(error)});
  }
  return report;
}

void FakeKernel::link_down(IfIndex interface) {
  std::erase_if(routes_, [interface](const auto& entry) {
    const std::vector<RouteHop>& hops = entry.second.route.hops;
    return std::any_of(hops.begin(), hops.end(), [&](const RouteHop& hop) { return hop.interface == interface; });
  });
  std::erase_if(connected_, [interface](const auto& entry) { return entry.second == interface; });
}

std::vector<std::string> FakeKernel::lines(std::uint8_t protocol) const {
  std::vector<std::string> out;
  for (const auto& [key, held] : routes_) {
    if (held.protocol != protocol) continue;
    std::string line = concat(key.prefix.to_string(), " ", held.route.to_string());
    if (key.table != kMainTable) line += concat(" table ", key.table.value());
    out.push_back(std::move(line));
  }
  return out;
}

void tell_route(std::uint16_t type, const RouteKey& key, const Route& route, std::uint8_t protocol,
                const std::function<void(const netlink::MessageView&)>& listener) {
  netlink::Batch batch;
  add_route_request(batch, key, route, protocol, Write::kNew);
  netlink::MessageView message = view_of(batch, 0);
  message.type = type;
  listener(message);
}

void tell_link(IfIndex interface, bool is_up, const std::function<void(const netlink::MessageView&)>& listener) {
  netlink::Batch batch;
  {
    ifinfomsg head{};
    head.ifi_index = static_cast<int>(interface.value());
    head.ifi_flags = is_up ? IFF_UP : 0;
    batch.add(RTM_NEWLINK, 0).header(head);
  }
  listener(view_of(batch, 0));
}

}  // namespace margay::route
