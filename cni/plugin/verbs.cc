#include "cni/plugin/verbs.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/file/file.h"
#include "base/file/folders.h"
#include "cni/plugin/agent_client.h"
#include "cni/plugin/output.h"
#include "cni/plugin/pod_interface.h"

namespace margay::cni {
namespace {

constexpr int kAddSeconds = 60, kReadySeconds = 150, kDelSeconds = 20, kLookSeconds = 10;
using Done = CniResult<std::string>;

CniError agent_error(const Error& error, int code = kAgentAway) {
  return {error.code == ErrorCode::kUnavailable ? kAgentAway : code, error.message,
          error.code == ErrorCode::kUnavailable ? "is margay-node running on this node?" : ""};
}

CniError refused(const AgentAnswer& answer, int code) {
  if (answer.status == 400) return {kInvalidConfiguration, answer.error()};
  return {answer.status == 503 ? kTryAgainLater : code, answer.error()};
}

CniError interface_error(const Error& error) {
  return {error.code == ErrorCode::kNotFound ? kInvalidEnvironment : kInterface, error.message};
}

void copy_if_there(const json::Value& from, std::string_view name, json::Value& to, std::string_view as) {
  if (const json::Value* found = from.find(name); found != nullptr && !found->is_null()) to[as] = *found;
}

// What the agent is to know, from wherever the runtime says it.
json::Value request_of(const Invocation& call) {
  json::Value out;
  out["container"] = call.container;
  out["network"] = call.text({"name"}, "k8s-pod-network");
  out["interface"] = call.interface;
  out["netns"] = call.netns;
  out["podNamespace"] = call.argument("K8S_POD_NAMESPACE");
  out["podName"] = call.argument("K8S_POD_NAME");
  out["podUid"] = call.argument("K8S_POD_UID");
  out["ipamOnly"] = call.is_ipam;
  copy_if_there(call.config, "ipam", out, "ipam");
  copy_if_there(call.config, "mtu", out, "mtu");
  copy_if_there(call.config, "policy_setup_timeout_seconds", out, "waitSeconds");
  const json::Value* gate = call.config.find({"feature_control", "ip_addrs_no_ipam"});
  out["allowNoIpam"] = gate != nullptr && gate->as_bool() != nullptr && *gate->as_bool();
  json::Array ips;
  if (const json::Value* asked = call.config.find({"runtimeConfig", "ips"}); asked != nullptr && asked->as_array()) {
    ips = *asked->as_array();
  }
  if (const std::string ip = call.argument("IP"); !ip.empty() && ips.empty()) ips.emplace_back(ip);
  out["ips"] = std::move(ips);
  return out;
}

Result<std::vector<IpPrefix>> addresses_of(const json::Value& body) {
  std::vector<IpPrefix> out;
  const json::Value* list = body.find("addresses");
  if (list == nullptr || list->as_array() == nullptr) return invalid("the agent's answer has no addresses");
  for (const json::Value& each : *list->as_array()) {
    MARGAY_ASSIGN_OR_RETURN(const IpPrefix address,
                            IpPrefix::parse(each.as_string() == nullptr ? "" : *each.as_string()));
    out.push_back(address);
  }
  return out;
}

// The agent told what the interface needs; the addresses are still being written.
bool is_later(const json::Value& body) {
  const json::Value* later = body.find("addressesLater");
  return later != nullptr && later->as_bool() != nullptr && *later->as_bool();
}

std::vector<IpFamily> families_of(const json::Value& body) {
  std::vector<IpFamily> out;
  const json::Value* list = body.find("families");
  if (list == nullptr || list->as_array() == nullptr) return out;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    const bool is_there =
        std::any_of(list->as_array()->begin(), list->as_array()->end(), [family](const json::Value& each) {
          return each.as_string() != nullptr && *each.as_string() == to_string(family);
        });
    if (is_there) out.push_back(family);
  }
  return out;
}

Status take_addresses(const json::Value& body, InterfacePlan& plan) {
  MARGAY_ASSIGN_OR_RETURN(plan.addresses, addresses_of(body));
  plan.families.clear();
  for (const IpPrefix& address : plan.addresses) plan.families.push_back(address.family());
  return ok_status();
}

// One of those that nobody is given (IEEE 802-2014, 8.2): locally administered, of one station.
Mac random_mac() {
  std::uint64_t bits = system_seed();
  std::array<std::uint8_t, 6> bytes{};
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(bits);
    bits >>= 8;
  }
  bytes[0] = static_cast<std::uint8_t>((bytes[0] | 0x02U) & 0xfeU);
  return Mac(bytes);
}

Result<InterfacePlan> plan_of(const Invocation& call, const json::Value& body) {
  InterfacePlan plan;
  plan.host_name = body.string_at({"hostInterface"});
  plan.name = call.interface;
  if (is_later(body)) {
    plan.families = families_of(body);
  } else {
    MARGAY_RETURN_IF_ERROR(take_addresses(body, plan));
  }
  if (const json::Value* mtu = body.find("mtu");
      mtu != nullptr && mtu->as_integer() != nullptr && *mtu->as_integer() > 0) {
    plan.mtu = *mtu->as_integer();
  }
  std::string mac(body.string_at({"mac"}));
  if (mac.empty()) mac = call.text({"runtimeConfig", "mac"}, call.argument("MAC"));
  if (mac.empty()) {
    plan.mac = random_mac();
  } else {
    MARGAY_ASSIGN_OR_RETURN(plan.mac, Mac::parse(mac));
  }
  const json::Value* forwarding = call.config.find({"container_settings", "allow_ip_forwarding"});
  plan.is_forwarding = forwarding != nullptr && forwarding->as_bool() != nullptr && *forwarding->as_bool();
  return plan;
}

CniResult<std::vector<IpPrefix>> check_ipam_type(const Invocation& call) {
  const std::string type = call.text({"ipam", "type"});
  if (type.empty() || type == "margay-ipam" || type == "calico-ipam") return std::vector<IpPrefix>{};
  return CniError{kInvalidConfiguration, concat("ipam.type ", quoted(type), " is not supported"), "margay-ipam is"};
}

// The container gets nothing: what was done is undone, as far as that goes.
CniError give_up(AgentClient& agent, const json::Value& request, CniError error) {
  (void)agent.call("POST", "/v1/del", request, kLookSeconds);
  return error;
}

// What was told later, for an interface that is there. Its error is the agent's: it holds nothing then.
std::optional<CniError> get_addresses(AgentClient& agent, const json::Value& request, InterfacePlan& plan) {
  const auto given = agent.call("POST", "/v1/addresses", request, kAddSeconds);
  if (!given.ok()) return agent_error(given.error());
  if (given->status != 200) return refused(*given, kNoAddress);
  const Status read = take_addresses(given->body, plan);
  if (!read.ok()) return CniError{kDecodingFailure, read.error().message};
  return std::nullopt;
}

// The process is in the pod then.
Result<HostEnd> make_interface(const Invocation& call, const PodNetns& space, const InterfacePlan& plan) {
  const KernelTurn turn(call.socket());
  MARGAY_ASSIGN_OR_RETURN(HostEnd host, space.make_pair(plan));
  MARGAY_RETURN_IF_ERROR(space.enter());
  prepare(plan);
  return host;
}

Done add_interface(const Invocation& call, AgentClient& agent, const json::Value& request, const AgentAnswer& given) {
  auto plan = plan_of(call, given.body);
  if (!plan.ok()) return give_up(agent, request, {kInvalidConfiguration, plan.error().message});
  const auto space = PodNetns::open(call.netns);
  if (!space.ok()) return give_up(agent, request, interface_error(space.error()));
  const auto host = make_interface(call, *space, *plan);
  if (!host.ok()) return give_up(agent, request, interface_error(host.error()));
  if (is_later(given.body)) {
    const auto refusal = get_addresses(agent, request, *plan);
    if (refusal) {
      (void)remove_link(plan->name);
      return give_up(agent, request, *refusal);
    }
  }
  const auto mac = set_addresses(*plan);
  const Status told = mac.ok() ? host->tell_addresses(*plan, *mac) : Status(mac.error());
  if (!told.ok()) {
    (void)remove_link(plan->name);
    return give_up(agent, request, interface_error(told.error()));
  }
  const auto ready = agent.call("POST", "/v1/ready", request, kReadySeconds);
  if (!ready.ok() || ready->status != 200) {
    (void)remove_link(plan->name);
    return give_up(agent, request, ready.ok() ? refused(*ready, kNotReady) : agent_error(ready.error(), kNotReady));
  }
  host->wait_until_running();
  const MadeInterface interface {
    plan->host_name, kHostMac.to_string(), plan->name, mac->to_string(), call.netns, plan->mtu
  };
  return result_text(call.version, plan->addresses, &interface);
}

Done add(const Invocation& call) {
  const auto type = check_ipam_type(call);
  if (!type.ok()) return type.error();
  if (!call.is_ipam) {
    // Nothing is asked for that cannot be used.
    const auto space = PodNetns::open(call.netns);
    if (!space.ok()) return interface_error(space.error());
  }
  AgentClient agent(call.socket());
  json::Value request = request_of(call);
  request["planFirst"] = !call.is_ipam;
  const auto given = agent.call("POST", "/v1/add", request, kAddSeconds);
  if (!given.ok()) return agent_error(given.error());
  if (given->status != 200) return refused(*given, kNoAddress);
  if (!call.is_ipam) return add_interface(call, agent, request, *given);
  const auto addresses = addresses_of(given->body);
  if (!addresses.ok()) return CniError{kDecodingFailure, addresses.error().message};
  return result_text(call.version, *addresses, nullptr);
}

// For the agent, when it is back. The names are safe: they were checked.
Done write_down(const Invocation& call, const json::Value& request) {
  const std::string folder = call.spool_folder();
  Status written = file::make_folders(folder, 0700);
  if (written.ok()) {
    written = file::write_file_atomically(concat(folder, '/', call.container, '-', call.interface, ".json"),
                                          json::dump(request), 0600);
  }
  if (!written.ok()) return CniError{kTryAgainLater, concat("the agent is away, and: ", written.error().message)};
  return std::string();
}

Done del(const Invocation& call) {
  AgentClient agent(call.socket());
  const json::Value request = request_of(call);
  const bool has_interface = !call.is_ipam && !call.netns.empty();
  bool is_inside = false;
  if (has_interface) {
    const auto space = PodNetns::open(call.netns);
    if (!space.ok() && space.error().code != ErrorCode::kNotFound) return interface_error(space.error());
    is_inside = space.ok() && space->enter().ok();
  }
  // Somebody else may have the address once the agent has released it: no packet leaves with it any more. The interface
  // goes meanwhile.
  std::optional<LinkRemoval> removal;
  if (is_inside) removal.emplace(call.interface);
  const Status sent = agent.send("POST", "/v1/del", request, kDelSeconds);
  if (removal) removal->begin();
  const Status removed = removal ? removal->wait_until_gone() : ok_status();
  const auto answer = sent.ok() ? agent.receive() : Result<AgentAnswer>(sent.error());
  if (!removed.ok()) return interface_error(removed.error());
  if (!answer.ok() || answer->status >= 500) return write_down(call, request);
  if (answer->status != 200) return refused(*answer, kIoFailure);
  return std::string();
}

Done check(const Invocation& call) {
  AgentClient agent(call.socket());
  const auto known = agent.call("POST", "/v1/check", request_of(call), kLookSeconds);
  if (!known.ok()) return agent_error(known.error());
  if (known->status != 200) return refused(*known, kCheckFailed);
  if (call.is_ipam) return std::string();
  const auto plan = plan_of(call, known->body);
  if (!plan.ok()) return CniError{kDecodingFailure, plan.error().message};
  const auto space = PodNetns::open(call.netns);
  if (!space.ok()) return interface_error(space.error());
  const Status inside = space->enter();
  if (!inside.ok()) return interface_error(inside.error());
  const auto fault = find_fault(*plan);
  if (!fault.ok()) return interface_error(fault.error());
  if (!fault->empty()) return CniError{kCheckFailed, fault.value()};
  return std::string();
}

Done collect_garbage(const Invocation& call) {
  json::Value body;
  body["network"] = call.text({"name"}, "k8s-pod-network");
  const json::Value* attachments = call.config.find("cni.dev/valid-attachments");
  if (attachments == nullptr) attachments = call.config.find("cni.dev/attachments");
  if (attachments == nullptr || attachments->as_array() == nullptr) {
    return CniError{kInvalidConfiguration, "cni.dev/valid-attachments is missing: nothing is removed"};
  }
  json::Array containers;
  for (const json::Value& each : *attachments->as_array()) containers.emplace_back(each.string_at({"containerID"}));
  body["validContainers"] = std::move(containers);
  AgentClient agent(call.socket());
  // Interfaces go before their addresses are somebody else's.
  body["interfacesFirst"] = true;
  const auto left = agent.call("POST", "/v1/gc", body, kDelSeconds);
  if (!left.ok()) return agent_error(left.error());
  if (left->status != 200) return refused(*left, kIoFailure);
  const json::Value* interfaces = left->body.find("interfaces");
  if (interfaces == nullptr || interfaces->as_array() == nullptr) return std::string();  // an older agent has released
  for (const json::Value& interface : *interfaces->as_array()) {
    const Status removed = remove_link(interface.as_string() == nullptr ? "" : *interface.as_string());
    if (!removed.ok()) return interface_error(removed.error());
  }
  body["interfacesFirst"] = false;
  const auto answer = agent.call("POST", "/v1/gc", body, kDelSeconds);
  if (!answer.ok()) return agent_error(answer.error());
  if (answer->status != 200) return refused(*answer, kIoFailure);
  return std::string();
}

Done status(const Invocation& call) {
  AgentClient agent(call.socket());
  const auto answer = agent.call("GET", "/v1/status", json::Value(), kLookSeconds);
  if (!answer.ok()) return CniError{kNotAvailable, answer.error().message};
  if (answer->status != 200) return CniError{kNotAvailable, answer->error()};
  return std::string();
}

Done dispatch(const Invocation& call) {
  switch (call.command) {
    case Command::kAdd: return add(call);
    case Command::kDel: return del(call);
    case Command::kCheck: return check(call);
    case Command::kGc: return collect_garbage(call);
    case Command::kStatus: return status(call);
    case Command::kVersion: return version_text(call.text({"cniVersion"}));
  }
  return CniError{kInvalidEnvironment, "CNI_COMMAND"};
}

}  // namespace

Answer run(std::string_view program, const Environment& environment, std::string_view input) {
  const auto call = parse_invocation(program, environment, input);
  const Done done = call.ok() ? dispatch(*call) : Done(call.error());
  if (!done.ok()) return {1, error_text(call.ok() ? call->version : "", done.error())};
  return {0, done.value()};
}

}  // namespace margay::cni
