#include "ipip/ebpf/attachments.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/core/text.h"
#include "dataplane/netlink/netlink.h"

namespace margay::ipip {
namespace {

constexpr std::array kDirections = {bpf::Direction::kIngress, bpf::Direction::kEgress};

// The programs count in Ethernet headers. Interfaces without (WireGuard, PPP, tun) would need others.
Status has_ethernet_header(IfIndex interface) {
  const bpf::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return netlink::error_of(errno, "socket");
  ifreq request{};
  const std::string what = concat("interface ", interface.value());
  if (if_indextoname(interface.value(), request.ifr_name) == nullptr) return netlink::error_of(ENODEV, what);
  if (ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0) return netlink::error_of(errno, what);
  if (request.ifr_hwaddr.sa_family == ARPHRD_ETHER) return ok_status();
  return Error{ErrorCode::kUnsupported, concat("interface ", request.ifr_name,
                                               " has no Ethernet header: IP-in-IP by eBPF cannot send through it")};
}

struct FreeNames {
  void operator()(struct if_nameindex* names) const { if_freenameindex(names); }
};

// The program of ours at that place; nullopt: none.
Result<std::optional<bpf::LoadedProgram>> our_program_at(const bpf::TcPlace& place) {
  MARGAY_ASSIGN_OR_RETURN(const std::optional<std::uint32_t> id, bpf::program_at(place));
  if (!id) return std::optional<bpf::LoadedProgram>();
  MARGAY_ASSIGN_OR_RETURN(bpf::LoadedProgram program, bpf::loaded_program(*id));
  if (program.name == kInProgram || program.name == kOutProgram) return std::optional(std::move(program));
  return Error{ErrorCode::kConflict, concat("tc priority ", place.priority, " of interface ", place.interface.value(),
                                            " holds a program ", program.name, " that is not ours")};
}

Status look_at(IfIndex interface, FoundAttachments& found) {
  for (const bpf::Direction direction : kDirections) {
    MARGAY_ASSIGN_OR_RETURN(const auto program, our_program_at(place_of(interface, direction)));
    if (!program) continue;
    found.interfaces.insert(interface);
    MARGAY_ASSIGN_OR_RETURN(bpf::Maps maps, bpf::maps_of(*program));
    // Each program has only the maps that it uses; those of one name are the same.
    found.maps.merge(maps);
  }
  return ok_status();
}

}  // namespace

bpf::TcPlace place_of(IfIndex interface, bpf::Direction direction) {
  return {.interface = interface, .direction = direction, .priority = kTcPriority, .handle = kTcHandle};
}

Result<FoundAttachments> find_attachments() {
  FoundAttachments found;
  const std::unique_ptr<struct if_nameindex, FreeNames> names(if_nameindex());
  if (!names) return netlink::error_of(errno, "interfaces");
  for (const struct if_nameindex* name = names.get(); name->if_index != 0; ++name) {
    MARGAY_RETURN_IF_ERROR(look_at(IfIndex(name->if_index), found));
  }
  return found;
}

// What arrives is understood for as long as anything is sent.
Status detach_from(IfIndex interface) {
  MARGAY_RETURN_IF_ERROR(bpf::detach(place_of(interface, bpf::Direction::kEgress)));
  return bpf::detach(place_of(interface, bpf::Direction::kIngress));
}

Result<Attachments> Attachments::of(Programs programs, std::set<IfIndex> found) {
  MARGAY_ASSIGN_OR_RETURN(const std::uint32_t in_id, bpf::id_of(programs.in));
  MARGAY_ASSIGN_OR_RETURN(const std::uint32_t out_id, bpf::id_of(programs.out));
  return Attachments(programs, in_id, out_id, std::move(found));
}

bool Attachments::set(const std::set<IfIndex>& wanted) {
  if (wanted == wanted_) return false;
  wanted_ = wanted;
  return true;
}

Status Attachments::put(const bpf::TcPlace& place, int program, std::uint32_t id, std::size_t& changed) {
  MARGAY_ASSIGN_OR_RETURN(const std::optional<std::uint32_t> there, bpf::program_at(place));
  if (there == id) return ok_status();
  MARGAY_ASSIGN_OR_RETURN(const auto ours, our_program_at(place));
  MARGAY_RETURN_IF_ERROR(bpf::attach(place, program));
  ++changed;
  return ok_status();
}

// What arrives is understood before anything is sent.
Status Attachments::attach_to(IfIndex interface, std::size_t& changed) {
  MARGAY_RETURN_IF_ERROR(has_ethernet_header(interface));
  there_.insert(interface);
  MARGAY_RETURN_IF_ERROR(put(place_of(interface, bpf::Direction::kIngress), programs_.in, in_id_, changed));
  return put(place_of(interface, bpf::Direction::kEgress), programs_.out, out_id_, changed);
}

Status Attachments::attach(std::size_t& changed) {
  Status first = ok_status();
  for (const IfIndex interface : wanted_) {
    Status status = attach_to(interface, changed);
    if (!status.ok() && first.ok()) first = std::move(status);
  }
  return first;
}

Status Attachments::detach(std::size_t& changed) {
  for (auto at = there_.begin(); at != there_.end();) {
    if (wanted_.count(*at) > 0) {
      ++at;
      continue;
    }
    MARGAY_RETURN_IF_ERROR(detach_from(*at));
    changed += 2;
    at = there_.erase(at);
  }
  return ok_status();
}

}  // namespace margay::ipip
