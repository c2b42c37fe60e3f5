#include "dataplane/link/rule_driver.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/core/text.h"
#include "dataplane/link/send_pending.h"

namespace margay::link {

namespace {

std::string in_hex(std::uint32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  do {
    out.insert(out.begin(), kDigits[value & 0xf]);
    value >>= 4;
  } while (value != 0);
  return "0x" + out;
}

std::uint8_t family_of(IpFamily family) { return family == IpFamily::kV4 ? AF_INET : AF_INET6; }

void add_rule_request(netlink::Batch& batch, std::uint16_t type, const PolicyRule& rule, std::uint8_t protocol) {
  const std::uint16_t flags = type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0;
  netlink::Request request = batch.add(type, flags);
  fib_rule_hdr head{};
  head.family = family_of(rule.family);
  head.action = FR_ACT_TO_TBL;
  head.table = rule.table.value() < 256 ? static_cast<std::uint8_t>(rule.table.value()) : 0;
  head.src_len = rule.source ? static_cast<std::uint8_t>(rule.source->length()) : 0;
  head.dst_len = rule.destination ? static_cast<std::uint8_t>(rule.destination->length()) : 0;
  head.flags = rule.is_inverted ? FIB_RULE_INVERT : 0;
  request.header(head);
  request.u32(FRA_PRIORITY, rule.priority);
  request.u32(FRA_TABLE, rule.table.value());
  request.u8(FRA_PROTOCOL, protocol);
  if (rule.mask != 0) {
    request.u32(FRA_FWMARK, rule.mark);
    request.u32(FRA_FWMASK, rule.mask);
  }
  if (rule.source) request.address(FRA_SRC, rule.source->first());
  if (rule.destination) request.address(FRA_DST, rule.destination->first());
}

// nullopt: somebody else's, or one that asks for more than ours can.
std::optional<PolicyRule> parse_rule(const netlink::MessageView& message, std::uint8_t protocol) {
  const auto head = message.header<fib_rule_hdr>();
  if (!head || message.type != RTM_NEWRULE || head->action != FR_ACT_TO_TBL || head->tos != 0) return std::nullopt;
  PolicyRule rule;
  rule.family = head->family == AF_INET ? IpFamily::kV4 : IpFamily::kV6;
  rule.table = RouteTableId(head->table);
  rule.is_inverted = (head->flags & FIB_RULE_INVERT) != 0;
  bool is_ours = false;
  bool is_known = true;
  const auto prefix = [](const netlink::Attribute& value, int length) -> std::optional<IpPrefix> {
    const auto address = value.address();
    if (!address || length > address_bits(address->family())) return std::nullopt;
    return IpPrefix::containing(*address, length);
  };
  netlink::for_each_attribute(message.attributes<fib_rule_hdr>(),
                              [&](std::uint16_t type, const netlink::Attribute& value) {
                                switch (type) {
                                  case FRA_PROTOCOL: is_ours = value.u8() == protocol; break;
                                  case FRA_PRIORITY: rule.priority = value.u32().value_or(0); break;
                                  case FRA_TABLE: rule.table = RouteTableId(value.u32().value_or(0)); break;
                                  case FRA_FWMARK: rule.mark = value.u32().value_or(0); break;
                                  case FRA_FWMASK: rule.mask = value.u32().value_or(0); break;
                                  case FRA_SRC: rule.source = prefix(value, head->src_len); break;
                                  case FRA_DST: rule.destination = prefix(value, head->dst_len); break;
                                  case FRA_IIFNAME:
                                  case FRA_OIFNAME:
                                  case FRA_UID_RANGE:
                                  case FRA_IP_PROTO:
                                  case FRA_SPORT_RANGE:
                                  case FRA_DPORT_RANGE: is_known = false; break;
                                  default: break;
                                }
                              });
  return is_ours && is_known ? std::optional(rule) : std::nullopt;
}

}  // namespace

std::string PolicyRule::to_string() const {
  std::string out = concat("rule ", priority, ":");
  if (is_inverted) out += " not";
  if (source) out += concat(" from ", source->to_string());
  if (destination) out += concat(" to ", destination->to_string());
  if (mask != 0) out += concat(" mark ", in_hex(mark), "/", in_hex(mask));
  return concat(out, " table ", table.value(), family == IpFamily::kV4 ? " (IPv4)" : " (IPv6)");
}

Status RuleDriver::read(IpFamily family, Found& found) {
  netlink::Batch request;
  {
    fib_rule_hdr head{};
    head.family = family_of(family);
    request.add(RTM_GETRULE, 0).header(head);
  }
  Found part;
  const Status dumped = kernel_.dump(
      request, [&part] { part.clear(); },
      [&](const netlink::MessageView& message) {
        const auto rule = parse_rule(message, config_.protocol);
        if (rule) part.emplace(*rule, Present{});
      });
  if (!dumped.ok()) return dumped.error().within("reading rules");
  found.merge(part);
  return std::monostate();
}

Status RuleDriver::resync() {
  Found found;
  MARGAY_RETURN_IF_ERROR(read(IpFamily::kV4, found));
  if (config_.ipv6) MARGAY_RETURN_IF_ERROR(read(IpFamily::kV6, found));
  rules_.replace_all_actual(std::move(found));
  needs_resync_ = false;
  return std::monostate();
}

dataplane::ApplyReport RuleDriver::apply(TimePoint now) {
  dataplane::ApplyReport report;
  const Status read = needs_resync_ ? resync() : ok_status();
  if (!read.ok()) add_failure(report, "rules", read.error());
  if (read.ok() && !send(report)) needs_resync_ = true;
  plan_next(report, now, backoff_);
  return report;
}

bool RuleDriver::send(dataplane::ApplyReport& report) {
  const auto add = [this](netlink::Batch& batch, const PolicyRule& rule, const Present&) {
    add_rule_request(batch, RTM_NEWRULE, rule, config_.protocol);
    return true;
  };
  const auto take = [this](netlink::Batch& batch, const PolicyRule& rule, const Present&) {
    add_rule_request(batch, RTM_DELRULE, rule, config_.protocol);
    return true;
  };
  const auto is_added = [](const PolicyRule&, const netlink::Failure& failure) { return unless(failure, {EEXIST}); };
  const auto is_gone = [](const PolicyRule&, const netlink::Failure& failure) { return unless(failure, {ENOENT}); };
  return send_updates(kernel_, rules_, report, add, is_added) &&
         (!may_remove_ || send_removes(kernel_, rules_, report, take, is_gone));
}

}  // namespace margay::link
