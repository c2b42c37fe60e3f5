#include "policy/index/service_index.h"

#include <utility>

#include "base/core/text.h"
#include "policy/index/sorted.h"

namespace margay::policy {
namespace {

void sort_and_shrink(Members& members) {
  sort_and_unite(members);
  members.shrink_to_fit();
}

Members addresses_of(const model::EndpointSlice& slice) {
  Members out;
  for (const model::Endpoint& endpoint : slice.endpoints) {
    for (const std::string& text : endpoint.addresses) {
      const Result<IpAddress> address = IpAddress::parse(text);
      if (address.ok()) out.push_back({.net = IpPrefix::host(*address), .protocol = {}, .port = {}});
    }
  }
  sort_and_shrink(out);
  return out;
}

Members with_ports(const Members& addresses, const std::vector<model::EndpointSlicePort>& ports) {
  Members out;
  for (const IpSetMember& address : addresses) {
    for (const model::EndpointSlicePort& port : ports) {
      if (!port.port) continue;
      out.push_back({.net = address.net, .protocol = port.protocol.value_or(model::kProtocolTcp), .port = *port.port});
    }
  }
  sort_and_shrink(out);
  return out;
}

}  // namespace

void ServiceIndex::put_slice(const std::string& key, const model::EndpointSlice& slice) {
  const std::string_view name = slice.metadata.labels.get(model::kServiceNameLabel);
  if (name.empty()) {
    remove_slice(key);
    return;
  }
  Slice made{.service = concat(slice.metadata.name_space, "/", name), .members = {}, .addresses = addresses_of(slice)};
  made.members = with_ports(made.addresses, slice.ports);
  const auto at = slices_.find(key);
  if (at != slices_.end() && at->second.service == made.service && at->second.members == made.members &&
      at->second.addresses == made.addresses) {
    return;
  }
  remove_slice(key);
  changed_.insert(made.service);
  slices_by_service_[made.service].insert(key);
  slices_.emplace(key, std::move(made));
}

void ServiceIndex::remove_slice(const std::string& key) {
  const auto at = slices_.find(key);
  if (at == slices_.end()) return;
  changed_.insert(at->second.service);
  const auto siblings = slices_by_service_.find(at->second.service);
  siblings->second.erase(key);
  if (siblings->second.empty()) slices_by_service_.erase(siblings);
  slices_.erase(at);
}

Members ServiceIndex::members_of(const ServiceName& service, bool with_ports) const {
  Members out;
  const auto keys = slices_by_service_.find(service);
  if (keys == slices_by_service_.end()) return out;
  for (const std::string& key : keys->second) {
    const Slice& slice = slices_.at(key);
    const Members& some = with_ports ? slice.members : slice.addresses;
    out.insert(out.end(), some.begin(), some.end());
  }
  sort_and_shrink(out);
  return out;
}

}  // namespace margay::policy
