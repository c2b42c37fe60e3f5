#include "ctl/node/system_checks.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <linux/veth.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include "base/core/text.h"
#include "dataplane/ipset/ip_set_driver.h"
#include "dataplane/iptables/backend.h"
#include "dataplane/iptables/commands.h"
#include "dataplane/iptables/transaction.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "ipip/devices/device_message.h"
#include "ipip/devices/ipip_choice.h"
#include "ipip/ebpf/ebpf_tunnel.h"

namespace margay::node {
namespace {

using iptables::Table;

constexpr Duration kLockWait = std::chrono::seconds(10);

// --- netlink ---

Status apply(int protocol, const netlink::Batch& batch) {
  MARGAY_ASSIGN_OR_RETURN(const auto kernel, netlink::open_netlink(protocol));
  const netlink::BatchReport report = kernel->apply(batch);
  MARGAY_RETURN_IF_ERROR(report.transport);
  if (report.failures.empty()) return ok_status();
  return netlink::error_of(report.failures.front().error, report.failures.front().text);
}

Status try_veth() {
  netlink::Batch batch;
  {
    netlink::Request request = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    request.header(ifinfomsg{});
    request.text(IFLA_IFNAME, "margay-try0");
    const std::size_t info = request.begin_nest(IFLA_LINKINFO);
    request.text(IFLA_INFO_KIND, "veth");
    const std::size_t data = request.begin_nest(IFLA_INFO_DATA);
    const std::size_t peer = request.begin_nest(VETH_INFO_PEER);
    const ifinfomsg other{};
    request.append(&other, sizeof(other));
    request.text(IFLA_IFNAME, "margay-try1");
    request.end_nest(peer);
    request.end_nest(data);
    request.end_nest(info);
  }
  return apply(NETLINK_ROUTE, batch);
}

Status try_vxlan() {
  netlink::Batch batch;
  ipip::DeviceSpec spec;
  spec.mtu = 1450;
  spec.vni = 4096;
  spec.port = 4789;
  spec.mac = Mac({0x66, 0, 0, 0, 0, 1});
  spec.local = IpAddress::v4(0xc0000201);
  add_create_request(batch, ipip::DeviceKind::kVxlanV4, spec);
  return apply(NETLINK_ROUTE, batch);
}

// A prefix of ours that nothing is behind (192.0.2.0/26).
Status try_blackhole_route() {
  netlink::Batch batch;
  {
    netlink::Request request = batch.add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    rtmsg header{};
    header.rtm_family = AF_INET;
    header.rtm_dst_len = 26;
    header.rtm_table = RT_TABLE_MAIN;
    header.rtm_protocol = 80;
    header.rtm_type = RTN_BLACKHOLE;
    request.header(header);
    request.address(RTA_DST, IpAddress::v4(0xc0000200));
  }
  return apply(NETLINK_ROUTE, batch);
}

Status try_conntrack() {
  MARGAY_ASSIGN_OR_RETURN(const auto kernel, netlink::open_netlink(NETLINK_NETFILTER));
  netlink::Batch batch;
  {
    netlink::Request request =
        batch.add(static_cast<std::uint16_t>((NFNL_SUBSYS_CTNETLINK << 8U) | IPCTNL_MSG_CT_GET), NLM_F_DUMP);
    request.header(nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  }
  return kernel->dump(
      batch, [] {}, [](const netlink::MessageView&) {});
}

// The first of them is what the rule with a set names.
Status try_sets(IpFamily family) {
  MARGAY_ASSIGN_OR_RETURN(const auto kernel, netlink::open_netlink(NETLINK_NETFILTER));
  ipset::IpSetDriver driver(*kernel, {});
  for (const ipset::SetType type :
       {ipset::SetType::kHashNet, ipset::SetType::kHashIp, ipset::SetType::kHashIpPort, ipset::SetType::kHashNetPort}) {
    const std::string name = concat(family == IpFamily::kV4 ? "margay4try" : "margay6try",
                                    type == ipset::SetType::kHashNet ? std::string() : concat(static_cast<int>(type)));
    driver.replace(name, {type, family}, {});
  }
  driver.apply_updates(TimePoint());
  if (driver.failures().empty()) return ok_status();
  const auto& [name, error] = *driver.failures().begin();
  return error;
}

// --- settings ---

Status write_setting(const std::string& path, std::string_view value) {
  const int fd = open(concat("/proc/sys/", path).c_str(), O_WRONLY | O_CLOEXEC);
  int problem = fd < 0 ? errno : 0;
  if (fd >= 0 && write(fd, value.data(), value.size()) < 0) problem = errno;
  if (fd >= 0) close(fd);
  if (problem == 0) return ok_status();
  return Error{problem == ENOENT ? ErrorCode::kUnsupported : ErrorCode::kPermissionDenied,
               concat(path, ": ", std::generic_category().message(problem))};
}

Status try_settings(const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) MARGAY_RETURN_IF_ERROR(write_setting(std::string(name), "1"));
  return ok_status();
}

Status try_md5() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error{ErrorCode::kUnavailable, std::generic_category().message(errno)};
  tcp_md5sig key{};
  auto* const peer = reinterpret_cast<sockaddr_in*>(&key.tcpm_addr);
  peer->sin_family = AF_INET;
  peer->sin_addr.s_addr = htonl(0xc0000202);
  key.tcpm_keylen = 1;
  key.tcpm_key[0] = 'x';
  const int problem = setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key)) == 0 ? 0 : errno;
  close(fd);
  if (problem == 0) return ok_status();
  return Error{ErrorCode::kUnsupported, std::generic_category().message(problem)};
}

// --- iptables ---

class Tables {
 public:
  explicit Tables(exec::Runner& programs) : programs_(programs) {}

  // Before all others, where the tables of the host are seen: it looks whose rules are there.
  Status choose() {
    auto choice = iptables::choose_backend(programs_, iptables::BackendMode::kAuto);
    if (!choice.ok()) return choice.error();
    backend_ = choice->backend;
    why_ = choice->why;
    return ok_status();
  }
  [[nodiscard]] std::string detail() const {
    return backend_ ? concat("iptables-", to_string(*backend_), ": ", why_) : std::string();
  }
  Status try_line(IpFamily family, Table table, std::string_view line) const {
    if (!backend_) return Error{ErrorCode::kUnavailable, "there is no iptables to try it with"};
    iptables::Transaction transaction(table);
    transaction.line(line);
    const std::string input = transaction.input();
    const exec::Command command = iptables::restore_command(family, *backend_, input, kLockWait);
    MARGAY_ASSIGN_OR_RETURN(const exec::Finished finished, programs_.run(command));
    return finished.is_success() ? ok_status() : Status(iptables::error_of(command, finished));
  }

 private:
  exec::Runner& programs_;
  std::optional<iptables::Backend> backend_;
  std::string why_;
};

struct RuleCheck {
  std::string_view name;
  bool is_needed;
  IpFamily family;
  Table table;
  std::string_view line;
  std::string_view meaning;
};

constexpr std::string_view kNoPolicy = "policy cannot be enforced";
constexpr RuleCheck kRules[] = {
    {"iptables: comment", true, IpFamily::kV4, Table::kFilter, "-A FORWARD -m comment --comment try -j DROP",
     kNoPolicy},
    {"iptables: mark, MARK", true, IpFamily::kV4, Table::kMangle,
     "-A FORWARD -m mark --mark 0x10000/0x10000 -j MARK --set-mark 0x20000/0x20000", kNoPolicy},
    {"iptables: conntrack", true, IpFamily::kV4, Table::kFilter,
     "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", kNoPolicy},
    {"iptables: set", true, IpFamily::kV4, Table::kFilter, "-A FORWARD -m set --match-set margay4try src -j DROP",
     kNoPolicy},
    {"iptables: multiport", true, IpFamily::kV4, Table::kFilter,
     "-A FORWARD -p tcp -m multiport --destination-ports 80,443 -j DROP", "rules with ports cannot be enforced"},
    {"iptables: addrtype", true, IpFamily::kV4, Table::kFilter, "-A FORWARD -m addrtype --dst-type LOCAL -j DROP",
     "host endpoints cannot be protected"},
    {"iptables: REJECT", true, IpFamily::kV4, Table::kFilter, "-A FORWARD -j REJECT", "connections cannot be refused"},
    {"iptables: MASQUERADE", true, IpFamily::kV4, Table::kNat, "-A POSTROUTING -j MASQUERADE",
     "natOutgoing pools have no way out"},
    {"iptables: MASQUERADE --random-fully", false, IpFamily::kV4, Table::kNat,
     "-A POSTROUTING -j MASQUERADE --random-fully", "source ports of NAT are less random, and clash under load"},
    {"iptables: SNAT", false, IpFamily::kV4, Table::kNat, "-A POSTROUTING -j SNAT --to-source 192.0.2.1",
     "natOutgoingAddress does nothing"},
    {"iptables: CT --notrack", false, IpFamily::kV4, Table::kRaw, "-A PREROUTING -j CT --notrack",
     "doNotTrack policies cannot be enforced"},
    {"iptables: rpfilter", false, IpFamily::kV4, Table::kRaw, "-A PREROUTING -m rpfilter --validmark --invert -j DROP",
     "pods may send with addresses that are not theirs"},
    {"iptables: NFLOG", false, IpFamily::kV4, Table::kFilter, "-A FORWARD -j NFLOG --nflog-group 1", "no flow logs"},
    {"iptables: LOG", false, IpFamily::kV4, Table::kFilter, "-A FORWARD -m limit --limit 5/second -j LOG",
     "rules with action Log say nothing"},
    {"iptables: connlimit", false, IpFamily::kV4, Table::kFilter,
     "-A FORWARD -p tcp -m connlimit --connlimit-above 10 --connlimit-mask 0 -j REJECT --reject-with tcp-reset",
     "limits of connections (QoS) are not kept"},
    {"iptables: sctp", false, IpFamily::kV4, Table::kFilter, "-A FORWARD -p sctp -m sctp --dport 80 -j DROP",
     "rules with ports of SCTP cannot be enforced"},
    {"iptables: u32", false, IpFamily::kV4, Table::kFilter,
     "-A INPUT -p udp -m u32 --u32 0>>22&0x3C@12>>8=4096 -j DROP", "pods may send VXLAN packets of their own"},
    {"ip6tables", false, IpFamily::kV6, Table::kFilter, "-A FORWARD -m comment --comment try -j DROP",
     "no policy for IPv6: pods must not have IPv6 addresses"},
};

class Checker {
 public:
  explicit Checker(exec::Runner& programs) : tables_(programs) {}

  std::vector<CheckResult> run() {
    add("iptables", true, "policy cannot be enforced", tables_.choose(), tables_.detail());
    auto space = netlink::ScratchNamespace::enter();
    add("network namespaces", true, "pods cannot have a network of their own",
        space.ok() ? ok_status() : Status(space.error()));
    // Not in the host's own network.
    if (!space.ok()) return std::move(results_);
    add_network();
    add("ipset: hash:ip, net, with ports", true, "selectors in policy cannot be enforced", try_sets(IpFamily::kV4));
    for (const RuleCheck& rule : kRules) {
      add(rule.name, rule.is_needed, rule.meaning, tables_.try_line(rule.family, rule.table, rule.line));
    }
    add("ipset for IPv6", false, "no policy for IPv6: pods must not have IPv6 addresses", try_sets(IpFamily::kV6));
    add("conntrack by netlink", false, "connections of a pod that has gone may lead to the next one with its address",
        try_conntrack());
    add_tunnels();
    add("TCP MD5 signatures", false, "BGP passwords cannot be used", try_md5());
    return std::move(results_);
  }

 private:
  void add(std::string_view name, bool is_needed, std::string_view meaning, const Status& tried,
           std::string detail = {}) {
    CheckResult result{.name = std::string(name),
                       .is_needed = is_needed,
                       .verdict = Verdict::kWorks,
                       .detail = std::move(detail),
                       .meaning = std::string(meaning)};
    if (!tried.ok()) {
      const ErrorCode code = tried.error().code;
      result.verdict =
          code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout ? Verdict::kUnknown : Verdict::kMissing;
      result.detail = tried.error().message;
    }
    results_.push_back(std::move(result));
  }

  void add_network() {
    add("veth pairs", true, "pods cannot be connected", try_veth());
    add("blackhole routes", true, "packets to addresses that no pod has would go round in circles",
        try_blackhole_route());
    add("forwarding", true, "nothing reaches pods",
        try_settings({"net/ipv4/ip_forward", "net/ipv4/conf/lo/forwarding"}));
    add("proxy ARP", true, "pods do not find their gateway", try_settings({"net/ipv4/conf/lo/proxy_arp"}));
    add("rp_filter", false, "pods may send with addresses that are not theirs",
        try_settings({"net/ipv4/conf/lo/rp_filter"}));
    add("IPv6", false, "no IPv6 for pods",
        try_settings({"net/ipv6/conf/all/forwarding", "net/ipv6/conf/lo/proxy_ndp"}));
  }

  void add_tunnels() {
    const Status kernel = ipip::try_kernel_ipip();
    const Status ebpf = ipip::supported();
    const ipip::IpipChoice choice = ipip::choose_ipip(std::nullopt, kernel, ebpf);
    const bool is_there = choice.implementation != ipip::IpipImplementation::kNone;
    add("IP-in-IP", false, "pools with ipipMode have no tunnel",
        is_there ? ok_status() : Status(Error{ErrorCode::kUnsupported, choice.why}),
        concat("by ", to_string(choice.implementation), ": ", choice.why));
    add("IP-in-IP by eBPF", false, "only the kernel's ipip device can be used", ebpf);
    add("VXLAN", false, "pools with vxlanMode have no tunnel", try_vxlan());
  }

  Tables tables_;
  std::vector<CheckResult> results_;
};

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kWorks: return "ok";
    case Verdict::kMissing: return "missing";
    case Verdict::kUnknown: return "unknown";
  }
  return {};
}

std::vector<CheckResult> check_system(exec::Runner& programs) { return Checker(programs).run(); }

}  // namespace margay::node
