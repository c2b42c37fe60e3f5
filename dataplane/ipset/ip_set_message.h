// Sets of the kernel in netlink messages: what is asked of it, and what it answers.
//
// Members go many in one message: the kernel works them off in order and stops at the first it refuses, so a message
// that failed says nothing of the members in it; sent again one by one they tell (adding what is there and deleting
// what is not succeed). Source: linux/netfilter/ipset/ip_set.h, net/netfilter/ipset/ip_set_core.c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/error.h"
#include "base/core/result.h"
#include "dataplane/ipset/ip_set.h"
#include "dataplane/netlink/netlink.h"

namespace margay::ipset {

// A set as the kernel has it.
struct SetHeader {
  std::optional<SetSpec> spec;   // nullopt: of a type that is none of ours
  bool is_plain = true;          // without timeouts, counters, netmask and other things we do not ask for
  std::uint32_t member_max = 0;  // that it has room for
  std::uint32_t members = 0;
  std::uint32_t references = 0;  // rules and lists that name it
};

struct FoundMember {
  Member member;
  bool is_plain = true;  // false: marked "nomatch"; the same member may be added over it
};

enum class MemberChange : std::uint8_t { kAdd, kDelete };

std::string_view to_string(SetType type);  // "hash:net,port"

class IpSetMessages {
 public:
  // Asks which protocol version the kernel speaks, the first time. kUnsupported: it has no sets.
  Status negotiate(netlink::Netlink& kernel);
  // The highest revision of the type that kernel and tools of the last years know; asked the first time.
  Result<std::uint8_t> revision(netlink::Netlink& kernel, const SetSpec& spec);

  struct Creation {
    SetSpec spec;
    std::uint8_t revision = 0;
    std::uint32_t member_max = 0;
    std::size_t members_soon = 0;  // that will be put in: the hash table is made for them
  };
  // Fails with EEXIST where the name is taken.
  void add_create(netlink::Batch& batch, std::string_view name, const Creation& creation) const;
  void add_destroy(netlink::Batch& batch, std::string_view name) const;
  void add_swap(netlink::Batch& batch, std::string_view a, std::string_view b) const;
  // One message with as many of the members, from the first, as have room; says how many.
  std::size_t add_members(netlink::Batch& batch, MemberChange change, std::string_view name, const SetSpec& spec,
                          std::span<const Member> members) const;

  // Every set of the kernel, without members.
  Status dump_headers(netlink::Netlink& kernel, std::map<std::string, SetHeader>& found) const;
  // kNotFound: there is no such set.
  Status dump_members(netlink::Netlink& kernel, std::string_view name, const SetSpec& spec,
                      const std::function<void()>& begin, const std::function<void(const FoundMember&)>& visit) const;

 private:
  [[nodiscard]] netlink::Request begin(netlink::Batch& batch, std::uint8_t command, std::uint16_t flags) const;

  std::uint8_t protocol_ = 0;  // 0: not asked yet
  std::map<SetSpec, std::uint8_t> revisions_;
};

// --- for who reads such messages ---
std::optional<std::pair<std::string, SetHeader>> parse_header(const netlink::MessageView& message);
std::optional<FoundMember> parse_member(const SetSpec& spec, bytes::View attributes);

// The kernel's own numbers (IPSET_ERR_…) have no words in the C library.
Error error_of(const netlink::Failure& failure);

}  // namespace margay::ipset
