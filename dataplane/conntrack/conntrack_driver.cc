#include "dataplane/conntrack/conntrack_driver.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace margay::conntrack {

namespace {

// Entries deleted after one walk; if there are more, another follows. Bounds what is held in memory.
constexpr std::size_t kDeletesMax = 65536;

std::uint8_t family_of(IpFamily family) { return family == IpFamily::kV4 ? AF_INET : AF_INET6; }

std::uint16_t type_of(int message) { return static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | message); }

// Whether the source or destination of one direction is among them.
bool names_any(const netlink::Attribute& tuple, const std::set<IpAddress>& addresses) {
  const auto pair = netlink::find_attribute(tuple.bytes(), CTA_TUPLE_IP);
  if (!pair) return false;
  bool found = false;
  netlink::for_each_attribute(pair->bytes(), [&](std::uint16_t, const netlink::Attribute& value) {
    const auto address = value.address();
    found = found || (address && addresses.contains(*address));
  });
  return found;
}

struct Entry {
  std::optional<netlink::Attribute> original, reply, id, zone;
};

Entry parse(const netlink::MessageView& message) {
  Entry out;
  netlink::for_each_attribute(message.attributes<nfgenmsg>(), [&](std::uint16_t type, const netlink::Attribute& value) {
    if (type == CTA_TUPLE_ORIG) out.original = value;
    if (type == CTA_TUPLE_REPLY) out.reply = value;
    if (type == CTA_ID) out.id = value;
    if (type == CTA_ZONE) out.zone = value;
  });
  return out;
}

// The identifier keeps a later connection between the same ports safe.
void add_delete(netlink::Batch& batch, IpFamily family, const Entry& entry) {
  netlink::Request request = batch.add(type_of(IPCTNL_MSG_CT_DELETE), 0);
  request.header(nfgenmsg{family_of(family), NFNETLINK_V0, 0});
  request.bytes(CTA_TUPLE_ORIG | NLA_F_NESTED, entry.original->bytes());
  if (entry.zone) request.bytes(CTA_ZONE, entry.zone->bytes());
  if (entry.id) request.bytes(CTA_ID, entry.id->bytes());
}

}  // namespace

Status ConntrackDriver::collect(IpFamily family, netlink::Batch& deletes) {
  netlink::Batch request;
  request.add(type_of(IPCTNL_MSG_CT_GET), 0).header(nfgenmsg{family_of(family), NFNETLINK_V0, 0});
  return kernel_.dump(
      request, [&deletes] { deletes.clear(); },
      [&](const netlink::MessageView& message) {
        if (deletes.size() == kDeletesMax) return;
        const Entry entry = parse(message);
        if (!entry.original) return;
        const bool is_due = names_any(*entry.original, due_) || (entry.reply && names_any(*entry.reply, due_));
        if (is_due) add_delete(deletes, family, entry);
      });
}

bool ConntrackDriver::send(netlink::Netlink& kernel, const netlink::Batch& deletes, dataplane::ApplyReport& report) {
  const netlink::BatchReport sent = kernel.apply(deletes);
  if (!sent.transport.ok()) {
    ++report.failed;
    report.failures.push_back({"connections", sent.transport.error()});
    return false;
  }
  report.removed += deletes.size() - sent.failures.size();
  for (const netlink::Failure& failure : sent.failures) {
    if (failure.error == ENOENT) continue;  // it has ended by itself
    ++report.failed;
    if (report.failures.size() >= dataplane::kFailuresReportedMax) continue;
    report.failures.push_back({"a connection", netlink::error_of(failure.error, failure.text)});
  }
  return report.failed == 0;
}

bool ConntrackDriver::flush_family(IpFamily family, dataplane::ApplyReport& report) {
  while (true) {
    netlink::Batch deletes;
    const Status walked = collect(family, deletes);
    if (!walked.ok()) {
      const ErrorCode code = walked.error().code;
      // A kernel that keeps no connections has none to forget.
      if (code == ErrorCode::kInvalid || code == ErrorCode::kUnsupported) return true;
      ++report.failed;
      report.failures.push_back({"connections", walked.error().within("reading connections")});
      return false;
    }
    if (deletes.empty()) return true;
    if (!send(kernel_, deletes, report)) return false;
    if (deletes.size() < kDeletesMax) return true;
  }
}

dataplane::ApplyReport ConntrackDriver::apply(TimePoint now) {
  dataplane::ApplyReport report;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    const auto is_of = [family](const IpAddress& address) { return address.family() == family; };
    if (std::none_of(due_.begin(), due_.end(), is_of)) continue;
    if (flush_family(family, report)) std::erase_if(due_, is_of);
  }
  if (report.failed == 0) {
    backoff_.succeed();
  } else {
    report.try_again_at = now + backoff_.next();
  }
  return report;
}

}  // namespace margay::conntrack
