#include "ipip/devices/device_driver.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/core/text.h"
#include "ipip/devices/checksum_offload.h"

namespace margay::ipip {
namespace {

void merge(dataplane::ApplyReport& into, dataplane::ApplyReport part) {
  into.updated += part.updated;
  into.removed += part.removed;
  into.failed += part.failed;
  for (dataplane::ObjectFailure& failure : part.failures) into.failures.push_back(std::move(failure));
  if (part.try_again_at && (!into.try_again_at || *part.try_again_at < *into.try_again_at)) {
    into.try_again_at = part.try_again_at;
  }
}

void fail(dataplane::ApplyReport& report, std::string_view name, const Error& error) {
  ++report.failed;
  report.failures.push_back({concat("tunnel device ", name), error});
}

void call_again(dataplane::ApplyReport& report, TimePoint at) {
  if (!report.try_again_at || at < *report.try_again_at) report.try_again_at = at;
}

link::LinkSpec link_of(const DeviceSpec& spec) {
  link::LinkSpec out{.mtu = spec.mtu, .addresses = {}};
  // Alone on its link: what others have is reached by routes.
  if (spec.address) out.addresses.insert({*spec.address, address_bits(spec.address->family())});
  return out;
}

}  // namespace

DeviceDriver::DeviceDriver(netlink::Netlink& kernel) : kernel_(kernel), links_(kernel), neighbours_(kernel) {
  for (const DeviceKind kind : kDeviceKinds) states_[kind];
  links_.allow_removal();
  neighbours_.allow_removal();
}

void DeviceDriver::set_devices(const DeviceSpecs& wanted, Duration linger) {
  linger_ = linger;
  for (auto& [kind, state] : states_) {
    const auto spec = wanted.find(kind);
    state.is_wanted = spec != wanted.end();
    if (!state.is_wanted) continue;
    state.unwanted_since.reset();
    state.spec = spec->second;
  }
}

void DeviceDriver::set_vtep(const VtepKey& key, const std::optional<Vtep>& vtep) {
  const DeviceKind kind = vxlan_of(key.family);
  VtepTable::Touched touched;
  vteps(kind).set(key.node, vtep, touched);
  const IfIndex index = states_.at(kind).entries_on;
  if (index != IfIndex()) write_entries(index, vteps(kind), touched);
}

void DeviceDriver::write_entries(IfIndex index, const VtepTable& table, const VtepTable::Touched& touched) {
  using link::NeighbourKind;
  for (const IpAddress& address : touched.addresses) {
    if (const auto mac = table.neighbour(address)) {
      neighbours_.set_neighbour(index, address, *mac);
    } else {
      neighbours_.remove({NeighbourKind::kNeighbour, index, address, {}});
    }
  }
  for (const Mac& mac : touched.macs) {
    if (const auto node = table.forwarding(mac)) {
      neighbours_.set_forwarding(index, mac, *node);
    } else {
      neighbours_.remove({NeighbourKind::kForwarding, index, {}, mac});
    }
  }
}

// Entries went with the device they were on.
void DeviceDriver::place_entries(DeviceKind kind, State& state) {
  const IfIndex index = state.found && is_known(state) ? state.found->index : IfIndex();
  if (kind == DeviceKind::kIpip || index == state.entries_on) return;
  if (state.entries_on != IfIndex()) neighbours_.disown(state.entries_on);
  state.entries_on = index;
  if (index == IfIndex()) return;
  neighbours_.own(index, link::NeighbourKind::kNeighbour);
  neighbours_.own(index, link::NeighbourKind::kForwarding);
  write_entries(index, vteps(kind), vteps(kind).all());
}

bool DeviceDriver::is_known(const State& state) const { return state.spec.has_value() || state.found->is_ours; }

std::map<DeviceKind, IfIndex> DeviceDriver::devices() const {
  std::map<DeviceKind, IfIndex> out;
  for (const auto& [kind, state] : states_) {
    if (state.found && is_known(state)) out[kind] = state.found->index;
  }
  return out;
}

std::size_t DeviceDriver::desired_count() const {
  return static_cast<std::size_t>(
      std::count_if(states_.begin(), states_.end(), [](const auto& entry) { return entry.second.is_wanted; }));
}

Status DeviceDriver::read(DeviceKind kind, State& state) {
  netlink::Batch request;
  add_read_request(request, name_of(kind));
  state.found.reset();
  state.has_offload.reset();
  const Status asked =
      kernel_.ask(request, [&state](const netlink::MessageView& message) { state.found = parse_device(message); });
  if (asked.ok() || asked.error().code == ErrorCode::kNotFound) return ok_status();
  return asked.error().within(concat("reading interface ", name_of(kind)));
}

Status DeviceDriver::resync() {
  for (auto& [kind, state] : states_) MARGAY_RETURN_IF_ERROR(read(kind, state));
  links_.queue_resync();
  neighbours_.queue_resync();
  needs_resync_ = false;
  return ok_status();
}

Status DeviceDriver::send(const netlink::Batch& batch, int fine) {
  const netlink::BatchReport sent = kernel_.apply(batch);
  MARGAY_RETURN_IF_ERROR(sent.transport);
  for (const netlink::Failure& failure : sent.failures) {
    if (failure.error != fine) return netlink::error_of(failure.error, failure.text);
  }
  return ok_status();
}

Status DeviceDriver::make(DeviceKind kind, State& state) {
  netlink::Batch create;
  add_create_request(create, kind, *state.spec);
  MARGAY_RETURN_IF_ERROR(send(create, EEXIST));
  MARGAY_RETURN_IF_ERROR(read(kind, state));
  if (!state.found) return Error{ErrorCode::kUnavailable, "it was made and is not there"};
  netlink::Batch change;
  add_change_request(change, kind, *state.spec, state.found->index);
  MARGAY_RETURN_IF_ERROR(send(change));
  return read(kind, state);
}

// What others made under our name may have parameters that cannot be changed.
Status DeviceDriver::bring_about(DeviceKind kind, State& state, dataplane::ApplyReport& report) {
  const Fit fit = state.found ? compare(kind, *state.spec, *state.found) : Fit::kRebuild;
  if (fit == Fit::kFits) return ok_status();
  links_.queue_resync();
  ++report.updated;
  if (fit == Fit::kChange) {
    netlink::Batch change;
    add_change_request(change, kind, *state.spec, state.found->index);
    if (send(change).ok()) {
      MARGAY_RETURN_IF_ERROR(read(kind, state));
      if (state.found && compare(kind, *state.spec, *state.found) == Fit::kFits) return ok_status();
    }
  }
  if (state.found) {
    netlink::Batch removal;
    add_delete_request(removal, state.found->index);
    MARGAY_RETURN_IF_ERROR(send(removal, ENODEV));
  }
  return make(kind, state);
}

Status DeviceDriver::remove(DeviceKind kind, State& state) {
  netlink::Batch removal;
  add_release_request(removal, state.found->index);
  add_delete_request(removal, state.found->index);
  MARGAY_RETURN_IF_ERROR(send(removal, ENODEV));
  state.spec.reset();
  state.unwanted_since.reset();
  // One that could not be deleted has addresses still.
  const std::string name(name_of(kind));
  links_.set_link(name, {});
  links_.remove_link(name);
  return read(kind, state);
}

void DeviceDriver::settle(DeviceKind kind, State& state, TimePoint now, dataplane::ApplyReport& report) {
  if (!state.is_wanted) {
    if (!state.found || !is_known(state)) return;
    if (!state.unwanted_since) state.unwanted_since = now;
    const TimePoint end = *state.unwanted_since + linger_;
    if (end > now) return call_again(report, end);
    const Status removed = remove(kind, state);
    if (!removed.ok()) return fail(report, name_of(kind), removed.error());
    ++report.removed;
    return;
  }
  const Status made = bring_about(kind, state, report);
  if (!made.ok()) {
    needs_resync_ = true;
    return fail(report, name_of(kind), made.error());
  }
  if (const Status offload = settle_offload(kind, state); !offload.ok()) fail(report, name_of(kind), offload.error());
  links_.set_link(std::string(name_of(kind)), link_of(*state.spec));
}

// What somebody else switched off stays so.
Status DeviceDriver::settle_offload(DeviceKind kind, State& state) {
  if (kind == DeviceKind::kIpip) return ok_status();
  const bool is_wanted = !state.spec->is_checksum_offload_broken.value_or(is_checksum_offload_broken());
  if (is_wanted && !state.was_offload_switched_off) return ok_status();
  const std::string name(name_of(kind));
  if (!state.has_offload) {
    const auto now = has_checksum_offload(name);
    if (!now.ok() && now.error().code == ErrorCode::kUnsupported) return ok_status();
    MARGAY_RETURN_IF_ERROR(now);
    state.has_offload = *now;
  }
  if (*state.has_offload == is_wanted) return ok_status();
  MARGAY_RETURN_IF_ERROR(set_checksum_offload(name, is_wanted));
  state.has_offload = is_wanted;
  state.was_offload_switched_off = !is_wanted;
  return ok_status();
}

Result<std::map<DeviceKind, DeviceCounters>> DeviceDriver::counters() {
  std::map<DeviceKind, DeviceCounters> out;
  for (const auto& [kind, index] : devices()) {
    netlink::Batch request;
    add_read_request(request, name_of(kind));
    std::optional<DeviceCounters> found;
    const Status asked =
        kernel_.ask(request, [&found](const netlink::MessageView& message) { found = parse_counters(message); });
    if (!asked.ok() && asked.error().code != ErrorCode::kNotFound) return asked.error();
    if (found) out[kind] = *found;
  }
  return out;
}

dataplane::ApplyReport DeviceDriver::apply(TimePoint now) {
  dataplane::ApplyReport report;
  const Status status = needs_resync_ ? resync() : ok_status();
  if (!status.ok()) fail(report, "names", status.error());
  if (status.ok()) {
    for (auto& [kind, state] : states_) {
      settle(kind, state, now, report);
      place_entries(kind, state);
    }
  }
  if (report.failed > 0) {
    call_again(report, now + backoff_.next());
  } else {
    backoff_.succeed();
  }
  merge(report, links_.apply(now));
  merge(report, neighbours_.apply(now));
  return report;
}

}  // namespace margay::ipip
