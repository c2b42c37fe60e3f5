#include "dataplane/ipset/ip_set_message.h"

#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::ipset {

namespace {

constexpr std::size_t kMembersBytesMax = 60'000;  // of one message; the nest's length has 16 bits
constexpr std::uint32_t kHashSizeMin = 64;        // linux: IPSET_MIMINAL_HASHSIZE
constexpr std::uint32_t kHashSizeMax = 1U << 20;

// The kernel insists on the mark at numbers in network byte order.
constexpr std::uint16_t big_endian(int attribute) {
  return static_cast<std::uint16_t>(attribute | NLA_F_NET_BYTEORDER);
}

// The ADT policy of linux/ip_set_hash.h; the user's copy of the header leaves these out.
constexpr int kErrorHashFull = IPSET_ERR_TYPE_SPECIFIC;
constexpr int kErrorHashElement = IPSET_ERR_TYPE_SPECIFIC + 1;

struct TypeFacts {
  SetType type;
  std::string_view name;
  // Of linux 4.19 and ipset 6.38 of 2018; the later ones only add what we do not use.
  std::uint8_t revision;
  bool has_nets, has_ports;
};
constexpr std::array<TypeFacts, 4> kTypes = {{
    {SetType::kHashIp, "hash:ip", 4, false, false},
    {SetType::kHashNet, "hash:net", 6, true, false},
    {SetType::kHashIpPort, "hash:ip,port", 5, false, true},
    {SetType::kHashNetPort, "hash:net,port", 7, true, true},
}};

const TypeFacts& facts_of(SetType type) { return kTypes[static_cast<std::size_t>(type)]; }

std::uint8_t number_of(IpFamily family) { return family == IpFamily::kV4 ? AF_INET : AF_INET6; }

// The table grows by itself, but each time it does all members move: begin with two members a bucket.
std::uint32_t hash_size(std::size_t members) {
  const auto wanted = static_cast<std::uint32_t>(std::min<std::size_t>(members, 2 * std::size_t{kHashSizeMax}));
  return std::clamp(std::bit_ceil(wanted + 1) / 2, kHashSizeMin, kHashSizeMax);
}

void put_member(netlink::Request& request, const TypeFacts& facts, const Member& member) {
  const std::size_t data = request.begin_nest(IPSET_ATTR_DATA, true);
  const std::size_t ip = request.begin_nest(IPSET_ATTR_IP, true);
  const IpAddress address = member.net.first();
  request.address(big_endian(address.is_v4() ? IPSET_ATTR_IPADDR_IPV4 : IPSET_ATTR_IPADDR_IPV6), address);
  request.end_nest(ip);
  if (facts.has_nets) request.u8(IPSET_ATTR_CIDR, static_cast<std::uint8_t>(member.net.length()));
  if (facts.has_ports) {
    request.be16(big_endian(IPSET_ATTR_PORT), member.port);
    request.u8(IPSET_ATTR_PROTO, member.protocol);
  }
  request.end_nest(data);
}

std::optional<SetSpec> spec_of(std::string_view type_name, std::optional<std::uint8_t> family) {
  for (const TypeFacts& facts : kTypes) {
    if (facts.name != type_name) continue;
    if (family == AF_INET) return SetSpec{facts.type, IpFamily::kV4};
    if (family == AF_INET6) return SetSpec{facts.type, IpFamily::kV6};
  }
  return std::nullopt;
}

void parse_header_data(bytes::View data, SetHeader& header) {
  netlink::for_each_attribute(data, [&header](std::uint16_t type, const netlink::Attribute& value) {
    switch (type) {
      case IPSET_ATTR_MAXELEM: header.member_max = value.be32().value_or(0); break;
      case IPSET_ATTR_ELEMENTS: header.members = value.be32().value_or(0); break;
      case IPSET_ATTR_REFERENCES: header.references = value.be32().value_or(0); break;
      case IPSET_ATTR_CADT_FLAGS: header.is_plain = header.is_plain && value.be32().value_or(0) == 0; break;
      case IPSET_ATTR_TIMEOUT:
      case IPSET_ATTR_NETMASK:
      case IPSET_ATTR_MARKMASK: header.is_plain = false; break;
      default: break;
    }
  });
}

std::string_view words_of(int error) {
  switch (error) {
    case IPSET_ERR_PROTOCOL: return "the kernel cannot read the request";
    case IPSET_ERR_FIND_TYPE: return "the kernel does not have this type of set";
    case IPSET_ERR_MAX_SETS: return "the kernel has room for no more sets";
    case IPSET_ERR_BUSY: return "the set is in use: a rule or a dump refers to it";
    case IPSET_ERR_EXIST_SETNAME2: return "there is no set to swap with, or the new name is taken";
    case IPSET_ERR_TYPE_MISMATCH: return "the sets to be swapped differ in type or family";
    case IPSET_ERR_EXIST: return "the member is there already, or is not there";
    case IPSET_ERR_INVALID_CIDR: return "the length of the network is out of range";
    case IPSET_ERR_INVALID_FAMILY: return "the set's type has no such address family";
    case IPSET_ERR_REFERENCED: return "a rule refers to the set";
    case kErrorHashFull: return "the set is full";
    case kErrorHashElement: return "the set cannot have this member";
    default: return {};
  }
}

ErrorCode code_of(int error) {
  switch (error) {
    case IPSET_ERR_FIND_TYPE: return ErrorCode::kUnsupported;
    case IPSET_ERR_BUSY:
    case IPSET_ERR_REFERENCED: return ErrorCode::kUnavailable;
    case IPSET_ERR_MAX_SETS:
    case kErrorHashFull: return ErrorCode::kLimitExceeded;
    case IPSET_ERR_EXIST: return ErrorCode::kAlreadyExists;
    default: return ErrorCode::kInvalid;
  }
}

}  // namespace

std::string_view to_string(SetType type) { return facts_of(type).name; }

Error error_of(const netlink::Failure& failure) {
  const std::string_view words = words_of(failure.error);
  if (!words.empty()) return Error{code_of(failure.error), std::string(words)};
  if (failure.error > IPSET_ERR_PRIVATE) {
    return Error{ErrorCode::kInternal, concat("error ", failure.error, " of the kernel's sets")};
  }
  return netlink::error_of(failure.error, failure.text);
}

netlink::Request IpSetMessages::begin(netlink::Batch& batch, std::uint8_t command, std::uint16_t flags) const {
  const auto type = static_cast<std::uint16_t>(NFNL_SUBSYS_IPSET << 8 | command);
  return batch.add(type, flags);
}

Status IpSetMessages::negotiate(netlink::Netlink& kernel) {
  if (protocol_ != 0) return std::monostate();
  netlink::Batch request;
  {
    netlink::Request ask = begin(request, IPSET_CMD_PROTOCOL, 0);
    ask.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
    ask.u8(IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL);
  }
  std::uint8_t highest = 0;
  const Status asked = kernel.ask(request, [&highest](const netlink::MessageView& message) {
    const auto version = netlink::find_attribute(message.attributes<nfgenmsg>(), IPSET_ATTR_PROTOCOL);
    if (version) highest = version->u8().value_or(0);
  });
  if (!asked.ok()) {
    const bool has_none = asked.error().code == ErrorCode::kInvalid || asked.error().code == ErrorCode::kUnsupported;
    if (has_none) return Error{ErrorCode::kUnsupported, "this kernel has no sets (ip_set)"};
    return asked.error().within("asking the kernel about sets");
  }
  if (highest < IPSET_PROTOCOL_MIN) {
    return Error{ErrorCode::kUnsupported, concat("the kernel speaks version ", highest, " of the protocol for sets, ",
                                                 IPSET_PROTOCOL_MIN, " is needed")};
  }
  protocol_ = std::min<std::uint8_t>(highest, IPSET_PROTOCOL);
  return std::monostate();
}

Result<std::uint8_t> IpSetMessages::revision(netlink::Netlink& kernel, const SetSpec& spec) {
  if (const auto known = revisions_.find(spec); known != revisions_.end()) return known->second;
  const TypeFacts& facts = facts_of(spec.type);
  netlink::Batch request;
  {
    netlink::Request ask = begin(request, IPSET_CMD_TYPE, 0);
    ask.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
    ask.u8(IPSET_ATTR_PROTOCOL, protocol_);
    ask.text(IPSET_ATTR_TYPENAME, facts.name);
    ask.u8(IPSET_ATTR_FAMILY, number_of(spec.family));
  }
  std::uint8_t highest = 0;
  const Status asked = kernel.ask(request, [&highest](const netlink::MessageView& message) {
    const auto value = netlink::find_attribute(message.attributes<nfgenmsg>(), IPSET_ATTR_REVISION);
    if (value) highest = value->u8().value_or(0);
  });
  if (!asked.ok()) {
    return Error{ErrorCode::kUnsupported, concat("this kernel has no sets of type ", facts.name)};
  }
  return revisions_.emplace(spec, std::min(highest, facts.revision)).first->second;
}

void IpSetMessages::add_create(netlink::Batch& batch, std::string_view name, const Creation& creation) const {
  netlink::Request request = begin(batch, IPSET_CMD_CREATE, NLM_F_CREATE | NLM_F_EXCL);
  request.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  request.u8(IPSET_ATTR_PROTOCOL, protocol_);
  request.text(IPSET_ATTR_SETNAME, name);
  request.text(IPSET_ATTR_TYPENAME, facts_of(creation.spec.type).name);
  request.u8(IPSET_ATTR_REVISION, creation.revision);
  request.u8(IPSET_ATTR_FAMILY, number_of(creation.spec.family));
  const std::size_t data = request.begin_nest(IPSET_ATTR_DATA, true);
  request.be32(big_endian(IPSET_ATTR_HASHSIZE), hash_size(creation.members_soon));
  request.be32(big_endian(IPSET_ATTR_MAXELEM), creation.member_max);
  request.end_nest(data);
}

void IpSetMessages::add_destroy(netlink::Batch& batch, std::string_view name) const {
  netlink::Request request = begin(batch, IPSET_CMD_DESTROY, 0);
  request.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  request.u8(IPSET_ATTR_PROTOCOL, protocol_);
  request.text(IPSET_ATTR_SETNAME, name);
}

void IpSetMessages::add_swap(netlink::Batch& batch, std::string_view a, std::string_view b) const {
  netlink::Request request = begin(batch, IPSET_CMD_SWAP, 0);
  request.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  request.u8(IPSET_ATTR_PROTOCOL, protocol_);
  request.text(IPSET_ATTR_SETNAME, a);
  request.text(IPSET_ATTR_SETNAME2, b);
}

std::size_t IpSetMessages::add_members(netlink::Batch& batch, MemberChange change, std::string_view name,
                                       const SetSpec& spec, std::span<const Member> members) const {
  MARGAY_CHECK(!members.empty());
  const TypeFacts& facts = facts_of(spec.type);
  // Without NLM_F_EXCL: what is there already, or not there any more, is no failure.
  netlink::Request request = begin(batch, change == MemberChange::kAdd ? IPSET_CMD_ADD : IPSET_CMD_DEL, 0);
  request.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  request.u8(IPSET_ATTR_PROTOCOL, protocol_);
  request.text(IPSET_ATTR_SETNAME, name);
  request.u32(IPSET_ATTR_LINENO, 0);  // the kernel writes into it where it stopped; must be there with several
  const std::size_t nest = request.begin_nest(IPSET_ATTR_ADT, true);
  std::size_t count = 0;
  while (count < members.size() && request.position() - nest < kMembersBytesMax) {
    put_member(request, facts, members[count++]);
  }
  request.end_nest(nest);
  return count;
}

Status IpSetMessages::dump_headers(netlink::Netlink& kernel, std::map<std::string, SetHeader>& found) const {
  netlink::Batch request;
  {
    netlink::Request ask = begin(request, IPSET_CMD_LIST, 0);
    ask.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
    ask.u8(IPSET_ATTR_PROTOCOL, protocol_);
    ask.be32(big_endian(IPSET_ATTR_FLAGS), IPSET_FLAG_LIST_HEADER);
  }
  const Status dumped = kernel.dump(
      request, [&found] { found.clear(); },
      [&found](const netlink::MessageView& message) {
        auto header = parse_header(message);
        if (header) found.insert_or_assign(std::move(header->first), header->second);
      });
  return dumped.ok() ? dumped : dumped.error().within("reading sets");
}

Status IpSetMessages::dump_members(netlink::Netlink& kernel, std::string_view name, const SetSpec& spec,
                                   const std::function<void()>& begin_dump,
                                   const std::function<void(const FoundMember&)>& visit) const {
  netlink::Batch request;
  {
    netlink::Request ask = begin(request, IPSET_CMD_LIST, 0);
    ask.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
    ask.u8(IPSET_ATTR_PROTOCOL, protocol_);
    ask.text(IPSET_ATTR_SETNAME, name);
  }
  const Status dumped = kernel.dump(request, begin_dump, [&](const netlink::MessageView& message) {
    const auto members = netlink::find_attribute(message.attributes<nfgenmsg>(), IPSET_ATTR_ADT);
    if (!members) return;
    netlink::for_each_attribute(members->bytes(), [&](std::uint16_t type, const netlink::Attribute& data) {
      if (type != IPSET_ATTR_DATA) return;
      const auto member = parse_member(spec, data.bytes());
      if (member) visit(*member);
    });
  });
  return dumped.ok() ? dumped : dumped.error().within(concat("reading set ", name));
}

std::optional<std::pair<std::string, SetHeader>> parse_header(const netlink::MessageView& message) {
  std::string_view name, type_name;
  std::optional<std::uint8_t> family;
  bytes::View data;
  netlink::for_each_attribute(message.attributes<nfgenmsg>(), [&](std::uint16_t type, const netlink::Attribute& value) {
    if (type == IPSET_ATTR_SETNAME) name = value.text();
    if (type == IPSET_ATTR_TYPENAME) type_name = value.text();
    if (type == IPSET_ATTR_FAMILY) family = value.u8();
    if (type == IPSET_ATTR_DATA) data = value.bytes();
  });
  // A set that needs several messages is described by the first.
  if (name.empty() || type_name.empty()) return std::nullopt;
  SetHeader header;
  header.spec = spec_of(type_name, family);
  parse_header_data(data, header);
  return std::pair(std::string(name), header);
}

std::optional<FoundMember> parse_member(const SetSpec& spec, bytes::View attributes) {
  std::optional<IpAddress> address;
  int length = address_bits(spec.family);
  FoundMember found;
  netlink::for_each_attribute(attributes, [&](std::uint16_t type, const netlink::Attribute& value) {
    switch (type) {
      case IPSET_ATTR_IP:
        netlink::for_each_attribute(
            value.bytes(), [&address](std::uint16_t, const netlink::Attribute& inner) { address = inner.address(); });
        break;
      case IPSET_ATTR_CIDR: length = value.u8().value_or(0); break;
      case IPSET_ATTR_PORT: found.member.port = value.be16().value_or(0); break;
      case IPSET_ATTR_PROTO: found.member.protocol = value.u8().value_or(0); break;
      case IPSET_ATTR_CADT_FLAGS: found.is_plain = value.be32().value_or(0) == 0; break;
      default: break;
    }
  });
  if (!address || address->family() != spec.family || length > address_bits(spec.family)) return std::nullopt;
  found.member.net = IpPrefix::containing(*address, length);
  return found;
}

}  // namespace margay::ipset
