#include "dataplane/ipset/fake_sets.h"

#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace margay::ipset {

namespace {

constexpr int kHashFull = IPSET_ERR_TYPE_SPECIFIC;
constexpr int kHashElement = IPSET_ERR_TYPE_SPECIFIC + 1;

netlink::MessageView view_of(const netlink::Batch& batch, std::size_t index) {
  const std::string_view bytes = batch.request(index);
  nlmsghdr head{};
  std::memcpy(&head, bytes.data(), sizeof(head));
  return {head.nlmsg_type, head.nlmsg_flags, bytes::view_of(bytes.substr(sizeof(head)))};
}

std::string text_of(const netlink::MessageView& message, std::uint16_t attribute) {
  const auto found = netlink::find_attribute(message.attributes<nfgenmsg>(), attribute);
  return found ? std::string(found->text()) : std::string();
}

Error failed() { return Error{ErrorCode::kUnavailable, "the call was told to fail"}; }

void tell_number(std::uint8_t command, std::uint16_t attribute, std::uint8_t value, const netlink::Visit& visit) {
  netlink::Batch batch;
  {
    netlink::Request answer = batch.add(static_cast<std::uint16_t>(NFNL_SUBSYS_IPSET << 8 | command), 0);
    answer.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
    answer.u8(attribute, value);
  }
  visit(view_of(batch, 0));
}

}  // namespace

bool FakeSets::fails_now() {
  ++calls_;
  if (on_call) on_call();
  return fails_in_ > 0 && --fails_in_ == 0;
}

Status FakeSets::ask(const netlink::Batch& request, const netlink::Visit& visit) {
  if (fails_now()) return failed();
  const auto command = static_cast<std::uint8_t>(view_of(request, 0).type);
  if (command == IPSET_CMD_PROTOCOL) tell_number(command, IPSET_ATTR_PROTOCOL, 7, visit);
  if (command == IPSET_CMD_TYPE) tell_number(command, IPSET_ATTR_REVISION, 3, visit);
  return std::monostate();
}

Status FakeSets::dump(const netlink::Batch& request, const std::function<void()>& begin, const netlink::Visit& visit) {
  if (fails_now()) return failed();
  begin();
  const std::string name = text_of(view_of(request, 0), IPSET_ATTR_SETNAME);
  if (name.empty()) {
    tell_headers(visit);
    return std::monostate();
  }
  if (!sets_.contains(name)) return netlink::error_of(ENOENT, "no such set");
  tell_members(name, visit);
  return std::monostate();
}

void FakeSets::tell_headers(const netlink::Visit& visit) const {
  for (const auto& [name, held] : sets_) {
    netlink::Batch batch;
    {
      netlink::Request answer = batch.add(NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_LIST, 0);
      answer.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
      answer.text(IPSET_ATTR_SETNAME, name);
      answer.text(IPSET_ATTR_TYPENAME, to_string(held.spec.type));
      answer.u8(IPSET_ATTR_FAMILY, held.spec.family == IpFamily::kV4 ? AF_INET : AF_INET6);
      const std::size_t data = answer.begin_nest(IPSET_ATTR_DATA, true);
      answer.be32(IPSET_ATTR_MAXELEM, held.member_max);
      answer.be32(IPSET_ATTR_ELEMENTS, static_cast<std::uint32_t>(held.members.size()));
      answer.be32(IPSET_ATTR_REFERENCES, held.references);
      if (held.has_timeouts) answer.be32(IPSET_ATTR_TIMEOUT, 60);
      answer.end_nest(data);
    }
    visit(view_of(batch, 0));
  }
}

// In its answers the kernel nests members as in requests.
void FakeSets::tell_members(const std::string& name, const netlink::Visit& visit) const {
  const Held& held = sets_.at(name);
  const std::vector<Member> members(held.members.begin(), held.members.end());
  const IpSetMessages messages;
  for (std::size_t begin = 0; begin < members.size();) {
    netlink::Batch batch;
    begin += messages.add_members(batch, MemberChange::kAdd, name, held.spec, std::span(members).subspan(begin));
    visit(view_of(batch, 0));
  }
}

netlink::BatchReport FakeSets::apply(const netlink::Batch& batch) {
  netlink::BatchReport report;
  const bool fails = fails_now();
  const std::size_t count = fails ? batch.size() / 2 : batch.size();
  for (std::size_t index = 0; index < count; ++index) {
    ++writes_;
    const int error = change(view_of(batch, index));
    if (error != 0) report.failures.push_back({index, error, error < 4096 ? std::strerror(error) : "number of a set"});
  }
  if (fails) report = {failed(), {}};
  return report;
}

int FakeSets::change(const netlink::MessageView& message) {
  const std::string name = text_of(message, IPSET_ATTR_SETNAME);
  switch (message.type & 0xff) {
    case IPSET_CMD_CREATE: return create(message, name);
    case IPSET_CMD_DESTROY: return destroy(name);
    case IPSET_CMD_SWAP: return swap(name, text_of(message, IPSET_ATTR_SETNAME2));
    case IPSET_CMD_ADD: return change_members(message, name, MemberChange::kAdd);
    case IPSET_CMD_DEL: return change_members(message, name, MemberChange::kDelete);
    default: return EINVAL;
  }
}

int FakeSets::create(const netlink::MessageView& message, const std::string& name) {
  if (name.size() >= kSetNameMax) return IPSET_ERR_PROTOCOL;
  if (sets_.contains(name)) return EEXIST;
  const auto header = parse_header(message);
  if (!header || !header->second.spec) return IPSET_ERR_FIND_TYPE;
  sets_[name] = Held{.spec = *header->second.spec, .member_max = header->second.member_max};
  return 0;
}

int FakeSets::destroy(const std::string& name) {
  const auto at = sets_.find(name);
  if (at == sets_.end()) return ENOENT;
  if (at->second.references > 0) return IPSET_ERR_BUSY;
  sets_.erase(at);
  return 0;
}

int FakeSets::swap(const std::string& a, const std::string& b) {
  if (!sets_.contains(a)) return ENOENT;
  if (!sets_.contains(b)) return IPSET_ERR_EXIST_SETNAME2;
  Held& first = sets_[a];
  Held& second = sets_[b];
  if (first.spec != second.spec) return IPSET_ERR_TYPE_MISMATCH;
  std::swap(first, second);
  std::swap(first.references, second.references);
  ++swaps_;
  return 0;
}

int FakeSets::change_members(const netlink::MessageView& message, const std::string& name, MemberChange change) {
  const auto at = sets_.find(name);
  if (at == sets_.end()) return ENOENT;
  Held& held = at->second;
  const auto nest = netlink::find_attribute(message.attributes<nfgenmsg>(), IPSET_ATTR_ADT);
  if (!nest) return IPSET_ERR_PROTOCOL;
  int error = 0;
  netlink::for_each_attribute(nest->bytes(), [&](std::uint16_t, const netlink::Attribute& data) {
    if (error != 0) return;  // it stops at the first
    ++members_sent_;
    const auto found = parse_member(held.spec, data.bytes());
    if (!found || found->member.net.length() == 0)
      error = IPSET_ERR_INVALID_CIDR;
    else if (refused_.contains(found->member))
      error = kHashElement;
    else if (change == MemberChange::kDelete)
      held.members.erase(found->member);
    else if (held.members.size() >= held.member_max && !held.members.contains(found->member))
      error = kHashFull;
    else
      held.members.insert(found->member);
  });
  return error;
}

}  // namespace margay::ipset
