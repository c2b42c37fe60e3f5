#include "cni/plugin/pod_interface.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/core/text.h"

namespace margay::cni {
namespace {

constexpr long kLookNanoseconds = 200'000;  // between two looks at an interface

using netlink::Batch;
using netlink::Netlink;
using netlink::Request;

constexpr std::string_view kGatewayV4 = "169.254.1.1";
constexpr std::string_view kGatewayV6 = "fe80::ecee:eeff:feee:eeee";
constexpr int kLinkLocalLength = 64;
constexpr long kNsfsMagic = 0x6e736673;  // linux/magic.h, NSFS_MAGIC
constexpr long kProcMagic = 0x9fa0;      // older kernels

IpAddress gateway(IpFamily family) {
  return IpAddress::parse(family == IpFamily::kV4 ? kGatewayV4 : kGatewayV6).value();
}

unsigned char family_number(IpFamily family) { return family == IpFamily::kV4 ? AF_INET : AF_INET6; }

Result<std::unique_ptr<Netlink>> open_route_socket() { return netlink::open_netlink(NETLINK_ROUTE); }

// All must have been done; EEXIST and those of `ignored` are no failures.
Status checked(const netlink::BatchReport& report, std::string_view what, int ignored = 0) {
  MARGAY_RETURN_IF_ERROR(report.transport);
  for (const netlink::Failure& failure : report.failures) {
    if (failure.error == EEXIST || failure.error == ignored) continue;
    return netlink::error_of(failure.error, concat(what, " (step ", failure.index + 1, ": ", failure.text, ')'));
  }
  return ok_status();
}

// Settings that cannot be written are those of a kernel without the feature, or of a machine that keeps them to itself.
// One that is so already is not written: several need the kernel's lock of interfaces even then, and spin for it.
void write_setting(const std::string& path, std::string_view value) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  char buffer[16];
  const ssize_t size = pread(fd, buffer, sizeof(buffer), 0);
  const bool is_so = size > 0 && trim(std::string_view(buffer, static_cast<std::size_t>(size))) == value;
  if (!is_so) (void)!pwrite(fd, value.data(), value.size(), 0);
  close(fd);
}

void set_v6(std::string_view interface, std::string_view name, std::string_view value) {
  write_setting(concat("/proc/sys/net/ipv6/conf/", interface, '/', name), value);
}

void add_link_removal(Batch& batch, const std::string& name) {
  Request request = batch.add(RTM_DELLINK, 0);
  request.header(ifinfomsg{});
  request.text(IFLA_IFNAME, name);
}

void put_mac(Request& request, const Mac& mac) { request.bytes(IFLA_ADDRESS, mac.bytes()); }

void add_pair(Batch& batch, const InterfacePlan& plan, int netns_fd) {
  Request request = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  request.header(ifinfomsg{});
  request.text(IFLA_IFNAME, plan.host_name);
  put_mac(request, kHostMac);
  request.u32(IFLA_MTU, static_cast<std::uint32_t>(plan.mtu));
  const std::size_t info = request.begin_nest(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, "veth");
  const std::size_t data = request.begin_nest(IFLA_INFO_DATA);
  const std::size_t peer = request.begin_nest(VETH_INFO_PEER);
  request.header(ifinfomsg{});
  request.text(IFLA_IFNAME, plan.name);
  if (plan.mac) put_mac(request, *plan.mac);
  request.u32(IFLA_MTU, static_cast<std::uint32_t>(plan.mtu));
  request.u32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(netns_fd));
  request.end_nest(peer);
  request.end_nest(data);
  request.end_nest(info);
}

void add_flags(Batch& batch, const std::string& name, unsigned flags) {
  Request request = batch.add(RTM_NEWLINK, 0);
  ifinfomsg head{};
  head.ifi_flags = flags;
  head.ifi_change = IFF_UP;
  request.header(head);
  request.text(IFLA_IFNAME, name);
}

void add_address(Batch& batch, std::uint32_t link, const IpAddress& address, int length) {
  Request request = batch.add(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
  ifaddrmsg head{};
  head.ifa_family = family_number(address.family());
  head.ifa_prefixlen = static_cast<unsigned char>(length);
  head.ifa_flags = address.is_v6() ? IFA_F_NODAD : 0;
  head.ifa_scope = address.is_v6() && length < address_bits(IpFamily::kV6) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  head.ifa_index = link;
  request.header(head);
  request.address(IFA_LOCAL, address);
  request.address(IFA_ADDRESS, address);
}

rtmsg route_head(IpFamily family, int length, unsigned char scope) {
  rtmsg head{};
  head.rtm_family = family_number(family);
  head.rtm_dst_len = static_cast<unsigned char>(length);
  head.rtm_table = RT_TABLE_MAIN;
  head.rtm_protocol = RTPROT_BOOT;
  head.rtm_scope = scope;
  head.rtm_type = RTN_UNICAST;
  return head;
}

void add_neighbour(Batch& batch, std::uint32_t link, const IpAddress& address, const Mac& mac, std::uint16_t state) {
  Request request = batch.add(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
  ndmsg head{};
  head.ndm_family = family_number(address.family());
  head.ndm_ifindex = static_cast<int>(link);
  head.ndm_state = state;
  request.header(head);
  request.address(NDA_DST, address);
  request.bytes(NDA_LLADDR, mac.bytes());
}

void add_gateway(Batch& batch, std::uint32_t link, IpFamily family) {
  add_neighbour(batch, link, gateway(family), kHostMac, NUD_PERMANENT);
  if (family == IpFamily::kV4) {
    Request request = batch.add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    request.header(route_head(family, 32, RT_SCOPE_LINK));
    request.address(RTA_DST, gateway(family));
    request.u32(RTA_OIF, link);
  }
  Request request = batch.add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
  request.header(route_head(family, 0, RT_SCOPE_UNIVERSE));
  request.address(RTA_GATEWAY, gateway(family));
  request.u32(RTA_OIF, link);
}

bool has_family(const InterfacePlan& plan, IpFamily family) {
  if (plan.families.empty()) {
    return std::any_of(plan.addresses.begin(), plan.addresses.end(),
                       [family](const IpPrefix& address) { return address.family() == family; });
  }
  return std::find(plan.families.begin(), plan.families.end(), family) != plan.families.end();
}

// Written by netlink, as a write to /proc/sys that needs the kernel's lock of interfaces does not wait for it but
// spins: a hundred plugins at once would keep each other from running. A kernel without a family refuses its part.
void set_host_end(Netlink& kernel, const std::string& name) {
  Batch batch;
  {
    Request request = batch.add(RTM_NEWLINK, 0);
    request.header(ifinfomsg{});
    request.text(IFLA_IFNAME, name);
    const std::size_t spec = request.begin_nest(IFLA_AF_SPEC);
    const std::size_t family = request.begin_nest(AF_INET);
    const std::size_t settings = request.begin_nest(IFLA_INET_CONF);
    for (const int each : {IPV4_DEVCONF_FORWARDING, IPV4_DEVCONF_PROXY_ARP, IPV4_DEVCONF_ROUTE_LOCALNET}) {
      request.u32(static_cast<std::uint16_t>(each), 1);
    }
    request.end_nest(settings);
    request.end_nest(family);
    request.end_nest(spec);
  }
  {
    // Its only IPv6 address is the one that we give it: the kernel's own would come late, and might be another.
    Request request = batch.add(RTM_NEWLINK, 0);
    request.header(ifinfomsg{});
    request.text(IFLA_IFNAME, name);
    const std::size_t spec = request.begin_nest(IFLA_AF_SPEC);
    const std::size_t family = request.begin_nest(AF_INET6);
    request.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    request.end_nest(family);
    request.end_nest(spec);
  }
  (void)kernel.apply(batch);
}

void prepare_host_end(Netlink& kernel, const InterfacePlan& plan) {
  const std::string& name = plan.host_name;
  set_host_end(kernel, name);
  set_v6(name, "accept_dad", "0");
  set_v6(name, "accept_ra", "0");
  write_setting(concat("/proc/sys/net/ipv4/neigh/", name, "/proxy_delay"), "0");
  if (!has_family(plan, IpFamily::kV6)) return;
  set_v6(name, "forwarding", "1");
  set_v6(name, "proxy_ndp", "1");
}

}  // namespace

KernelTurn::KernelTurn(const std::string& socket) {
  const std::size_t slash = socket.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : socket.substr(0, slash + 1);
  fd_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd_ < 0) return;
  while (flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

KernelTurn::~KernelTurn() {
  if (fd_ >= 0) close(fd_);
}

Result<PodNetns> PodNetns::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const int number = errno;
    const bool is_gone = number == ENOENT || number == ENOTDIR;
    Error error = netlink::error_of(number, concat("network namespace ", path));
    if (is_gone) error.code = ErrorCode::kNotFound;
    return error;
  }
  PodNetns space(fd);
  struct statfs about {};
  const bool is_namespace = fstatfs(fd, &about) == 0 && (about.f_type == kNsfsMagic || about.f_type == kProcMagic);
  // The mount point that is left when a namespace is unmounted is an ordinary file.
  if (!is_namespace) return Error{ErrorCode::kNotFound, concat(path, " is no network namespace (any more)")};
  return space;
}

PodNetns::PodNetns(PodNetns&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

PodNetns::~PodNetns() {
  if (fd_ >= 0) close(fd_);
}

Status HostEnd::tell_addresses(const InterfacePlan& plan, const Mac& mac) const {
  Batch batch;
  for (const IpPrefix& address : plan.addresses) add_neighbour(batch, link_, address.first(), mac, NUD_STALE);
  return checked(kernel_->apply(batch), concat("the neighbours of ", plan.host_name));
}

bool HostEnd::is_running() const {
  Batch question;
  {
    Request request = question.add(RTM_GETLINK, 0);
    ifinfomsg head{};
    head.ifi_index = static_cast<int>(link_);
    request.header(head);
  }
  bool is_running = false;
  const Status asked = kernel_->ask(question, [&is_running](const netlink::MessageView& message) {
    const auto head = message.header<ifinfomsg>();
    if (message.type == RTM_NEWLINK && head) is_running = (head->ifi_flags & IFF_RUNNING) != 0;
  });
  return !asked.ok() || is_running;
}

void HostEnd::wait_until_running() const {
  constexpr int kLooksMax = 5000;
  const timespec pause{0, kLookNanoseconds};
  for (int i = 0; i < kLooksMax && !is_running(); ++i) (void)ppoll(nullptr, 0, &pause, nullptr);
}

Result<HostEnd> PodNetns::make_pair(const InterfacePlan& plan) const {
  MARGAY_ASSIGN_OR_RETURN(std::unique_ptr<Netlink> kernel, open_route_socket());
  Batch removal;
  add_link_removal(removal, plan.host_name);
  Batch creation;
  add_pair(creation, plan, fd_);
  netlink::BatchReport made = kernel->apply(creation);
  if (!made.failures.empty() && made.failures.front().error == EEXIST) {
    // Here or in the pod. What is here is an earlier pod's.
    MARGAY_RETURN_IF_ERROR(checked(kernel->apply(removal), concat("removing the earlier ", plan.host_name), ENODEV));
    made = kernel->apply(creation);
  }
  MARGAY_RETURN_IF_ERROR(made.transport);
  if (!made.failures.empty()) {
    return netlink::error_of(made.failures.front().error, concat("making ", plan.host_name, " and ", plan.name,
                                                                 " in the pod: ", made.failures.front().text));
  }
  prepare_host_end(*kernel, plan);
  const std::uint32_t link = if_nametoindex(plan.host_name.c_str());
  Batch up;
  if (has_family(plan, IpFamily::kV6)) {
    // Without it the host could not ask for its neighbour, and the first packet would wait until the kernel made one.
    set_v6(plan.host_name, "disable_ipv6", "0");
    add_address(up, link, gateway(IpFamily::kV6), kLinkLocalLength);
  }
  add_flags(up, plan.host_name, IFF_UP);
  const Status is_up = checked(kernel->apply(up), concat("setting ", plan.host_name, " up"));
  if (!is_up.ok()) {
    (void)kernel->apply(removal);
    return is_up.error();
  }
  return HostEnd(std::move(kernel), link);
}

Status PodNetns::enter() const {
  if (setns(fd_, CLONE_NEWNET) != 0) return netlink::error_of(errno, "entering the pod's network namespace");
  return ok_status();
}

Result<std::optional<FoundLink>> find_link(const std::string& name) {
  MARGAY_ASSIGN_OR_RETURN(const std::unique_ptr<Netlink> kernel, open_route_socket());
  Batch question;
  {
    Request request = question.add(RTM_GETLINK, 0);
    request.header(ifinfomsg{});
    request.text(IFLA_IFNAME, name);
  }
  std::optional<FoundLink> found;
  const Status status = kernel->ask(question, [&found](const netlink::MessageView& message) {
    const auto head = message.header<ifinfomsg>();
    if (message.type != RTM_NEWLINK || !head) return;
    FoundLink link{static_cast<std::uint32_t>(head->ifi_index), Mac(), (head->ifi_flags & IFF_UP) != 0};
    const auto mac = netlink::find_attribute(message.attributes<ifinfomsg>(), IFLA_ADDRESS);
    if (mac && mac->bytes().size() == 6) {
      std::array<std::uint8_t, 6> bytes{};
      std::copy(mac->bytes().begin(), mac->bytes().end(), bytes.begin());
      link.mac = Mac(bytes);
    }
    found = link;
  });
  if (!status.ok() && status.error().code == ErrorCode::kNotFound) return std::optional<FoundLink>();
  MARGAY_RETURN_IF_ERROR(status);
  return found;
}

void prepare(const InterfacePlan& plan) {
  const bool has_v6 = has_family(plan, IpFamily::kV6);
  set_v6(plan.name, "disable_ipv6", has_v6 ? "0" : "1");
  if (has_v6) set_v6("lo", "disable_ipv6", "0");
  set_v6(plan.name, "accept_dad", "0");
  set_v6(plan.name, "accept_ra", "0");
  write_setting("/proc/sys/net/ipv4/ip_forward", plan.is_forwarding ? "1" : "0");
  if (has_v6) set_v6("all", "forwarding", plan.is_forwarding ? "1" : "0");
}

Result<Mac> set_addresses(const InterfacePlan& plan) {
  const std::uint32_t link = if_nametoindex(plan.name.c_str());
  if (link == 0) return Error{ErrorCode::kNotFound, concat("there is no ", plan.name, " in the pod")};
  MARGAY_ASSIGN_OR_RETURN(const std::unique_ptr<Netlink> kernel, open_route_socket());
  Batch batch;
  add_flags(batch, "lo", IFF_UP);
  for (const IpPrefix& address : plan.addresses) add_address(batch, link, address.first(), address.length());
  add_flags(batch, plan.name, IFF_UP);
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    if (has_family(plan, family)) add_gateway(batch, link, family);
  }
  MARGAY_RETURN_IF_ERROR(checked(kernel->apply(batch), concat("configuring ", plan.name, " in the pod")));
  if (plan.mac) return *plan.mac;
  MARGAY_ASSIGN_OR_RETURN(const auto found, find_link(plan.name));
  if (!found) return Error{ErrorCode::kNotFound, concat(plan.name, " has gone")};
  return found->mac;
}

Result<Mac> configure(const InterfacePlan& plan) {
  prepare(plan);
  return set_addresses(plan);
}

namespace {

Status remove_link_by(Netlink& kernel, const std::string& name) {
  Batch batch;
  add_link_removal(batch, name);
  return checked(kernel.apply(batch), concat("removing ", name), ENODEV);
}

}  // namespace

Status remove_link(const std::string& name) {
  MARGAY_ASSIGN_OR_RETURN(const std::unique_ptr<Netlink> kernel, open_route_socket());
  return remove_link_by(*kernel, name);
}

namespace {

// Neither waits for the kernel's lock of interfaces, as a question by netlink would.
bool is_there(const std::string& name) { return if_nametoindex(name.c_str()) != 0; }

// In the child: nobody reads what it prints, and whoever waits for the end of the plugin's output does not wait for it.
[[noreturn]] void remove_apart(Netlink& kernel, const std::string& name, int report) {
  (void)setsid();
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) close(fd);
  const Status removed = remove_link_by(kernel, name);
  if (!removed.ok()) {
    const std::string& text = removed.error().message;
    (void)!write(report, text.data(), text.size());
  }
  _exit(0);
}

}  // namespace

LinkRemoval::LinkRemoval(std::string name) : name_(std::move(name)) {
  if (!is_there(name_)) return;
  auto kernel = open_route_socket();
  if (!kernel.ok()) {
    outcome_ = kernel.error();
    return;
  }
  kernel_ = std::move(kernel).value();
  Batch down;
  add_flags(down, name_, 0);
  // Should this fail, what follows says why.
  (void)kernel_->apply(down);
}

LinkRemoval::~LinkRemoval() {
  if (report_ >= 0) close(report_);
}

void LinkRemoval::begin() {
  if (kernel_ == nullptr) return;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    outcome_ = remove_link_by(*kernel_, name_);
    return;
  }
  const pid_t child = fork();
  if (child == 0) remove_apart(*kernel_, name_, ends[1]);
  close(ends[1]);
  report_ = ends[0];
  if (child < 0) outcome_ = remove_link_by(*kernel_, name_);
}

Status LinkRemoval::wait_until_gone() const {
  pollfd over{report_, POLLIN, 0};
  const timespec pause{0, kLookNanoseconds};
  while (report_ >= 0 && is_there(name_) && ppoll(&over, 1, &pause, nullptr) == 0) {
  }
  if (report_ < 0 || !outcome_.ok()) return outcome_;
  std::string text(256, '\0');
  const bool is_over = poll(&over, 1, 0) > 0;
  const ssize_t size = is_over ? read(report_, text.data(), text.size()) : 0;
  if (size <= 0) return ok_status();
  return Error{ErrorCode::kInternal, text.substr(0, static_cast<std::size_t>(size))};
}

Result<std::string> find_fault(const InterfacePlan& plan) {
  MARGAY_ASSIGN_OR_RETURN(const auto link, find_link(plan.name));
  if (!link) return concat("there is no ", plan.name, " in the pod");
  if (!link->is_up) return concat(plan.name, " is down");
  MARGAY_ASSIGN_OR_RETURN(const std::unique_ptr<Netlink> kernel, open_route_socket());
  std::vector<IpPrefix> addresses;
  Batch question;
  {
    Request request = question.add(RTM_GETADDR, NLM_F_DUMP);
    request.header(ifaddrmsg{});
  }
  const auto visit = [&](const netlink::MessageView& message) {
    const auto head = message.header<ifaddrmsg>();
    if (!head || head->ifa_index != link->index) return;
    const auto bytes = netlink::find_attribute(message.attributes<ifaddrmsg>(), IFA_ADDRESS);
    const auto address = bytes ? bytes->address() : std::nullopt;
    if (address) addresses.push_back(IpPrefix::containing(*address, head->ifa_prefixlen));
  };
  MARGAY_RETURN_IF_ERROR(kernel->dump(
      question, [&addresses] { addresses.clear(); }, visit));
  for (const IpPrefix& wanted : plan.addresses) {
    if (std::find(addresses.begin(), addresses.end(), wanted) == addresses.end()) {
      return concat(plan.name, " has no address ", wanted.to_string());
    }
  }
  std::vector<IpAddress> gateways;
  Batch routes;
  {
    Request request = routes.add(RTM_GETROUTE, NLM_F_DUMP);
    request.header(rtmsg{});
  }
  const auto visit_route = [&](const netlink::MessageView& message) {
    const auto head = message.header<rtmsg>();
    if (!head || head->rtm_dst_len != 0) return;
    const auto via = netlink::find_attribute(message.attributes<rtmsg>(), RTA_GATEWAY);
    if (via && via->address()) gateways.push_back(*via->address());
  };
  MARGAY_RETURN_IF_ERROR(kernel->dump(
      routes, [&gateways] { gateways.clear(); }, visit_route));
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    const bool has_route = std::find(gateways.begin(), gateways.end(), gateway(family)) != gateways.end();
    if (has_family(plan, family) && !has_route) return concat("the ", to_string(family), " default route is missing");
  }
  return std::string();
}

}  // namespace margay::cni
